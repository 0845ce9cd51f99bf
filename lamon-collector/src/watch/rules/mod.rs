//! Rules: which limits hold for which value.
//!
//! One rule holds for a value, whole, never merged from several. The most particular wins: exact node and metric, then
//! exact node, group, node glob, metric alone, and last the built-in defaults; of equals the later in the file. What an
//! operator changed stands over all of them. A value's change per hour is a quantity of its own, with its own rule.
//!
//! | file | what it holds |
//! |---|---|
//! | `table` | `[[rule]]` as it is written, and what is senseless in it |
//! | `quantity` | limits with units |
//! | `rule` | one rule: for what it holds, and what it makes of a value |
//! | `companion` | `and`: a second metric that must be unwell too |
//! | `hold` | `for`: how long a value must be unwell |
//! | `phase` | `when`: night and day |
//! | `built_in` | what holds without any rule |
//! | `overrides` | what an operator changes while the hub runs |

mod built_in;
mod companion;
mod hold;
mod overrides;
mod phase;
mod quantity;
mod rule;
mod table;

use std::fmt;

use lamon_wire::names::{MetricName, NodeName};

pub(super) use self::hold::Held;
pub use self::hold::Hold;
pub use self::overrides::{Override, OverrideError, Target};
pub use self::phase::{Phase, When};
pub use self::rule::{Direction, Limits, Rank, Rule};
pub use self::table::RuleError;

/// Whose a rule is. In the order in which they win, the last first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It holds without any configuration.
    BuiltIn,
    /// Of the configuration file.
    File,
    /// An operator set it for one value while the hub ran.
    Operator,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built in",
            Self::File => "of the file",
            Self::Operator => "set by an operator",
        })
    }
}

/// A rule, and whose it is.
#[derive(Debug, Clone)]
pub struct Ruled {
    /// The rule.
    pub rule: Rule,
    /// Whose it is.
    pub origin: Origin,
    /// The limits that it had before an operator changed them.
    pub before: Option<Limits>,
}

/// All rules of a hub.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The built-in ones, those of the file in its order, those of operators.
    all: Vec<Ruled>,
}

/// A rule's place in [`Rules`], kept beside each value that it judges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(usize);

/// What a rule judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    /// The value itself.
    Value,
    /// Its change per hour.
    Rate,
}

impl Rules {
    /// The rules of a file, above the built-in ones. Those of one name get numbers, so that operators can tell them apart.
    #[must_use]
    pub fn new(configured: Vec<Rule>) -> Self {
        let ruled = |origin| move |rule| Ruled { rule, origin, before: None };
        let built_in = built_in::built_in().into_iter().map(ruled(Origin::BuiltIn));
        let mut all: Vec<_> = built_in.chain(configured.into_iter().map(ruled(Origin::File))).collect();
        let mut names = std::collections::BTreeSet::new();
        for ruled in &mut all {
            let name = &mut ruled.rule.name;
            let mut numbered = name.clone();
            for number in 2.. {
                if names.insert(numbered.clone()) {
                    break;
                }
                numbered = format!("{name}_{number}");
            }
            *name = numbered;
        }
        Self { all }
    }

    /// The one rule that holds for a value in this phase; `None` when the value has no limits.
    #[must_use]
    pub fn find(&self, node: &NodeName, group: &str, metric: &MetricName, phase: Phase) -> Option<RuleId> {
        self.find_for(Quality::Value, node, group, metric, Some(phase))
    }

    /// The one rule that holds for the value, or for its change. Without a phase all rules count.
    pub(super) fn find_for(
        &self,
        quality: Quality,
        node: &NodeName,
        group: &str,
        metric: &MetricName,
        phase: Option<Phase>,
    ) -> Option<RuleId> {
        self.ranked(quality, node, group, metric, phase).max().map(|(_, _, id)| id)
    }

    /// Every rule that would hold for the value if no other did, with what decides between them.
    pub(super) fn ranked(
        &self,
        quality: Quality,
        node: &NodeName,
        group: &str,
        metric: &MetricName,
        phase: Option<Phase>,
    ) -> impl Iterator<Item = (Origin, Rank, RuleId)> {
        let of_quality = move |ruled: &Ruled| ruled.rule.rate.is_some() == (quality == Quality::Rate);
        self.all.iter().enumerate().filter(move |(_, ruled)| of_quality(ruled)).filter_map(
            move |(place, ruled)| {
                Some((ruled.origin, ruled.rule.rank(node, group, metric, phase)?, RuleId(place)))
            },
        )
    }

    /// The rule at a place that [`Rules::find`] gave.
    #[must_use]
    pub fn get(&self, id: RuleId) -> Option<&Rule> {
        self.ruled(id).map(|ruled| &ruled.rule)
    }

    /// The rule at a place, and whose it is.
    #[must_use]
    pub fn ruled(&self, id: RuleId) -> Option<&Ruled> {
        self.all.get(id.0)
    }

    /// The rule of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Ruled> {
        self.all.iter().find(|ruled| ruled.rule.name == name)
    }

    /// Every rule: those of operators, those of the file in its order, the built-in ones.
    pub fn iter(&self) -> impl Iterator<Item = &Ruled> {
        let of = |origin| self.all.iter().filter(move |ruled| ruled.origin == origin);
        of(Origin::Operator).chain(of(Origin::File)).chain(of(Origin::BuiltIn))
    }

    /// Whether night and day make a difference.
    #[must_use]
    pub fn know_phases(&self) -> bool {
        self.all.iter().any(|ruled| ruled.rule.when != When::Always)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

#[cfg(test)]
mod tests;
