//! Gates that operators override, as it is asked for, shown and kept.

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
