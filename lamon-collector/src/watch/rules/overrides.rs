//! What an operator changes while the hub runs. It stands over the file until it is reset.
//!
//! Warning and error are set together, because their order matters: two changes one after the other would pass through a
//! pair that is senseless.

use lamon_wire::names::{MetricName, NodeName};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::quantity::Quantity;
use super::table::made_name;
use super::{Direction, Hold, Limits, Origin, Quality, Rule, RuleError, Ruled, Rules, When};
use crate::watch::group::Groups;
use crate::watch::pattern::{NameGlob, NodePattern};

/// Limits that an operator set in the place of a rule's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// For what.
    pub target: Target,
    /// Where warning begins, in the metric's unit; none when nothing warns.
    pub warning: Option<f64>,
    /// Where error begins; none when there is no error.
    pub error: Option<f64>,
}

/// For what limits are set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A rule, by its name: wherever it holds.
    Rule(String),
    /// One metric of one node, whichever rule holds for it.
    Value {
        /// The node.
        node: NodeName,
        /// The metric.
        metric: MetricName,
    },
}

/// Why limits are not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OverrideError {
    /// There is no rule of that name, or no longer.
    #[error("there is no rule {0:?}")]
    UnknownRule(String),
    /// The rule takes limits away, and has none that could be changed.
    #[error("rule {0:?} is off and has no limits to change")]
    Off(String),
    /// That is no number.
    #[error("{0:?} is no limit (write 80, \"90 %\", \"20 GB\", \"500 MiB\", \"2m\", or none)")]
    NoLimit(String),
    /// The limits cannot be meant.
    #[error(transparent)]
    Limits(#[from] RuleError),
}

impl Override {
    fn over(&self, limits: Limits) -> Result<Limits, OverrideError> {
        let limits = Limits { warning: self.warning, error: self.error, ..limits };
        limits.check()?;
        Ok(limits)
    }
}

impl Rules {
    /// The limits that hold for what is to be changed, and the side on which they are; `None` for a value that no rule is for.
    ///
    /// # Errors
    ///
    /// [`OverrideError::UnknownRule`].
    pub fn limits_of(&self, groups: &Groups, target: &Target) -> Result<Option<Limits>, OverrideError> {
        match target {
            Target::Rule(name) => {
                let ruled = self.named(name).ok_or_else(|| OverrideError::UnknownRule(name.clone()))?;
                Ok(Some(ruled.rule.limits))
            }
            Target::Value { node, metric } => {
                let held = self.find_for(Quality::Value, node, groups.of(node), metric, None);
                Ok(held.and_then(|id| self.get(id)).map(|rule| rule.limits))
            }
        }
    }

    /// Reads a limit as people write it, in the unit of what it is for.
    ///
    /// # Errors
    ///
    /// [`OverrideError`], a sentence for who asked.
    pub fn read_limit(&self, target: &Target, text: &str) -> Result<f64, OverrideError> {
        let written = Quantity::parse(text).ok_or_else(|| OverrideError::NoLimit(text.into()))?;
        let misfit = match target {
            Target::Rule(name) => {
                let ruled = self.named(name).ok_or_else(|| OverrideError::UnknownRule(name.clone()))?;
                ruled.rule.metrics.iter().find(|glob| !written.fits(glob)).map(ToString::to_string)
            }
            Target::Value { metric, .. } => {
                let glob = NameGlob::new(metric.as_str());
                glob.is_ok_and(|glob| !written.fits(&glob)).then(|| metric.to_string())
            }
        };
        match misfit {
            Some(metric) => Err(RuleError::WrongUnit(metric).into()),
            None if written.value.is_finite() => Ok(written.value),
            None => Err(RuleError::NotFinite.into()),
        }
    }

    /// Whether limits can be set so.
    ///
    /// # Errors
    ///
    /// [`OverrideError`], a sentence for who asked.
    pub fn check_override(&self, groups: &Groups, change: &Override) -> Result<(), OverrideError> {
        self.clone().take(groups, change)
    }

    /// These rules (of a file) with what operators changed. What can no longer be used, because the file changed, is left
    /// out, and returned with its reason.
    #[must_use]
    pub fn with_overrides<'a>(
        &self,
        groups: &Groups,
        changes: impl IntoIterator<Item = &'a Override>,
    ) -> (Self, Vec<(&'a Override, OverrideError)>) {
        let mut rules = self.clone();
        // Rules first: what is set for one value begins with what its rule is then.
        let (of_rules, of_values): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| matches!(change.target, Target::Rule(_)));
        let left_out = of_rules.into_iter().chain(of_values).filter_map(|change| {
            let error = rules.take(groups, change).err()?;
            Some((change, error))
        });
        let left_out = left_out.collect();
        (rules, left_out)
    }

    fn take(&mut self, groups: &Groups, change: &Override) -> Result<(), OverrideError> {
        match &change.target {
            Target::Rule(name) => {
                let ruled = self.all.iter_mut().find(|ruled| ruled.rule.name == *name);
                let ruled = ruled.ok_or_else(|| OverrideError::UnknownRule(name.clone()))?;
                if ruled.rule.is_off() {
                    return Err(OverrideError::Off(name.clone()));
                }
                let limits = change.over(ruled.rule.limits)?;
                ruled.before.get_or_insert(ruled.rule.limits);
                ruled.rule.limits = limits;
            }
            Target::Value { node, metric } => {
                let held = self.find_for(Quality::Value, node, groups.of(node), metric, None);
                let held = held.and_then(|id| self.ruled(id)).filter(|ruled| !ruled.rule.is_off());
                let before = held.map(|ruled| ruled.rule.limits);
                let mut rule = match held {
                    // Whole, as every rule: its margin, its time and its second condition go with it.
                    Some(ruled) => ruled.rule.clone(),
                    None => no_rule(change, metric.as_str()),
                };
                rule.limits = change.over(rule.limits)?;
                rule.when = When::Always;
                rule.and = rule.and.map(|and| and.fixed(&rule.metrics, metric.as_str()));
                rule.metrics = NameGlob::new(metric.as_str()).into_iter().collect();
                rule.nodes = NodePattern::try_from(node.to_string()).into_iter().collect();
                rule.name = made_name(&rule);
                self.all
                    .retain(|ruled| ruled.origin != Origin::Operator || ruled.rule.scope() != rule.scope());
                self.all.push(Ruled { rule, origin: Origin::Operator, before });
            }
        }
        Ok(())
    }
}

/// A rule for a value that had none. On which side its limits are, their order tells; of one alone, whether the metric is one
/// of which there should be much.
fn no_rule(change: &Override, metric: &str) -> Rule {
    let below = match (change.warning, change.error) {
        (Some(warning), Some(error)) if error < warning => true,
        (Some(_), Some(_)) => false,
        _ => metric.ends_with("_free"),
    };
    let direction = if below { Direction::Below } else { Direction::Above };
    Rule {
        name: String::new(),
        nodes: Vec::new(),
        metrics: Vec::new(),
        limits: Limits { direction, warning: None, error: None, clear: 0.0 },
        hold: Hold::AtOnce,
        when: When::Always,
        and: None,
        rate: None,
    }
}
