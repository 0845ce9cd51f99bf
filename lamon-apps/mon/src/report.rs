//! One look at the site: a summary as Nagios reads it, a table, JSON. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lamon_bus::Level;
use serde::Serialize;

use crate::clean::{fit, fit_right, width};
use crate::rows::{self, Gauge, Row};
use crate::site::Site;
use crate::texts::Texts;
use crate::units;

/// How many nodes the summary names: it goes into messages of one line.
const NAMED: usize = 5;

/// How the nodes are that were asked for, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The worst of them.
    Level(Level),
    /// A sentence why not.
    Unknown(String),
}

impl Verdict {
    /// The exit code, that of Nagios plugins.
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Level(Level::Good) => 0,
            Self::Level(Level::Warning) => 1,
            Self::Level(Level::Error | Level::Silent) => 2,
            Self::Unknown(_) => UNKNOWN,
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Level(Level::Good) => "OK",
            Self::Level(Level::Warning) => "WARNING",
            Self::Level(Level::Error | Level::Silent) => "CRITICAL",
            Self::Unknown(_) => "UNKNOWN",
        }
    }
}

/// The exit code of Nagios plugins that do not know.
pub(crate) const UNKNOWN: u8 = 3;

/// What there is to say of the site. `hub` is where it was looked for, for who hears nothing.
pub(crate) fn verdict(site: &Site, hub: &str, waited: &str) -> Verdict {
    if site.hub().is_none() && site.nodes().len() == 0 && !site.is_whole() {
        return Verdict::Unknown(format!(
            "nothing was heard of the hub at {hub} in {waited}: does it run, and may this computer reach its bus? Where it lists who may follow ([bus.clients]) --hub-key is needed, and its log has this computer's key"
        ));
    }
    if !site.is_whole() {
        return Verdict::Unknown(format!(
            "the hub at {hub} publishes, but did not answer with the whole picture in {waited}: may this computer reach its second port?"
        ));
    }
    let told = site.nodes().filter(|node| !node.muted).map(|node| node.level).max();
    // A check that alarms is a notice, and nobody is to have one of muted nodes.
    match told.or_else(|| (site.nodes().len() > 0).then_some(Level::Good)) {
        Some(level) => Verdict::Level(level),
        None => Verdict::Unknown(match site.wanted().words() {
            words if words.is_empty() => "the hub knows no node".into(),
            words => format!("the hub knows no node {words}"),
        }),
    }
}

/// The first line: `LAMON WARNING - 1 of 12 nodes: ccd01 disk_percent 82.5 %`. Always English, for scripts.
pub(crate) fn summary(verdict: &Verdict, rows: &[Row]) -> String {
    let text = match verdict {
        Verdict::Unknown(why) => why.clone(),
        Verdict::Level(_) => sick(rows),
    };
    // Behind a bar Nagios reads numbers for its curves.
    format!("LAMON {} - {}", verdict.word(), text.replace('|', "/"))
}

fn sick(rows: &[Row]) -> String {
    let mut sick: Vec<&Row> = rows.iter().filter(|row| row.level > Level::Good && !row.muted).collect();
    sick.sort_by_key(|row| (std::cmp::Reverse(row.level), &row.name));
    let all = match rows.len() {
        1 => "1 node".to_owned(),
        many => format!("{many} nodes"),
    };
    let muted = rows.iter().filter(|row| row.level > Level::Good && row.muted).count();
    let muted = if muted == 0 { String::new() } else { format!(" ({muted} muted)") };
    if sick.is_empty() {
        return format!("{all} good{muted}");
    }
    let named: Vec<String> = sick.iter().take(NAMED).map(|row| format!("{} {}", row.name, row.why)).collect();
    let more = match sick.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{} of {all}: {}{more}{muted}", sick.len(), named.join(", "))
}

/// The nodes, a line each, in columns as wide as they need.
pub(crate) fn table(texts: &Texts, rows: &[Row], paint: bool) -> String {
    let heads = [
        texts.level,
        texts.node,
        texts.group,
        texts.cpu,
        texts.memory,
        texts.disk,
        texts.net_in,
        texts.net_out,
    ];
    let lines: Vec<[String; 8]> = rows.iter().map(|row| cells(texts, row)).collect();
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let cells = lines.iter().filter_map(|line| line.get(column)).map(|cell| width(cell));
            cells.chain([width(head)]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[&str], last: &str| {
        let mut out = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let cell = if column < 3 { fit(cell, *width) } else { fit_right(cell, *width) };
            let _ = write!(out, "{cell}  ");
        }
        (out + last).trim_end().to_owned()
    };
    let mut out = line(&heads, texts.what) + "\n";
    for (cells, row) in lines.iter().zip(rows) {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let text = line(&cells, &texts.why(row));
        match colour(row.level).filter(|_| paint) {
            // The level stands first, and is a word as well.
            Some(code) => {
                let level = texts.level_word(row.level);
                let rest = text.strip_prefix(level).unwrap_or(&text);
                let _ = writeln!(out, "\u{1b}[{code}m{level}\u{1b}[0m{rest}");
            }
            None => {
                let _ = writeln!(out, "{text}");
            }
        }
    }
    out
}

const fn colour(level: Level) -> Option<u8> {
    match level {
        Level::Good => Some(32),
        Level::Warning => Some(33),
        Level::Error | Level::Silent => Some(31),
    }
}

fn cells(texts: &Texts, row: &Row) -> [String; 8] {
    let gauge = |gauge: Option<Gauge>| {
        gauge.map_or_else(|| "-".into(), |gauge| format!("{:.0}%{}", gauge.percent, sign(gauge.level)))
    };
    [
        texts.level_word(row.level).into(),
        row.name.clone(),
        row.group.clone(),
        gauge(row.cpu),
        gauge(row.memory),
        gauge(row.disk),
        units::short(row.net_in),
        units::short(row.net_out),
    ]
}

/// The sign beside a number that is not good, for who sees no colours.
pub(crate) const fn sign(level: Level) -> &'static str {
    match level {
        Level::Good => "",
        Level::Warning => "!",
        Level::Error | Level::Silent => "x",
    }
}

#[derive(Serialize)]
struct Json<'a> {
    level: &'a str,
    code: u8,
    summary: String,
    hub: Option<HubJson<'a>>,
    nodes: Vec<NodeJson<'a>>,
}

#[derive(Serialize)]
struct HubJson<'a> {
    name: &'a str,
    version: &'a str,
    level: &'a str,
    worst: &'a str,
    time: f64,
    journal: &'a str,
    database: &'a str,
}

#[derive(Serialize)]
struct NodeJson<'a> {
    node: &'a str,
    group: &'a str,
    level: &'a str,
    muted: bool,
    heard: f64,
    age: Option<f64>,
    why: String,
    metrics: BTreeMap<&'a str, MetricJson<'a>>,
}

#[derive(Serialize)]
struct MetricJson<'a> {
    value: Option<f64>,
    unit: &'a str,
    level: &'a str,
    taken: f64,
    rule: Option<&'a str>,
}

/// The same as one JSON object; the worst nodes first.
pub(crate) fn json(site: &Site, verdict: &Verdict, rows: &[Row], hub_now: Option<f64>) -> String {
    let node = |row: &Row| {
        let node = site.get(&row.name)?;
        let metrics = node.metrics.iter().map(|(name, metric)| {
            let rule = metric.rule.as_deref();
            let (level, unit) = (metric.level.as_str(), units::sign(name));
            (name.as_str(), MetricJson { value: metric.value, unit, level, taken: metric.taken, rule })
        });
        Some(NodeJson {
            node: &node.name,
            group: &node.group,
            level: node.level.as_str(),
            muted: node.muted,
            heard: node.heard,
            age: rows::age(node, hub_now),
            why: row.why.clone(),
            metrics: metrics.collect(),
        })
    };
    let json = Json {
        level: match verdict {
            Verdict::Level(level) => level.as_str(),
            Verdict::Unknown(_) => "unknown",
        },
        code: verdict.code(),
        summary: summary(verdict, rows),
        hub: site.hub().map(|hub| HubJson {
            name: &hub.hub,
            version: &hub.version,
            level: hub.level.as_str(),
            worst: &hub.worst,
            time: hub.time,
            journal: &hub.journal,
            database: &hub.database,
        }),
        nodes: rows.iter().filter_map(node).collect(),
    };
    serde_json::to_string(&json)
        .unwrap_or_else(|error| format!("{{\"level\":\"unknown\",\"summary\":\"{error}\"}}"))
}
