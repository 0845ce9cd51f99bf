//! Which value belongs to whom. Values of all nodes stand side by side on an RTS2 device, named `<node>_<metric>` with `-`
//! as `_`, beside those of the hub itself: no two may have one name, and who comes second is refused with a sentence.

use std::collections::BTreeMap;

use lamon_wire::names::{MetricName, NodeName, RESERVED_METRIC_NAMES};

use super::AdmitError;
use super::node::Node;

/// Names of values that sum up nodes or tell of the hub itself; some are for later releases.
const HUB_VALUES: [&str; 21] = [
    "infotime",
    "uptime",
    "level",
    "nodes",
    "nodes_good",
    "nodes_warning",
    "nodes_error",
    "nodes_silent",
    "nodes_muted",
    "mutes",
    "settings",
    "limits",
    "worst",
    "nights_left",
    "ready_tonight",
    "not_ready",
    "samples_rate",
    "journal_backlog",
    "journal_backlog_age",
    "database_backlog",
    "completeness",
];

type Nodes = BTreeMap<String, Node>;

/// Whether a node of this key may be added.
pub(super) fn check_node(nodes: &Nodes, key: &str, name: &NodeName) -> Result<(), AdmitError> {
    let prefix = format!("{key}_");
    if let Some(value) = HUB_VALUES.iter().find(|value| value.starts_with(&prefix)) {
        return Err(same(value, name, "the hub itself"));
    }
    for metric in RESERVED_METRIC_NAMES {
        check_value(nodes, key, name, &format!("{key}_{metric}"))?;
    }
    Ok(())
}

/// Whether the node may have this metric, which it does not have yet.
pub(super) fn check_metric(
    nodes: &Nodes,
    key: &str,
    name: &NodeName,
    metric: &MetricName,
) -> Result<(), AdmitError> {
    check_value(nodes, key, name, &format!("{key}_{metric}"))
}

/// Finds another node that the value could belong to: one whose key is the value's beginning, up to some `_`.
fn check_value(nodes: &Nodes, key: &str, name: &NodeName, value: &str) -> Result<(), AdmitError> {
    for (at, _) in value.match_indices('_') {
        let (Some(other), Some(metric)) = (value.get(..at), value.get(at + 1..)) else { continue };
        let Some(node) = nodes.get(other).filter(|_| other != key) else { continue };
        if RESERVED_METRIC_NAMES.contains(&metric) || node.metric(metric).is_some() {
            return Err(same(value, name, node.name.as_str()));
        }
    }
    Ok(())
}

pub(super) fn same(value: &str, node: &NodeName, other: &str) -> AdmitError {
    AdmitError::SameValue { value: value.into(), node: node.clone(), other: other.into() }
}
