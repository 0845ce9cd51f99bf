//! How long to wait before trying again.

use std::time::Duration;

/// Waits that double from `first` to `longest`, each shortened at random by up to a half, so that a hundred agents do
/// not come back in the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// A back-off from `first` to `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The wait before the next try.
    pub fn wait(&mut self) -> Duration {
        let whole = self.next.min(self.longest);
        self.next = whole.saturating_mul(2).min(self.longest);
        whole.mul_f64(1.0 - fastrand::f64() / 2.0)
    }

    /// After a success the waits start from the first again.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    /// One second to one minute: a server that restarts is found at once, and one that is away for a night costs a
    /// connection a minute.
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_over() {
        let mut backoff = Backoff::default();
        for whole in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = backoff.wait();
            assert!(
                wait <= Duration::from_secs(whole) && wait * 2 >= Duration::from_secs(whole),
                "{whole} {wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_secs(1));
    }
}
