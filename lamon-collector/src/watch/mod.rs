//! The watch: nodes, their newest values, and how well they are.
//!
//! Pure: [`Watch::handle_sample`] and [`Watch::handle_timeout`] take the time and return [`Update`]s; no I/O, no clock,
//! no locks. It can be replayed over a stored night, tested with a table, fuzzed. The core task owns the only one and
//! shows it to the faces after each update.
//!
//! | file | what it holds |
//! |---|---|
//! | `level` | the four levels |
//! | `pattern` | which nodes and metrics are meant: names, globs, groups |
//! | `rules` | limits, and which of them holds for a value |
//! | `explain` | which rule holds for a value and why it is at its level, in words |
//! | `gates` | which levels hold the observatory up; beside the watch, not in it |
//! | `group` | which subsystem a node belongs to |
//! | `node` | what is known of one node |
//! | `metric` | one value of it, and how it is judged |
//! | `rate` | how a value changes by the hour |
//! | `flaps` | a level that flips is held at its worst |
//! | `causes` | nodes that fall silent together are told of once |
//! | `hub_clock` | the hub's own clock, judged by those of its nodes |
//! | `kept` | what outlives the hub |
//! | `arrivals` | which of its samples came, and how soon the next is expected |
//! | `names` | which value belongs to whom: no two may have one name |
//! | `silence` | when a node will be silent, and what is done then |
//! | `update` | what faces are told |
//! | `change` | a change of level, as a sentence |
//! | `words` | numbers as people say them |
//! | `lines` | the same as lines that are written down |
//! | `mutes`, `acks` | what operators keep quiet, or know of |
//! | `operate` | what operators change |
//! | `thresholds` | limits that they set over those of the file |
//! | `summary` | all nodes, or a group's, in a few numbers |

mod acks;
mod arrivals;
mod causes;
mod change;
mod explain;
mod flaps;
mod gates;
mod group;
mod hub_clock;
mod kept;
mod level;
mod lines;
mod metric;
mod mutes;
mod names;
mod node;
mod operate;
mod pattern;
mod rate;
mod rules;
mod silence;
mod summary;
mod thresholds;
mod update;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::NodeName;
use thiserror::Error;

pub use self::acks::Acks;
use self::arrivals::News;
pub use self::arrivals::{Account, Arrivals, Progress};
use self::causes::Causes;
pub use self::change::{LevelChange, Passed, Room};
pub use self::explain::{Candidate, Explanation, State};
pub use self::flaps::{MAX_FLIPS, WINDOW as FLAP_WINDOW};
pub use self::gates::{
    Effect, Gate, GateError, GateStanding, Gates, MAX_GATES, MAX_OVERRIDE, Position, Tally,
};
pub use self::group::{Group, Groups, OTHER, Tag};
use self::hub_clock::HubClock;
pub use self::kept::{KeptMetric, KeptNode};
pub use self::level::Level;
pub use self::lines::Line;
pub use self::metric::Metric;
pub(crate) use self::mutes::checked_reason;
pub use self::mutes::{MAX_MUTES, MAX_REASON_BYTES, Mutes, OperateError};
use self::node::{Law, Taken};
pub use self::node::{Node, is_disk};
use self::operate::Operated;
pub use self::operate::describe;
pub use self::pattern::{NameGlob, NodePattern};
pub use self::rules::{
    Direction, Hold, Limits, Origin, Override, OverrideError, Phase, Rank, Rule, RuleError, RuleId, Ruled,
    Rules, Target, When,
};
use self::silence::due;
pub use self::summary::Summary;
use self::thresholds::Thresholds;
pub use self::thresholds::{ThresholdError, with_thresholds};
pub use self::update::{Event, EventKind, Standing, Update};
pub use self::words::lasting;
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
    /// Two values would have one name.
    #[error("the value {value} would be that of {node} and of {other}: rename one of them")]
    SameValue {
        /// The value's name, as RTS2 shows it.
        value: String,
        /// The node that is refused.
        node: NodeName,
        /// Whose value it is already: a node, or the hub itself.
        other: String,
    },
}

/// All nodes. See the module's page.
#[derive(Debug)]
pub struct Watch {
    rules: Rules,
    groups: Groups,
    phase: Phase,
    /// In the order of their names, with `-` as `_`: two nodes whose RTS2 values would be the same share a key.
    nodes: BTreeMap<String, Node>,
    /// When each node that is not silent will be, soonest first.
    due: BTreeSet<(Instant, String)>,
    /// Silences with a common cause.
    causes: Causes,
    hub_clock: HubClock,
    /// What an earlier run of the hub knew of the samples of nodes that are not back yet.
    kept: BTreeMap<NodeName, Account>,
    /// What operators keep quiet, or know of.
    operated: Operated,
    /// The rules of the file, and the limits that operators set over them.
    thresholds: Thresholds,
}

impl Watch {
    /// A watch without nodes.
    #[must_use]
    pub fn new(rules: Rules, groups: Groups) -> Self {
        Self {
            thresholds: Thresholds::new(rules.clone()),
            rules,
            groups,
            phase: Phase::Night,
            nodes: BTreeMap::new(),
            due: BTreeSet::new(),
            causes: Causes::default(),
            hub_clock: HubClock::default(),
            kept: BTreeMap::new(),
            operated: Operated::new(),
        }
    }

    /// Takes up a hello: a node of this name may speak from now on, and no other whose values would be the same.
    ///
    /// # Errors
    ///
    /// [`AdmitError`], a sentence for the peer; nothing changes then.
    pub fn handle_hello(
        &mut self,
        now: Now,
        name: &NodeName,
        interval: Option<Duration>,
    ) -> Result<Vec<Update>, AdmitError> {
        let key = key(name);
        let full = self.nodes.len() >= MAX_NODES;
        match self.nodes.get_mut(&key) {
            Some(node) if node.name == *name => {
                let known = std::mem::replace(&mut node.joined, true);
                return Ok(if known { Vec::new() } else { vec![Update::Joined { node: name.clone() }] });
            }
            Some(node) => return Err(names::same(&format!("{key}_level"), name, node.name.as_str())),
            None if full => return Err(AdmitError::Full),
            None => names::check_node(&self.nodes, &key, name)?,
        }
        let mut node = Node::new(name.clone(), self.groups.of(name).into(), now, interval);
        if let Some(account) = self.kept.remove(name) {
            node.arrivals.restore(account);
        }
        self.operated.stand(&mut node);
        self.due.insert((due(&node), key.clone()));
        self.nodes.insert(key, node);
        Ok(vec![Update::Joined { node: name.clone() }])
    }

    /// Takes up a sample: its arrival ends silence; unless it is late, or old, or was seen before, its values are judged.
    ///
    /// # Errors
    ///
    /// [`AdmitError`] when the node may not speak; nothing changes then.
    pub fn handle_sample(&mut self, now: Now, sample: &Arc<Sample>) -> Result<Vec<Update>, AdmitError> {
        let key = key(&sample.node);
        let known = self.nodes.get(&key).filter(|node| node.name == sample.node);
        let new_metrics: Vec<_> = match known {
            Some(node) => node.new_metrics(sample).collect(),
            None => sample.metrics.iter().map(|(name, _)| name).collect(),
        };
        for metric in new_metrics {
            names::check_metric(&self.nodes, &key, &sample.node, metric)?;
        }
        let mut updates = self.handle_hello(now, &sample.node, sample.interval)?;
        let Some(node) = self.nodes.get_mut(&key) else { return Ok(updates) };
        self.due.remove(&(due(node), key.clone()));
        let heard = node.hear(now, sample);
        self.due.insert((due(node), key));
        if let Some(after) = heard.silence {
            let (alone, all_back) = self.causes.back(now.monotonic, &sample.node);
            let level = node.level();
            updates.push(Update::Back { node: sample.node.clone(), after, level, alone });
            updates.extend(all_back.map(Update::Event));
        }
        let late = match heard.news {
            News::Known => return Ok(updates),
            News::Old => true,
            News::Current => sample.is_late(),
        };
        let law = Law { rules: &self.rules, phase: self.phase, common_offset: self.hub_clock.common() };
        let taken = if late { Taken::default() } else { node.take(now, sample, &law) };
        let Taken { changes, events, new_metrics } = taken;
        updates.push(Update::Sampled { sample: Arc::clone(sample), late, new_metrics });
        let settled = changes.is_empty() && heard.silence.is_none();
        if !(changes.is_empty() && events.is_empty()) {
            updates.push(Update::Levels { node: sample.node.clone(), changes });
        }
        updates.extend(events.into_iter().map(Update::Event));
        if !settled {
            self.operated.settle(node, &mut updates);
        }
        if !late {
            updates.extend(self.look_at_clocks(now, sample).map(Update::Event));
        }
        Ok(updates)
    }

    /// Takes up with which boot of its node an agent said hello, to see that it was another the last time.
    pub fn handle_boot(&mut self, name: &NodeName, boot: [u8; 16]) -> Vec<Update> {
        let Some(node) = self.nodes.get_mut(&key(name)).filter(|node| node.name == *name) else {
            return Vec::new();
        };
        match node.boot.replace(boot) {
            Some(before) if before != boot => {
                let text = format!("{name} was booted anew");
                vec![Update::Event(Event::new(Some(name.clone()), EventKind::Reboot, text))]
            }
            _ => Vec::new(),
        }
    }

    /// Takes up what a node's agent, and the journal, say of its samples.
    pub fn handle_progress(&mut self, name: &NodeName, epoch: u32, progress: Progress) {
        if let Some(node) = self.nodes.get_mut(&key(name)).filter(|node| node.name == *name) {
            node.arrivals.tell(epoch, progress);
        }
    }

    /// Takes up how much a busy night adds to a disk, percent of it; a message of its level says in how many it is full.
    pub fn handle_outlook(&mut self, name: &NodeName, metric: &str, per_night: Option<f64>) {
        let node = self.nodes.get_mut(&key(name)).filter(|node| node.name == *name);
        if let Some(metric) = node.and_then(|node| node.metric_mut(metric)) {
            metric.per_night = per_night;
        }
    }

    /// Takes up that night or day began. Rules that are for one of them only are found anew.
    pub fn handle_phase(&mut self, now: Now, phase: Phase) -> Vec<Update> {
        let changed = std::mem::replace(&mut self.phase, phase) != phase;
        if changed && self.rules.know_phases() { self.judge_again(now, None) } else { Vec::new() }
    }

    fn judge_again(&mut self, now: Now, before: Option<&Rules>) -> Vec<Update> {
        let law = Law { rules: &self.rules, phase: self.phase, common_offset: self.hub_clock.common() };
        let mut updates = Vec::new();
        for node in self.nodes.values_mut() {
            let Taken { changes, events, .. } = node.judge_again(now, &law, before);
            self.operated.stand(node);
            updates.push(Update::Levels { node: node.name.clone(), changes });
            updates.extend(events.into_iter().map(Update::Event));
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

    /// The nodes behind this name, or from it on, by name.
    pub fn nodes_from(&self, from: Bound<&str>) -> impl Iterator<Item = &Node> {
        let from = from.map(|name| name.replace('-', "_"));
        self.nodes.range((from, Bound::Unbounded)).map(|(_, node)| node)
    }

    /// What is gravest at the node, in words, `ccd01 disk_percent 91.2 > 90`.
    #[must_use]
    pub fn describe(&self, node: &Node) -> String {
        summary::describe(node, &self.rules)
    }

    /// The rules in force: those of the file, with the limits that operators set.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether it is night.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
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

#[cfg(test)]
mod operate_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thresholds_tests;
