//! What came of it, as people read it.

use std::fmt::Write as _;

use super::Outcome;
use crate::replay::Count;
use crate::sample::utc;
use crate::watch::Level;

/// A table with a column for the present limits and, where others were tried, one for those.
pub(super) fn show(outcome: &Outcome, tried: Option<&str>) -> String {
    let Outcome { from_ms, to_ms, nodes, samples, present, tried: other } = outcome;
    let mut out = String::new();
    let _ = writeln!(out, "{} to {}: {samples} samples of {nodes} nodes", utc(*from_ms), utc(*to_ms));
    let counts: Vec<&Count> = std::iter::once(present).chain(other).collect();
    let heads = ["present"].into_iter().chain(tried);
    let width = heads.clone().map(str::len).max().unwrap_or_default().max(10);
    let _ = write!(out, "{:40}", "");
    for head in heads {
        let _ = write!(out, " {head:>width$}");
    }
    out.push('\n');
    for name in rows(&counts) {
        let _ = write!(out, "{name:40}");
        for count in &counts {
            let _ = write!(out, " {:>width$}", number(count, &name));
        }
        out.push('\n');
    }
    out
}

/// The rows that any of them has, the messages first.
fn rows(counts: &[&Count]) -> Vec<String> {
    let mut rows = vec!["messages".to_owned()];
    let mut rises: Vec<_> = counts
        .iter()
        .flat_map(|count| &count.rises)
        .flat_map(|(rule, levels)| levels.keys().map(move |level| (rule, *level)))
        .collect();
    rises.sort_unstable();
    rises.dedup();
    rows.extend(rises.into_iter().map(|(rule, level)| rise(rule, level)));
    rows.extend(["good again", "silent"].map(str::to_owned));
    let mut events: Vec<_> = counts.iter().flat_map(|count| count.events.keys()).collect();
    events.sort_unstable();
    events.dedup();
    rows.extend(events.into_iter().map(|kind| (*kind).to_owned()));
    let mut gates: Vec<_> = counts.iter().flat_map(|count| &count.gates).collect();
    gates.sort_by_key(|(name, _)| *name);
    gates.dedup_by_key(|(name, _)| *name);
    rows.extend(gates.iter().map(|(name, _)| format!("{GATE}{name}{BLOCKED}")));
    let shadow = |name: &str| {
        counts.iter().any(|count| count.gates.get(name).is_some_and(|gate| gate.shadow_times > 0))
    };
    let shadows = gates.iter().filter(|(name, _)| shadow(name));
    rows.extend(shadows.map(|(name, _)| format!("{GATE}{name}{SHADOW}")));
    rows
}

fn rise(rule: &str, level: Level) -> String {
    format!("rule {rule}: {level}")
}

/// How rows of gates begin, and end.
const GATE: &str = "gate ";
const BLOCKED: &str = ": minutes blocked";
const SHADOW: &str = ": minutes as a shadow";

fn number(count: &Count, row: &str) -> u64 {
    if let Some(gate) = row.strip_prefix(GATE) {
        let minutes = match (gate.strip_suffix(BLOCKED), gate.strip_suffix(SHADOW)) {
            (Some(name), _) => count.gates.get(name).map(|gate| gate.minutes),
            (None, Some(name)) => count.gates.get(name).map(|gate| gate.shadow_minutes),
            (None, None) => None,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "minutes of a stretch of time"
        )]
        return minutes.unwrap_or_default().round() as u64;
    }
    match row {
        "messages" => count.messages,
        "good again" => count.recoveries,
        "silent" => count.silences,
        _ => {
            let mut rises = count.rises.iter().flat_map(|(rule, levels)| {
                levels.iter().map(move |(level, number)| (rise(rule, *level), *number))
            });
            let of_rule = rises.find(|(name, _)| name == row).map(|(_, number)| number);
            of_rule.or_else(|| count.events.get(row).copied()).unwrap_or(0)
        }
    }
}
