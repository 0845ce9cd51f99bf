//! What the watch knows of one node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::{MetricName, NodeName};

use super::level::Level;
use super::rule::{RuleId, Rules};
use super::update::LevelChange;
use crate::sample::{Arrival, Identity, Now, Sample};

/// One watched quantity of a node, with the newest value that was not late.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: MetricName,
    /// The newest value, in the unit of the name.
    pub value: f64,
    /// How well it is. A metric that stops coming keeps its level: unknown is not resolved.
    pub level: Level,
    /// The rule that judges it.
    pub rule: Option<RuleId>,
    /// When `value` was taken, unix milliseconds UTC.
    pub taken_ms: i64,
}

/// One watched computer.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// The group it belongs to.
    pub group: Arc<str>,
    /// Its metrics, in the order in which they first came.
    pub metrics: Vec<Metric>,
    /// Whether nothing was heard for too long.
    pub silent: bool,
    /// When anything of it last arrived, by the hub's monotonic clock.
    pub heard: Instant,
    /// The same by the wall clock, unix milliseconds UTC.
    pub heard_ms: i64,
    /// Time between its samples.
    pub interval: Duration,
    /// What its agent took and what came, since the hub's start.
    pub tally: Tally,
    gaps: Gaps,
    /// The newest sample that was shown, so that none is shown twice.
    shown: Option<Identity>,
}

/// The interval of a sender that has not said one and has not come twice: a cron job of five minutes.
const UNKNOWN_INTERVAL: Duration = Duration::from_secs(300);

/// The last gaps between the lines of a sender that does not say its interval.
#[derive(Debug, Clone, Default)]
struct Gaps {
    last: [Duration; 3],
    count: usize,
}

impl Gaps {
    /// The interval to expect: the longest of the last three gaps, so that one line sent by hand between two of a cron
    /// job does not make the node silent.
    fn learn(&mut self, gap: Duration) -> Duration {
        /// Lines in a burst are no interval.
        const SHORTEST: Duration = Duration::from_secs(1);
        if gap >= SHORTEST {
            let place = self.count % self.last.len();
            if let Some(oldest) = self.last.get_mut(place) {
                *oldest = gap;
            }
            self.count += 1;
        }
        if self.count == 0 {
            return UNKNOWN_INTERVAL;
        }
        self.last.iter().copied().max().unwrap_or(UNKNOWN_INTERVAL).min(Duration::from_secs(86_400))
    }
}

/// How many samples an agent took and how many of them came, told by their sequence numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples taken, as far as the numbers tell.
    pub taken: u64,
    /// Samples that came in their turn.
    pub received: u64,
    last: Option<Identity>,
}

impl Tally {
    fn count(&mut self, identity: Identity) {
        let ahead = match self.last {
            Some(last) if last.epoch == identity.epoch => identity.sequence.saturating_sub(last.sequence),
            _ => 1,
        };
        if ahead > 0 {
            self.taken += ahead;
            self.received += 1;
            self.last = Some(identity);
        }
    }
}

/// The most metrics of one node: what the wire allows in one table.
const MAX_METRICS: usize = lamon_wire::frames::MAX_METRICS;

impl Node {
    /// A node that was heard for the first time.
    pub(super) fn new(name: NodeName, group: Arc<str>, now: Now) -> Self {
        Self {
            name,
            group,
            metrics: Vec::new(),
            silent: false,
            heard: now.monotonic,
            heard_ms: now.unix_ms,
            interval: UNKNOWN_INTERVAL,
            tally: Tally::default(),
            gaps: Gaps::default(),
            shown: None,
        }
    }

    /// The worst of its metrics' levels; [`Level::Silent`] when nothing is heard.
    #[must_use]
    pub fn level(&self) -> Level {
        let worst = || self.metrics.iter().map(|metric| metric.level).max();
        if self.silent { Level::Silent } else { worst().unwrap_or_default() }
    }

    /// The metric that makes the node's level; of equals the first.
    #[must_use]
    pub fn worst(&self) -> Option<&Metric> {
        // Of equals `max_by_key` takes the last, so it walks from behind.
        self.metrics.iter().rev().max_by_key(|metric| metric.level)
    }

    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name.as_str() == name)
    }

    /// Notes an arrival, and how soon the next is expected.
    pub(super) fn hear(&mut self, now: Now, sample: &Sample) {
        let gap = now.monotonic.saturating_duration_since(self.heard);
        (self.heard, self.heard_ms) = (now.monotonic, now.unix_ms);
        self.interval = sample.interval.unwrap_or_else(|| self.gaps.learn(gap));
        if sample.arrival == Arrival::Ordered {
            self.tally.count(sample.identity);
        }
    }

    /// Whether the sample was shown before: it came ahead of its backlog, or again after a reconnect.
    pub(super) fn is_shown(&self, sample: &Sample) -> bool {
        sample.arrival != Arrival::Text
            && self.shown.is_some_and(|shown| {
                shown.epoch == sample.identity.epoch && shown.sequence >= sample.identity.sequence
            })
    }

    /// Takes up a sample's values and judges them. Returns what changed its level, and whether a metric is new.
    pub(super) fn take(&mut self, sample: &Sample, rules: &Rules) -> (Vec<LevelChange>, bool) {
        self.shown = Some(sample.identity);
        let mut changes = Vec::new();
        let before = self.metrics.len();
        for (place, (name, value)) in sample.metrics.iter().enumerate() {
            // Samples bring the same metrics in the same order, so the place is nearly always right.
            let place = match self.metrics.get(place) {
                Some(metric) if metric.name == *name => Some(place),
                _ => self.metrics.iter().position(|metric| metric.name == *name),
            };
            let place = match place {
                Some(place) => place,
                None if self.metrics.len() >= MAX_METRICS => continue,
                None => {
                    let rule = rules.find(&self.name, &self.group, name);
                    let (level, taken_ms) = (Level::Good, sample.taken_ms);
                    self.metrics.push(Metric { name: name.clone(), value: *value, level, rule, taken_ms });
                    self.metrics.len() - 1
                }
            };
            let Some(metric) = self.metrics.get_mut(place) else { continue };
            metric.value = *value;
            metric.taken_ms = sample.taken_ms;
            changes.extend(metric.judge(rules));
        }
        (changes, self.metrics.len() > before)
    }

    /// Finds the rules anew, after a reload, and judges every value by them.
    pub(super) fn judge_again(&mut self, rules: &Rules) -> Vec<LevelChange> {
        let (node, group) = (&self.name, &self.group);
        let judged = self.metrics.iter_mut().filter_map(|metric| {
            metric.rule = rules.find(node, group, &metric.name);
            metric.judge(rules)
        });
        judged.collect()
    }
}

impl Metric {
    fn judge(&mut self, rules: &Rules) -> Option<LevelChange> {
        let rule = self.rule.and_then(|id| rules.get(id));
        let to = rule.map_or(Level::Good, |rule| rule.judge(self.value, self.level));
        let from = std::mem::replace(&mut self.level, to);
        (from != to).then(|| LevelChange {
            metric: self.name.clone(),
            value: self.value,
            from,
            to,
            // What was passed, or on recovery what had been.
            limit: rule.and_then(|rule| rule.passed(to.max(from))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_silent_sender_is_learned() {
        let mut gaps = Gaps::default();
        let seconds = Duration::from_secs;
        for (gap, expected) in [(0, 300), (60, 60), (60, 60), (5, 60), (60, 60), (10, 60), (10, 60), (10, 10)]
        {
            assert_eq!(gaps.learn(seconds(gap)), seconds(expected), "after a gap of {gap} s");
        }
    }

    #[test]
    fn gaps_in_the_numbers_are_samples_that_never_came() {
        let mut tally = Tally::default();
        for (epoch, sequence) in [(1, 10), (1, 11), (1, 11), (1, 10), (1, 15), (2, 1), (2, 2)] {
            tally.count(Identity { epoch, sequence });
        }
        assert_eq!((tally.taken, tally.received), (8, 5));
    }
}
