//! What outlives a restart: problems, messages that are being put together, what was told already.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use lamon_bus::{Event, Level};
use serde::{Deserialize, Serialize};

use super::alive::SelfTest;
use super::happening::Happening;
use crate::config::{Limit, Route};

/// The most events that are known to have been told: the last of each of a thousand nodes' topics, and a bad night besides.
const MAX_SEEN: usize = 4_000;

/// The most lines of a message: what fits on a telephone twice. The rest is counted.
pub(super) const MAX_LINES: usize = 30;

/// The most nodes that a message names.
const MAX_NODES: usize = 1_000;

/// All of it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// By key, see `Happening::effect`.
    pub(super) problems: BTreeMap<String, Problem>,
    /// Messages that are being put together, by route; those of an escalation have a `!` behind it.
    pub(super) groups: BTreeMap<String, Group>,
    /// By channel.
    pub(super) budgets: BTreeMap<String, Budget>,
    /// The hub is not heard.
    pub(super) away: bool,
    pub(super) seen: Seen,
    pub(super) self_test: Option<SelfTest>,
}

impl State {
    /// Forgets what is about routes and channels that are no longer configured.
    pub(super) fn keep_only(&mut self, routes: &[Route], channels: &BTreeMap<String, Limit>) {
        let there = |name: &str| routes.iter().any(|route| route.name == name);
        self.groups.retain(|name, _| there(name.strip_suffix('!').unwrap_or(name)));
        self.budgets.retain(|name, _| channels.contains_key(name));
        for problem in self.problems.values_mut() {
            problem.told.retain(|name, _| there(name));
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Problem {
    pub(super) last: Happening,
    pub(super) since: f64,
    pub(super) acknowledged: bool,
    pub(super) muted: bool,
    /// The picture says that it is over, since this time, but no event did.
    pub(super) well: Option<f64>,
    /// Who knows, by route.
    pub(super) told: BTreeMap<String, Told>,
}

/// What a route told of a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) escalated: bool,
}

/// A message that is being put together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) due: f64,
    pub(super) level: Level,
    pub(super) lines: Vec<String>,
    /// Lines for which there was no room.
    pub(super) more: u64,
    pub(super) nodes: BTreeSet<String>,
}

impl Group {
    /// Adds a line, with the time of day at which it was told.
    pub(super) fn push(&mut self, happening: &Happening, line: &str, minute: u16) {
        self.level = self.level.max(happening.level);
        for (name, _) in &happening.concerned {
            if self.nodes.len() < MAX_NODES {
                self.nodes.insert(name.clone());
            }
        }
        if self.lines.len() < MAX_LINES {
            self.lines.push(format!("{:02}:{:02} {line}", minute / 60, minute % 60));
        } else {
            self.more += 1;
        }
    }
}

/// What a channel may still take.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Budget {
    /// When messages went, the oldest first.
    pub(super) sent: VecDeque<f64>,
    /// Lines that were held back since.
    pub(super) held: u64,
}

impl Budget {
    /// Whether a message may go now: `Some` with the lines that were held back before.
    pub(super) fn admit(&mut self, limit: Limit, now: f64) -> Option<u64> {
        // A clock that was set back must not keep a channel shut.
        self.sent.retain(|sent| *sent <= now && now - sent < limit.per.as_secs_f64());
        if self.sent.len() >= usize::try_from(limit.count).unwrap_or(usize::MAX) {
            return None;
        }
        self.sent.push_back(now);
        Some(std::mem::take(&mut self.held))
    }
}

/// Events that were taken up: the hub's answer to a question for the whole picture brings the last of each topic again.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// What is older was taken up, or was before the first start.
    floor: Option<f64>,
    last: VecDeque<(f64, u64)>,
}

impl Seen {
    /// Nothing before this is told, at the first start.
    pub(super) fn begin(&mut self, floor: f64) {
        self.floor.get_or_insert(floor);
    }

    /// Whether an event is new; it is not any more then.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let mut hasher = DefaultHasher::new();
        (&event.node, &event.kind, &event.text).hash(&mut hasher);
        let mark = (event.time, hasher.finish());
        if self.floor.is_some_and(|floor| event.time < floor)
            || self.last.iter().any(|seen| same(*seen, mark))
        {
            return false;
        }
        if self.last.len() >= MAX_SEEN
            && let Some((time, _)) = self.last.pop_front()
        {
            self.floor = Some(self.floor.map_or(time, |floor| floor.max(time)));
        }
        self.last.push_back(mark);
        true
    }
}

/// The same event: times have milliseconds, and may differ by less after they were written and read.
fn same((time, hash): (f64, u64), (other, other_hash): (f64, u64)) -> bool {
    hash == other_hash && (time - other).abs() < 0.000_5
}
