//! Which number the sample at a position has, and whose clock stamped it; pure.
//!
//! Positions count without a gap from 0 for as long as the agent runs. Numbers follow them but for the jumps between
//! one life of the agent and the next, when samples came out of the spool.

use std::collections::VecDeque;

use lamon_wire::frames::Boot;

/// What a stretch takes, in bytes.
pub(super) const STRETCH_BYTES: usize = size_of::<Stretch>();

/// Samples whose numbers follow each other, all stamped by one boot's clock.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// The position of its first sample.
    first: u64,
    /// That sample's number.
    number: u64,
    boot: Boot,
}

/// All stretches, in order; of the last the samples to come are part.
#[derive(Debug)]
pub(super) struct Stretches {
    list: VecDeque<Stretch>,
}

impl Stretches {
    /// One stretch of this boot, from position 0 and number 1 on.
    pub(super) fn new() -> Self {
        Self { list: VecDeque::from([Stretch { first: 0, number: 1, boot: Boot::This }]) }
    }

    /// Whether a sample of this number and clock that comes to position `at` begins a new stretch.
    pub(super) fn begins(&self, at: u64, number: u64, boot: Boot) -> bool {
        self.of(at).is_none_or(|last| last.boot != boot || last.number + (at - last.first) != number)
    }

    /// Samples from position `at` on have the numbers from `number` on. Says whether that is a stretch more.
    pub(super) fn begin(&mut self, at: u64, number: u64, boot: Boot) -> bool {
        let grows = match self.list.back() {
            // The one before has no sample at all.
            Some(last) if last.first >= at => self.list.pop_back().is_none(),
            _ => true,
        };
        self.list.push_back(Stretch { first: at, number, boot });
        grows
    }

    /// The number of the sample at a position, or that it will have.
    pub(super) fn number(&self, position: u64) -> u64 {
        self.of(position).map_or(0, |stretch| stretch.number + (position - stretch.first))
    }

    /// Whose clock stamped the sample at a position.
    pub(super) fn boot(&self, position: u64) -> Boot {
        self.of(position).map_or(Boot::This, |stretch| stretch.boot)
    }

    /// The first position behind `position` that has another stretch.
    pub(super) fn end(&self, position: u64) -> u64 {
        self.list.iter().map(|stretch| stretch.first).find(|first| *first > position).unwrap_or(u64::MAX)
    }

    /// The position behind all samples whose numbers are not above this one.
    pub(super) fn behind(&self, number: u64) -> u64 {
        let mut stretches = self.list.iter().rev();
        let Some(stretch) = stretches.find(|stretch| stretch.number <= number) else { return 0 };
        // A number in the gap behind a stretch is behind all of it.
        (stretch.first + (number - stretch.number)).saturating_add(1).min(self.end(stretch.first))
    }

    /// Forgets the stretches that ended before `oldest`; says how many.
    pub(super) fn forget(&mut self, oldest: u64) -> usize {
        let before = self.list.len();
        while self.list.get(1).is_some_and(|second| second.first <= oldest) {
            self.list.pop_front();
        }
        before - self.list.len()
    }

    fn of(&self, position: u64) -> Option<&Stretch> {
        self.list.iter().rev().find(|stretch| stretch.first <= position)
    }
}

#[cfg(test)]
mod tests {
    use lamon_wire::frames::Anchor;

    use super::*;

    #[test]
    fn numbers_jump_between_stretches() {
        let earlier = Boot::Earlier(Anchor { monotonic_ms: 1, unix_ms: 2 });
        let mut stretches = Stretches::new();
        assert!(!stretches.begins(0, 1, Boot::This) && stretches.begins(0, 5, Boot::This));
        assert!(!stretches.begin(0, 5, earlier), "it takes the place of the empty one");
        assert!(stretches.begin(3, 1_000, Boot::This));
        let numbers: Vec<u64> = (0..5).map(|position| stretches.number(position)).collect();
        assert_eq!(numbers, [5, 6, 7, 1_000, 1_001]);
        assert_eq!((stretches.boot(2), stretches.boot(3)), (earlier, Boot::This));
        assert_eq!((stretches.end(0), stretches.end(3)), (3, u64::MAX));
        for (number, behind) in [(0, 0), (4, 0), (5, 1), (7, 3), (8, 3), (999, 3), (1_000, 4), (1_005, 9)] {
            assert_eq!(stretches.behind(number), behind, "{number}");
        }
        assert_eq!((stretches.forget(2), stretches.forget(3), stretches.number(4)), (0, 1, 1_001));
        assert_eq!(stretches.behind(7), 0, "long gone");
    }
}
