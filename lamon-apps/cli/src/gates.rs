//! Gates as people read them.

use lamon_control::GateOverride;
use lamon_control::gate::{GateLine, Gates};

use crate::table::{Cell, Paint, columns};
use crate::times::{length, local};

/// A gate a line: how it stands, since when, why, and how long it was closed.
pub(crate) fn show(paint: Paint, gates: &Gates) -> String {
    if gates.gates.is_empty() {
        return "there are no gates: no level holds anything up".into();
    }
    let rows: Vec<Vec<Cell>> = gates.gates.iter().map(row).collect();
    let mut out = columns(paint, &["gate", "now", "since", "closed", "what", "why"], &rows);
    for kept in gates.gates.iter().filter_map(|gate| gate.overridden.as_ref()) {
        out += &format!("overridden: {}\n", words(kept));
    }
    out
}

fn row(gate: &GateLine) -> Vec<Cell> {
    let level = match gate.position.as_str() {
        "open" => "good",
        "would_close" => "warning",
        _ => "error",
    };
    let tally = |times: u64, seconds: f64| match times {
        0 => "never".to_owned(),
        times => format!("{times}x, {}", length(seconds)),
    };
    let closed = if gate.would_have_closed > 0 {
        let would = tally(gate.would_have_closed, gate.would_have_closed_seconds);
        format!("{}; would: {would}", tally(gate.closed, gate.closed_seconds))
    } else {
        tally(gate.closed, gate.closed_seconds)
    };
    vec![
        (gate.gate.clone(), None),
        (gate.position.replace('_', " "), Some(level.into())),
        (gate.since_ms.map_or_else(|| "the hub's start".into(), local), None),
        (closed, None),
        (gate.text.clone(), None),
        (gate.why.clone(), None),
    ]
}

/// The overrides, a line each.
pub(crate) fn show_overrides(paint: Paint, overrides: &[GateOverride]) -> String {
    let rows: Vec<Vec<Cell>> = overrides
        .iter()
        .map(|kept| {
            let cells = [kept.gate.clone(), local(kept.until_ms), kept.who.clone(), kept.reason.clone()];
            cells.into_iter().map(|text| (text, None)).collect()
        })
        .collect();
    columns(paint, &["overridden", "until", "by", "why"], &rows)
}

fn words(kept: &GateOverride) -> String {
    format!("{} until {}, by {}: {}", kept.gate, local(kept.until_ms), kept.who, kept.reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_says_how_it_stands_and_how_often_it_was_closed() {
        let gate = GateLine {
            gate: "ccd_disk".into(),
            position: "would_close".into(),
            text: "blocks exposure".into(),
            why: "ccd01 silent".into(),
            closed: 2,
            closed_seconds: 90.0,
            would_have_closed: 1,
            would_have_closed_seconds: 4.2,
            ..GateLine::default()
        };
        let shown = show(Paint(false), &Gates { gates: vec![gate] });
        let line = shown.lines().nth(1).unwrap();
        for words in
            ["ccd_disk", "would close", "the hub's start", "2x, 1 min 30 s; would: 1x, 4 s", "ccd01 silent"]
        {
            assert!(line.contains(words), "{words} in {shown}");
        }
        assert!(show(Paint(false), &Gates::default()).contains("no gates"));
    }
}
