//! One gate: which nodes hold something up, how unwell they must be, and what they hold up.

use std::fmt;

use lamon_wire::names::NodeName;
use serde::Deserialize;

use super::table::GateTable;
use crate::watch::level::Level;
use crate::watch::pattern::{NameGlob, NodePattern};

/// What a closed gate does to the observatory. Each is a bit of an RTS2 device's state (RTS2 include/status.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// No camera begins an exposure.
    BlockExposure,
    /// Cameras wait with reading out.
    BlockReadout,
    /// The telescope begins no movement.
    BlockTelescope,
    /// A vote for bad weather: the dome closes, observations end.
    BadWeather,
    /// Everything that moves stops.
    Stop,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::BlockExposure, Self::BlockReadout, Self::BlockTelescope, Self::BadWeather, Self::Stop];

    /// Its word, as the configuration has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::BlockExposure => "exposure",
            Self::BlockReadout => "readout",
            Self::BlockTelescope => "telescope",
            Self::BadWeather => "bad_weather",
            Self::Stop => "stop",
        }
    }

    /// What it does, as a message says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockExposure => "blocks exposure",
            Self::BlockReadout => "blocks readout",
            Self::BlockTelescope => "blocks telescope",
            Self::BadWeather => "votes bad weather",
            Self::Stop => "stops everything",
        }
    }
}

/// A `[[gate]]` table, checked: while enough of its nodes are unwell enough, it is closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "GateTable")]
pub struct Gate {
    pub(super) name: String,
    /// For which nodes; at least one pattern.
    pub nodes: Vec<NodePattern>,
    pub(super) metrics: Vec<NameGlob>,
    pub(super) level: Level,
    pub(super) silent: bool,
    pub(super) count: usize,
    pub(super) effects: Vec<Effect>,
    pub(super) shadow: bool,
    pub(super) group: Option<String>,
}

impl Gate {
    /// By what name operators override it: `[a-z0-9][a-z0-9_]{0,31}`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does when it is closed, each once; at least one.
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// How many nodes must be unwell, 1 or more.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether it only tells what it would have blocked.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow
    }

    /// The group whose RTS2 device does it, where groups have devices; `None` for the summary device.
    #[must_use]
    pub fn device_group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Whether it is for a node of this name and group.
    #[must_use]
    pub fn wants(&self, node: &NodeName, group: &str) -> bool {
        self.nodes.iter().any(|pattern| pattern.wants(node, group))
    }

    /// Whether it looks at the metrics of this name.
    #[must_use]
    pub fn looks_at(&self, metric: &str) -> bool {
        self.metrics.is_empty() || self.metrics.iter().any(|glob| glob.matches(metric))
    }

    /// What it does, in words: `blocks exposure, blocks readout`.
    #[must_use]
    pub fn does(&self) -> String {
        let words: Vec<_> = self.effects.iter().map(|effect| effect.as_str()).collect();
        words.join(", ")
    }

    /// How unwell a node must be, in words: `at error or silent`.
    fn unwell(&self) -> &'static str {
        match (self.level, self.silent) {
            (Level::Good | Level::Warning, true) => "at warning, at error or silent",
            (Level::Good | Level::Warning, false) => "at warning or error",
            (Level::Error, true) => "at error or silent",
            (Level::Error, false) => "at error",
            (Level::Silent, _) => "silent",
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<_> = self.nodes.iter().map(ToString::to_string).collect();
        let metrics: Vec<_> = self.metrics.iter().map(ToString::to_string).collect();
        write!(f, "{} while ", self.does())?;
        match self.count {
            1 => write!(f, "any of {} is {}", nodes.join(", "), self.unwell())?,
            count => write!(f, "{count} or more of {} are {}", nodes.join(", "), self.unwell())?,
        }
        if !metrics.is_empty() {
            write!(f, " by {}", metrics.join(", "))?;
        }
        if self.shadow { f.write_str(" (shadow: it only tells)") } else { Ok(()) }
    }
}
