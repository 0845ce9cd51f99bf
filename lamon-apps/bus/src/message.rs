//! The messages of the bus, as `docs/bus.md` tells them. Fields that are not known here are left alone: the hub may be newer.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How well a metric, a node or a site is; the later the worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to complain of.
    #[default]
    Good,
    /// Somebody should look at it.
    Warning,
    /// Something is wrong.
    Error,
    /// The node is not heard.
    Silent,
}

impl Level {
    /// Every level, the best first.
    pub const ALL: [Self; 4] = [Self::Good, Self::Warning, Self::Error, Self::Silent];

    /// The level's word on the bus and for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Silent => "silent",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The head of every message.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Head {
    /// Counts the messages of its topic; a number left out is a message lost.
    pub seq: u64,
    /// When the hub started, unix seconds UTC; counting began anew when it differs.
    pub started: f64,
    /// When the hub made the message, unix seconds UTC.
    pub time: f64,
}

/// `sample/<node>`: a sample came.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Sample {
    /// Whose.
    pub node: String,
    /// The group of the node.
    #[serde(default)]
    pub group: String,
    /// When the node took it, unix seconds UTC.
    pub taken: f64,
    /// It says nothing of how the node is now.
    #[serde(default)]
    pub late: bool,
    /// Seconds between the samples of this node.
    #[serde(default)]
    pub interval: f64,
    /// The values, in the units that the names tell; `None` where there was none.
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// `level/<node>`: how a node is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Levels {
    /// Which.
    pub node: String,
    /// Its group.
    #[serde(default)]
    pub group: String,
    /// The worst level of its metrics, or silent.
    pub level: Level,
    /// When it was last heard, unix seconds UTC.
    pub heard: f64,
    /// It neither gates nor notifies.
    #[serde(default)]
    pub muted: bool,
    /// Somebody knows of all that is wrong with it.
    #[serde(default)]
    pub acknowledged: bool,
    /// Each metric's.
    pub metrics: BTreeMap<String, MetricLevel>,
}

/// How one metric is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MetricLevel {
    /// Its level.
    pub level: Level,
    /// The value that was judged.
    pub value: Option<f64>,
    /// When that was taken, unix seconds UTC.
    pub taken: f64,
    /// Since when it is at its level, unix seconds UTC; 0 from a hub that does not tell.
    #[serde(default)]
    pub since: f64,
    /// It is no longer in the node's samples: value and level are of the past.
    #[serde(default)]
    pub unknown: bool,
    /// Its level flips, and is held at its worst.
    #[serde(default)]
    pub flapping: bool,
    /// The rule that holds for it, in words.
    pub rule: Option<String>,
    /// The rule's limits as numbers; `None` when it has none, or is on the change per hour.
    #[serde(default)]
    pub limits: Option<Limits>,
}

/// Where a value is unwell.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Limits {
    /// By what name operators change them.
    pub name: String,
    /// The bad side.
    pub direction: Direction,
    /// Where warning begins, in the metric's unit.
    pub warning: Option<f64>,
    /// Where error begins, in the metric's unit.
    pub error: Option<f64>,
    /// By how much a value must be back before its level is left.
    #[serde(default)]
    pub clear: f64,
    /// How long a value is past a limit before its level rises; `None` when the first sample raises it.
    #[serde(default)]
    pub hold: Option<Hold>,
}

/// How long a value is past a limit before its level rises.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Hold {
    /// In every sample of so many seconds.
    Time {
        /// How many.
        seconds: f64,
    },
    /// In so many of the last samples.
    Samples {
        /// In how many.
        past: u32,
        /// Of how many.
        of: u32,
    },
}

/// On which side of its limits a value is unwell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The limit, or more.
    Above,
    /// Less than the limit.
    Below,
    /// Too far from zero on either side.
    Beyond,
}

impl Direction {
    /// The sign between a value's name and a limit.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::Below => "<",
            Self::Beyond => "beyond",
        }
    }
}

/// `event/<node>` and `event/_hub`: worth a line in a log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    /// When, unix seconds UTC.
    pub time: f64,
    /// Which node, or `None` for the hub.
    pub node: Option<String>,
    /// The metric of the node, when it is about one alone; `None` from a hub that does not tell.
    #[serde(default)]
    pub metric: Option<String>,
    /// What kind; see `docs/bus.md`.
    pub kind: String,
    /// How grave.
    pub level: Level,
    /// A sentence for people.
    pub text: String,
    /// What changed, of an event of the kind `level`.
    #[serde(default)]
    pub change: Option<Change>,
}

/// A metric's change of level.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Change {
    /// Which metric.
    pub metric: String,
    /// Its value, in the unit that the name tells; `None` when it is no number.
    pub value: Option<f64>,
    /// The level before.
    pub from: Level,
    /// The level now.
    pub to: Level,
    /// For how many seconds it was at the level before.
    #[serde(default)]
    pub lasted: f64,
}

/// `node/<node>`: comings and goings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Passage {
    /// Which node.
    pub node: String,
    /// What happened; [`Passage::GONE`] is what changes the picture, the rest is in events and levels too.
    pub what: String,
}

impl Passage {
    /// [`Passage::what`] of a node that an operator took out of the picture.
    pub const GONE: &'static str = "gone";
}

/// `hub`: the hub lives.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Hub {
    /// When it said so, unix seconds UTC.
    pub time: f64,
    /// Its name.
    pub hub: String,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// The worst level of all nodes.
    pub level: Level,
    /// Why, in words; empty when all are good.
    #[serde(default)]
    pub worst: String,
    /// Connected agents.
    #[serde(default)]
    pub agents: u64,
    /// Samples a second.
    #[serde(default)]
    pub samples_rate: f64,
    /// The part of the samples taken that is stored, 0 to 1.
    pub completeness: Option<f64>,
    /// `ok`, or why the journal cannot be written.
    #[serde(default)]
    pub journal: String,
    /// Samples that the archive does not have yet.
    #[serde(default)]
    pub journal_backlog: u64,
    /// `ok`, or why the archive cannot be reached.
    #[serde(default)]
    pub database: String,
    /// `night` or `day`; empty from a hub that does not tell.
    #[serde(default)]
    pub phase: String,
    /// Whether the night finds everything ready.
    #[serde(default)]
    pub ready_tonight: bool,
    /// What is not ready for it, in words.
    #[serde(default)]
    pub not_ready: String,
    /// In how many nights the fullest disk is full; `None` while it is not known.
    #[serde(default)]
    pub nights_left: Option<f64>,
    /// Nodes whose keys wait to be approved.
    #[serde(default)]
    pub waiting: Vec<String>,
}

/// What a message is, by its topic.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `sample/<node>`.
    Sample(Sample),
    /// `level/<node>`.
    Levels(Levels),
    /// `event/…`.
    Event(Event),
    /// `node/<node>`.
    Passage(Passage),
    /// `hub`.
    Hub(Hub),
    /// A topic that is not known here, of those to come.
    Other,
}

/// Takes a message apart; `None` when it makes no sense.
#[must_use]
pub fn parse(topic: &[u8], json: &[u8]) -> Option<(Head, Body)> {
    let head: Head = serde_json::from_slice(json).ok()?;
    if !(head.started.is_finite() && head.time.is_finite()) {
        return None;
    }
    let kind = topic.split(|byte| *byte == b'/').next()?;
    let body = match kind {
        b"sample" => Body::Sample(serde_json::from_slice(json).ok()?),
        b"level" => Body::Levels(serde_json::from_slice(json).ok()?),
        b"event" => Body::Event(serde_json::from_slice(json).ok()?),
        b"node" => Body::Passage(serde_json::from_slice(json).ok()?),
        b"hub" => Body::Hub(serde_json::from_slice(json).ok()?),
        _ => Body::Other,
    };
    Some((head, body))
}

/// When the hub started that answers, unix seconds UTC, by its answer's header; `None` when it does not tell.
#[must_use]
pub fn started(header: &[u8]) -> Option<f64> {
    #[derive(Deserialize)]
    struct Header {
        started: f64,
    }
    serde_json::from_slice::<Header>(header).ok().map(|header| header.started).filter(|time| time.is_finite())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
