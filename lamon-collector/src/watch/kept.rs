//! What the watch knows that must outlive the hub: its nodes, and the levels that are not good.
//!
//! A restart is no recovery: a level stands until its node is heard and the value judged, and a node that was known and does
//! not come becomes silent. How long a value had been unwell is counted anew.

use std::time::Duration;

use lamon_wire::names::{MetricName, NodeName};
use serde::{Deserialize, Serialize};

use super::{Account, Law, Level, MAX_NODES, Metric, Node, Update, Watch, due, key, names};
use crate::sample::Now;

/// A node as it was when the hub ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptNode {
    /// Its name.
    pub node: NodeName,
    /// Time between its samples, milliseconds.
    pub interval_ms: u64,
    /// When it was last heard, unix milliseconds UTC.
    pub heard_ms: i64,
    /// Whether it was silent.
    pub silent: bool,
    /// The boot of its agent's last hello.
    pub boot: Option<[u8; 16]>,
    /// Its metrics that were not good.
    pub metrics: Vec<KeptMetric>,
}

/// A metric as it was when the hub ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptMetric {
    /// Its name.
    pub metric: MetricName,
    /// Its level.
    pub level: Level,
    /// Whether its change by the hour made the level, not the value.
    pub by_rate: bool,
    /// Its value.
    pub value: f64,
    /// When that was taken, unix milliseconds UTC.
    pub taken_ms: i64,
    /// Since when it was at its level, unix milliseconds UTC.
    pub since_ms: i64,
}

/// The longest interval that is believed of a file: what agents may have.
const MAX_INTERVAL: Duration = Duration::from_secs(86_400);

impl Watch {
    /// Takes up, once, what an earlier run of the hub knew of the samples of nodes, also of those that come later.
    pub fn restore(&mut self, accounts: impl IntoIterator<Item = (NodeName, Account)>) {
        for (name, account) in accounts {
            match self.nodes.get_mut(&key(&name)).filter(|node| node.name == name) {
                Some(node) => node.arrivals.restore(account),
                None => drop(self.kept.insert(name, account)),
            }
        }
    }

    /// What is to be kept over the hub's end. The metrics of all nodes are at most those that the watch has.
    #[must_use]
    pub fn levels(&self) -> Vec<KeptNode> {
        let kept = |metric: &Metric| {
            (metric.level > Level::Good && metric.value.is_finite()).then(|| KeptMetric {
                metric: metric.name.clone(),
                level: metric.level,
                by_rate: metric.by_rate(),
                value: metric.value,
                taken_ms: metric.taken_ms,
                since_ms: metric.since_ms,
            })
        };
        let nodes = self.nodes().map(|node| KeptNode {
            node: node.name.clone(),
            interval_ms: u64::try_from(node.interval.as_millis()).unwrap_or(u64::MAX),
            heard_ms: node.heard_ms,
            silent: node.silent,
            boot: node.boot,
            metrics: node.metrics.iter().filter_map(kept).collect(),
        });
        nodes.collect()
    }

    /// Takes up what was kept, at the hub's start. Nodes that could not be admitted now are left out.
    pub fn restore_levels(&mut self, now: Now, kept: impl IntoIterator<Item = KeptNode>) -> Vec<Update> {
        let mut updates = Vec::new();
        for kept in kept {
            let key = key(&kept.node);
            let admitted = self.nodes.len() < MAX_NODES
                && !self.nodes.contains_key(&key)
                && names::check_node(&self.nodes, &key, &kept.node).is_ok();
            if !admitted {
                continue;
            }
            let interval =
                Duration::from_millis(kept.interval_ms).clamp(Duration::from_secs(1), MAX_INTERVAL);
            let group = self.groups.of(&kept.node).into();
            let mut node = Node::new(kept.node.clone(), group, now, Some(interval));
            (node.heard_ms, node.silent, node.boot) = (kept.heard_ms, kept.silent, kept.boot);
            (node.restored, node.joined) = (true, false);
            let law = Law { rules: &self.rules, phase: self.phase, common_offset: 0.0 };
            for metric in kept.metrics {
                let free = names::check_metric(&self.nodes, &key, &kept.node, &metric.metric).is_ok();
                if free && metric.value.is_finite() {
                    node.restore(now, &law, &metric);
                }
            }
            if !node.silent {
                // It gets the time of a node that was heard just now.
                self.due.insert((due(&node), key.clone()));
            }
            if let Some(account) = self.kept.remove(&kept.node) {
                node.arrivals.restore(account);
            }
            self.nodes.insert(key, node);
            updates.push(Update::Levels { node: kept.node, changes: Vec::new() });
        }
        updates
    }
}
