//! Gates: how they stand, and overrides of them as they are shown and kept.

use serde::{Deserialize, Serialize};

/// A gate that blocks nothing for a while, though its condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateOverride {
    /// The gate's name.
    pub gate: String,
    /// Until when, unix milliseconds UTC.
    pub until_ms: i64,
    /// Why.
    pub reason: String,
    /// Who asked for it.
    pub who: String,
    /// When he did, unix milliseconds UTC.
    pub made_ms: i64,
}

/// How every gate stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Gates {
    /// The gates, in the order of the configuration.
    pub gates: Vec<GateLine>,
}

/// How one gate stands. Counts are since the hub's start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateLine {
    /// Its name.
    pub gate: String,
    /// `open`, `closed`, or `would_close` for a shadow and a gate that is overridden; a later hub may know more.
    pub position: String,
    /// What it does when it is closed: `exposure`, `readout`, `telescope`, `bad_weather`, `stop`.
    pub effects: Vec<String>,
    /// It only tells what it would have done.
    pub shadow: bool,
    /// The gate in a sentence.
    pub text: String,
    /// Since when it is in its position, unix milliseconds UTC; none when it was since the hub's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// The nodes that count now; it is open while there are too few.
    pub nodes: Vec<String>,
    /// Why they do, in words.
    pub why: String,
    /// How often it was closed.
    pub closed: u64,
    /// For how long in all, seconds.
    pub closed_seconds: f64,
    /// How often it would have closed.
    pub would_have_closed: u64,
    /// For how long in all, seconds.
    pub would_have_closed_seconds: f64,
    /// Who overrides it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<GateOverride>,
}
