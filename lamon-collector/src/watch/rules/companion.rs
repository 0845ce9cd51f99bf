//! `and`: a second metric that must be unwell too. A disk of 4 TB that is 90 % full has room for many nights, so a rule may
//! ask for both: `and = { metric = "disk_*_free", below = "20 GB" }`.

use std::fmt;

use lamon_wire::names::MetricName;
use serde::Deserialize;

use super::quantity::Quantity;
use super::rule::{Direction, Limits};
use crate::watch::level::Level;
use crate::watch::pattern::NameGlob;

/// The second condition of a rule, for both of its levels.
#[derive(Debug, Clone)]
pub(super) struct Companion {
    /// Its metric: a name, or one with a `*` that stands for what the `*` of the rule's metric stands for.
    metric: String,
    limits: Limits,
}

/// `and` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompanionTable {
    metric: String,
    below: Option<Quantity>,
    above: Option<Quantity>,
    clear: Option<Quantity>,
}

impl CompanionTable {
    /// Checks it against the metrics of its rule.
    pub(super) fn check(self, metrics: &[NameGlob]) -> Result<Companion, String> {
        let Self { metric, below, above, clear } = self;
        let (direction, limit) = match (below, above) {
            (Some(limit), None) => (Direction::Below, limit),
            (None, Some(limit)) => (Direction::Above, limit),
            _ => return Err("and has one limit, below or above".into()),
        };
        let clear = clear.map_or(0.0, |clear| clear.value);
        if !limit.value.is_finite() || !(0.0..f64::INFINITY).contains(&clear) {
            return Err("the limit of and is a finite number, and its clear a margin, 0 or more".into());
        }
        let glob = NameGlob::new(&metric).map_err(|error| format!("and.metric: {error}"))?;
        if !limit.fits(&glob) {
            return Err(format!("and: {metric} is not measured in that unit"));
        }
        if MetricName::new(&metric.replacen('*', "x", 1)).is_err() {
            return Err(format!("and.metric: {metric:?} is no name of a metric, with one * at most"));
        }
        if metric.contains('*') && metrics.iter().any(|glob| glob.star("").is_none()) {
            return Err("the * of and.metric stands for what the * of metrics stands for: each of metrics wants one *, \
                        and no ?, [ or {".into());
        }
        let limits = Limits { direction, warning: Some(limit.value), error: None, clear };
        Ok(Companion { metric, limits })
    }
}

impl Companion {
    /// The metric that goes with `metric`, which one of these globs of the rule matched.
    pub(super) fn of(&self, metrics: &[NameGlob], metric: &str) -> String {
        let star = metrics.iter().find_map(|glob| glob.star(metric).flatten());
        self.metric.replacen('*', star.unwrap_or_default(), 1)
    }

    /// The same condition of one of these metrics alone.
    pub(super) fn fixed(&self, metrics: &[NameGlob], metric: &str) -> Self {
        Self { metric: self.of(metrics, metric), limits: self.limits }
    }

    /// Whether its value is unwell. `held` tells whether the rule's level stands, which it leaves by its margin.
    pub(super) fn holds(&self, value: f64, held: bool) -> bool {
        let before = if held { Level::Warning } else { Level::Good };
        self.limits.judge(value, before) > Level::Good
    }
}

impl fmt::Display for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.limits.passed(Level::Warning).unwrap_or_default();
        write!(f, "{} {limit}", self.metric)
    }
}
