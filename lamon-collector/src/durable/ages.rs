//! By which time stored data is old, in a process that runs: the store's clock of ages, read by the monotonic clock.

use std::time::Duration;

use lamon_store::age::{AgeClock, Present};

use crate::sample::Now;

/// The clock, and when it was read. Journal and forwarder thread have one each, which agree: they begin alike.
#[derive(Debug, Clone)]
pub(crate) struct Ages {
    clock: AgeClock,
    read_at: std::time::Instant,
    /// Whether it is known that the wall clock jumped.
    told: bool,
}

/// The hub's wall clock is not where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// By how much it is ahead, milliseconds; negative when it is behind.
    pub(crate) ahead_ms: i64,
    /// How long the hub has to run by it until it is believed.
    pub(crate) believed_in: Duration,
}

impl Ages {
    /// Begins with what the journal kept.
    pub(crate) const fn new(clock: AgeClock, now: Now) -> Self {
        Self { clock, read_at: now.monotonic, told: false }
    }

    /// By which time data is old now, and, once for each, that the clock jumped.
    pub(crate) fn read(&mut self, now: Now) -> (Present, Option<Jump>) {
        let elapsed = now.monotonic.saturating_duration_since(self.read_at);
        self.read_at = now.monotonic;
        let present = self.clock.read(now.unix_ms, elapsed);
        let jump = self.clock.doubts(now.unix_ms).map(|believed_in| Jump {
            ahead_ms: now.unix_ms.saturating_sub(self.clock.believed_ms()),
            believed_in,
        });
        let told = std::mem::replace(&mut self.told, jump.is_some());
        (present, jump.filter(|_| !told))
    }

    /// What the journal is to keep.
    pub(crate) const fn clock(&self) -> AgeClock {
        self.clock
    }
}

impl std::fmt::Display for Jump {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = self.ahead_ms.unsigned_abs() / 86_400_000;
        let way = if self.ahead_ms < 0 { "behind" } else { "ahead of" };
        write!(
            f,
            "the clock of this computer is {days} days {way} what the hub knew: if that is wrong, set it within {} hours; \
             until then nothing is deleted by it",
            self.believed_in.as_secs() / 3_600
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_jump_is_told_once() {
        let (began, day) = (Instant::now(), 86_400_000_i64);
        let at = |seconds: u64, ahead_days: i64| Now {
            monotonic: began + Duration::from_secs(seconds),
            unix_ms: 1_795_305_600_000 + i64::try_from(seconds).unwrap() * 1_000 + ahead_days * day,
        };
        let mut ages = Ages::new(AgeClock::new(at(0, 0).unix_ms), at(0, 0));
        assert_eq!(ages.read(at(60, 0)).1, None);
        let (present, jump) = ages.read(at(120, 3_650));
        assert_eq!(present.age_ms, at(120, 0).unix_ms);
        assert_eq!(
            jump.unwrap().to_string(),
            "the clock of this computer is 3650 days ahead of what the hub knew: if that is wrong, set it within 71 \
             hours; until then nothing is deleted by it"
        );
        assert_eq!(ages.read(at(180, 3_650)).1, None);
        assert_eq!(ages.read(at(240, 0)), (Present::from(at(240, 0).unix_ms), None));
        assert!(ages.read(at(300, -30)).1.unwrap().to_string().contains("30 days behind"));
    }
}
