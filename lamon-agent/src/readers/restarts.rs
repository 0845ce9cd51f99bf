//! How often a watched program was started again within the last hour: `restarts_<name>`.
//!
//! A look at the processes is all there is, so what started and ended between two looks is not seen. What runs when the agent
//! starts is no restart, and neither is a program's first start after it. A program that starts children of its own name
//! counts with each: limits for it are the operator's, there is no built-in one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// For how long a start counts.
const WINDOW: Duration = Duration::from_secs(3_600);

/// The most starts that are remembered: one each four seconds.
const MAX_STARTS: usize = 1_000;

/// The most instances of one program that are told apart; what is more counts for none.
const MAX_INSTANCES: usize = 256;

/// A process: its id, and when it was started, in whatever the system counts. Ids are used again.
pub(super) type Instance = (u32, u64);

/// The starts of one program.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    /// Its processes at the look before.
    before: Vec<Instance>,
    /// Those of the present look.
    seen: Vec<Instance>,
    /// Whether it ran at some look.
    ran: bool,
    /// When it was seen to be started again, the oldest first.
    starts: VecDeque<Instant>,
}

impl Restarts {
    /// A process of the program, at this look.
    pub(super) fn note(&mut self, instance: Instance) {
        if self.seen.len() < MAX_INSTANCES {
            self.seen.push(instance);
        }
    }

    /// Ends the look and says how often the program was started again within the last hour.
    pub(super) fn settle(&mut self, now: Instant) -> u32 {
        while self.starts.front().is_some_and(|start| now.duration_since(*start) >= WINDOW) {
            self.starts.pop_front();
        }
        let new = self.seen.iter().filter(|instance| !self.before.contains(instance)).count();
        if self.ran {
            let room = MAX_STARTS.saturating_sub(self.starts.len());
            self.starts.extend(std::iter::repeat_n(now, new.min(room)));
        }
        self.ran |= !self.seen.is_empty();
        std::mem::swap(&mut self.before, &mut self.seen);
        self.seen.clear();
        u32::try_from(self.starts.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_after_the_first_count_for_an_hour() {
        let zero = Instant::now();
        let mut restarts = Restarts::default();
        for (seconds, processes, expected) in [
            (0, &[][..], 0),
            (10, &[(7, 100)], 0),
            (20, &[(7, 100)], 0),
            // Gone, and started again twice.
            (30, &[], 0),
            (40, &[(8, 140)], 1),
            (50, &[(9, 150)], 2),
            // The same id is another process when it was started at another time.
            (60, &[(9, 155)], 3),
            // A second one beside it.
            (70, &[(9, 155), (10, 160)], 4),
            (3_639, &[(9, 155)], 4),
            (3_640, &[(9, 155)], 3),
            (3_700, &[(9, 155)], 0),
        ] {
            for instance in processes {
                restarts.note(*instance);
            }
            assert_eq!(restarts.settle(zero + Duration::from_secs(seconds)), expected, "at {seconds} s");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let zero = Instant::now();
        let mut restarts = Restarts::default();
        for look in 0..20_u64 {
            for id in 0..300 {
                restarts.note((id, look));
            }
            let count = restarts.settle(zero + Duration::from_secs(look));
            assert!(count as usize <= MAX_STARTS && restarts.before.len() <= MAX_INSTANCES);
        }
        assert_eq!(restarts.settle(zero + Duration::from_secs(20)), 1_000);
    }
}
