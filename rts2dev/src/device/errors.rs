//! How many errors of clients go to centrald's log: a peer must not fill it.

use tokio::time::Instant;

/// Errors that the log gets in a row; after that one a second.
const LOGGED_ERRORS: u32 = 16;

/// Errors that still go to the log.
pub(super) struct ErrorBudget {
    left: u32,
    since: Instant,
}

impl ErrorBudget {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: LOGGED_ERRORS, since: now }
    }

    /// Takes one; `false` when none is left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let seconds = u32::try_from(now.duration_since(self.since).as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds).min(LOGGED_ERRORS);
            self.since = now;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_a_second_when_it_is_used_up() {
        let now = Instant::now();
        let mut budget = ErrorBudget::new(now);
        let taken = |budget: &mut ErrorBudget, at| (0..100).filter(|_| budget.take(now + at)).count();
        assert_eq!(taken(&mut budget, Duration::ZERO), 16);
        assert_eq!(taken(&mut budget, Duration::from_millis(999)), 0);
        assert_eq!(taken(&mut budget, Duration::from_millis(2500)), 2);
        assert_eq!(taken(&mut budget, Duration::from_secs(3600)), 16);
    }
}
