//! Answers as people read them.

use std::fmt::{Display, Write as _};

use lamon_control::answer::{Event, Events, Metric, Node, NodeLine, Nodes, Settings, Status};
use lamon_control::{Ack, Answer, Mute, Window};

use crate::gates;
use crate::table::{Cell, Paint, columns};
use crate::times::{ago, local};

/// How grave a level is; what this program does not know is taken for the gravest.
pub(crate) fn gravity(level: &str) -> usize {
    ["good", "warning", "error", "silent"].iter().position(|known| *known == level).unwrap_or(usize::MAX)
}

/// An answer as text.
pub(crate) fn answer(paint: Paint, now_ms: i64, answer: &Answer) -> String {
    match answer {
        Answer::Status(status) => show_status(paint, status),
        Answer::Nodes(nodes) => show_nodes(paint, now_ms, nodes),
        Answer::Node(node) => show_node(paint, now_ms, node),
        Answer::Explanation(explanation) => explanation.lines.join("\n"),
        Answer::Events(events) => show_events(paint, events),
        Answer::Gates(gates) => gates::show(paint, gates),
        Answer::Keys(keys) => crate::keys::show(paint, now_ms, keys),
        Answer::Settings(settings) => show_settings(paint, settings),
        Answer::Did(did) => did.text.clone(),
    }
}

fn show_status(paint: Paint, status: &Status) -> String {
    let mut out = String::new();
    let head = if status.worst.is_empty() { "all is well".into() } else { status.worst.clone() };
    let _ = writeln!(out, "{}  {head}", paint.level(&status.level, &status.level));
    for sentence in &status.blocking {
        let _ = writeln!(out, "{} {sentence}", paint.level("error", "blocked:"));
    }
    let counts = [
        ("good", status.good),
        ("warning", status.warning),
        ("error", status.error),
        ("silent", status.silent),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| paint.level(level, &format!("{count} {level}")))
        .collect();
    let muted = if status.muted > 0 { format!(", {} muted", status.muted) } else { String::new() };
    let _ = writeln!(out, "{}: {}{muted}", counted(&status.nodes, "node"), counts.join(", "));
    let _ = writeln!(
        out,
        "{}, {:.1} samples/s, {:.2} % of their samples stored",
        counted(&status.agents, "agent"),
        status.samples_rate,
        status.completeness * 100.0
    );
    for (what, condition) in
        [("journal", &status.journal), ("database", &status.database), ("settings", &status.settings)]
    {
        if !matches!(condition.as_str(), "ok" | "not tried yet") {
            let _ = writeln!(out, "{} {condition}", paint.level("error", &format!("{what}:")));
        }
    }
    match status.ready_tonight {
        Some(true) if status.not_ready.is_empty() => out.push_str("ready for tonight\n"),
        Some(true) => drop(writeln!(out, "ready for tonight ({})", status.not_ready)),
        Some(false) => {
            let _ =
                writeln!(out, "{} {}", paint.level("warning", "not ready for tonight:"), status.not_ready);
        }
        None => {}
    }
    if !status.waiting.is_empty() {
        let waits = paint.level("warning", "waits to be approved (lamon keys):");
        let _ = writeln!(out, "{waits} {}", status.waiting.join(", "));
    }
    if status.journal_backlog > 0 {
        let _ =
            writeln!(out, "in the journal for the database: {}", counted(&status.journal_backlog, "sample"));
    }
    let _ =
        writeln!(out, "hub {} {}, up {}", status.hub, status.version, ago(status.now_ms, status.started_ms));
    out
}

/// `1 node`, `2 nodes`.
fn counted<N: PartialEq + From<u8> + Display>(count: &N, what: &str) -> String {
    let plural = if *count == N::from(1) { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// The columns of nodes, of the core metrics.
const SHOWN: [(&str, &str); 4] =
    [("cpu_percent", "cpu %"), ("memory_percent", "mem %"), ("disk_percent", "disk %"), ("load1", "load")];

fn show_nodes(paint: Paint, now_ms: i64, nodes: &Nodes) -> String {
    if nodes.nodes.is_empty() {
        return "no node was heard yet: agents and lines of text come in on port 7617".into();
    }
    let headings: Vec<&str> = ["node", "group", "level"]
        .into_iter()
        .chain(SHOWN.map(|(_, heading)| heading))
        .chain(["heard", ""])
        .collect();
    let rows: Vec<Vec<Cell>> = nodes.nodes.iter().map(|line| node_row(now_ms, line)).collect();
    columns(paint, &headings, &rows)
}

fn node_row(now_ms: i64, line: &NodeLine) -> Vec<Cell> {
    let plain = |text: String| (text, None);
    let mut row = vec![
        plain(line.node.clone()),
        plain(line.group.clone()),
        (line.level.clone(), Some(line.level.clone())),
    ];
    row.extend(SHOWN.map(|(name, _)| {
        let value = line.core.iter().find(|(metric, _)| metric == name);
        plain(value.map_or_else(|| "-".into(), |(_, value)| format!("{value:.1}")))
    }));
    row.push(plain(ago(now_ms, line.heard_ms)));
    let worst = line.worst.strip_prefix(&line.node).unwrap_or(&line.worst).trim();
    let marks = [(line.muted, "muted"), (line.acknowledged, "acknowledged")];
    let words = marks.iter().filter(|(on, _)| *on).map(|(_, word)| *word).chain([worst]);
    row.push(plain(words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("; ")));
    row
}

fn show_node(paint: Paint, now_ms: i64, node: &Node) -> String {
    let line = &node.line;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} ({})  {}  heard {} ago, every {} s, {:.2} % of its samples stored",
        line.node,
        line.group,
        paint.level(&line.level, &line.level),
        ago(now_ms, line.heard_ms),
        node.interval,
        node.completeness * 100.0
    );
    for mute in &node.mutes {
        let _ = writeln!(out, "mute {}: {}", mute.id, mute_words(mute));
    }
    for ack in &node.acks {
        let _ = writeln!(out, "acknowledged: {}", ack_words(ack));
    }
    let mut metrics: Vec<&Metric> = node.metrics.iter().collect();
    metrics.sort_by_key(|metric| std::cmp::Reverse(gravity(&metric.level)));
    let rows: Vec<Vec<Cell>> = metrics
        .into_iter()
        .map(|metric| {
            let level = metric.level.clone();
            let value =
                metric.value.map_or_else(|| "unknown".into(), |value| format!("{value} {}", metric.unit));
            vec![
                (metric.metric.clone(), None),
                (value.trim_end().into(), None),
                (level.clone(), Some(level)),
                (metric.rule.clone().unwrap_or_default(), None),
            ]
        })
        .collect();
    out + &columns(paint, &["metric", "value", "level", "rule"], &rows)
}

fn show_events(paint: Paint, events: &Events) -> String {
    if events.events.is_empty() {
        return "nothing happened that fits".into();
    }
    let line =
        |event: &Event| format!("{}  {}", local(event.time_ms), paint.level(&event.level, &event.text));
    events.events.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn show_settings(paint: Paint, settings: &Settings) -> String {
    let mut out = String::new();
    let Settings { mutes, acks, overrides, limits } = settings;
    if !mutes.is_empty() {
        let rows: Vec<Vec<Cell>> = mutes
            .iter()
            .map(|mute| {
                let cells =
                    [mute.id.to_string(), mute.target.clone(), window(&mute.window), mute.who.clone()];
                cells.into_iter().chain([mute.reason.clone()]).map(|text| (text, None)).collect()
            })
            .collect();
        out += &columns(paint, &["mute", "of", "when", "by", "why"], &rows);
    }
    if !acks.is_empty() {
        let rows: Vec<Vec<Cell>> = acks
            .iter()
            .map(|ack| {
                let of = format!("{} {}", ack.node, ack.metric.as_deref().unwrap_or_default());
                let cells =
                    [of.trim_end().to_owned(), ack.level.clone(), local(ack.made_ms), ack.who.clone()];
                cells.into_iter().chain([ack.reason.clone()]).map(|text| (text, None)).collect()
            })
            .collect();
        out += &columns(paint, &["acknowledged", "at", "when", "by", "why"], &rows);
    }
    if !overrides.is_empty() {
        out += &gates::show_overrides(paint, overrides);
    }
    if !limits.is_empty() {
        let limit = |limit: Option<f64>| limit.map_or_else(|| "none".into(), |limit| limit.to_string());
        let rows: Vec<Vec<Cell>> = limits
            .iter()
            .map(|set| {
                let cells = [set.about(), limit(set.warning), limit(set.error), local(set.made_ms)];
                let rest = [set.who.clone(), set.reason.clone().unwrap_or_default()];
                cells.into_iter().chain(rest).map(|text| (text, None)).collect()
            })
            .collect();
        out += &columns(paint, &["limits of", "warning", "error", "when", "by", "why"], &rows);
    }
    if out.is_empty() { "operators changed nothing: the configuration file holds".into() } else { out }
}

fn mute_words(mute: &Mute) -> String {
    format!("{} {}, by {}: {}", mute.target, window(&mute.window), mute.who, mute.reason)
}

fn ack_words(ack: &Ack) -> String {
    let of = ack.metric.as_deref().unwrap_or("all of it");
    format!("{of} at {}, by {} on {}: {}", ack.level, ack.who, local(ack.made_ms), ack.reason)
}

fn window(window: &Window) -> String {
    match window {
        Window::Between { from_ms, until_ms } => format!("{} to {}", local(*from_ms), local(*until_ms)),
        Window::Weekly { hours, until_ms: None } => format!("{hours} (the hub's time)"),
        Window::Weekly { hours, until_ms: Some(until) } => {
            format!("{hours} (the hub's time), to {}", local(*until))
        }
    }
}
