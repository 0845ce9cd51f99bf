//! Updates as lines that are written down: in the store, and in the hub's memory for who asks.

use lamon_wire::names::{MetricName, NodeName};

use super::change::LevelChange;
use super::level::Level;
use super::update::{Event, EventKind, Update};
use super::words::lasting;

/// A line about something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Of which node; `None` for the hub, or several.
    pub node: Option<NodeName>,
    /// About which metric of it, when it is about one alone.
    pub metric: Option<MetricName>,
    /// What kind, the bus's words.
    pub kind: &'static str,
    /// How grave.
    pub level: Level,
    /// A sentence.
    pub text: String,
}

impl From<&Event> for Line {
    fn from(Event { node, metric, kind, text }: &Event) -> Self {
        Self {
            node: node.clone(),
            metric: metric.clone(),
            kind: kind.as_str(),
            level: kind.level(),
            text: text.clone(),
        }
    }
}

impl LevelChange {
    fn line(&self, node: &NodeName) -> Line {
        Line {
            node: Some(node.clone()),
            metric: Some(self.metric.clone()),
            kind: "level",
            level: self.to,
            text: format!("{node} {self}"),
        }
    }
}

impl Update {
    /// What people are told of it now, by messages and in logs; [`Update::lines`] has what is written down. Where nodes share
    /// a cause, one line tells of all.
    #[must_use]
    pub fn told(&self) -> Vec<Line> {
        match self {
            Self::Silent { alone: false, .. } | Self::Back { alone: false, .. } => Vec::new(),
            Self::Event(event) => vec![event.into()],
            // The fullest disk is a metric of its own, and one of the disks at the same time.
            Self::Levels { node, changes } => changes
                .iter()
                .filter(|change| !change.repeats(changes))
                .map(|change| change.line(node))
                .collect(),
            _ => self.lines(),
        }
    }

    /// The lines to write down; none for what only comes and goes.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |node: &NodeName, kind, level, text| {
            vec![Line { node: Some(node.clone()), metric: None, kind, level, text }]
        };
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
                format!("{node} is silent: nothing heard for {}", lasting(*after)),
            ),
            Self::Back { node, after, level, .. } => {
                let text = format!("{node} is heard again after {} of silence: {level}", lasting(*after));
                line(node, "back", Level::Good, text)
            }
            Self::Levels { node, changes } => changes.iter().map(|change| change.line(node)).collect(),
            Self::Event(event) if event.kind == EventKind::Silent => Vec::new(),
            Self::Event(event) => vec![event.into()],
            // Events tell of these.
            Self::Standing { .. } | Self::Gone { .. } => Vec::new(),
            Self::Sampled { .. } | Self::Condition | Self::Heartbeat => Vec::new(),
        }
    }
}
