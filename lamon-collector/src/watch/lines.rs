//! Updates as lines that are written down: in the store, and in the hub's memory for who asks.

use lamon_wire::names::NodeName;

use super::level::Level;
use super::update::{EventKind, Update};

/// A line about something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of which node; `None` for the hub, or several.
    pub node: Option<NodeName>,
    /// What kind, the bus's words.
    pub kind: &'static str,
    /// How grave.
    pub level: Level,
    /// A sentence.
    pub text: String,
}

impl Update {
    /// The lines to write down; none for what only comes and goes.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line =
            |node: &NodeName, kind, level, text| vec![Line { node: Some(node.clone()), kind, level, text }];
        match self {
            Self::Joined { node } => line(
                node,
                "joined",
                Level::Good,
                format!("{node}: heard for the first time since the hub's start"),
            ),
            // The record has each node, also where one message told of many.
            Self::Silent { node, after, .. } => line(
                node,
                "silent",
                Level::Silent,
                format!("{node}: nothing heard for {} s", after.as_secs()),
            ),
            Self::Back { node, after, .. } => {
                line(node, "back", Level::Good, format!("{node}: heard again after {} s", after.as_secs()))
            }
            Self::Levels { node, changes } => changes
                .iter()
                .flat_map(|change| line(node, "level", change.to, format!("{node} {change}")))
                .collect(),
            Self::Event(event) if event.kind == EventKind::Silent => Vec::new(),
            Self::Event(event) => vec![Line {
                node: event.node.clone(),
                kind: event.kind.as_str(),
                level: event.kind.level(),
                text: event.text.clone(),
            }],
            // Events tell of these.
            Self::Standing { .. } | Self::Gone { .. } => Vec::new(),
            Self::Sampled { .. } | Self::Condition | Self::Heartbeat => Vec::new(),
        }
    }
}
