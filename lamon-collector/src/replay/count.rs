//! How much a configuration made of a stretch of samples.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sample::Now;
use crate::watch::{Event, EventKind, GateStanding, Level, Update, Watch};

/// Counts of what would have been told.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Count {
    /// Messages to people, one for several nodes with one cause.
    pub messages: u64,
    /// How often each rule raised a value to a level.
    pub rises: BTreeMap<String, BTreeMap<Level, u64>>,
    /// How often values became good again.
    pub recoveries: u64,
    /// How often a node fell silent.
    pub silences: u64,
    /// The other events, by the bus's words.
    pub events: BTreeMap<&'static str, u64>,
    /// What each gate would have blocked.
    pub gates: BTreeMap<String, Blocked>,
}

/// How often and for how long a gate was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Blocked {
    /// How often it closed.
    pub times: u64,
    /// For how many minutes in all.
    pub minutes: f64,
    /// How often it would have closed, a shadow.
    pub shadow_times: u64,
    /// For how many minutes in all.
    pub shadow_minutes: f64,
}

impl Count {
    /// Takes up how the gates stood until now.
    pub(super) fn note_gates<'a>(&mut self, gates: impl Iterator<Item = &'a GateStanding>, now: Now) {
        let blocked = |standing: &GateStanding| {
            let (closed, shadow) = (standing.closed(now), standing.would_have_closed(now));
            Blocked {
                times: closed.times,
                minutes: closed.total.as_secs_f64() / 60.0,
                shadow_times: shadow.times,
                shadow_minutes: shadow.total.as_secs_f64() / 60.0,
            }
        };
        self.gates = gates.map(|standing| (standing.gate().name().to_owned(), blocked(standing))).collect();
    }

    /// Takes up what the watch told. The watch is as it is behind the update.
    pub(super) fn note(&mut self, watch: &Watch, update: &Update) {
        match update {
            Update::Joined { .. } => return,
            Update::Levels { node, changes } => {
                for change in changes.iter().filter(|change| change.to > change.from) {
                    let metric = watch.node(node).and_then(|node| node.metric(change.metric.as_str()));
                    let rule = metric.and_then(|metric| watch.rules().get(metric.rule?));
                    let name = rule.map_or_else(|| change.metric.to_string(), |rule| rule.name().into());
                    *self.rises.entry(name).or_default().entry(change.to).or_default() += 1;
                }
                let recovered = changes.iter().filter(|change| change.to == Level::Good).count();
                self.recoveries += recovered as u64;
            }
            Update::Silent { .. } => self.silences += 1,
            // Told late of a silence that was counted.
            Update::Event(Event { kind: EventKind::Silent, .. }) => {}
            Update::Event(event) => *self.events.entry(event.kind.as_str()).or_default() += 1,
            _ => {}
        }
        self.messages += update.told().len() as u64;
    }
}
