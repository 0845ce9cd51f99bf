//! The watch: nodes, their newest values, and how well they are.
//!
//! Pure: [`Watch::handle_sample`] and [`Watch::handle_timeout`] take the time and return [`Update`]s; no I/O, no clock,
//! no locks. It can be replayed over a stored night, tested with a table, fuzzed. The core task owns the only one and
//! shows it to the faces after each update.
//!
//! | file | what it holds |
//! |---|---|
//! | `level` | the four levels |
//! | `rule` | limits, which of them holds for a value, and how a value is judged |
//! | `group` | which subsystem a node belongs to |
//! | `node` | what is known of one node |
//! | `update` | what faces are told |
//! | `summary` | all nodes, or a group's, in a few numbers |

mod group;
mod level;
mod node;
mod rule;
mod summary;
mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::NodeName;
use thiserror::Error;

pub use self::group::{Group, Groups, OTHER};
pub use self::level::Level;
pub use self::node::{Metric, Node, Tally};
pub use self::rule::{Direction, NameGlob, NodePattern, Rule, RuleId, Rules};
pub use self::summary::Summary;
pub use self::update::{Event, EventKind, LevelChange, Update};
use crate::sample::{Now, Sample};

/// The most nodes of one hub: a hundred times LAMOST, so that a stranger who invents names cannot take the memory.
pub const MAX_NODES: usize = 10_000;

/// After how many intervals without a word a node is silent.
pub const SILENT_INTERVALS: u32 = 3;

/// Why a node is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdmitError {
    /// The hub has all the nodes that it takes.
    #[error("this hub watches {MAX_NODES} nodes already and takes no other")]
    Full,
    /// Another node's name becomes the same where `-` is written `_`, as in RTS2's value names.
    #[error("the name {0} would have the same values as node {1}, where - is written _: rename one of them")]
    SameValues(NodeName, NodeName),
}

/// All nodes. See the module's page.
#[derive(Debug)]
pub struct Watch {
    rules: Rules,
    groups: Groups,
    /// In the order of their names, with `-` as `_`: two nodes whose RTS2 values would be the same share a key.
    nodes: BTreeMap<String, Node>,
    /// When each node that is not silent will be, soonest first.
    due: BTreeSet<(Instant, String)>,
}

impl Watch {
    /// A watch without nodes.
    #[must_use]
    pub const fn new(rules: Rules, groups: Groups) -> Self {
        Self { rules, groups, nodes: BTreeMap::new(), due: BTreeSet::new() }
    }

    /// Whether a node of this name may speak.
    ///
    /// # Errors
    ///
    /// [`AdmitError`], a sentence for the peer.
    pub fn admit(&self, name: &NodeName) -> Result<(), AdmitError> {
        match self.nodes.get(&key(name)) {
            Some(node) if node.name == *name => Ok(()),
            Some(node) => Err(AdmitError::SameValues(name.clone(), node.name.clone())),
            None if self.nodes.len() >= MAX_NODES => Err(AdmitError::Full),
            None => Ok(()),
        }
    }

    /// Takes up a sample of an admitted node: its arrival ends silence; unless it is late or was shown before, its
    /// values are judged.
    ///
    /// # Errors
    ///
    /// [`AdmitError`] when the node may not speak; nothing changes then.
    pub fn handle_sample(&mut self, now: Now, sample: &Arc<Sample>) -> Result<Vec<Update>, AdmitError> {
        self.admit(&sample.node)?;
        let key = key(&sample.node);
        let mut updates = Vec::new();
        let groups = &self.groups;
        let node = self.nodes.entry(key.clone()).or_insert_with(|| {
            updates.push(Update::Joined { node: sample.node.clone() });
            Node::new(sample.node.clone(), groups.of(&sample.node).into(), now)
        });
        let quiet = now.monotonic.saturating_duration_since(node.heard);
        self.due.remove(&(due(node), key.clone()));
        node.hear(now, sample);
        self.due.insert((due(node), key));
        if std::mem::take(&mut node.silent) {
            updates.push(Update::Back { node: sample.node.clone(), after: quiet });
        }
        let late = sample.is_late(now.unix_ms);
        if node.is_shown(sample) {
            return Ok(updates);
        }
        let (changes, new_metrics) = if late { (Vec::new(), false) } else { node.take(sample, &self.rules) };
        updates.push(Update::Sampled { sample: Arc::clone(sample), late, new_metrics });
        if !changes.is_empty() {
            updates.push(Update::Levels { node: sample.node.clone(), changes });
        }
        Ok(updates)
    }

    /// When [`Watch::handle_timeout`] has something to do; `None` while no node can fall silent.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Finds the nodes that fell silent.
    pub fn handle_timeout(&mut self, now: Now) -> Vec<Update> {
        let mut updates = Vec::new();
        while let Some((due, _)) = self.due.first()
            && *due <= now.monotonic
        {
            let Some((_, key)) = self.due.pop_first() else { break };
            if let Some(node) = self.nodes.get_mut(&key) {
                node.silent = true;
                let after = now.monotonic.saturating_duration_since(node.heard);
                updates.push(Update::Silent { node: node.name.clone(), after });
            }
        }
        updates
    }

    /// Takes other rules and groups, judging every value by them at once.
    pub fn reload(&mut self, rules: Rules, groups: Groups) -> Vec<Update> {
        (self.rules, self.groups) = (rules, groups);
        let mut updates = Vec::new();
        for node in self.nodes.values_mut() {
            node.group = self.groups.of(&node.name).into();
            let changes = node.judge_again(&self.rules);
            updates.push(Update::Levels { node: node.name.clone(), changes });
        }
        updates
    }

    /// The node of this name.
    #[must_use]
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.get(&key(name)).filter(|node| node.name == *name)
    }

    /// Every node, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The rules in force.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The groups in force.
    #[must_use]
    pub const fn groups(&self) -> &Groups {
        &self.groups
    }

    /// All nodes in a few numbers, or those of one group.
    #[must_use]
    pub fn summary(&self, group: Option<&str>) -> Summary {
        Summary::of(self.nodes().filter(|node| group.is_none_or(|group| *node.group == *group)), &self.rules)
    }
}

fn key(name: &NodeName) -> String {
    name.as_str().replace('-', "_")
}

/// When the node will be silent.
fn due(node: &Node) -> Instant {
    /// Timers run a little late, and so may a sample on a busy node: a tenth of an interval is no silence.
    const GRACE: u32 = 10;
    node.heard + node.interval * SILENT_INTERVALS + (node.interval / GRACE).min(Duration::from_secs(1))
}

#[cfg(test)]
mod tests;
