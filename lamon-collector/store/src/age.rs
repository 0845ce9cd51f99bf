//! By which time stored data is old: the wall clock, as long as it is believed.
//!
//! A clock that is years ahead (a battery that is empty, a typing error) would make everything look old, and what is deleted
//! is gone. So a clock that jumped is not believed at once: the old time goes on beside it, and is replaced only when
//! the program has run by the new one for days, in which somebody had the time to see what was said of it. A program
//! that was off for long deletes later than it might, which costs nothing: no data came meanwhile.

use std::time::Duration;

/// A jump that is believed at once: a program that was off over night, clocks that are put right. What is kept is kept for
/// two days at least, so nothing that came by the right clock is lost by it.
const SMALL_JUMP_MS: i64 = 24 * 3_600_000;

/// How long the program runs by a clock that jumped further before it is believed: a weekend.
const DOUBT: Duration = Duration::from_secs(3 * 86_400);

/// The present, as the wall clock has it and as data is old by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// The wall clock, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// By which time data is old; never later than the wall clock.
    pub age_ms: i64,
}

impl From<i64> for Present {
    /// A wall clock that is believed.
    fn from(now_ms: i64) -> Self {
        Self { now_ms, age_ms: now_ms }
    }
}

/// The time that is believed. It outlives the process: [`Journal`](crate::Journal) keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeClock {
    /// The believed time, milliseconds since 1970.
    believed_ms: i64,
    /// For how long the wall clock has been another, in the time that the program ran.
    doubted: Duration,
}

impl AgeClock {
    /// A clock that begins by believing this time (milliseconds since 1970).
    #[must_use]
    pub const fn new(now_ms: i64) -> Self {
        Self { believed_ms: now_ms, doubted: Duration::ZERO }
    }

    /// The clock as it was kept.
    pub(crate) const fn kept(believed_ms: i64, doubted: Duration) -> Self {
        Self { believed_ms, doubted }
    }

    /// Reads it when the wall clock shows `now_ms`, `elapsed` after it was read before in this process; zero for the
    /// first time.
    pub fn read(&mut self, now_ms: i64, elapsed: Duration) -> Present {
        self.believed_ms = self.believed_ms.saturating_add(millis(elapsed));
        if now_ms.abs_diff(self.believed_ms) <= SMALL_JUMP_MS.unsigned_abs() {
            *self = Self::new(now_ms);
        } else {
            self.doubted = self.doubted.saturating_add(elapsed);
            if self.doubted >= DOUBT {
                *self = Self::new(now_ms);
            }
        }
        Present { now_ms, age_ms: self.believed_ms.min(now_ms) }
    }

    /// The believed time, milliseconds since 1970.
    #[must_use]
    pub const fn believed_ms(&self) -> i64 {
        self.believed_ms
    }

    /// For how long the wall clock has not been believed, in the time that the program ran.
    pub(crate) const fn doubted(&self) -> Duration {
        self.doubted
    }

    /// How long the wall clock has still to go on as it does to be believed, when it is `now_ms` now; none when it is.
    #[must_use]
    pub fn doubts(&self, now_ms: i64) -> Option<Duration> {
        (now_ms.abs_diff(self.believed_ms) > SMALL_JUMP_MS.unsigned_abs())
            .then(|| DOUBT.saturating_sub(self.doubted))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_305_600_000;
    const DAY: i64 = 86_400_000;
    const MINUTE: Duration = Duration::from_secs(60);

    /// Reads the clock each minute for some days, beginning when the wall clock shows `now_ms`; the last reading.
    fn run(clock: &mut AgeClock, now_ms: i64, days: i64) -> Present {
        let minutes = days * 1_440;
        (1..=minutes).map(|minute| clock.read(now_ms + minute * 60_000, MINUTE)).last().unwrap()
    }

    #[test]
    fn a_clock_that_goes_on_is_believed() {
        let mut clock = AgeClock::new(NOW);
        let present = run(&mut clock, NOW, 400);
        assert_eq!(present, Present::from(NOW + 400 * DAY));
        // Off over night; put right by an hour.
        for jump in [DAY / 2, -3_600_000] {
            let now_ms = present.now_ms + jump;
            assert_eq!(clock.read(now_ms, Duration::ZERO), Present::from(now_ms));
        }
    }

    #[test]
    fn a_clock_far_ahead_makes_nothing_old_until_the_program_ran_by_it_for_days() {
        let mut clock = AgeClock::new(NOW);
        let ahead = NOW + 3_650 * DAY;
        assert_eq!(clock.read(ahead, Duration::ZERO), Present { now_ms: ahead, age_ms: NOW });
        assert!(clock.doubts(ahead).is_some());
        assert_eq!(run(&mut clock, ahead, 2), Present { now_ms: ahead + 2 * DAY, age_ms: NOW + 2 * DAY });
        // A restart, or many, do not help.
        let mut clock = AgeClock::kept(clock.believed_ms(), clock.doubted());
        for _ in 0..1_000 {
            assert_eq!(clock.read(ahead + 2 * DAY, Duration::ZERO).age_ms, NOW + 2 * DAY);
        }
        // Put right: as if nothing had been.
        let mut mended = clock;
        assert_eq!(run(&mut mended, NOW + 2 * DAY, 1), Present::from(NOW + 3 * DAY));
        assert_eq!((mended.doubted(), mended.doubts(NOW + 3 * DAY)), (Duration::ZERO, None));
        // Left so: believed in the end.
        assert_eq!(run(&mut clock, ahead + 2 * DAY, 1), Present::from(ahead + 3 * DAY));
    }

    #[test]
    fn a_clock_far_behind_makes_less_old_and_is_believed_in_the_end() {
        let mut clock = AgeClock::new(NOW);
        assert_eq!(clock.read(0, Duration::ZERO), Present::from(0));
        // The clock of a computer without a battery, until the network has come up.
        assert_eq!(clock.read(NOW + DAY, MINUTE).age_ms, NOW + DAY);
        let mut new = AgeClock::new(0);
        assert_eq!(new.read(NOW, MINUTE), Present { now_ms: NOW, age_ms: 60_000 });
        assert_eq!(run(&mut new, NOW, 3).age_ms, NOW + 3 * DAY);
    }
}
