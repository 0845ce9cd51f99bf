//! Rules: which limits hold for which value.
//!
//! One rule holds for a value, whole, never merged from several. The most particular wins: exact node and metric, then
//! exact node, group, node glob, metric alone, and last the built-in defaults; of equals the later in the file.

use std::fmt;

use lamon_wire::names::{MetricName, NodeName};
use serde::Deserialize;
use thiserror::Error;

use super::level::Level;
use super::pattern::{NameGlob, NodePattern};

/// On which side of its limits a value is unwell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Too much is bad.
    #[default]
    Above,
    /// Too little is bad.
    Below,
    /// Too far from zero on either side is bad (a clock's offset).
    Beyond,
}

/// Limits for values, of a `[[rule]]` table or built in.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "RuleTable")]
pub struct Rule {
    /// For which nodes; all when there is none.
    pub nodes: Vec<NodePattern>,
    metrics: Vec<NameGlob>,
    direction: Direction,
    warning: Option<f64>,
    error: Option<f64>,
    clear: f64,
}

/// A `[[rule]]` table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    #[serde(default)]
    nodes: Vec<NodePattern>,
    metrics: Vec<NameGlob>,
    #[serde(default)]
    direction: Direction,
    warning: Option<f64>,
    error: Option<f64>,
    #[serde(default)]
    clear: f64,
    #[serde(default)]
    off: bool,
}

/// Why a rule's table is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum RuleError {
    #[error("a rule names at least one metric: metrics = [\"disk_percent\"]")]
    NoMetrics,
    #[error("a rule has a warning, an error, or off = true")]
    NoLimits,
    #[error("a rule that is off = true has neither warning nor error")]
    OffWithLimits,
    #[error("limits are finite numbers")]
    NotFinite,
    #[error("clear is a margin, 0 or more")]
    NegativeClear,
    #[error("error must lie beyond warning (is direction = \"below\" meant?)")]
    WrongOrder,
    #[error("limits of direction = \"beyond\" are 0 or more")]
    NegativeBeyond,
}

impl TryFrom<RuleTable> for Rule {
    type Error = RuleError;

    fn try_from(table: RuleTable) -> Result<Self, RuleError> {
        let RuleTable { nodes, metrics, direction, warning, error, clear, off } = table;
        let limits = || [warning, error].into_iter().flatten();
        if metrics.is_empty() {
            return Err(RuleError::NoMetrics);
        }
        match (limits().next().is_some(), off) {
            (false, false) => return Err(RuleError::NoLimits),
            (true, true) => return Err(RuleError::OffWithLimits),
            _ => {}
        }
        if !limits().chain([clear]).all(f64::is_finite) {
            return Err(RuleError::NotFinite);
        }
        if clear < 0.0 {
            return Err(RuleError::NegativeClear);
        }
        if direction == Direction::Beyond && limits().any(|limit| limit < 0.0) {
            return Err(RuleError::NegativeBeyond);
        }
        let ordered = match (warning, error) {
            (Some(warning), Some(error)) if direction == Direction::Below => error <= warning,
            (Some(warning), Some(error)) => error >= warning,
            _ => true,
        };
        if !ordered {
            return Err(RuleError::WrongOrder);
        }
        Ok(Self { nodes, metrics, direction, warning, error, clear })
    }
}

impl Rule {
    /// The level of `value` that was at `before`: limits are taken when they are reached, and left only when the value
    /// is back by more than the clear margin. A value that is no number keeps its level.
    #[must_use]
    pub fn judge(&self, value: f64, before: Level) -> Level {
        if value.is_nan() {
            return before;
        }
        let (value, sign) = match self.direction {
            Direction::Above => (value, 1.0),
            Direction::Below => (-value, -1.0),
            Direction::Beyond => (value.abs(), 1.0),
        };
        let reached = |limit: Option<f64>, level: Level| {
            let margin = if before >= level && before != Level::Silent { self.clear } else { 0.0 };
            limit.is_some_and(|limit| value >= limit.mul_add(sign, -margin))
        };
        if reached(self.error, Level::Error) {
            Level::Error
        } else if reached(self.warning, Level::Warning) {
            Level::Warning
        } else {
            Level::Good
        }
    }

    /// The limit that a value at `level` has passed, with the sign that a message shows: `> 90`.
    #[must_use]
    pub fn passed(&self, level: Level) -> Option<String> {
        let limit = match level {
            Level::Warning => self.warning,
            Level::Error => self.error,
            Level::Good | Level::Silent => None,
        }?;
        Some(match self.direction {
            Direction::Above => format!("> {limit}"),
            Direction::Below => format!("< {limit}"),
            Direction::Beyond => format!("beyond {limit}"),
        })
    }

    /// How particular the rule is for this value, `None` where it does not hold.
    fn rank(&self, node: &NodeName, group: &str, metric: &MetricName) -> Option<Rank> {
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
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, items: &[&dyn fmt::Display]| {
            items.iter().enumerate().try_for_each(|(position, item)| {
                let comma = if position > 0 { ", " } else { "" };
                write!(f, "{comma}{item}")
            })
        };
        list(f, &self.metrics.iter().map(|glob| glob as &dyn fmt::Display).collect::<Vec<_>>())?;
        if !self.nodes.is_empty() {
            f.write_str(" of ")?;
            list(f, &self.nodes.iter().map(|pattern| pattern as &dyn fmt::Display).collect::<Vec<_>>())?;
        }
        f.write_str(": ")?;
        let limit = |level: Level| self.passed(level).map(|limit| format!("{level} {limit}"));
        let limits: Vec<_> = [Level::Warning, Level::Error].into_iter().filter_map(limit).collect();
        if limits.is_empty() {
            return f.write_str("off");
        }
        f.write_str(&limits.join(", "))?;
        if self.clear > 0.0 { write!(f, ", clears by {}", self.clear) } else { Ok(()) }
    }
}

/// How particular a match is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    MetricAlone,
    NodeGlob,
    Group,
    Node,
    NodeAndMetric,
}

/// All rules of a hub: those of the file, and the built-in ones below them.
#[derive(Debug, Clone)]
pub struct Rules {
    /// In the order of the file.
    configured: Vec<Rule>,
    built_in: Vec<Rule>,
}

/// A rule's place in [`Rules`], kept beside each value that it judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleId(usize);

impl Rules {
    /// The rules of a file, above the built-in ones.
    #[must_use]
    pub fn new(configured: Vec<Rule>) -> Self {
        Self { configured, built_in: built_in() }
    }

    /// The one rule that holds for a value; `None` when the value has no limits.
    #[must_use]
    pub fn find(&self, node: &NodeName, group: &str, metric: &MetricName) -> Option<RuleId> {
        let best = |rules: &[Rule]| {
            let ranked = rules
                .iter()
                .enumerate()
                .filter_map(|(place, rule)| Some((rule.rank(node, group, metric)?, place)));
            ranked.max().map(|(_, place)| place)
        };
        best(&self.configured)
            .or_else(|| best(&self.built_in).map(|place| self.configured.len() + place))
            .map(RuleId)
    }

    /// The rule at a place that [`Rules::find`] gave.
    #[must_use]
    pub fn get(&self, id: RuleId) -> Option<&Rule> {
        self.configured.iter().chain(&self.built_in).nth(id.0)
    }

    /// Every rule, those of the file first, and whether it is built in.
    pub fn iter(&self) -> impl Iterator<Item = (&Rule, bool)> {
        let built_in = self.built_in.iter().map(|rule| (rule, true));
        self.configured.iter().map(|rule| (rule, false)).chain(built_in)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// What is unwell without any configuration. No rule on CPU: a busy computer is not an unwell one.
fn built_in() -> Vec<Rule> {
    let rule = |metrics: &[&str], direction, warning, error, clear| Rule {
        nodes: Vec::new(),
        metrics: metrics.iter().filter_map(|glob| NameGlob::new(glob).ok()).collect(),
        direction,
        warning: Some(warning),
        error: Some(error),
        clear,
    };
    vec![
        rule(&["disk_percent", "disk_*_percent"], Direction::Above, 80.0, 90.0, 2.0),
        rule(&["memory_percent"], Direction::Above, 90.0, 95.0, 2.0),
        rule(&["swap_percent"], Direction::Above, 50.0, 80.0, 5.0),
        rule(&["clock_offset"], Direction::Beyond, 1.0, 10.0, 0.2),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Rule {
        toml::from_str(text).unwrap()
    }

    fn node(name: &str) -> NodeName {
        NodeName::new(name).unwrap()
    }

    fn metric(name: &str) -> MetricName {
        MetricName::new(name).unwrap()
    }

    #[test]
    fn limits_are_reached_at_once_and_left_by_the_margin() {
        let rule = rule("metrics = ['disk_percent']\nwarning = 80\nerror = 90\nclear = 2");
        let mut level = Level::Good;
        for (value, expected) in [
            (79.9, Level::Good),
            (80.0, Level::Warning),
            (79.0, Level::Warning),
            (90.0, Level::Error),
            (88.5, Level::Error),
            (f64::NAN, Level::Error),
            (87.9, Level::Warning),
            (78.1, Level::Warning),
            (77.9, Level::Good),
            (78.5, Level::Good),
            (95.0, Level::Error),
            (10.0, Level::Good),
        ] {
            level = rule.judge(value, level);
            assert_eq!(level, expected, "at {value}");
        }
    }

    #[test]
    fn below_and_beyond() {
        let below = rule("metrics = ['disk_free']\ndirection = 'below'\nwarning = 20\nerror = 10\nclear = 1");
        assert_eq!(below.judge(20.0, Level::Good), Level::Warning);
        assert_eq!(below.judge(20.5, Level::Warning), Level::Warning);
        assert_eq!(below.judge(21.5, Level::Warning), Level::Good);
        assert_eq!(below.judge(9.0, Level::Good), Level::Error);
        assert_eq!(below.passed(Level::Error).unwrap(), "< 10");
        let beyond = rule("metrics = ['clock_offset']\ndirection = 'beyond'\nwarning = 1\nerror = 10");
        assert_eq!(beyond.judge(-1.5, Level::Good), Level::Warning);
        assert_eq!(beyond.judge(-11.0, Level::Good), Level::Error);
    }

    #[test]
    fn the_most_particular_rule_holds_and_of_equals_the_later() {
        let file = [
            "metrics = ['disk_percent']\nwarning = 1",
            "nodes = ['ccd*']\nmetrics = ['disk_percent']\nwarning = 2",
            "nodes = ['@ccd']\nmetrics = ['*']\nwarning = 3",
            "nodes = ['ccd01']\nmetrics = ['disk_*']\nwarning = 4",
            "nodes = ['ccd01']\nmetrics = ['disk_percent']\nwarning = 5",
            "nodes = ['tcs*']\nmetrics = ['disk_percent']\nwarning = 6",
            "nodes = ['*1']\nmetrics = ['disk_percent']\nwarning = 7",
        ];
        let rules = Rules::new(file.iter().map(|text| rule(text)).collect());
        let found = |name: &str, group: &str, what: &str| {
            rules
                .find(&node(name), group, &metric(what))
                .and_then(|id| rules.get(id))
                .and_then(|rule| rule.warning)
        };
        assert_eq!(found("ccd01", "ccd", "disk_percent"), Some(5.0));
        assert_eq!(found("ccd01", "ccd", "disk_root_percent"), Some(4.0));
        assert_eq!(found("ccd02", "ccd", "disk_percent"), Some(3.0));
        assert_eq!(found("ccd02", "ccd", "cpu_percent"), Some(3.0));
        assert_eq!(found("ccd02", "other", "disk_percent"), Some(2.0));
        assert_eq!(found("tcs1", "other", "disk_percent"), Some(7.0));
        assert_eq!(found("door", "other", "disk_percent"), Some(1.0));
        assert_eq!(found("door", "other", "memory_percent"), Some(90.0));
        assert_eq!(found("door", "other", "cpu_percent"), None);
    }

    #[test]
    fn an_off_rule_takes_the_limits_away() {
        let rules = Rules::new(vec![rule("nodes = ['tape']\nmetrics = ['disk_*']\noff = true")]);
        let id = rules.find(&node("tape"), "other", &metric("disk_percent")).unwrap();
        assert_eq!(rules.get(id).unwrap().judge(99.0, Level::Error), Level::Good);
        assert_eq!(rules.get(id).unwrap().to_string(), "disk_* of tape: off");
    }

    #[test]
    fn senseless_rules_are_refused_with_a_sentence() {
        for (text, message) in [
            ("metrics = []\nwarning = 1", "names at least one metric"),
            ("metrics = ['a']", "has a warning, an error, or off"),
            ("metrics = ['a']\nwarning = 1\noff = true", "neither warning nor error"),
            ("metrics = ['a']\nwarning = inf", "finite"),
            ("metrics = ['a']\nwarning = 90\nerror = 80", "error must lie beyond warning"),
            (
                "metrics = ['a']\ndirection = 'below'\nwarning = 80\nerror = 90",
                "error must lie beyond warning",
            ),
            ("metrics = ['a']\nwarning = 1\nclear = -1", "margin"),
            ("metrics = ['[']\nwarning = 1", "unclosed character class"),
            ("metrics = ['a']\nnodes = ['@']\nwarning = 1", "name of a group"),
        ] {
            let error = toml::from_str::<Rule>(text).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_level_never_rises_below_its_limit(values in proptest::collection::vec(0.0..120.0_f64, 1..60)) {
            let rule = rule("metrics = ['a']\nwarning = 80\nerror = 90\nclear = 5");
            let mut level = Level::Good;
            for value in values {
                let next = rule.judge(value, level);
                if next > level {
                    let limit = if next == Level::Error { 90.0 } else { 80.0 };
                    prop_assert!(value >= limit);
                }
                if next < level {
                    let limit = if level == Level::Error { 85.0 } else { 75.0 };
                    prop_assert!(value < limit);
                }
                level = next;
            }
        }
    }
}
