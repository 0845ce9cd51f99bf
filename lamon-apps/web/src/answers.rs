//! What the pages and programs are answered, as JSON. Fields are added, never renamed.

use std::collections::BTreeMap;
use std::time::Duration;

use lamon_bus::{Event, Hub, Metric, Node};
use lamon_store::registers::StoredEvent;
use serde::Serialize;
use utoipa::ToSchema;

/// The metrics that the rows of the overview have; the others are in the answer for one node.
const CORE: [&str; 7] =
    ["cpu_percent", "memory_percent", "swap_percent", "disk_percent", "nic_in", "nic_out", "load1"];

/// How well something is; the later the worse.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Nothing to complain of.
    #[default]
    Good,
    /// Somebody should look at it.
    Warning,
    /// Something is wrong.
    Error,
    /// The node is not heard.
    Silent,
}

impl Level {
    /// The level of a word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        lamon_bus::Level::ALL.into_iter().find(|level| level.as_str() == word).map(Self::from)
    }
}

impl From<lamon_bus::Level> for Level {
    fn from(level: lamon_bus::Level) -> Self {
        match level {
            lamon_bus::Level::Good => Self::Good,
            lamon_bus::Level::Warning => Self::Warning,
            lamon_bus::Level::Error => Self::Error,
            lamon_bus::Level::Silent => Self::Silent,
        }
    }
}

/// The site as a whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Site {
    /// The clock of this answer, unix milliseconds UTC.
    pub(crate) now_ms: u64,
    /// Whether the hub is heard; everything else is as it was last when not.
    pub(crate) heard: bool,
    /// What the hub last said of itself; null before its first word.
    pub(crate) hub: Option<HubState>,
    /// The groups by name.
    pub(crate) groups: Vec<Group>,
}

/// What the hub said of itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct HubState {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// When it said so, unix milliseconds UTC.
    time_ms: u64,
    /// The worst level of all nodes.
    level: Level,
    /// Why, in words; empty when all are good.
    worst: String,
    /// Connected agents.
    agents: u64,
    /// Samples a second.
    samples_rate: f64,
    /// The part of the samples taken that is stored, 0 to 1; null while not known.
    completeness: Option<f64>,
    /// `ok`, or why the journal cannot be written.
    journal: String,
    /// Samples that the archive does not have yet.
    journal_backlog: u64,
    /// `ok`, or why the archive cannot be reached.
    database: String,
    /// `night` or `day`; empty while that is not known.
    phase: String,
    /// What is not ready for the night, in words; empty when all is.
    not_ready: String,
    /// In how many nights the fullest disk is full; null while not known.
    nights_left: Option<f64>,
}

/// Nodes that belong together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// The worst level of its nodes.
    pub(crate) level: Level,
    /// How many nodes it has.
    pub(crate) nodes: usize,
}

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

/// Worth a line in a log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EventLine {
    /// When, unix milliseconds UTC.
    time_ms: u64,
    /// Which node; null for the hub.
    pub(crate) node: Option<String>,
    /// The metric of the node, when it is about one alone; absent when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    /// What kind; docs/bus.md has them all.
    pub(crate) kind: String,
    /// How grave.
    pub(crate) level: Level,
    /// A sentence for people.
    pub(crate) text: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// A sentence for people.
    pub(crate) error: String,
}

impl From<&Hub> for HubState {
    fn from(hub: &Hub) -> Self {
        Self {
            name: hub.hub.clone(),
            version: hub.version.clone(),
            time_ms: milliseconds(hub.time),
            level: hub.level.into(),
            worst: hub.worst.clone(),
            agents: hub.agents,
            samples_rate: hub.samples_rate,
            completeness: hub.completeness,
            journal: hub.journal.clone(),
            journal_backlog: hub.journal_backlog,
            database: hub.database.clone(),
            phase: hub.phase.clone(),
            not_ready: hub.not_ready.clone(),
            nights_left: hub.nights_left,
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

impl From<&Event> for EventLine {
    fn from(event: &Event) -> Self {
        Self {
            time_ms: milliseconds(event.time),
            node: event.node.clone(),
            metric: event.metric.clone(),
            kind: event.kind.clone(),
            level: event.level.into(),
            text: event.text.clone(),
        }
    }
}

impl From<&StoredEvent> for EventLine {
    fn from(StoredEvent { event, .. }: &StoredEvent) -> Self {
        Self {
            time_ms: u64::try_from(event.time_ms).unwrap_or(0),
            node: event.node.clone(),
            metric: event.metric.clone(),
            kind: event.kind.clone(),
            // What a later release calls it is grave until somebody knows.
            level: Level::named(&event.level).unwrap_or(Level::Silent),
            text: event.text.clone(),
        }
    }
}

/// Unix seconds as milliseconds; 0 for what is no time.
pub(crate) fn milliseconds(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|time| u64::try_from(time.as_millis()).ok())
        .unwrap_or(0)
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
    fn no_time_makes_it_fail() {
        let times = [1.5, -1.0, f64::NAN, f64::INFINITY, 1e300].map(milliseconds);
        assert_eq!(times, [1500, 0, 0, 0, 0]);
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
