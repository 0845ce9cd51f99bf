//! How one gate stands: which nodes count, since when it is closed, and how often and how long it was.

use std::collections::BTreeMap;
use std::time::Duration;

use lamon_control::GateOverride;
use lamon_wire::names::NodeName;

use super::gate::Gate;
use crate::sample::Now;
use crate::watch::update::{Event, EventKind, Update};

/// Whether a gate blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Position {
    /// Its condition does not hold.
    #[default]
    Open,
    /// Its condition holds, and it does what it is for.
    Closed,
    /// Its condition holds, and it only tells: it is a shadow, or overridden.
    WouldClose,
}

impl Position {
    /// All of them; the place of each is its number on the wire.
    pub const ALL: [Self; 3] = [Self::Open, Self::Closed, Self::WouldClose];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::WouldClose => "would_close",
        }
    }
}

/// How often and for how long, since the hub's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often it began.
    pub times: u64,
    /// How long it was in all.
    pub total: Duration,
}

/// A gate, and how it stands.
#[derive(Debug, Clone)]
pub struct GateStanding {
    pub(super) gate: Gate,
    /// The nodes that count now, each with why.
    pub(super) causes: BTreeMap<NodeName, String>,
    pub(super) overridden: Option<GateOverride>,
    position: Position,
    /// Since when it is in its position; `None` until it was in another.
    since: Option<Now>,
    closed: Tally,
    would: Tally,
}

/// How many nodes a text names; the rest is counted.
const MAX_NAMED: usize = 5;

impl GateStanding {
    pub(super) fn new(gate: Gate) -> Self {
        Self {
            gate,
            causes: BTreeMap::new(),
            overridden: None,
            position: Position::Open,
            since: None,
            closed: Tally::default(),
            would: Tally::default(),
        }
    }

    /// The gate.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether it blocks.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Since when it is so, unix milliseconds UTC; `None` for a gate that was open since the hub's start.
    #[must_use]
    pub fn since_ms(&self) -> Option<i64> {
        self.since.map(|since| since.unix_ms)
    }

    /// Who overrides it, and until when.
    #[must_use]
    pub const fn overridden(&self) -> Option<&GateOverride> {
        self.overridden.as_ref()
    }

    /// The nodes that count now. A gate that waits for several is open while there are fewer.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeName> {
        self.causes.keys()
    }

    /// Why it is, or would be, closed: `ccd01 disk_percent 97 > 90; ccd02 silent`. Empty when nothing counts.
    #[must_use]
    pub fn why(&self) -> String {
        let named: Vec<_> = self.causes.values().take(MAX_NAMED).map(String::as_str).collect();
        let more = match self.causes.len().saturating_sub(MAX_NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        named.join("; ") + &more
    }

    /// How often it was closed, and for how long until now.
    #[must_use]
    pub fn closed(&self, now: Now) -> Tally {
        self.tally(Position::Closed, self.closed, now)
    }

    /// How often it would have closed, as a shadow or overridden, and for how long until now.
    #[must_use]
    pub fn would_have_closed(&self, now: Now) -> Tally {
        self.tally(Position::WouldClose, self.would, now)
    }

    fn tally(&self, position: Position, tally: Tally, now: Now) -> Tally {
        let running = if self.position == position { self.lasted(now) } else { Duration::ZERO };
        Tally { total: tally.total + running, ..tally }
    }

    fn lasted(&self, now: Now) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.monotonic.saturating_duration_since(since.monotonic))
    }

    /// Takes over how a gate of the same name stood before the configuration was read again.
    pub(super) fn follow(&mut self, before: Self) {
        let Self { overridden, position, since, closed, would, .. } = before;
        (self.overridden, self.position, self.since) = (overridden, position, since);
        (self.closed, self.would) = (closed, would);
    }

    /// Opens or closes it as its nodes and its override want; `why` says what happened, for a gate that opens.
    pub(super) fn settle(&mut self, now: Now, why: &str) -> Vec<Update> {
        let holds = self.causes.len() >= self.gate.count;
        let to = match (holds, self.gate.shadow || self.overridden.is_some()) {
            (false, _) => Position::Open,
            (true, false) => Position::Closed,
            (true, true) => Position::WouldClose,
        };
        if to == self.position { Vec::new() } else { self.turn(now, to, why) }
    }

    /// Opens it whatever its condition says: it is another gate from now on, or none.
    pub(super) fn open(&mut self, now: Now, why: &str) -> Vec<Update> {
        if self.position == Position::Open { Vec::new() } else { self.turn(now, Position::Open, why) }
    }

    fn turn(&mut self, now: Now, to: Position, why: &str) -> Vec<Update> {
        let lasted = self.lasted(now);
        let name = &self.gate.name;
        let before = match self.position {
            Position::Open => None,
            Position::Closed => {
                self.closed.total += lasted;
                Some((EventKind::GateOpened, "opened"))
            }
            Position::WouldClose => {
                self.would.total += lasted;
                Some((EventKind::GateWouldOpen, "would have opened"))
            }
        };
        let before = before.map(|(kind, verb)| {
            event(kind, format!("gate {name} {verb} after {} s: {why}", lasted.as_secs()))
        });
        let after = match to {
            Position::Open => None,
            Position::Closed => {
                self.closed.times += 1;
                let text = format!("gate {name} closed and {}: {}", self.gate.does(), self.why());
                Some(event(EventKind::GateClosed, text))
            }
            Position::WouldClose => {
                self.would.times += 1;
                let but = self.overridden.as_ref().map_or_else(
                    || "a shadow".into(),
                    |overridden| format!("overridden by {}", overridden.who),
                );
                let text =
                    format!("gate {name} would have closed ({but}; {}): {}", self.gate.does(), self.why());
                Some(event(EventKind::GateWouldClose, text))
            }
        };
        (self.position, self.since) = (to, Some(now));
        before.into_iter().chain(after).collect()
    }
}

pub(super) fn event(kind: EventKind, text: String) -> Update {
    Update::Event(Event::new(None, kind, text))
}
