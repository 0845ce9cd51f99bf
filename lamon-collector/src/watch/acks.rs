//! Acknowledgements: somebody knows that a node, or one of its metrics, is unwell, and does something about it.
//!
//! One ends by itself when what it is about is well again, gets worse than what was acknowledged, or its time is over.

use std::time::Duration;

use lamon_control::Ack;

use super::level::Level;
use super::mutes::OperateError;
use super::node::Node;
use crate::sample::Now;

/// The most acknowledgements: each is about something that is unwell now.
const MAX_ACKS: usize = 1_000;

/// All acknowledgements, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Acks(Vec<Ack>);

impl Acks {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Every acknowledgement.
    pub fn iter(&self) -> impl Iterator<Item = &Ack> {
        self.0.iter()
    }

    /// Those of one node.
    pub fn of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Ack> {
        self.0.iter().filter(|ack| ack.node == node.name.as_str())
    }

    /// Whether all that is wrong with the node was acknowledged.
    pub(super) fn cover(&self, node: &Node) -> bool {
        let known = |metric: &str| self.of(node).any(|ack| ack.metric.as_deref() == Some(metric));
        let whole = self.of(node).any(|ack| ack.metric.is_none());
        let unwell = || node.metrics.iter().filter(|metric| metric.level > Level::Good);
        whole
            || !node.silent
                && node.level() > Level::Good
                && unwell().all(|metric| known(metric.name.as_str()))
    }

    /// Takes one, in the place of an earlier one about the same.
    pub(super) fn add(&mut self, ack: Ack) -> Result<(), OperateError> {
        self.0.retain(|other| (&other.node, &other.metric) != (&ack.node, &ack.metric));
        if self.0.len() >= MAX_ACKS {
            return Err(OperateError::TooMany(MAX_ACKS));
        }
        self.0.push(ack);
        Ok(())
    }

    /// Takes up those that were kept over a restart.
    pub(super) fn restore(&mut self, acks: Vec<Ack>) {
        self.0.extend(acks.into_iter().take(MAX_ACKS.saturating_sub(self.0.len())));
    }

    /// Drops those of a node that goes.
    pub(super) fn forget(&mut self, node: &Node) {
        self.0.retain(|ack| ack.node != node.name.as_str());
    }

    /// Ends those of the node that are no longer about how it is, with why.
    pub(super) fn settle(&mut self, node: &Node) -> Vec<(Ack, &'static str)> {
        let mut ended = Vec::new();
        self.0.retain(|ack| {
            let why = if ack.node == node.name.as_str() { past(ack, node) } else { None };
            ended.extend(why.map(|why| (ack.clone(), why)));
            why.is_none()
        });
        ended
    }

    /// Ends those whose time is over.
    pub(super) fn handle_time(&mut self, now: Now) -> Vec<Ack> {
        self.0.extract_if(.., |ack| ack.until_ms.is_some_and(|until| until <= now.unix_ms)).collect()
    }

    /// How long until the next ends by its time.
    pub(super) fn next_end(&self, now: Now) -> Option<Duration> {
        let next = self.0.iter().filter_map(|ack| ack.until_ms).min()?;
        Some(Duration::from_millis(u64::try_from(next - now.unix_ms).unwrap_or_default()))
    }
}

/// Why an acknowledgement of this node is over, if it is.
fn past(ack: &Ack, node: &Node) -> Option<&'static str> {
    let level = match &ack.metric {
        None => node.level(),
        // A metric that did not come since the hub's start says nothing yet.
        Some(metric) => node.metric(metric)?.level,
    };
    // A node that was restored and not heard yet is no better for it.
    if node.metrics.is_empty() && !node.silent {
        return None;
    }
    let known = Level::ALL.into_iter().find(|level| level.as_str() == ack.level).unwrap_or_default();
    if level == Level::Good {
        Some("it is well again")
    } else if level > known {
        Some("it got worse")
    } else {
        None
    }
}
