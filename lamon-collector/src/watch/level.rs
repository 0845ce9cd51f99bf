//! How well a value, a node or a group is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// RTS2's words for a value's state (RTS2 include/value.h, `RTS2_VALUE_GOOD` to `RTS2_VALUE_ERROR`), and `silent` for a
/// node that is not heard. In order of gravity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Within its limits, or without limits.
    #[default]
    Good,
    /// Past the warning limit.
    Warning,
    /// Past the error limit.
    Error,
    /// Nothing heard for three intervals; counts as an error in summaries and gates.
    Silent,
}

impl Level {
    /// All levels, in order of gravity; the position of each is its number on the wire.
    pub const ALL: [Self; 4] = [Self::Good, Self::Warning, Self::Error, Self::Silent];

    /// The level of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }

    /// The level's word.
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
