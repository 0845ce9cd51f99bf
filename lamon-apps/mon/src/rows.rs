//! The overview's rows: grouped, the worst first within and between groups, where muted nodes count as good ones. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use lamon_bus::{Level, Metric, Node};

use crate::units;

/// How many intervals a node may be late before its age is shown: one may be lost on the way.
const STALE_INTERVALS: f64 = 2.0;

/// The interval of a node that does not tell its own, in seconds.
const USUAL_INTERVAL: f64 = 10.0;

/// A value with the level that it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gauge {
    /// In %, 0 to 100.
    pub(crate) percent: f64,
    /// How it is.
    pub(crate) level: Level,
}

/// A node in the overview.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// Its group.
    pub(crate) group: String,
    /// How it is.
    pub(crate) level: Level,
    /// Nobody is to be told of it.
    pub(crate) muted: bool,
    /// Somebody knows of all that is wrong with it.
    pub(crate) acknowledged: bool,
    /// Its processors.
    pub(crate) cpu: Option<Gauge>,
    /// Its memory.
    pub(crate) memory: Option<Gauge>,
    /// Its fullest disk.
    pub(crate) disk: Option<Gauge>,
    /// Bytes a second that come in.
    pub(crate) net_in: Option<f64>,
    /// Bytes a second that go out.
    pub(crate) net_out: Option<f64>,
    /// Seconds since its last word, when it is silent or late.
    pub(crate) age: Option<f64>,
    /// The worst metric and its value, when it is at warning or error.
    pub(crate) cause: Option<(String, Option<f64>)>,
    /// What is wrong, in English words; empty when nothing is.
    pub(crate) why: String,
}

impl Row {
    /// How it is for who looks for what is wrong: muted nodes are left out.
    const fn told(&self) -> Level {
        if self.muted { Level::Good } else { self.level }
    }
}

/// The rows of these nodes, at this time of the hub, unix seconds UTC.
pub(crate) fn rows<'a>(nodes: impl Iterator<Item = &'a Node>, hub_now: Option<f64>) -> Vec<Row> {
    let mut rows: Vec<Row> = nodes.map(|node| row(node, hub_now)).collect();
    let mut worst: BTreeMap<String, Level> = BTreeMap::new();
    for row in &rows {
        let level = worst.entry(row.group.clone()).or_default();
        *level = row.told().max(*level);
    }
    rows.sort_by(|a, b| {
        let key = |row: &Row| Reverse(worst.get(&row.group).copied().unwrap_or_default());
        let within = |row: &Row| (Reverse(row.told()), Reverse(row.level));
        (key(a), &a.group, within(a), &a.name).cmp(&(key(b), &b.group, within(b), &b.name))
    });
    rows
}

fn row(node: &Node, hub_now: Option<f64>) -> Row {
    Row {
        name: node.name.clone(),
        group: node.group.clone(),
        level: node.level,
        muted: node.muted,
        acknowledged: node.acknowledged,
        cpu: gauge(node, "cpu_percent"),
        memory: gauge(node, "memory_percent"),
        disk: gauge(node, "disk_percent"),
        net_in: node.value("nic_in"),
        net_out: node.value("nic_out"),
        age: age(node, hub_now).filter(|age| node.level == Level::Silent || is_stale(node, *age)).map(shown),
        cause: cause(node).map(|(name, metric)| (name.to_owned(), metric.value)),
        why: why(node, hub_now),
    }
}

fn gauge(node: &Node, metric: &str) -> Option<Gauge> {
    let metric = node.metrics.get(metric)?;
    Some(Gauge { percent: metric.value?.clamp(0.0, 100.0), level: metric.level })
}

/// Seconds since a node was heard.
pub(crate) fn age(node: &Node, hub_now: Option<f64>) -> Option<f64> {
    let heard = (node.heard > 0.0).then_some(node.heard)?;
    Some((hub_now? - heard).max(0.0))
}

/// An age as exactly as it is shown, so that a row changes only when the screen does.
fn shown(age: f64) -> f64 {
    let step = if age < 60.0 { 1.0 } else { 60.0 };
    (age / step).floor() * step
}

fn is_stale(node: &Node, age: f64) -> bool {
    let interval = if node.interval > 0.0 { node.interval } else { USUAL_INTERVAL };
    age > STALE_INTERVALS * interval
}

/// The metrics of a node, the worst first, of equals by name.
pub(crate) fn worst_first(node: &Node) -> Vec<(&str, &Metric)> {
    let mut metrics: Vec<_> = node.metrics.iter().map(|(name, metric)| (name.as_str(), metric)).collect();
    metrics.sort_by_key(|(name, metric)| (Reverse(metric.level), *name));
    metrics
}

/// What is wrong with a node: how long it is silent, or its worst metric.
pub(crate) fn why(node: &Node, hub_now: Option<f64>) -> String {
    match node.level {
        Level::Good => String::new(),
        Level::Silent => match age(node, hub_now) {
            Some(age) => format!("silent for {}", units::length(age)),
            None => "silent".into(),
        },
        level => match cause(node) {
            Some((name, metric)) => format!("{name} {}", units::value(name, metric.value)),
            None => level.to_string(),
        },
    }
}

/// The worst metric of a node that is heard, when it is unwell.
fn cause(node: &Node) -> Option<(&str, &Metric)> {
    let worst = worst_first(node).into_iter().next()?;
    (node.level != Level::Silent && worst.1.level > Level::Good).then_some(worst)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A node with these metrics, each with its level, heard at 1000.
    pub(crate) fn node(name: &str, group: &str, level: Level, metrics: &[(&str, f64, Level)]) -> Node {
        let metrics = metrics.iter().map(|(name, value, level)| {
            let rule = (*level > Level::Good).then(|| format!("{name}: warning > 80, error > 90"));
            let metric =
                Metric { value: Some(*value), taken: 1000.0, level: *level, rule, ..Metric::default() };
            ((*name).to_owned(), metric)
        });
        Node {
            name: name.into(),
            group: group.into(),
            level,
            heard: 1000.0,
            interval: 10.0,
            metrics: metrics.collect(),
            ..Node::default()
        }
    }

    #[test]
    fn groups_and_nodes_are_the_worst_first() {
        let nodes = [
            node("a1", "a", Level::Good, &[]),
            node("a2", "a", Level::Warning, &[]),
            node("b1", "b", Level::Good, &[]),
            node("b2", "b", Level::Silent, &[]),
            node("c1", "c", Level::Good, &[]),
        ];
        let names: Vec<_> = rows(nodes.iter(), Some(1001.0)).into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["b2", "b1", "a2", "a1", "c1"]);
    }

    #[test]
    fn muted_nodes_are_no_reason_to_look() {
        let mut nodes = [
            node("a1", "a", Level::Error, &[]),
            node("a2", "a", Level::Good, &[]),
            node("b1", "b", Level::Warning, &[]),
        ];
        nodes[0].muted = true;
        let names: Vec<_> = rows(nodes.iter(), None).into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["b1", "a1", "a2"]);
    }

    #[test]
    fn a_row_says_what_is_wrong_and_how_old_it_is() {
        let metrics = [("cpu_percent", 3.0, Level::Good), ("disk_percent", 182.5, Level::Warning)];
        let sick = node("a", "g", Level::Warning, &metrics);
        let row = |now| rows(std::iter::once(&sick), Some(now)).remove(0);
        assert_eq!(row(1015.0).age, None);
        assert_eq!(row(1021.0).age, Some(21.0));
        assert_eq!(row(1015.0).why, "disk_percent 182.5 %");
        assert_eq!(row(1015.0).disk, Some(Gauge { percent: 100.0, level: Level::Warning }));
        assert_eq!(row(1015.0).memory, None);
        let silent = node("a", "g", Level::Silent, &metrics);
        assert_eq!(why(&silent, Some(1031.5)), "silent for 31 s");
        assert_eq!(why(&silent, None), "silent");
        assert_eq!(why(&node("a", "g", Level::Error, &[]), None), "error");
    }
}
