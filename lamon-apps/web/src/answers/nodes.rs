//! What is answered of a node: in a line of the overview, and all of it.

use std::collections::BTreeMap;

use lamon_bus::{Metric, Node};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Level, milliseconds};

/// The metrics that the rows of the overview have; the others are in the answer for one node.
const CORE: [&str; 7] =
    ["cpu_percent", "memory_percent", "swap_percent", "disk_percent", "nic_in", "nic_out", "load1"];

/// A node in a line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct NodeRow {
    /// Its name.
    pub(crate) name: String,
    /// Its group.
    pub(crate) group: String,
    /// How it is.
    pub(crate) level: Level,
    /// It neither gates nor notifies.
    muted: bool,
    /// Somebody knows of all that is wrong with it.
    acknowledged: bool,
    /// When it was last heard, unix milliseconds UTC; 0 when never.
    pub(crate) heard_ms: u64,
    /// Seconds between its samples; 0 when not known.
    interval_s: f64,
    /// The core metrics that it has, by name.
    metrics: BTreeMap<String, Reading>,
    /// The metric that is worst, when any is not good.
    worst: Option<Worst>,
}

/// A value and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub(crate) struct Reading {
    /// In the unit that the name tells; null when the node could not tell.
    value: Option<f64>,
    /// How it is.
    level: Level,
}

/// The metric that is worst.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Worst {
    /// Its name.
    metric: String,
    /// Its value.
    value: Option<f64>,
    /// How it is.
    level: Level,
}

/// All of a node.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct NodeDetail {
    /// Its name.
    name: String,
    /// Its group.
    group: String,
    /// How it is.
    level: Level,
    /// It neither gates nor notifies.
    muted: bool,
    /// Somebody knows of all that is wrong with it.
    acknowledged: bool,
    /// When it was last heard, unix milliseconds UTC; 0 when never.
    heard_ms: u64,
    /// Seconds between its samples; 0 when not known.
    interval_s: f64,
    /// Every metric, by name.
    metrics: BTreeMap<String, MetricDetail>,
}

/// All of a metric.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MetricDetail {
    /// The newest value; null when the node could not tell.
    value: Option<f64>,
    /// `%`, `B/s`, `B`, `s`, `°C`, or empty for a bare number.
    unit: &'static str,
    /// How it is.
    level: Level,
    /// When it was taken, unix milliseconds UTC.
    taken_ms: u64,
    /// Since when it is at its level, unix milliseconds UTC; 0 while not known.
    since_ms: u64,
    /// It no longer comes: value and level are of the past.
    unknown: bool,
    /// Its level flips, and is held at its worst.
    flapping: bool,
    /// The rule that holds for it, in words; null without one.
    rule: Option<String>,
    /// The rule's limits as numbers; empty when it has none, or is on the change per hour.
    limits: Vec<Limits>,
}

/// Where a value is unwell.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// By what name operators change them.
    name: String,
    /// The bad side: `above` the limit, `below` it, or `beyond` it on either side of zero.
    direction: &'static str,
    /// Where warning begins, in the metric's unit; null when nothing warns.
    warning: Option<f64>,
    /// Where error begins.
    error: Option<f64>,
    /// By how much a value must be back before its level is left.
    clear: f64,
}

impl From<&lamon_bus::Limits> for Limits {
    fn from(limits: &lamon_bus::Limits) -> Self {
        Self {
            name: limits.name.clone(),
            direction: match limits.direction {
                lamon_bus::Direction::Above => "above",
                lamon_bus::Direction::Below => "below",
                lamon_bus::Direction::Beyond => "beyond",
            },
            warning: limits.warning,
            error: limits.error,
            clear: limits.clear,
        }
    }
}

impl From<&Node> for NodeRow {
    fn from(node: &Node) -> Self {
        let core = CORE.iter().filter_map(|name| Some(((*name).to_owned(), node.metrics.get(*name)?.into())));
        let worst = node.metrics.iter().filter(|(_, metric)| metric.level > lamon_bus::Level::Good);
        // Of equals the first by name.
        let worst = worst.rev().max_by_key(|(_, metric)| metric.level);
        Self {
            name: node.name.clone(),
            group: node.group.clone(),
            level: node.level.into(),
            muted: node.muted,
            acknowledged: node.acknowledged,
            heard_ms: milliseconds(node.heard),
            interval_s: node.interval,
            metrics: core.collect(),
            worst: worst.map(|(name, metric)| Worst {
                metric: name.clone(),
                value: metric.value,
                level: metric.level.into(),
            }),
        }
    }
}

impl From<&Metric> for Reading {
    fn from(metric: &Metric) -> Self {
        Self { value: metric.value, level: metric.level.into() }
    }
}

impl From<&Node> for NodeDetail {
    fn from(node: &Node) -> Self {
        let detail = |(name, metric): (&String, &Metric)| {
            let detail = MetricDetail {
                value: metric.value,
                unit: unit(name),
                level: metric.level.into(),
                taken_ms: milliseconds(metric.taken),
                since_ms: milliseconds(metric.since),
                unknown: metric.unknown,
                flapping: metric.flapping,
                rule: metric.rule.clone(),
                limits: metric.limits.iter().map(Limits::from).collect(),
            };
            (name.clone(), detail)
        };
        Self {
            name: node.name.clone(),
            group: node.group.clone(),
            level: node.level.into(),
            muted: node.muted,
            acknowledged: node.acknowledged,
            heard_ms: milliseconds(node.heard),
            interval_s: node.interval,
            metrics: node.metrics.iter().map(detail).collect(),
        }
    }
}

/// The unit that a metric's name tells, as docs/bus.md has it.
pub(crate) fn unit(metric: &str) -> &'static str {
    let ends = |end| metric.ends_with(end);
    if ends("_percent") {
        "%"
    } else if metric.starts_with("nic_") && (ends("_in") || ends("_out")) {
        "B/s"
    } else if metric.starts_with("disk_") && ends("_free") {
        "B"
    } else if metric == "uptime" || metric == "clock_offset" {
        "s"
    } else if metric.starts_with("temp_") {
        "°C"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_units() {
        for (name, wanted) in [
            ("disk_root_percent", "%"),
            ("nic_in", "B/s"),
            ("nic_eth0_errors", ""),
            ("disk_root_free", "B"),
            ("temp_cpu", "°C"),
            ("uptime", "s"),
            ("load1", ""),
        ] {
            assert_eq!(unit(name), wanted, "{name}");
        }
    }

    #[test]
    fn the_worst_metric_is_named() {
        let mut node = Node::default();
        for (name, level) in
            [("a", lamon_bus::Level::Good), ("b", lamon_bus::Level::Error), ("c", lamon_bus::Level::Error)]
        {
            node.metrics.insert(name.into(), Metric { level, ..Metric::default() });
        }
        assert_eq!(NodeRow::from(&node).worst.unwrap().metric, "b");
    }
}
