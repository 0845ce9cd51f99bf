//! Whether one node counts for one gate, and why.

use super::gate::Gate;
use crate::watch::level::Level;
use crate::watch::node::Node;
use crate::watch::rules::Rules;
use crate::watch::summary;

impl Gate {
    /// Why the node counts, `ccd01 disk_percent 97 > 90`; `None` when it does not. Levels count as they stand: that of a metric
    /// that flips, that does not come any more, or that is known from before the hub's start, is held, and so it counts.
    pub(super) fn cause(&self, node: &Node, rules: &Rules) -> Option<String> {
        if node.muted || !self.wants(&node.name, &node.group) {
            return None;
        }
        if node.silent && self.silent {
            return Some(format!("{} silent", node.name));
        }
        if self.level == Level::Silent {
            return None;
        }
        let unwell = node
            .metrics
            .iter()
            .filter(|metric| metric.level >= self.level && self.looks_at(metric.name.as_str()));
        // Of equals the first, as everywhere: `max_by_key` takes the last.
        let worst = unwell.rev().max_by_key(|metric| metric.level)?;
        Some(summary::describe_metric(node, worst, rules))
    }
}
