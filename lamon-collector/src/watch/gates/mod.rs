//! Gates: by which levels of which nodes the observatory is held up.
//!
//! Pure, as the watch is: [`Gates`] is told what the watch told ([`Gates::handle_updates`]), and says which gates opened and
//! closed. Whoever owns a [`Watch`] owns the gates beside it: the core task of the hub, or a replay over stored samples.
//!
//! ```text
//! let updates = watch.handle_sample(now, &sample)?;
//! let more = gates.handle_updates(now, &watch, &updates);
//! ```
//!
//! A gate is closed while at least [`Gate::count`] of its nodes count. A muted node never does; an acknowledged one does, as
//! one whose metric flips or is unknown. Late samples change no level, and so no gate. Nothing is judged before
//! [`Gates::start`], so that a hub that starts first knows its levels and its mutes, and closes what they call for, no more.
//!
//! | file | what it holds |
//! |---|---|
//! | `gate` | one gate: its nodes, and what it does |
//! | `table` | how it is written, and what would be senseless |
//! | `cause` | whether a node counts, and why |
//! | `standing` | how a gate stands, and how often and how long it was closed |
//! | `overrides` | gates that operators override |

mod cause;
mod gate;
mod overrides;
mod standing;
mod table;

use std::time::Instant;

use lamon_wire::names::NodeName;

pub use self::gate::{Effect, Gate};
pub use self::overrides::MAX_OVERRIDE;
pub use self::standing::{GateStanding, Position, Tally};
pub use self::table::GateError;
use super::Watch;
use super::update::Update;
use crate::sample::Now;

/// The most gates: each is a value that RTS2's clients look up, and a line that people read at night.
pub const MAX_GATES: usize = 100;

/// All gates. See the module's page.
#[derive(Debug, Clone, Default)]
pub struct Gates {
    all: Vec<GateStanding>,
    started: bool,
    /// When an override may end.
    next: Option<Instant>,
    /// Counts what operators changed.
    changes: u64,
    /// Counts what there is to see anew.
    revision: u64,
}

impl Gates {
    /// The gates of a configuration, all open until [`Gates::start`].
    #[must_use]
    pub fn new(gates: Vec<Gate>) -> Self {
        Self { all: gates.into_iter().map(GateStanding::new).collect(), ..Self::default() }
    }

    /// Begins to judge, once, when the watch has taken up what was kept: levels first, then mutes.
    pub fn start(&mut self, now: Now, watch: &Watch) -> Vec<Update> {
        self.started = true;
        self.judge_all(watch);
        let mut updates = self.end_overrides(now);
        for standing in &mut self.all {
            updates.extend(standing.settle(now, ""));
        }
        updates
    }

    /// Takes up what the watch told. Returns the gates that opened or closed by it.
    pub fn handle_updates(&mut self, now: Now, watch: &Watch, updates: &[Update]) -> Vec<Update> {
        let mut told = Vec::new();
        if self.started && !self.all.is_empty() {
            for node in updates.iter().filter_map(touched) {
                self.judge(now, watch, node, &mut told);
            }
        }
        told
    }

    /// When [`Gates::handle_timeout`] has something to do; `None` while no gate is overridden.
    #[must_use]
    pub const fn next_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// Ends the overrides whose time is over.
    pub fn handle_timeout(&mut self, now: Now) -> Vec<Update> {
        if self.next.is_some_and(|next| next <= now.monotonic) { self.end_overrides(now) } else { Vec::new() }
    }

    /// Takes other gates; those of the same name stay as they stand, as far as their nodes still call for it. To be told when
    /// the watch has its other groups and rules.
    pub fn reload(&mut self, now: Now, watch: &Watch, gates: Vec<Gate>) -> Vec<Update> {
        let mut before = std::mem::replace(self, Self::new(gates));
        (self.started, self.changes, self.revision) = (before.started, before.changes, before.revision);
        self.judge_all(watch);
        let mut updates = Vec::new();
        for standing in &mut self.all {
            let place = before.all.iter().position(|other| other.gate.name() == standing.gate.name());
            if let Some(mut old) = place.map(|place| before.all.swap_remove(place)) {
                if old.gate.effects() != standing.gate.effects() {
                    updates.extend(old.open(now, "the configuration has another gate of this name"));
                }
                standing.follow(old);
            }
            if self.started {
                updates.extend(standing.settle(now, "the configuration was read again"));
            }
        }
        for mut gone in before.all {
            self.changes += u64::from(gone.overridden.is_some());
            updates.extend(gone.open(now, "it is no longer in the configuration"));
        }
        self.plan(now);
        updates
    }

    /// Every gate, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &GateStanding> {
        self.all.iter()
    }

    /// The gate of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&GateStanding> {
        self.iter().find(|standing| standing.gate.name() == name)
    }

    /// The gates that are closed now.
    pub fn closed(&self) -> impl Iterator<Item = &GateStanding> {
        self.iter().filter(|standing| standing.position() == Position::Closed)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Another number than before means that something looks otherwise: a position, a cause, an override.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// Judges one node for every gate.
    fn judge(&mut self, now: Now, watch: &Watch, name: &NodeName, told: &mut Vec<Update>) {
        let node = watch.node(name);
        for standing in &mut self.all {
            let cause = node.and_then(|node| standing.gate.cause(node, watch.rules()));
            let before = standing.causes.get(name);
            if before == cause.as_ref() {
                continue;
            }
            self.revision += 1;
            let why = match node {
                None => format!("{name} was forgotten"),
                Some(node) if node.muted => format!("{name} is muted"),
                Some(node) if standing.gate.metrics.is_empty() => format!("{name} is {}", node.level()),
                Some(_) => format!("{name} is well again by what the gate looks at"),
            };
            match cause {
                Some(cause) => drop(standing.causes.insert(name.clone(), cause)),
                None => drop(standing.causes.remove(name)),
            }
            told.extend(standing.settle(now, &why));
        }
    }

    /// Judges every node for every gate, and lets the gates be.
    fn judge_all(&mut self, watch: &Watch) {
        self.revision += 1;
        for standing in &mut self.all {
            let gate = &standing.gate;
            let counted =
                watch.nodes().filter_map(|node| Some((node.name.clone(), gate.cause(node, watch.rules())?)));
            standing.causes = counted.collect();
        }
    }
}

/// The node whose level, or whose standing, an update may have changed.
fn touched(update: &Update) -> Option<&NodeName> {
    match update {
        Update::Joined { node }
        | Update::Levels { node, .. }
        | Update::Silent { node, .. }
        | Update::Back { node, .. }
        | Update::Standing { node, .. }
        | Update::Gone { node } => Some(node),
        // A sample that changes a level comes with its change.
        Update::Sampled { .. } | Update::Event(_) | Update::Condition | Update::Heartbeat => None,
    }
}

#[cfg(test)]
mod tests;
