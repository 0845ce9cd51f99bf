//! What the hub answers. Levels are words: `good`, `warning`, `error`, `silent`; a later hub may add some.

use serde::{Deserialize, Serialize};

use crate::VERSION;
use crate::gate::{GateOverride, Gates};
use crate::key::Keys;
use crate::mute::{Ack, Mute};
use crate::request::Place;
use crate::threshold::Threshold;

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The version of the language.
    pub v: u32,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done(Answer),
    /// It was not, and nothing changed.
    Refused(Refusal),
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs.
    pub why: Why,
    /// A sentence for people.
    pub text: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The request makes no sense.
    BadRequest,
    /// It names what the hub does not have.
    NotFound,
    /// It cannot be done as things are.
    NotPossible,
    /// Whoever asks may not.
    NotAllowed,
    /// The hub has too much to do, or ends.
    Busy,
}

impl Refusal {
    /// A refusal.
    pub fn new(why: Why, text: impl Into<String>) -> Self {
        Self { why, text: text.into() }
    }
}

impl From<Outcome> for Response {
    fn from(outcome: Outcome) -> Self {
        Self { v: VERSION, outcome }
    }
}

impl From<Result<Answer, Refusal>> for Response {
    fn from(result: Result<Answer, Refusal>) -> Self {
        result.map_or_else(Outcome::Refused, Outcome::Done).into()
    }
}

/// What is answered to each kind of [`Operation`](crate::Operation).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To `status`.
    Status(Box<Status>),
    /// To `nodes`.
    Nodes(Nodes),
    /// To `node`.
    Node(Box<Node>),
    /// To `explain`.
    Explanation(Explanation),
    /// To `gates`.
    Gates(Gates),
    /// To `events`.
    Events(Events),
    /// To `settings`.
    Settings(Settings),
    /// To `keys`.
    Keys(Box<Keys>),
    /// To what changes something.
    Did(Did),
}

/// How the hub is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub hub: String,
    /// Its version, commit and date.
    pub version: String,
    /// When it started, unix milliseconds UTC.
    pub started_ms: i64,
    /// When this is, unix milliseconds UTC.
    pub now_ms: i64,
    /// The worst level of any node that is not muted.
    pub level: String,
    /// What is gravest, in words; empty when all is good.
    pub worst: String,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many of them are good, muted ones too.
    pub good: usize,
    /// How many are at warning.
    pub warning: usize,
    /// How many are at error.
    pub error: usize,
    /// How many are silent.
    pub silent: usize,
    /// How many are muted now.
    pub muted: usize,
    /// Agents that are connected.
    pub agents: usize,
    /// Samples per second.
    pub samples_rate: f64,
    /// Of the samples that agents took, the part that is stored, 0 to 1.
    pub completeness: f64,
    /// Whether the journal takes samples: `ok`, or a sentence.
    pub journal: String,
    /// Samples that wait for the database.
    pub journal_backlog: u64,
    /// Whether the database takes samples: `ok`, or a sentence.
    pub database: String,
    /// Whether what operators change outlives a restart: `ok`, or a sentence.
    pub settings: String,
    /// What is blocked now, a sentence for each closed gate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocking: Vec<String>,
    /// `night` or `day`; empty from a hub that does not tell.
    #[serde(default)]
    pub phase: String,
    /// Whether the night finds everything ready; none from a hub that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_tonight: Option<bool>,
    /// What is not ready, and how many muted nodes were left out.
    #[serde(default)]
    pub not_ready: String,
    /// How many busy nights fit on the fullest disk, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights_left: Option<f64>,
    /// Nodes whose keys wait to be approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// A page of nodes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Nodes {
    /// The nodes, by name.
    pub nodes: Vec<NodeLine>,
    /// Whether there are more behind the last.
    pub more: bool,
}

/// A node in a line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeLine {
    /// Its name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// How it is.
    pub level: String,
    /// Whether it is muted now.
    pub muted: bool,
    /// Whether somebody said that he knows.
    pub acknowledged: bool,
    /// When it was last heard, unix milliseconds UTC.
    pub heard_ms: i64,
    /// What is gravest, in words; empty when all is good.
    pub worst: String,
    /// Its core metrics that it has, in their order.
    pub core: Vec<(String, f64)>,
}

/// All of one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The node in a line.
    pub line: NodeLine,
    /// Time between its samples, seconds.
    pub interval: f64,
    /// Of the samples that its agent took, the part that is stored, 0 to 1.
    pub completeness: f64,
    /// Its metrics, in the order in which they came.
    pub metrics: Vec<Metric>,
    /// The mutes that are for it, those that wait for their time too.
    pub mutes: Vec<Mute>,
    /// What was acknowledged of it.
    pub acks: Vec<Ack>,
}

/// A metric of a node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name.
    pub metric: String,
    /// Its newest value; none when it is no number.
    pub value: Option<f64>,
    /// The unit, as `%`; empty for a bare number.
    pub unit: String,
    /// How it is.
    pub level: String,
    /// When the value was taken, unix milliseconds UTC.
    pub taken_ms: i64,
    /// The rule that holds for it, in words; none when it has no limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Why a metric's level is what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Sentences, a line each.
    pub lines: Vec<String>,
}

/// A page of events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Events {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// Whether there are, or may be, older ones: in the hub's memory, or in the archive when that was asked.
    pub more: bool,
    /// Of the archive: where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Place>,
}

/// Something that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, rising since the hub's start; the archive has numbers of its own.
    pub number: u64,
    /// When, unix milliseconds UTC.
    pub time_ms: i64,
    /// Of which node; none when it is of the hub, or of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The metric of the node, when it is about one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// What kind, the bus's words.
    pub kind: String,
    /// How grave.
    pub level: String,
    /// A sentence.
    pub text: String,
    /// In the archive: the hub that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
}

/// What operators changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Mutes, also those that wait for their time.
    pub mutes: Vec<Mute>,
    /// Acknowledgements.
    pub acks: Vec<Ack>,
    /// Gates that are overridden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<GateOverride>,
    /// Limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Threshold>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did {
    /// A sentence.
    pub text: String,
    /// The number of what was made, a mute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
}
