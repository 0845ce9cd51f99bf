//! Keeps a peer from filling the log.

use std::time::{Duration, Instant};

/// Lets a few messages through at once and then one per period; counts what it holds back.
///
/// A daemon keeps one for each kind of message that strangers can cause.
#[derive(Debug, Clone)]
pub struct LogLimit {
    period: Duration,
    burst: u32,
    left: u32,
    refilled: Option<Instant>,
    held_back: u64,
}

impl LogLimit {
    /// At most `burst` messages at once, and one more for each `period` that passes.
    #[must_use]
    pub const fn new(burst: u32, period: Duration) -> Self {
        Self { period, burst, left: burst, refilled: None, held_back: 0 }
    }

    /// Whether a message may be written now: `Some` with the number held back since the last that was.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        let since = self.refilled.get_or_insert(now);
        let periods = now.saturating_duration_since(*since).as_nanos() / self.period.as_nanos().max(1);
        if periods > 0 {
            self.left = self.left.saturating_add(u32::try_from(periods).unwrap_or(u32::MAX)).min(self.burst);
            self.refilled = Some(now);
        }
        if self.left == 0 {
            self.held_back += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.held_back))
    }
}

impl Default for LogLimit {
    /// Ten at once, then one every ten seconds: 8,650 lines a day from the worst peer.
    fn default() -> Self {
        Self::new(10, Duration::from_secs(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_becomes_one_message_a_period_with_its_count() {
        let start = Instant::now();
        let mut limit = LogLimit::new(2, Duration::from_secs(10));
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limit.admit(at(0)), Some(0));
        assert_eq!(limit.admit(at(0)), Some(0));
        for _ in 0..5 {
            assert_eq!(limit.admit(at(1)), None);
        }
        assert_eq!(limit.admit(at(11)), Some(5));
        assert_eq!(limit.admit(at(11)), None);
        assert_eq!(limit.admit(at(100)), Some(1));
        assert_eq!(limit.admit(at(100)), Some(0));
        assert_eq!(limit.admit(at(100)), None);
    }
}
