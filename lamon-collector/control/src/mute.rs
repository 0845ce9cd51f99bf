//! Mutes and acknowledgements, as they are asked for, shown and kept.

use serde::{Deserialize, Serialize};

use crate::hours::Hours;

/// When a mute is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// From now on.
    For {
        /// For how many seconds.
        seconds: u64,
    },
    /// Once.
    Between {
        /// From when on, unix milliseconds UTC.
        from_ms: i64,
        /// Until when, unix milliseconds UTC.
        until_ms: i64,
    },
    /// At hours of the week, again and again, by the hub's local time.
    Weekly {
        /// Which.
        hours: Hours,
        /// Until when at all, unix milliseconds UTC; until it is ended when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<i64>,
    },
}

/// When a mute holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Window {
    /// Once.
    Between {
        /// From when on, unix milliseconds UTC.
        from_ms: i64,
        /// Until when, unix milliseconds UTC.
        until_ms: i64,
    },
    /// At hours of the week, again and again, by the hub's local time.
    Weekly {
        /// Which.
        hours: Hours,
        /// Until when at all, unix milliseconds UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until_ms: Option<i64>,
    },
}

impl Window {
    /// When it is over for good, unix milliseconds UTC; `None` when somebody has to end it.
    #[must_use]
    pub const fn until_ms(&self) -> Option<i64> {
        match self {
            Self::Between { until_ms, .. } => Some(*until_ms),
            Self::Weekly { until_ms, .. } => *until_ms,
        }
    }
}

/// Nodes that neither gate nor notify for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Its number, by which it is ended.
    pub id: u32,
    /// Which nodes: a name, a glob, `@group`, or `*` for all.
    pub target: String,
    /// When.
    pub window: Window,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub who: String,
    /// When he did, unix milliseconds UTC.
    pub made_ms: i64,
}

/// Somebody knows that a node, or one metric of it, is unwell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// Which node.
    pub node: String,
    /// Of this metric alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The level that he knows of; a worse one ends it.
    pub level: String,
    /// What is being done about it.
    pub reason: String,
    /// Who said so.
    pub who: String,
    /// When he did, unix milliseconds UTC.
    pub made_ms: i64,
    /// Until when at most, unix milliseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}
