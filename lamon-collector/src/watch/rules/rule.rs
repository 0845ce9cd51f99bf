//! One rule: for which values it holds, and what it makes of them.

use std::fmt;
use std::time::Duration;

use lamon_daemon::seconds::Seconds;
use lamon_wire::metric::Unit;
use lamon_wire::names::{MetricName, NodeName};
use serde::Deserialize;

use super::companion::Companion;
use super::hold::Hold;
use super::phase::{Phase, When};
use super::table::RuleTable;
use crate::watch::level::Level;
use crate::watch::pattern::{NameGlob, NodePattern};

/// On which side of its limits a value is unwell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Too much is bad: the limit, or more.
    #[default]
    Above,
    /// Too little is bad: less than the limit.
    Below,
    /// Too far from zero on either side is bad (a clock's offset).
    Beyond,
}

/// Two limits, and by how much a value must be back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The bad side.
    pub direction: Direction,
    /// Where warning begins.
    pub warning: Option<f64>,
    /// Where error begins.
    pub error: Option<f64>,
    /// By how much a value must be back before its level is left, 0 or more.
    pub clear: f64,
}

impl Limits {
    /// The level of `value` that was at `before`: limits are taken when they are reached, and left only when the value
    /// is back by more than the clear margin. A value that is no number keeps its level.
    #[must_use]
    pub fn judge(&self, value: f64, before: Level) -> Level {
        if value.is_nan() {
            return before;
        }
        let reached = |limit: Option<f64>, level: Level| {
            let margin = if before >= level && before != Level::Silent { self.clear } else { 0.0 };
            limit.is_some_and(|limit| match self.direction {
                Direction::Above => value >= limit - margin,
                Direction::Below => value < limit + margin,
                Direction::Beyond => value.abs() >= limit - margin,
            })
        };
        if reached(self.error, Level::Error) {
            Level::Error
        } else if reached(self.warning, Level::Warning) {
            Level::Warning
        } else {
            Level::Good
        }
    }

    /// Where a level begins.
    #[must_use]
    pub const fn of(&self, level: Level) -> Option<f64> {
        match level {
            Level::Warning => self.warning,
            Level::Error => self.error,
            Level::Good | Level::Silent => None,
        }
    }

    /// The limit that a value at `level` has passed, with the sign that a message shows: `> 90`.
    #[must_use]
    pub fn passed(&self, level: Level) -> Option<String> {
        let limit = self.of(level)?;
        Some(match self.direction {
            Direction::Above => format!("> {limit}"),
            Direction::Below => format!("< {limit}"),
            Direction::Beyond => format!("beyond {limit}"),
        })
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = |level: Level| self.passed(level).map(|limit| format!("{level} {limit}"));
        let limits: Vec<_> = [Level::Warning, Level::Error].into_iter().filter_map(limit).collect();
        if limits.is_empty() { f.write_str("off") } else { f.write_str(&limits.join(", ")) }
    }
}

/// Limits for values, of a `[[rule]]` table, built in, or set by an operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RuleTable")]
pub struct Rule {
    /// By what name operators change its limits: as given, else made of its metrics and nodes.
    pub(super) name: String,
    /// For which nodes; all when there is none.
    pub nodes: Vec<NodePattern>,
    pub(super) metrics: Vec<NameGlob>,
    pub(super) limits: Limits,
    pub(super) hold: Hold,
    pub(super) when: When,
    pub(super) and: Option<Companion>,
    /// The time over which the change per hour is judged, in the place of the value.
    pub(super) rate: Option<Duration>,
}

impl Rule {
    /// By what name operators change its limits: `[a-z0-9][a-z0-9_]{0,39}`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The value that it was made for, when an operator set limits for one.
    #[must_use]
    pub fn of_value(&self) -> Option<(&NodePattern, &NameGlob)> {
        match (&self.nodes[..], &self.metrics[..]) {
            ([node], [metric]) if metric.is_exact() => Some((node, metric)),
            _ => None,
        }
    }

    /// The metrics that it is for, in words, and the unit of its limits where all of them have the same.
    #[must_use]
    pub fn of_metrics(&self) -> (String, Option<Unit>) {
        let words = self.metrics.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut units = self.metrics.iter().map(|glob| {
            // A star stands for a name: disk_*_free has the unit of disk_x_free.
            MetricName::new(&glob.to_string().replace('*', "x")).ok().map(|name| Unit::of(&name))
        });
        let first = units.next().flatten();
        (words, first.filter(|_| units.all(|unit| unit == first)))
    }

    /// How long a value must be past a limit.
    #[must_use]
    pub const fn hold(&self) -> Hold {
        self.hold
    }

    /// When it holds.
    #[must_use]
    pub const fn when(&self) -> When {
        self.when
    }

    /// The time over which the change per hour is judged; `None` for a rule that judges the value itself.
    #[must_use]
    pub const fn rate(&self) -> Option<Duration> {
        self.rate
    }

    /// Whether it takes limits away.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        self.limits.warning.is_none() && self.limits.error.is_none()
    }

    /// The level of `value` that was at `before`. `other` finds the value of another metric of the node: where the rule
    /// has a second condition and the node has its metric, both must hold.
    #[must_use]
    pub fn judge(
        &self,
        metric: &MetricName,
        value: f64,
        before: Level,
        other: impl FnOnce(&str) -> Option<f64>,
    ) -> Level {
        let level = self.limits.judge(value, before);
        match &self.and {
            Some(and) if level > Level::Good => {
                let second = other(&and.of(&self.metrics, metric.as_str()));
                let holds = second.is_none_or(|value| and.holds(value, before > Level::Good));
                if holds { level } else { Level::Good }
            }
            _ => level,
        }
    }

    /// The limit that a value at `level` has passed, as a message shows it: `> 90`, `> 5 per hour`.
    #[must_use]
    pub fn passed(&self, level: Level) -> Option<String> {
        let limit = self.limits.passed(level)?;
        Some(if self.rate.is_some() { format!("{limit} per hour") } else { limit })
    }

    /// How particular the rule is for this value, `None` where it does not hold.
    pub(super) fn rank(
        &self,
        node: &NodeName,
        group: &str,
        metric: &MetricName,
        phase: Option<Phase>,
    ) -> Option<Rank> {
        if phase.is_some_and(|phase| !self.when.is(phase)) {
            return None;
        }
        let metric =
            self.metrics.iter().filter(|glob| glob.matches(metric.as_str())).map(NameGlob::is_exact).max()?;
        if self.nodes.is_empty() {
            return Some(Rank::MetricAlone);
        }
        let ranks = self.nodes.iter().filter_map(|pattern| match pattern {
            NodePattern::Group(name) => (name == group).then_some(Rank::Group),
            NodePattern::Name(glob) if !glob.matches(node.as_str()) => None,
            NodePattern::Name(glob) if !glob.is_exact() => Some(Rank::NodeGlob),
            NodePattern::Name(_) if metric => Some(Rank::NodeAndMetric),
            NodePattern::Name(_) => Some(Rank::Node),
        });
        ranks.max()
    }

    /// What it is for, in words: `disk_percent of @ccd`.
    pub(super) fn scope(&self) -> String {
        let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(", ");
        let metrics = list(&mut self.metrics.iter().map(ToString::to_string));
        if self.nodes.is_empty() {
            return metrics;
        }
        format!("{metrics} of {}", list(&mut self.nodes.iter().map(ToString::to_string)))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.scope())?;
        self.limits.fmt(f)?;
        if self.rate.is_some() {
            f.write_str(" per hour")?;
        }
        if let Some(and) = &self.and {
            write!(f, ", and {and}")?;
        }
        if let Some(window) = self.rate {
            write!(f, ", by the change over {}", Seconds::from(window))?;
        }
        if self.hold != Hold::AtOnce {
            write!(f, ", for {}", self.hold)?;
        }
        if self.limits.clear > 0.0 {
            write!(f, ", clears by {}", self.limits.clear)?;
        }
        match self.when {
            When::Always => Ok(()),
            when => write!(f, ", at {when}"),
        }
    }
}

/// How particular a match is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The rule is for every node.
    MetricAlone,
    /// A glob means the node.
    NodeGlob,
    /// The node's group.
    Group,
    /// The node by name, the metric by a glob.
    Node,
    /// Node and metric by name.
    NodeAndMetric,
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MetricAlone => "for the metric on every node",
            Self::NodeGlob => "for nodes by a glob",
            Self::Group => "for the node's group",
            Self::Node => "for this node",
            Self::NodeAndMetric => "for this node and metric",
        })
    }
}
