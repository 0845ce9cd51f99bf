//! `when`: rules that hold by night or by day only.

use std::fmt;

use serde::Deserialize;

/// Whether it is night at the site. Somebody outside the watch says so: centrald, or the Sun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// The time of observing.
    #[default]
    Night,
    /// The time of repairing.
    Day,
}

impl Phase {
    /// The phase's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Day => "day",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// When a rule holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Night and day.
    #[default]
    Always,
    /// By night.
    Night,
    /// By day.
    Day,
}

impl When {
    /// Whether that is now.
    #[must_use]
    pub const fn is(self, phase: Phase) -> bool {
        match self {
            Self::Always => true,
            Self::Night => matches!(phase, Phase::Night),
            Self::Day => matches!(phase, Phase::Day),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "any time",
            Self::Night => "night",
            Self::Day => "day",
        })
    }
}
