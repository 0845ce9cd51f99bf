//! Which samples of a node came: what is new, what is old, what came before, and how many never came.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::sample::{Arrival, Identity};

/// The most sequence numbers remembered of samples that came ahead of a backlog: at 10 s nearly three hours of a backlog
/// that still flows. Of older ones the backlog shows the sample a second time, as late.
const MAX_AHEAD: usize = 1_024;

/// A gap in the numbers longer than this is no loss but a new start: three years at one sample a second.
const MAX_GAP: u64 = 100_000_000;

/// What a sample is to the watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It was seen: it came ahead of its turn, or comes again after a reconnect.
    Known,
    /// It was not seen, but a newer one was: it says nothing of how the node is now.
    Old,
    /// The newest.
    Current,
}

/// How far the samples are that an agent took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many were taken.
    pub taken: u64,
    /// How many of them are stored.
    pub stored: u64,
    /// How many of them are lost for good; the rest is still to come.
    pub lost: u64,
}

impl Progress {
    /// The part that is stored; 1 when none is missing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
    pub fn completeness(self) -> f64 {
        // What came since the agent last counted is stored and not yet in its count.
        if self.stored >= self.taken { 1.0 } else { self.stored as f64 / self.taken as f64 }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            taken: self.taken.saturating_add(other.taken),
            stored: self.stored.saturating_add(if other.stored < other.taken {
                other.stored
            } else {
                other.taken
            }),
            lost: self.lost.saturating_add(other.lost),
        }
    }
}

impl std::iter::Sum for Progress {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::plus)
    }
}

/// What became of the samples of an agent that tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The epoch that it last told of.
    pub epoch: u32,
    /// Of that epoch.
    pub present: Progress,
    /// Of all epochs that ended before.
    pub past: Progress,
}

/// The numbers of an agent's samples. Those of text senders are the hub's own and tell nothing.
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    /// By the numbers, of agents that do not tell.
    counted: Progress,
    /// Of epochs that ended.
    past: Progress,
    /// What the agent told of its epoch.
    told: Option<(u32, Progress)>,
    epoch: u32,
    /// The highest number that came in its turn.
    ordered: Option<u64>,
    /// Numbers above it that came ahead.
    ahead: BTreeSet<u64>,
}

impl Arrivals {
    /// How far the agent's samples are: those of its epoch, as it tells, and of the epochs that it had before. Of an agent that does not tell (version 1), what the numbers tell since the hub's start.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.told.map_or(self.counted, |(_, told)| self.past.plus(told))
    }

    /// The agent and the journal told of an epoch.
    pub(super) fn tell(&mut self, epoch: u32, progress: Progress) {
        if let Some((_, ended)) = self.told.filter(|(of, _)| *of != epoch) {
            self.past = self.past.plus(ended);
        }
        self.told = Some((epoch, progress));
    }

    /// What is worth keeping over the hub's end; none of an agent that does not tell.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        self.told.map(|(epoch, present)| Account { epoch, present, past: self.past })
    }

    /// Takes up what an earlier run of the hub kept, once; also when the agent has told since.
    pub(super) fn restore(&mut self, kept: Account) {
        self.past = self.past.plus(kept.past);
        match self.told {
            None => self.told = Some((kept.epoch, kept.present)),
            // The same counts, and newer.
            Some((epoch, _)) if epoch == kept.epoch => {}
            Some(_) => self.past = self.past.plus(kept.present),
        }
    }

    pub(super) fn note(&mut self, arrival: Arrival, identity: Identity) -> News {
        if arrival == Arrival::Text {
            return News::Current;
        }
        if identity.epoch != self.epoch {
            (self.epoch, self.ordered) = (identity.epoch, None);
            self.ahead.clear();
        }
        let number = identity.sequence;
        if self.ordered.is_some_and(|ordered| number <= ordered) {
            return News::Known;
        }
        let newest = self.ahead.last().is_none_or(|ahead| number > *ahead);
        let known = match arrival {
            Arrival::Ahead => {
                let known = !self.ahead.insert(number);
                if self.ahead.len() > MAX_AHEAD {
                    self.ahead.pop_first();
                }
                known
            }
            Arrival::Ordered | Arrival::Text => {
                let step = self.ordered.map_or(1, |ordered| number - ordered);
                let step = if step > MAX_GAP { 1 } else { step };
                self.counted = self.counted.plus(Progress { taken: step, stored: 1, lost: 0 });
                self.ordered = Some(number);
                let above = self.ahead.split_off(&number);
                self.ahead = above;
                self.ahead.remove(&number)
            }
        };
        match (known, newest) {
            (true, _) => News::Known,
            (false, true) => News::Current,
            (false, false) => News::Old,
        }
    }
}

/// The last gaps between the lines of a sender that does not say its interval.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    last: [Duration; 3],
    count: usize,
}

impl Gaps {
    /// The interval of a sender that has not said one and has not come twice: a cron job of five minutes.
    pub(super) const UNKNOWN: Duration = Duration::from_secs(300);

    /// Takes up a gap. One that was silence is none.
    pub(super) fn learn(&mut self, gap: Duration) {
        /// Lines in a burst are no interval.
        const SHORTEST: Duration = Duration::from_secs(1);
        if gap >= SHORTEST {
            let place = self.count % self.last.len();
            if let Some(oldest) = self.last.get_mut(place) {
                *oldest = gap;
            }
            self.count += 1;
        }
    }

    /// The interval to expect: the middle one of the last three gaps, so that neither a line sent by hand nor one that was
    /// lost counts; the longest while there are fewer.
    pub(super) fn interval(&self) -> Duration {
        const DAY: Duration = Duration::from_secs(86_400);
        let mut sorted = self.last;
        sorted.sort_unstable();
        let [_, middle, longest] = sorted;
        match self.count {
            0 => Self::UNKNOWN,
            1 | 2 => longest.min(DAY),
            _ => middle.min(DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(epoch: u32, sequence: u64) -> Identity {
        Identity { epoch, sequence }
    }

    #[test]
    fn a_backlog_behind_a_live_sample_is_old_news_but_news() {
        use Arrival::{Ahead, Ordered};
        let mut arrivals = Arrivals::default();
        for (arrival, number, news) in [
            (Ordered, 639, News::Current),
            (Ahead, 1_000, News::Current),
            (Ordered, 640, News::Old),
            (Ordered, 640, News::Known),
            (Ahead, 1_001, News::Current),
            (Ahead, 1_001, News::Known),
            (Ordered, 999, News::Old),
            (Ordered, 1_000, News::Known),
            (Ordered, 1_001, News::Known),
            (Ordered, 1_002, News::Current),
            (Ahead, 1_000, News::Known),
        ] {
            assert_eq!(arrivals.note(arrival, id(7, number)), news, "{arrival:?} {number}");
        }
        assert_eq!(arrivals.note(Ordered, id(8, 1)), News::Current, "another epoch");
    }

    #[test]
    fn gaps_in_the_numbers_are_samples_that_never_came() {
        let mut arrivals = Arrivals::default();
        for (epoch, number) in [(1, 10), (1, 11), (1, 11), (1, 10), (1, 15), (2, 1), (2, 2), (2, u64::MAX)] {
            arrivals.note(Arrival::Ordered, id(epoch, number));
        }
        assert_eq!(arrivals.progress(), Progress { taken: 9, stored: 6, lost: 0 });
    }

    #[test]
    fn what_the_agent_tells_counts_and_adds_up_over_its_epochs() {
        let mut arrivals = Arrivals::default();
        arrivals.note(Arrival::Ordered, id(1, 50));
        let told = |taken, stored, lost| Progress { taken, stored, lost };
        arrivals.tell(1, told(100, 20, 10));
        assert!((arrivals.progress().completeness() - 0.2).abs() < 1e-9, "a backlog is still to come");
        arrivals.tell(1, told(100, 91, 10));
        assert_eq!(arrivals.progress(), told(100, 91, 10));
        arrivals.tell(2, told(100, 101, 0));
        assert_eq!(arrivals.progress(), told(200, 191, 10), "what is stored was taken");
        assert!((arrivals.progress().completeness() - 0.955).abs() < 1e-9);
        let all: Progress = [told(1, 1, 0), told(3, 1, 0), Progress::default()].into_iter().sum();
        assert!((all.completeness() - 0.5).abs() < 1e-9);
        assert!((Progress::default().completeness() - 1.0).abs() < 1e-9, "nothing is missing of nothing");
    }

    #[test]
    fn what_an_earlier_run_of_the_hub_kept_counts_once_whenever_it_comes() {
        let told = |taken, stored, lost| Progress { taken, stored, lost };
        let kept = Account { epoch: 2, present: told(50, 40, 5), past: told(100, 90, 10) };
        for (tells, expected) in [
            (vec![], told(150, 130, 15)),
            (vec![(2, told(60, 60, 0))], told(160, 150, 10)),
            (vec![(3, told(10, 10, 0))], told(160, 140, 15)),
            (vec![(2, told(60, 60, 0)), (3, told(10, 10, 0))], told(170, 160, 10)),
        ] {
            // The journal may be open before the agents come, or after.
            for place in 0..=tells.len().min(1) {
                let mut arrivals = Arrivals::default();
                for (number, (epoch, progress)) in tells.iter().enumerate() {
                    if number == place {
                        arrivals.restore(kept);
                    }
                    arrivals.tell(*epoch, *progress);
                }
                if place == tells.len() {
                    arrivals.restore(kept);
                }
                assert_eq!(arrivals.progress(), expected, "{tells:?}, kept at {place}");
            }
        }
    }

    #[test]
    fn the_interval_of_a_sender_is_learned_past_lines_by_hand_and_lines_that_were_lost() {
        let mut gaps = Gaps::default();
        let seconds = Duration::from_secs;
        assert_eq!(gaps.interval(), seconds(300));
        for (gap, expected) in
            [(0, 300), (60, 60), (5, 60), (55, 55), (60, 55), (120, 60), (60, 60), (10, 60), (10, 10)]
        {
            gaps.learn(seconds(gap));
            assert_eq!(gaps.interval(), seconds(expected), "after a gap of {gap} s");
        }
    }

    proptest! {
        /// Whatever comes ahead and comes again, the samples of a turn are each news exactly once.
        #[test]
        fn each_sample_is_news_once(steps in proptest::collection::vec((any::<bool>(), 0..40_u64), 0..120)) {
            let mut arrivals = Arrivals::default();
            let mut seen = BTreeSet::new();
            let mut ordered = None;
            for (ahead, number) in steps {
                let arrival = if ahead { Arrival::Ahead } else { Arrival::Ordered };
                let news = arrivals.note(arrival, id(1, number));
                let passed = ordered.is_some_and(|ordered| number <= ordered);
                prop_assert_eq!(news == News::Known, passed || seen.contains(&number));
                seen.insert(number);
                if !ahead && !passed {
                    ordered = Some(number);
                }
                prop_assert!(arrivals.ahead.len() <= MAX_AHEAD);
            }
        }
    }
}
