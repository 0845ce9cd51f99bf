//! Which rule holds for a value, why that one, and why the value is at its level.

use std::fmt;

use lamon_control::Threshold;
use lamon_wire::metric::Unit;
use lamon_wire::names::{MetricName, NodeName};
use serde::Serialize;

use super::rules::{Quality, Ruled};
use super::{Groups, Level, Metric, Node, Origin, Phase, RuleId, Rules, Watch};

/// Why a value is at its level. Shown to people by [`fmt::Display`], to programs by its fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The node.
    pub node: String,
    /// Its group.
    pub group: String,
    /// The metric.
    pub metric: String,
    /// The rules that are for the value, the one that holds first.
    pub rules: Vec<Candidate>,
    /// The rules that are for its change per hour, the one that holds first.
    pub rate_rules: Vec<Candidate>,
    /// How it is now; none when the hub has no such value, or when only files were asked.
    pub state: Option<State>,
}

/// A rule that is for a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The rule in words.
    pub rule: String,
    /// Whose it is, in words.
    pub origin: String,
    /// How particular it is, in words.
    pub rank: String,
    /// Its limits before an operator changed them, in words.
    pub before: Option<String>,
    /// Who changed them, when and why.
    pub changed: Option<String>,
    /// Why it does not hold now, when it is for the other phase.
    pub resting: Option<String>,
}

/// How a value is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct State {
    /// Its level.
    pub level: Level,
    /// Since when, unix milliseconds UTC.
    pub since_ms: i64,
    /// The newest value.
    pub value: f64,
    /// Its unit; empty for a bare number.
    pub unit: &'static str,
    /// When it was taken, unix milliseconds UTC.
    pub taken_ms: i64,
    /// The limit that it has passed.
    pub limit: Option<String>,
    /// The change per hour, where a rule is on it.
    pub per_hour: Option<f64>,
    /// How far a rise of its level is that waits.
    pub pending: Option<String>,
    /// Whether it is held at its worst because it flips.
    pub flapping: bool,
    /// Whether it does not come any more.
    pub unknown: bool,
    /// Whether its node is silent.
    pub silent: bool,
}

impl Rules {
    /// Explains a value by the rules alone.
    #[must_use]
    pub fn explain(
        &self,
        groups: &Groups,
        phase: Option<Phase>,
        node: &NodeName,
        metric: &MetricName,
    ) -> Explanation {
        let group = groups.of(node);
        let candidates = |quality| {
            let mut ranked: Vec<_> = self.ranked(quality, node, group, metric, None).collect();
            let resting = |id: RuleId| {
                let when = self.get(id)?.when();
                phase
                    .filter(|phase| !when.is(*phase))
                    .map(|phase| format!("rests: it is for {when}, and now it is {phase}"))
            };
            ranked.sort_by_key(|(origin, rank, id)| {
                (resting(*id).is_some(), std::cmp::Reverse((*origin, *rank, *id)))
            });
            let candidates = ranked.into_iter().filter_map(|(origin, rank, id)| {
                let Ruled { rule, before, .. } = self.ruled(id)?;
                Some(Candidate {
                    name: rule.name().into(),
                    rule: rule.to_string(),
                    origin: origin.to_string(),
                    rank: rank.to_string(),
                    before: before.map(|limits| limits.to_string()),
                    changed: None,
                    resting: resting(id),
                })
            });
            candidates.collect()
        };
        Explanation {
            node: node.to_string(),
            group: group.into(),
            metric: metric.to_string(),
            rules: candidates(Quality::Value),
            rate_rules: candidates(Quality::Rate),
            state: None,
        }
    }
}

impl Watch {
    /// Explains why a value is at its level.
    #[must_use]
    pub fn explain(&self, node: &NodeName, metric: &MetricName) -> Explanation {
        let known = self.node(node);
        let state =
            known.and_then(|known| Some(State::of(known, known.metric(metric.as_str())?, &self.rules)));
        let explanation = self.rules.explain(&self.groups, Some(self.phase), node, metric);
        Explanation { state, ..explanation }.with_thresholds(self.limits())
    }
}

impl Explanation {
    /// Adds who set limits, and when.
    #[must_use]
    pub fn with_thresholds<'a>(mut self, thresholds: impl IntoIterator<Item = &'a Threshold>) -> Self {
        let Self { node, metric, rules, rate_rules, .. } = &mut self;
        for set in thresholds {
            let about_value = set.target == *node && set.metric.as_ref() == Some(metric);
            for candidate in rules.iter_mut().chain(rate_rules.iter_mut()) {
                let of_value = candidate.origin == Origin::Operator.to_string();
                let of_rule = set.metric.is_none() && set.target == candidate.name;
                if of_rule || (about_value && of_value) {
                    candidate.changed = Some(super::thresholds::by_whom(set));
                }
            }
        }
        self
    }
}

impl State {
    fn of(node: &Node, metric: &Metric, rules: &Rules) -> Self {
        Self {
            level: metric.level,
            since_ms: metric.since_ms,
            value: metric.value,
            unit: Unit::of(&metric.name).symbol(),
            taken_ms: metric.taken_ms,
            limit: metric.limit(rules),
            per_hour: metric.per_hour(),
            pending: metric.pending(rules),
            flapping: metric.flapping(),
            unknown: metric.unknown,
            silent: node.silent,
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, group, metric, rules, rate_rules, state } = self;
        write!(f, "{node} {metric} (group {group})")?;
        match state {
            Some(state) => state.fmt(f)?,
            None => f.write_str(": no value is known here")?,
        }
        for (what, candidates) in [("value", rules), ("change per hour", rate_rules)] {
            for (place, candidate) in candidates.iter().enumerate() {
                let verb = match (place, &candidate.resting) {
                    (_, Some(resting)) => resting.as_str(),
                    (0, None) => "holds",
                    _ => "gives way to a more particular or later one",
                };
                write!(f, "\n  {what}: rule {} {verb}: {}", candidate.name, candidate.rule)?;
                write!(f, " ({}, {})", candidate.origin, candidate.rank)?;
                if let Some(changed) = &candidate.changed {
                    write!(f, "; set by {changed}")?;
                }
                if let Some(before) = &candidate.before {
                    write!(f, "; before an operator changed it: {before}")?;
                }
            }
        }
        if rules.is_empty() && rate_rules.is_empty() { f.write_str("\n  no rule is for it") } else { Ok(()) }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |unix_ms| crate::sample::utc(unix_ms);
        write!(f, ": {}", self.level)?;
        if let Some(limit) = &self.limit {
            write!(f, " ({limit})")?;
        }
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        write!(f, " since {}; {}{unit} at {}", time(self.since_ms), self.value, time(self.taken_ms))?;
        if let Some(per_hour) = self.per_hour {
            write!(f, ", changing by {per_hour:.2}{unit} per hour")?;
        }
        for (is, text) in [
            (self.flapping, "it flips, and is held at its worst until it is steady"),
            (self.unknown, "it does not come any more, and keeps its level"),
            (self.silent, "the node is silent"),
        ] {
            if is {
                write!(f, "\n  {text}")?;
            }
        }
        self.pending.as_ref().map_or(Ok(()), |pending| write!(f, "\n  {pending}"))
    }
}
