//! A `[[rule]]` table as it is written, and what would be senseless in it.

use std::time::Duration;

use lamon_daemon::seconds::Seconds;
use serde::Deserialize;
use thiserror::Error;

use super::companion::CompanionTable;
use super::hold::Hold;
use super::phase::When;
use super::quantity::Quantity;
use super::rule::{Direction, Limits, Rule};
use crate::watch::pattern::{NameGlob, NodePattern};

/// A `[[rule]]` table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleTable {
    name: Option<String>,
    #[serde(default)]
    nodes: Vec<NodePattern>,
    metrics: Vec<NameGlob>,
    #[serde(default)]
    direction: Direction,
    warning: Option<Quantity>,
    error: Option<Quantity>,
    clear: Option<Quantity>,
    #[serde(default, rename = "for")]
    hold: Hold,
    #[serde(default)]
    when: When,
    and: Option<CompanionTable>,
    rate: Option<Seconds>,
    #[serde(default)]
    off: bool,
}

/// Why a rule's table is none, or limits cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// It holds for nothing.
    #[error("a rule names at least one metric: metrics = [\"disk_percent\"]")]
    NoMetrics,
    /// It says nothing.
    #[error("a rule has a warning, an error, or off = true")]
    NoLimits,
    /// It contradicts itself.
    #[error("a rule that is off = true has no limits, and nothing that goes with limits")]
    OffWithLimits,
    /// Infinite, or no number.
    #[error("limits are finite numbers")]
    NotFinite,
    /// A margin on the wrong side.
    #[error("clear is a margin, 0 or more")]
    NegativeClear,
    /// Error would come before warning.
    #[error("error must lie beyond warning (is direction = \"below\" meant?)")]
    WrongOrder,
    /// A distance from zero that is negative.
    #[error("limits of direction = \"beyond\" are 0 or more")]
    NegativeBeyond,
    /// A limit in bytes for a percentage.
    #[error("{0} is not measured in the unit of these limits")]
    WrongUnit(String),
    /// The window of a rate.
    #[error("rate is the time over which the change per hour is judged, 1m to 1d")]
    RateWindow,
    /// A name that is none.
    #[error("{0:?} is no name of a rule (a-z, 0-9 and _, at most {MAX_NAME_BYTES} characters)")]
    Name(String),
    /// The second condition.
    #[error("{0}")]
    And(String),
}

/// The longest name: `<name>_limits` is a value's name that rts2-mon shows whole.
pub(super) const MAX_NAME_BYTES: usize = 40;

/// The windows that a rate may have: below a minute it is noise, and the points of a day are what is kept.
const RATE_WINDOWS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(86_400);

impl Limits {
    /// Whether such limits can be meant.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), RuleError> {
        let Self { direction, warning, error, clear } = *self;
        let limits = || [warning, error].into_iter().flatten();
        if !limits().chain([clear]).all(f64::is_finite) {
            return Err(RuleError::NotFinite);
        }
        if clear < 0.0 {
            return Err(RuleError::NegativeClear);
        }
        if direction == Direction::Beyond && limits().any(|limit| limit < 0.0) {
            return Err(RuleError::NegativeBeyond);
        }
        match (warning, error) {
            (Some(warning), Some(error)) if direction == Direction::Below && error > warning => {
                Err(RuleError::WrongOrder)
            }
            (Some(warning), Some(error)) if direction != Direction::Below && error < warning => {
                Err(RuleError::WrongOrder)
            }
            _ => Ok(()),
        }
    }
}

impl TryFrom<RuleTable> for Rule {
    type Error = RuleError;

    fn try_from(table: RuleTable) -> Result<Self, RuleError> {
        let RuleTable { name, nodes, metrics, direction, warning, error, clear, hold, when, and, rate, off } =
            table;
        if metrics.is_empty() {
            return Err(RuleError::NoMetrics);
        }
        match (warning.is_some() || error.is_some(), off) {
            (false, false) => return Err(RuleError::NoLimits),
            (true, true) => return Err(RuleError::OffWithLimits),
            (false, true) if clear.is_some() || and.is_some() || hold != Hold::AtOnce => {
                return Err(RuleError::OffWithLimits);
            }
            _ => {}
        }
        for limit in [warning, error, clear].into_iter().flatten() {
            if let Some(metric) = metrics.iter().find(|metric| !limit.fits(metric)) {
                return Err(RuleError::WrongUnit(metric.to_string()));
            }
        }
        let value = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.value);
        let limits = Limits {
            direction,
            warning: value(warning),
            error: value(error),
            clear: value(clear).unwrap_or(0.0),
        };
        limits.check()?;
        let rate = rate.map(Seconds::duration);
        if rate.is_some_and(|window| !RATE_WINDOWS.contains(&window)) {
            return Err(RuleError::RateWindow);
        }
        let and = and.map(|and| and.check(&metrics)).transpose().map_err(RuleError::And)?;
        let mut rule = Self { name: String::new(), nodes, metrics, limits, hold, when, and, rate };
        rule.name = match name {
            Some(name) if is_name(&name) => name,
            Some(name) => return Err(RuleError::Name(name)),
            None => made_name(&rule),
        };
        Ok(rule)
    }
}

fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.starts_with('_') && name.chars().all(good)
}

/// A name that stays when other rules come and go: what the rule is for, in the letters of names.
pub(super) fn made_name(rule: &Rule) -> String {
    let rate = if rule.rate.is_some() { " rate" } else { "" };
    let when = if rule.when == When::Always { String::new() } else { format!(" {}", rule.when) };
    let mut name = String::new();
    for c in format!("{}{rate}{when}", rule.scope()).chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    // Room for the number that tells equals apart.
    name.truncate(MAX_NAME_BYTES - 3);
    let name = name.trim_end_matches('_');
    if name.is_empty() { "all".into() } else { name.into() }
}
