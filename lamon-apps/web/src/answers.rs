//! What the pages and programs are answered, as JSON. Fields are added, never renamed.

mod nodes;

use std::time::Duration;

use lamon_bus::{Event, Hub};
use lamon_store::registers::StoredEvent;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::nodes::{NodeDetail, NodeRow, unit};

/// How well something is; the later the worse.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
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
    /// The level of a word.
    pub(crate) fn named(word: &str) -> Option<Self> {
        lamon_bus::Level::ALL.into_iter().find(|level| level.as_str() == word).map(Self::from)
    }
}

impl From<lamon_bus::Level> for Level {
    fn from(level: lamon_bus::Level) -> Self {
        match level {
            lamon_bus::Level::Good => Self::Good,
            lamon_bus::Level::Warning => Self::Warning,
            lamon_bus::Level::Error => Self::Error,
            lamon_bus::Level::Silent => Self::Silent,
        }
    }
}

/// The site as a whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Site {
    /// The clock of this answer, unix milliseconds UTC.
    pub(crate) now_ms: u64,
    /// Whether the hub is heard; everything else is as it was last when not.
    pub(crate) heard: bool,
    /// What the hub last said of itself; null before its first word.
    pub(crate) hub: Option<HubState>,
    /// The groups by name.
    pub(crate) groups: Vec<Group>,
}

/// What the hub said of itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct HubState {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// When it said so, unix milliseconds UTC.
    time_ms: u64,
    /// The worst level of all nodes.
    level: Level,
    /// Why, in words; empty when all are good.
    worst: String,
    /// Connected agents.
    agents: u64,
    /// Samples a second.
    samples_rate: f64,
    /// The part of the samples taken that is stored, 0 to 1; null while not known.
    completeness: Option<f64>,
    /// `ok`, or why the journal cannot be written.
    journal: String,
    /// Samples that the archive does not have yet.
    journal_backlog: u64,
    /// `ok`, or why the archive cannot be reached.
    database: String,
    /// `night` or `day`; empty while that is not known.
    phase: String,
    /// What is not ready for the night, in words; empty when all is.
    not_ready: String,
    /// In how many nights the fullest disk is full; null while not known.
    nights_left: Option<f64>,
}

/// Nodes that belong together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: String,
    /// The worst level of its nodes.
    pub(crate) level: Level,
    /// How many nodes it has.
    pub(crate) nodes: usize,
}

/// Worth a line in a log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EventLine {
    /// When, unix milliseconds UTC.
    time_ms: u64,
    /// Which node; null for the hub.
    pub(crate) node: Option<String>,
    /// The metric of the node, when it is about one alone; absent when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    /// What kind; docs/bus.md has them all.
    pub(crate) kind: String,
    /// How grave.
    pub(crate) level: Level,
    /// A sentence for people.
    pub(crate) text: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Refusal {
    /// A sentence for people.
    pub(crate) error: String,
}

impl From<&Hub> for HubState {
    fn from(hub: &Hub) -> Self {
        Self {
            name: hub.hub.clone(),
            version: hub.version.clone(),
            time_ms: milliseconds(hub.time),
            level: hub.level.into(),
            worst: hub.worst.clone(),
            agents: hub.agents,
            samples_rate: hub.samples_rate,
            completeness: hub.completeness,
            journal: hub.journal.clone(),
            journal_backlog: hub.journal_backlog,
            database: hub.database.clone(),
            phase: hub.phase.clone(),
            not_ready: hub.not_ready.clone(),
            nights_left: hub.nights_left,
        }
    }
}

impl From<&Event> for EventLine {
    fn from(event: &Event) -> Self {
        Self {
            time_ms: milliseconds(event.time),
            node: event.node.clone(),
            metric: event.metric.clone(),
            kind: event.kind.clone(),
            level: event.level.into(),
            text: event.text.clone(),
        }
    }
}

impl From<&StoredEvent> for EventLine {
    fn from(StoredEvent { event, .. }: &StoredEvent) -> Self {
        Self {
            time_ms: u64::try_from(event.time_ms).unwrap_or(0),
            node: event.node.clone(),
            metric: event.metric.clone(),
            kind: event.kind.clone(),
            // What a later release calls it is grave until somebody knows.
            level: Level::named(&event.level).unwrap_or(Level::Silent),
            text: event.text.clone(),
        }
    }
}

/// Unix seconds as milliseconds; 0 for what is no time.
pub(crate) fn milliseconds(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|time| u64::try_from(time.as_millis()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_makes_it_fail() {
        let times = [1.5, -1.0, f64::NAN, f64::INFINITY, 1e300].map(milliseconds);
        assert_eq!(times, [1500, 0, 0, 0, 0]);
    }
}
