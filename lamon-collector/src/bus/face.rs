//! The face that turns updates into messages. It never waits: a message for which the bus's thread has no room is
//! dropped, and subscribers see the gap in its topic's `seq`.

use std::collections::HashMap;
use std::time::Duration;

use lamon_wire::names::{MetricName, NodeName};
use serde::Serialize;
use tracing::error;

use super::messages::{
    EventMessage, Head, HubMessage, LevelMessage, Metrics, NodeMessage, SampleMessage, seconds,
};
use super::queue::{Message, Outbox};
use crate::face::{Face, Picture};
use crate::sample::Sample;
use crate::watch::{Event, EventKind, LevelChange, Node, Update};

/// The bus, as the core task sees it. Dropping it ends the bus's thread.
pub struct BusFace {
    updates: Outbox,
    hub: String,
    started_ms: i64,
    /// How many messages each topic had. At most four topics for each node, which the watch bounds, and two of the hub.
    counts: HashMap<String, u64>,
}

impl BusFace {
    pub(super) fn new(updates: Outbox, hub: &str, started_ms: i64) -> Self {
        Self { updates, hub: hub.into(), started_ms, counts: HashMap::new() }
    }

    /// Sends the message that `make` makes of the next head of the topic.
    fn publish<M: Serialize>(&mut self, now_ms: i64, topic: &str, make: impl FnOnce(Head) -> M) {
        let seq = match self.counts.get_mut(topic) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => *self.counts.entry(topic.into()).or_insert(1),
        };
        let head = Head { seq, started: seconds(self.started_ms), time: seconds(now_ms) };
        match serde_json::to_vec(&make(head)) {
            // Where there is no room the gap in seq tells subscribers.
            Ok(json) => self.updates.send(Message { topic: topic.into(), json }),
            Err(error) => error!(topic, %error, "a message does not become JSON"),
        }
    }

    fn sample(&mut self, picture: &Picture<'_>, node: &Node, sample: &Sample, late: bool) {
        self.publish(picture.now.unix_ms, &format!("sample/{}", node.name), |head| SampleMessage {
            head,
            node: node.name.as_str(),
            group: &node.group,
            epoch: sample.identity.epoch.to_string(),
            sequence: sample.identity.sequence.to_string(),
            taken: seconds(sample.taken_ms),
            late,
            interval: node.interval.as_secs_f64(),
            metrics: sample,
        });
    }

    fn level(&mut self, picture: &Picture<'_>, node: &Node) {
        self.publish(picture.now.unix_ms, &format!("level/{}", node.name), |head| LevelMessage {
            head,
            node: node.name.as_str(),
            group: &node.group,
            level: node.level(),
            heard: seconds(node.heard_ms),
            muted: node.muted,
            acknowledged: node.acknowledged,
            metrics: Metrics { node, rules: picture.watch.rules() },
        });
    }

    fn changed(&mut self, picture: &Picture<'_>, node: &Node, change: &LevelChange) {
        self.publish(picture.now.unix_ms, &format!("event/{}", node.name), |head| EventMessage {
            head,
            node: Some(node.name.as_str()),
            metric: Some(change.metric.as_str()),
            kind: "level",
            level: change.to,
            text: format!("{} {change}", node.name),
            change: Some(change.into()),
        });
    }

    fn node(&mut self, picture: &Picture<'_>, node: &Node, what: &str, after: Option<f64>) {
        self.publish(picture.now.unix_ms, &format!("node/{}", node.name), |head| NodeMessage {
            head,
            node: node.name.as_str(),
            group: &node.group,
            what,
            after,
            muted: node.muted,
        });
    }

    /// The last word of a node; the picture has its topics no more.
    fn gone(&mut self, picture: &Picture<'_>, node: &NodeName) {
        self.publish(picture.now.unix_ms, &format!("node/{node}"), |head| NodeMessage {
            head,
            node: node.as_str(),
            group: picture.watch.groups().of(node),
            what: "gone",
            after: None,
            muted: false,
        });
        for kind in ["sample", "level", "event", "node"] {
            let topic = format!("{kind}/{node}");
            // A node of that name that comes later goes on counting: its topic's seq only rises.
            self.updates.send(Message { topic, json: Vec::new() });
        }
    }

    fn event(&mut self, picture: &Picture<'_>, event: &Event) {
        let name = event.node.as_ref().map(NodeName::as_str);
        let known = event.node.as_ref().and_then(|node| picture.watch.node(node));
        if let Some(node) = known.filter(|_| event.kind == EventKind::Replaced) {
            self.node(picture, node, "replaced", None);
        }
        // A node that was refused is none, and must not make a topic: strangers would fill the table of topics.
        let topic = known.map_or_else(|| "event/_hub".into(), |node| format!("event/{}", node.name));
        self.publish(picture.now.unix_ms, &topic, |head| EventMessage {
            head,
            node: name,
            metric: event.metric.as_ref().map(MetricName::as_str),
            kind: event.kind.as_str(),
            level: event.kind.level(),
            text: event.text.clone(),
            change: None,
        });
    }

    /// Shows that a node fell silent or is back; tells it as an event unless one tells of all with its cause.
    fn silence(&mut self, picture: &Picture<'_>, name: &NodeName, after: Duration, update: &Update) {
        let Some(node) = picture.watch.node(name) else { return };
        let kind = if matches!(update, Update::Silent { .. }) { "silent" } else { "back" };
        self.node(picture, node, kind, Some(after.as_secs_f64()));
        self.level(picture, node);
        for line in update.told() {
            self.publish(picture.now.unix_ms, &format!("event/{name}"), |head| EventMessage {
                head,
                node: Some(name.as_str()),
                metric: None,
                kind: line.kind,
                level: line.level,
                text: line.text,
                change: None,
            });
        }
    }

    fn hub(&mut self, picture: &Picture<'_>) {
        let (hub, summary) = (self.hub.clone(), picture.watch.summary(None));
        self.publish(picture.now.unix_ms, "hub", |head| HubMessage::new(head, &hub, &summary, picture));
    }
}

impl Face for BusFace {
    fn update(&mut self, picture: &Picture<'_>, update: &Update) {
        let node = |name| picture.watch.node(name);
        match update {
            Update::Joined { node: name } => {
                if let Some(node) = node(name) {
                    self.node(picture, node, "joined", None);
                }
            }
            Update::Sampled { sample, late, new_metrics } => {
                if let Some(node) = node(&sample.node) {
                    self.sample(picture, node, sample, *late);
                    if *new_metrics {
                        self.level(picture, node);
                    }
                }
            }
            Update::Levels { node: name, changes } => {
                if let Some(node) = node(name) {
                    self.level(picture, node);
                    for change in changes {
                        self.changed(picture, node, change);
                    }
                }
            }
            Update::Silent { node, after, .. } | Update::Back { node, after, .. } => {
                self.silence(picture, node, *after, update);
            }
            Update::Standing { node: name, what } => {
                if let Some(node) = node(name) {
                    self.node(picture, node, what.as_str(), None);
                    self.level(picture, node);
                }
            }
            Update::Gone { node } => self.gone(picture, node),
            Update::Event(event) => self.event(picture, event),
            Update::Condition | Update::Heartbeat => self.hub(picture),
        }
    }
}
