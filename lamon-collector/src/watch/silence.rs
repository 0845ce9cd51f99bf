//! When a node will be silent, and which others soon will be with it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::causes::MAX_WAIT;
use super::{Node, SILENT_INTERVALS};
use crate::sample::Now;

/// When the node will be silent.
pub(super) fn due(node: &Node) -> Instant {
    let due = node.heard + node.interval * SILENT_INTERVALS + grace(node.interval);
    node.excused_until.map_or(due, |until| due.max(until))
}

/// Timers run a little late, and so may a sample on a busy node: a tenth of an interval is no silence.
pub(super) fn grace(interval: Duration) -> Duration {
    const PART: u32 = 10;
    (interval / PART).min(Duration::from_secs(1))
}

/// Until when the nodes that are overdue now, and would soon be silent, will be: the last of them.
pub(super) fn last_overdue(
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
