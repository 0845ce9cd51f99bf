//! The newest of everything, immutable, for whoever asks: made once for each change, shared by all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lamon_bus::{Event, Node, Picture};
use serde_json::value::{RawValue, to_raw_value};

use crate::answers::{EventLine, Group, HubState, NodeRow, Site, milliseconds};

/// A node, with its row as JSON.
#[derive(Debug)]
pub(crate) struct Kept {
    /// All of it.
    pub(crate) node: Node,
    /// Its row.
    pub(crate) row: NodeRow,
    /// The same, written once.
    pub(crate) json: Box<RawValue>,
}

/// Everything at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    /// Counts updates: an update of a higher number is newer than this.
    pub(crate) number: u64,
    /// Whether the hub is heard.
    pub(crate) heard: bool,
    /// What it last said.
    pub(crate) hub: Option<HubState>,
    /// The nodes by name.
    pub(crate) nodes: BTreeMap<String, Arc<Kept>>,
    /// The last events, the oldest first.
    pub(crate) events: Vec<Arc<EventLine>>,
}

impl Kept {
    fn new(node: &Node) -> Option<Self> {
        let row = NodeRow::from(node);
        let json = to_raw_value(&row).ok()?;
        Some(Self { node: node.clone(), row, json })
    }

    /// Whether all metrics have the limits that they have in the other.
    fn has_limits_of(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.node.metrics.values(), other.node.metrics.values());
        ours.map(|metric| &metric.limits).eq(theirs.map(|metric| &metric.limits))
    }
}

impl Snapshot {
    /// Takes up a node as it is now; whether its row is another, or its limits are, which whoever draws them asks for then.
    pub(crate) fn take_node(&mut self, picture: &Picture, name: &str) -> bool {
        let Some(kept) = picture.get(name).and_then(Kept::new) else { return false };
        let changed =
            self.nodes.get(name).is_none_or(|before| before.row != kept.row || !before.has_limits_of(&kept));
        self.nodes.insert(name.into(), Arc::new(kept));
        changed
    }

    /// Drops the nodes that are no more; their names.
    pub(crate) fn drop_gone(&mut self, picture: &Picture) -> Vec<String> {
        let gone: Vec<String> =
            self.nodes.keys().filter(|name| picture.get(name).is_none()).cloned().collect();
        for name in &gone {
            self.nodes.remove(name);
        }
        gone
    }

    /// Takes up an event.
    pub(crate) fn take_event(&mut self, event: &Event) -> Arc<EventLine> {
        if self.events.len() >= lamon_bus::picture::MAX_EVENTS {
            self.events.remove(0);
        }
        let line = Arc::new(EventLine::from(event));
        self.events.push(line.clone());
        line
    }

    /// The site as a whole.
    pub(crate) fn site(&self) -> Site {
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for kept in self.nodes.values() {
            let name = kept.row.group.as_str();
            let group = groups.entry(name).or_insert_with(|| Group { name: name.into(), ..Group::default() });
            group.nodes += 1;
            group.level = group.level.max(kept.row.level);
        }
        Site {
            now_ms: now_ms(),
            heard: self.heard,
            hub: self.hub.clone(),
            groups: groups.into_values().collect(),
        }
    }

    /// The rows as JSON.
    pub(crate) fn rows(&self) -> Vec<&RawValue> {
        self.nodes.values().map(|kept| &*kept.json).collect()
    }
}

/// The clock, unix milliseconds UTC.
pub(crate) fn now_ms() -> u64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64())
}
