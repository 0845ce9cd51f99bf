//! What the watch knows of one node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::{MetricName, NodeName};

use super::arrivals::{Arrivals, Gaps, News};
use super::level::Level;
use super::rule::{RuleId, Rules};
use super::update::LevelChange;
use crate::sample::{Now, Sample};

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
    pub arrivals: Arrivals,
    gaps: Gaps,
}

/// What an arrival was.
pub(super) struct Heard {
    /// How long the node was silent before it, when it was.
    pub(super) silence: Option<Duration>,
    /// What the sample is.
    pub(super) news: News,
}

/// The most metrics of one node: what the wire allows in one table.
const MAX_METRICS: usize = lamon_wire::frames::MAX_METRICS;

impl Node {
    /// A node that was heard for the first time.
    pub(super) fn new(name: NodeName, group: Arc<str>, now: Now, interval: Option<Duration>) -> Self {
        Self {
            name,
            group,
            metrics: Vec::new(),
            silent: false,
            heard: now.monotonic,
            heard_ms: now.unix_ms,
            interval: interval.unwrap_or(Gaps::UNKNOWN),
            arrivals: Arrivals::default(),
            gaps: Gaps::default(),
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

    /// Notes an arrival: when the next is expected, whether it ends silence, and what the sample is.
    pub(super) fn hear(&mut self, now: Now, sample: &Sample) -> Heard {
        let quiet = now.monotonic.saturating_duration_since(self.heard);
        (self.heard, self.heard_ms) = (now.monotonic, now.unix_ms);
        let was_silent = std::mem::take(&mut self.silent);
        // A gap that was silence is no interval, and neither is the time since a first line that never was.
        if !was_silent && !self.metrics.is_empty() {
            self.gaps.learn(quiet);
        }
        self.interval = sample.interval.unwrap_or_else(|| self.gaps.interval());
        let news = self.arrivals.note(sample.arrival, sample.identity);
        Heard { silence: was_silent.then_some(quiet), news }
    }

    /// A metric of the sample that the node does not have yet, for the check that its name is free.
    pub(super) fn new_metrics<'a>(&self, sample: &'a Sample) -> impl Iterator<Item = &'a MetricName> {
        // Samples bring the same metrics in the same order, so this is nearly always empty at once.
        let same =
            sample.metrics.iter().map(|(name, _)| name).eq(self.metrics.iter().map(|metric| &metric.name));
        let metrics = if same { &[][..] } else { &sample.metrics[..] };
        metrics.iter().map(|(name, _)| name).filter(|name| self.metric(name.as_str()).is_none())
    }

    /// Takes up a sample's values and judges them. Returns what changed its level, and whether a metric is new.
    pub(super) fn take(&mut self, sample: &Sample, rules: &Rules) -> (Vec<LevelChange>, bool) {
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
