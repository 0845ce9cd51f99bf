//! The sentences.

use lamon_bus::Level;

use super::happening::Happening;
use super::state::{Group, Problem};
use crate::notice::Message;

/// How many nodes a title names.
const TITLE_NODES: usize = 3;

/// A message of what came together.
pub(super) fn message(group: &Group, route: &str, held: u64, now: f64) -> Message {
    let mut text = group.lines.join("\n");
    if group.more > 0 {
        text = format!("{text}\nand {} more", group.more);
    }
    if held > 0 {
        text = format!("{text}\n{}", self::held(held));
    }
    let nodes: Vec<String> = group.nodes.iter().cloned().collect();
    Message {
        title: title(group, &nodes),
        text,
        level: group.level,
        nodes,
        route: route.to_owned(),
        time: now,
    }
}

/// A message of what a channel's limit held back.
pub(super) fn message_of_held(count: u64, now: f64) -> Message {
    let (title, text, route) = (format!("lamon: {count} more"), held(count), String::new());
    Message { title, text, level: Level::Warning, nodes: Vec::new(), route, time: now }
}

/// `lamon error: ccd01, ccd02, ccd03 and 4 more`.
fn title(group: &Group, nodes: &[String]) -> String {
    let named: Vec<&str> = nodes.iter().take(TITLE_NODES).map(String::as_str).collect();
    let whom = match nodes.len() {
        0 => "the hub".to_owned(),
        count if count > TITLE_NODES => format!("{} and {} more", named.join(", "), count - TITLE_NODES),
        _ => named.join(", "),
    };
    format!("lamon {}: {whom}", group.level)
}

/// Something goes on.
pub(super) fn still(problem: &Problem, now: f64) -> String {
    format!("still after {}: {}", lasting(now - problem.since), problem.last.text)
}

/// Something is over; the hub's sentence often says how long it was.
pub(super) fn over(text: &str, seconds: f64) -> String {
    if text.contains(" after ") { text.to_owned() } else { format!("{text} (after {})", lasting(seconds)) }
}

/// What the hub would have said.
pub(super) fn well(last: &Happening) -> String {
    let node = last.node.as_deref().unwrap_or("the hub");
    match &last.metric {
        Some(metric) => format!("{node} {metric} is good again"),
        None => format!("{node} is heard again"),
    }
}

/// What a channel's limit held back.
pub(super) fn held(count: u64) -> String {
    format!("and {count} more that the limit of this channel held back: lamon events shows them")
}

/// `40 s`, `5 min`, `3 h 12 min`, `2 d 5 h`.
fn lasting(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a saturated number of seconds is as good"
    )]
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}
