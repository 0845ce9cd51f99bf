//! What an event is about, and whether that begins or ends with it.

use lamon_store::registers::Event;

use crate::answers::Level;

/// What can be wrong once at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Matter {
    pub(super) node: Option<String>,
    pub(super) what: &'static str,
    /// The metric, or the gate.
    pub(super) name: String,
}

/// What an event does to its matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Begins,
    Ends,
    Moment,
}

/// How grave an event is; what a later release calls it is grave until somebody knows.
pub(super) fn level(event: &Event) -> Level {
    Level::named(&event.level).unwrap_or(Level::Silent)
}

/// What an event is about, and what it does; nothing for what is no problem.
pub(super) fn read(event: &Event) -> Option<(Matter, Turn)> {
    use Turn::{Begins, Ends, Moment};
    let (what, turn) = match event.kind.as_str() {
        "level" => ("level", if level(event) == Level::Good { Ends } else { Begins }),
        "silent" => ("silent", Begins),
        "back" => ("silent", Ends),
        "unknown" => ("unknown", Begins),
        "known" => ("unknown", Ends),
        "flapping" => ("flapping", Begins),
        "steady" => ("flapping", Ends),
        "reboot" => ("reboot", Moment),
        "gate_closed" => ("gate_closed", Begins),
        "gate_opened" => ("gate_closed", Ends),
        "database_failed" => ("database_failed", Begins),
        "database_recovered" => ("database_failed", Ends),
        "journal_failed" | "journal_unreadable" => ("journal_failed", Begins),
        "journal_recovered" => ("journal_failed", Ends),
        "settings_failed" => ("settings_failed", Begins),
        "settings_recovered" => ("settings_failed", Ends),
        "hub_clock_suspected" => ("hub_clock_suspected", Begins),
        "hub_clock_trusted" => ("hub_clock_suspected", Ends),
        "not_ready" => ("not_ready", Begins),
        "ready" => ("not_ready", Ends),
        "hub_cut_off" => ("hub_cut_off", Moment),
        "hub_paused" => ("hub_paused", Moment),
        "clock_jumped" => ("clock_jumped", Moment),
        "upkeep_failed" => ("upkeep_failed", Moment),
        "dead_letter" => ("dead_letter", Moment),
        _ => return None,
    };
    let name = match what {
        "gate_closed" => gate(&event.text)?.to_owned(),
        "level" | "unknown" | "flapping" => metric(event)?.to_owned(),
        _ => String::new(),
    };
    Some((Matter { node: event.node.clone(), what, name }, turn))
}

/// The gate that a sentence is about: `gate NAME closed and …`, `gate NAME opened after …`.
fn gate(text: &str) -> Option<&str> {
    let text = text.strip_prefix("gate ")?;
    text.split_once(" closed and ").or_else(|| text.split_once(" opened after ")).map(|(name, _)| name)
}

/// The metric that an event is about; what was written before events named it has it in its sentence, behind the node.
fn metric(event: &Event) -> Option<&str> {
    event.metric.as_deref().or_else(|| {
        let text = event.text.strip_prefix(event.node.as_deref()?)?.strip_prefix(' ')?;
        text.split(' ').next()
    })
}
