//! When a node will be silent, and which others soon will be with it; and what is done when it is time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::causes::MAX_WAIT;
use super::{Event, EventKind, Node, SILENT_INTERVALS, Update, Watch};
use crate::sample::Now;

/// When the node will be silent.
pub(super) fn due(node: &Node) -> Instant {
    let due = node.heard + node.interval * SILENT_INTERVALS + grace(node.interval);
    node.excused_until.map_or(due, |until| due.max(until))
}

/// Timers run a little late, and so may a sample on a busy node: a tenth of an interval is no silence.
fn grace(interval: Duration) -> Duration {
    const PART: u32 = 10;
    (interval / PART).min(Duration::from_secs(1))
}

/// Until when the nodes that are overdue now, and would soon be silent, will be: the last of them.
fn last_overdue(
    nodes: &BTreeMap<String, Node>,
    due: &BTreeSet<(Instant, String)>,
    now: Now,
) -> Option<Instant> {
    let soon = due.iter().take_while(|(due, _)| *due <= now.monotonic + MAX_WAIT);
    let overdue = soon.filter(|(_, key)| {
        nodes
            .get(key)
            .is_some_and(|node| now.monotonic.saturating_duration_since(node.heard) > node.interval * 3 / 2)
    });
    overdue.map(|(due, _)| *due).last()
}

impl Watch {
    /// When [`Watch::handle_timeout`] has something to do; `None` while no node can fall silent, no mute end, and nothing is
    /// to be told.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let silence = self.due.first().map(|(due, _)| *due);
        silence.into_iter().chain(self.causes.next_timeout()).chain(self.operated.next()).min()
    }

    /// Finds the nodes that fell silent, tells of those that did together, and finds the mutes that began or ended.
    pub fn handle_timeout(&mut self, now: Now) -> Vec<Update> {
        let mut updates = Vec::new();
        let mut fallen = Vec::new();
        if self.operated.next().is_some_and(|next| next <= now.monotonic) {
            updates = self.operate(now);
        }
        while let Some((due, _)) = self.due.first()
            && *due <= now.monotonic
        {
            let Some((_, key)) = self.due.pop_first() else { break };
            if let Some(node) = self.nodes.get_mut(&key) {
                node.silent = true;
                let after = now.monotonic.saturating_duration_since(node.heard);
                // Of a muted node nobody is told, so it has no part in what is told of others.
                if !node.muted {
                    fallen.push(node.name.clone());
                }
                updates.push(Update::Silent { node: node.name.clone(), after, alone: node.muted });
                self.operated.settle(node, &mut updates);
            }
        }
        if !fallen.is_empty() {
            let overdue = || last_overdue(&self.nodes, &self.due, now);
            let told_alone = self.causes.fall(now.monotonic, &fallen, overdue);
            for update in &mut updates {
                if let Update::Silent { alone, .. } = update {
                    *alone |= told_alone;
                }
            }
        }
        if self.causes.next_timeout().is_some_and(|at| at <= now.monotonic) {
            // Each node that is heard has its place in the queue of silences.
            let events = self.causes.handle_timeout(now.monotonic, &self.groups, self.due.len());
            updates.extend(events.into_iter().map(Update::Event));
        }
        updates
    }

    /// Takes up that the hub itself stood still for so long: what came meanwhile was not heard, so every node gets an
    /// interval to be heard again before it is judged silent.
    pub fn handle_pause(&mut self, now: Now, paused: Duration) -> Vec<Update> {
        self.due.clear();
        for (key, node) in self.nodes.iter_mut().filter(|(_, node)| !node.silent) {
            node.excused_until = Some(now.monotonic + node.interval + grace(node.interval));
            self.due.insert((due(node), key.clone()));
        }
        let text = format!(
            "the hub stood still for {} s: nodes have an interval to be heard again",
            paused.as_secs()
        );
        vec![Update::Event(Event::new(None, EventKind::HubPaused, text))]
    }
}
