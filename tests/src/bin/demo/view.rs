//! What the device shows, sorted for people: the summary, and the values of each node.

use std::time::{SystemTime, UNIX_EPOCH};

use rts2dev::client::RemoteValue;
use rts2dev::proto::{DisplayType, Level};

/// The picture of all nodes.
pub(crate) struct View {
    /// The worst level of any node, in the hub's word.
    pub(crate) level: Shown,
    /// How many nodes there are at each level: `2 nodes: 1 good, 1 error`.
    pub(crate) counts: String,
    /// What is gravest.
    pub(crate) worst: Shown,
    /// The nodes, in the order of their coming: this computer first.
    pub(crate) nodes: Vec<Node>,
}

/// One node.
pub(crate) struct Node {
    /// Its name, as its values begin.
    pub(crate) name: String,
    /// Its level, in the hub's word.
    pub(crate) level: Shown,
    /// Seconds since it was heard.
    pub(crate) heard_seconds_ago: f64,
    /// Its percentages, which have a bar.
    pub(crate) percentages: Vec<Metric>,
    /// Everything else.
    pub(crate) others: Vec<Metric>,
}

/// One value of a node.
pub(crate) struct Metric {
    /// Its name, without the node's.
    pub(crate) name: String,
    /// As a number, for bars.
    pub(crate) number: f64,
    /// As text, with its unit, and its level.
    pub(crate) shown: Shown,
}

/// A text and how well what it says is.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) level: Level,
}

impl Shown {
    fn of(value: Option<&RemoteValue>) -> Self {
        value.map_or_else(
            || Self { text: String::new(), level: Level::Good },
            |value| Self { text: value.text(), level: value.level() },
        )
    }
}

impl View {
    /// Sorts the device's values.
    pub(crate) fn new(values: &[RemoteValue]) -> Self {
        let find = |name: &str| values.iter().find(|value| value.name == name);
        let count = |name: &str| find(name).and_then(RemoteValue::number).unwrap_or_default();
        let at_level = ["good", "warning", "error", "silent"]
            .map(|level| (level, count(&format!("nodes_{level}"))))
            .into_iter()
            .filter(|(_, count)| *count > 0.0)
            .map(|(level, count)| format!("{count} {level}"));
        let all = count("nodes");
        let noun = if all == 1.0 { "node" } else { "nodes" };
        // A node is known by the level and the time that each has, whatever its metrics.
        let names = values.iter().filter_map(|value| value.name.strip_suffix("_level"));
        let nodes = names.filter_map(|name| {
            let heard = find(&format!("{name}_heard"))?.number()?;
            Some(Node::new(name, find(&format!("{name}_level")), heard, values))
        });
        Self {
            level: Shown::of(find("level")),
            counts: format!("{all} {noun}: {}", at_level.collect::<Vec<_>>().join(", ")),
            worst: Shown::of(find("worst")),
            nodes: nodes.collect(),
        }
    }

    /// Whether there is a node whose rates are known.
    pub(crate) fn is_complete(&self) -> bool {
        self.nodes.iter().any(|node| node.percentages.iter().any(|metric| metric.name == "cpu_percent"))
    }
}

impl Node {
    fn new(name: &str, level: Option<&RemoteValue>, heard: f64, values: &[RemoteValue]) -> Self {
        let prefix = format!("{name}_");
        let metrics = values.iter().filter_map(|value| {
            let metric = value.name.strip_prefix(&prefix)?;
            if matches!(metric, "level" | "heard") {
                return None;
            }
            Some((value.display_type() == DisplayType::Percent, Metric::new(metric, value)))
        });
        let (percentages, others): (Vec<_>, Vec<_>) = metrics.partition(|(is_percentage, _)| *is_percentage);
        // The core metrics first; RTS2 has them in the order of their coming, rates after the rest.
        let core = |metric: &Metric| {
            let place = lamon_wire::metric::CORE.iter().position(|name| *name == metric.name);
            place.unwrap_or(lamon_wire::metric::CORE.len())
        };
        let bare = |metrics: Vec<(bool, Metric)>| {
            let mut metrics: Vec<_> = metrics.into_iter().map(|(_, metric)| metric).collect();
            metrics.sort_by_key(core);
            metrics
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self {
            name: name.into(),
            level: Shown::of(level),
            heard_seconds_ago: (now - heard).max(0.0),
            percentages: bare(percentages),
            others: bare(others),
        }
    }
}

impl Metric {
    fn new(name: &str, value: &RemoteValue) -> Self {
        let unit =
            value.description.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(unit, _)| unit);
        let number = value.number().unwrap_or(f64::NAN);
        let text = format(value, number, unit.unwrap_or_default());
        Self { name: name.into(), number, shown: Shown { text, level: value.level() } }
    }
}

fn format(value: &RemoteValue, number: f64, unit: &str) -> String {
    if number.is_nan() {
        return value.text();
    }
    // A zero needs no sign and no decimals.
    let plain = if number == 0.0 { "0".into() } else { value.text() };
    match value.display_type() {
        DisplayType::Percent => format!("{number:.1} %"),
        DisplayType::ByteSize => bytes(number) + unit.strip_prefix('B').unwrap_or_default(),
        DisplayType::TimeInterval => duration(number),
        _ if unit.is_empty() => plain,
        _ => format!("{plain} {unit}"),
    }
}

/// Bytes as RTS2 shows them, in steps of 1024.
fn bytes(number: f64) -> String {
    let mut number = number;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if number.abs() < 1_024.0 {
            return if unit == "B" { format!("{number:.0} B") } else { format!("{number:.1} {unit}") };
        }
        number /= 1_024.0;
    }
    format!("{number:.1} TiB")
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).floor();
    let (hours, days) = ((minutes / 60.0).floor(), (minutes / 1_440.0).floor());
    if days >= 1.0 {
        format!("{days} d {} h", hours - days * 24.0)
    } else if hours >= 1.0 {
        format!("{hours} h {} min", minutes - hours * 60.0)
    } else {
        format!("{minutes} min {:.0} s", seconds - minutes * 60.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (number, text) in [(0.0, "0 B"), (1_023.0, "1023 B"), (1_536.0, "1.5 KiB"), (7.6e10, "70.8 GiB")]
        {
            assert_eq!(bytes(number), text);
        }
        for (seconds, text) in [(59.0, "0 min 59 s"), (3_756.0, "1 h 2 min"), (200_000.0, "2 d 7 h")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
