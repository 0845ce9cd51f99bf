//! What is known of the site, clean for a terminal. Pure: what came is handed in, with the time it came at.

use std::collections::{BTreeMap, VecDeque};

use lamon_bus::{Event, Hub, Node};

use crate::args::Wanted;
use crate::clean;

/// The points of a node's curve: a quarter of an hour of samples every ten seconds, as wide as most terminals.
pub(crate) const POINTS: usize = 90;

/// The events that are kept for the screen: what a person scrolls through.
pub(crate) const MAX_EVENTS: usize = 500;

/// What the bus brought since the last batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// These nodes are all there are: what is not among them is gone.
    pub(crate) all: bool,
    /// Nodes as they are now.
    pub(crate) nodes: Vec<Node>,
    /// The hub's last word.
    pub(crate) hub: Option<Hub>,
    /// What happened, the oldest first.
    pub(crate) events: Vec<Event>,
    /// The hub is not heard.
    pub(crate) away: bool,
    /// The hub has answered with the whole picture.
    pub(crate) whole: bool,
}

/// The site.
#[derive(Debug, Default)]
pub(crate) struct Site {
    nodes: BTreeMap<String, Node>,
    /// The CPU of each node: when taken, unix seconds UTC, and how much, the oldest first.
    curves: BTreeMap<String, VecDeque<(f64, f64)>>,
    hub: Option<Hub>,
    events: VecDeque<Event>,
    away: bool,
    whole: bool,
    /// The hub's clock, unix seconds UTC, and when it showed that, seconds of this computer.
    clock: Option<(f64, f64)>,
    /// When the last word came, seconds of this computer.
    heard: f64,
    wanted: Wanted,
}

impl Site {
    /// A site of which nothing is known yet, at this time of this computer.
    pub(crate) fn new(wanted: Wanted, now: f64) -> Self {
        Self { wanted, heard: now, ..Self::default() }
    }

    /// Takes up what came, at `now` seconds of a clock of this computer that never goes back.
    pub(crate) fn take(&mut self, batch: &Batch, now: f64) {
        if batch.all {
            self.nodes.clear();
        }
        for raw in &batch.nodes {
            let node = clean::node(raw);
            if self.wanted.has(&node.name, &node.group) {
                self.draw_curve(&node);
                self.nodes.insert(node.name.clone(), node);
            }
        }
        if batch.all {
            let nodes = &self.nodes;
            self.curves.retain(|name, _| nodes.contains_key(name));
        }
        for event in &batch.events {
            if self.events.len() >= MAX_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(clean::event(event));
        }
        let silent_word = batch.nodes.is_empty() && batch.events.is_empty() && batch.hub.is_none();
        if !silent_word && !batch.away {
            self.heard = now;
        }
        if let Some(hub) = &batch.hub {
            self.hub = Some(clean::hub(hub));
        }
        (self.away, self.whole) = (batch.away, batch.whole);
        self.set_clock(batch, now);
    }

    /// Every message is late by its way, so the latest clock is the right one.
    fn set_clock(&mut self, batch: &Batch, now: f64) {
        let heard = batch.nodes.iter().map(|node| node.heard);
        let told = heard.chain(batch.hub.as_ref().map(|hub| hub.time)).filter(|time| time.is_finite());
        let Some(told) = told.max_by(f64::total_cmp) else { return };
        if batch.all || self.hub_time(now).is_none_or(|known| told > known) {
            self.clock = Some((told, now));
        }
    }

    fn draw_curve(&mut self, node: &Node) {
        let Some((taken, cpu)) =
            node.metrics.get("cpu_percent").and_then(|metric| Some((metric.taken, metric.value?)))
        else {
            return;
        };
        let curve = self.curves.entry(node.name.clone()).or_default();
        if curve.back().is_none_or(|(last, _)| *last < taken) {
            if curve.len() >= POINTS {
                curve.pop_front();
            }
            curve.push_back((taken, cpu));
        }
    }

    /// The hub's clock now, unix seconds UTC: that of this computer may be wrong.
    pub(crate) fn hub_time(&self, now: f64) -> Option<f64> {
        self.clock.map(|(told, at)| told + (now - at).max(0.0))
    }

    /// For how many seconds nothing was heard of the hub, when it is away.
    pub(crate) fn away_for(&self, now: f64) -> Option<f64> {
        self.away.then(|| (now - self.heard).max(0.0))
    }

    /// Whether the hub has told everything it knows.
    pub(crate) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The nodes that were asked for, by name.
    pub(crate) fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.values()
    }

    /// A node by its name.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// The hub's last word.
    pub(crate) const fn hub(&self) -> Option<&Hub> {
        self.hub.as_ref()
    }

    /// What happened, the oldest first.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// The last minutes of a node's CPU in %, the oldest first.
    pub(crate) fn curve(&self, name: &str) -> impl ExactSizeIterator<Item = f64> {
        self.curves.get(name).into_iter().flatten().map(|(_, cpu)| *cpu).collect::<Vec<_>>().into_iter()
    }

    /// Which nodes are asked for.
    pub(crate) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}
