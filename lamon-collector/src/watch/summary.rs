//! All nodes, or a group's, in a few numbers.

use lamon_wire::metric::Unit;

use super::level::Level;
use super::metric::Metric;
use super::node::Node;
use super::rules::Rules;

/// How a set of nodes is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The worst level of its nodes that are not muted: scripts wait for it, and muted nodes hold nobody up.
    pub level: Level,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them are at each level, in the order of [`Level::ALL`]; muted ones too.
    pub at_level: [usize; 4],
    /// How many are muted.
    pub muted: usize,
    /// The gravest thing in words, `ccd01 disk_percent 91.2 % > 90`; empty when all is good.
    pub worst: String,
}

impl Summary {
    pub(super) fn of<'a>(nodes: impl Iterator<Item = &'a Node>, rules: &Rules) -> Self {
        let mut summary = Self::default();
        let mut gravest: Option<&Node> = None;
        for node in nodes {
            let level = node.level();
            summary.nodes += 1;
            if let Some(count) = summary.at_level.get_mut(level as usize) {
                *count += 1;
            }
            summary.muted += usize::from(node.muted);
            if level > summary.level && !node.muted {
                (summary.level, gravest) = (level, Some(node));
            }
        }
        summary.worst = gravest.map(|node| describe(node, rules)).unwrap_or_default();
        summary
    }
}

pub(super) fn describe(node: &Node, rules: &Rules) -> String {
    if node.silent {
        return format!("{} silent", node.name);
    }
    node.worst().map(|metric| describe_metric(node, metric, rules)).unwrap_or_default()
}

/// `ccd01 disk_percent 91.2 > 90`.
pub(super) fn describe_metric(node: &Node, metric: &Metric, rules: &Rules) -> String {
    let unit = match Unit::of(&metric.name).symbol() {
        // Clients of RTS2 take a percent sign in a string for a format (rts2-mon): the name tells the unit.
        "" | "%" => String::new(),
        symbol => format!(" {symbol}"),
    };
    let limit = metric.limit(rules);
    format!("{} {} {}{unit} {}", node.name, metric.name, metric.value, limit.unwrap_or_default())
        .trim_end()
        .into()
}
