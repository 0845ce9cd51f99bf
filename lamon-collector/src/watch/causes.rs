//! One cause, one message: nodes that fall silent together are told of once, by what they share.
//!
//! A node that falls silent alone is told of at once. When others are overdue too, its message waits until they are silent or
//! heard; the levels do not wait. What is told of together comes back together.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lamon_wire::names::NodeName;

use super::group::Groups;
use super::update::{Event, EventKind};
use super::words;

/// The longest that a message waits for others with its cause: nodes of the usual interval of 10 s fall silent within it.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(15);

/// The least nodes that make the hub itself the likely cause, when they are most of all.
const HUB_LEAST: usize = 3;

/// How many nodes a message names; it counts them all.
const MAX_NAMED: usize = 20;

/// What is known of common causes. The nodes in it are silent ones: at most as many as the watch has.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Nodes that fell silent and of which nothing was told yet.
    waiting: BTreeSet<NodeName>,
    /// When they are told of.
    tell_at: Option<Instant>,
    told: Vec<Cause>,
}

#[derive(Debug)]
struct Cause {
    /// What its nodes share, in words; empty for nodes that share the time alone.
    shared: String,
    /// Whether the hub itself is the likely cause.
    hub: bool,
    since: Instant,
    silent: BTreeSet<NodeName>,
    /// Whether any node is back since: then it is not the hub, or no longer.
    over: bool,
    /// How many are back of which nothing was told yet.
    back: usize,
    tell_back_at: Option<Instant>,
}

impl Causes {
    /// When [`Causes::handle_timeout`] has something to tell.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.told.iter().filter_map(|cause| cause.tell_back_at).chain(self.tell_at).min()
    }

    /// Lets go of a node that will not come back, so that its cause can be over without it.
    pub(super) fn forget(&mut self, node: &NodeName) {
        self.waiting.remove(node);
        for cause in &mut self.told {
            cause.silent.remove(node);
        }
        self.told.retain(|cause| !cause.silent.is_empty() || cause.tell_back_at.is_some());
    }

    /// Takes up nodes that fell silent. `overdue` tells until when others that are overdue will be silent, the last of
    /// them; it is asked only when nothing waits. Whether the nodes are to be told of at once.
    pub(super) fn fall(
        &mut self,
        now: Instant,
        fallen: &[NodeName],
        overdue: impl FnOnce() -> Option<Instant>,
    ) -> bool {
        // While the hub hears next to nobody, more silence is the same news.
        if let Some(hub) = self.told.iter_mut().find(|cause| cause.is_of_hub()) {
            hub.silent.extend(fallen.iter().cloned());
            return false;
        }
        if self.tell_at.is_none() {
            let until = overdue().map(|until| until.min(now + MAX_WAIT));
            match until.or((fallen.len() > 1).then_some(now)) {
                None => return true,
                tell_at => self.tell_at = tell_at,
            }
        }
        self.waiting.extend(fallen.iter().cloned());
        false
    }

    /// Takes up that a silent node is back. Whether that is to be told by itself, and an event when it was the last of its
    /// cause.
    pub(super) fn back(&mut self, now: Instant, node: &NodeName) -> (bool, Option<Event>) {
        for cause in &mut self.told {
            cause.over |= cause.hub;
        }
        if self.waiting.remove(node) {
            return (true, None);
        }
        let Some(place) = self.told.iter().position(|cause| cause.silent.contains(node)) else {
            return (true, None);
        };
        let Some(cause) = self.told.get_mut(place) else { return (true, None) };
        cause.silent.remove(node);
        cause.back += 1;
        cause.tell_back_at.get_or_insert(now + MAX_WAIT);
        if !cause.silent.is_empty() {
            return (false, None);
        }
        (false, Some(self.told.swap_remove(place).tell_back(now)))
    }

    /// Tells what is due. `heard` counts the nodes that are heard.
    pub(super) fn handle_timeout(&mut self, now: Instant, groups: &Groups, heard: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        for cause in self.told.iter_mut().filter(|cause| is_due(cause.tell_back_at)) {
            events.push(cause.tell_back(now));
        }
        self.told.retain(|cause| !cause.silent.is_empty());
        if is_due(self.tell_at) {
            self.tell_at = None;
            let waiting = std::mem::take(&mut self.waiting);
            events.extend(self.tell(now, waiting, groups, heard));
        }
        events
    }

    fn tell(
        &mut self,
        now: Instant,
        mut waiting: BTreeSet<NodeName>,
        groups: &Groups,
        heard: usize,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let mut tell = |shared: String, hub: bool, silent: BTreeSet<NodeName>| {
            let cause = Cause { shared, hub, since: now, silent, over: false, back: 0, tell_back_at: None };
            let event = cause.tell(heard);
            self.told.push(cause);
            event
        };
        let all_share = groups.tags().any(|tag| waiting.iter().all(|node| tag.has(node)));
        if waiting.len() >= HUB_LEAST && waiting.len() > heard && !(all_share && heard > 0) {
            return vec![tell(String::new(), true, waiting)];
        }
        // The tag with the most nodes first: a rack's switch rather than one of its circuits.
        loop {
            let of_tag = |tag: &super::Group| waiting.iter().filter(|node| tag.has(node)).count();
            let counted = groups.tags().map(|tag| (of_tag(tag), tag));
            let most = counted.filter(|(count, _)| *count > 1).reduce(|a, b| if b.0 > a.0 { b } else { a });
            let Some((_, tag)) = most else { break };
            let (of_tag, rest) = waiting.into_iter().partition(|node| tag.has(node));
            waiting = rest;
            events.push(tell(tag.name.clone(), false, of_tag));
        }
        while let Some(first) = waiting.pop_first() {
            let group = groups.of(&first);
            let (mut of_group, rest): (BTreeSet<_>, _) =
                waiting.into_iter().partition(|node| groups.of(node) == group);
            waiting = rest;
            if of_group.is_empty() {
                let text = format!("{first} is silent");
                events.push(Event::new(Some(first), EventKind::Silent, text));
                continue;
            }
            of_group.insert(first);
            let shared = if group == super::OTHER { String::new() } else { format!("group {group}") };
            events.push(tell(shared, false, of_group));
        }
        events
    }
}

impl Cause {
    /// Whether the hub seems to be cut off still.
    const fn is_of_hub(&self) -> bool {
        self.hub && !self.over
    }

    fn about(&self) -> String {
        match (self.hub, self.shared.as_str()) {
            (true, _) => "the hub".into(),
            (false, "") => String::new(),
            (false, shared) => format!("{shared}: "),
        }
    }

    fn tell(&self, heard: usize) -> Event {
        let (count, names) = (self.silent.len(), named(&self.silent));
        if self.hub {
            let all = count + heard;
            let text = format!(
                "{count} of {all} nodes fell silent together: is the hub itself cut off from its network? ({names})"
            );
            return Event::new(None, EventKind::HubCutOff, text);
        }
        let text = format!("{}{} silent: {names}", self.about(), words::count(count, "node"));
        Event::new(None, EventKind::CommonSilence, text)
    }

    fn tell_back(&mut self, now: Instant) -> Event {
        let since = words::lasting(now.saturating_duration_since(self.since));
        let about = if self.hub { "the hub hears again: ".into() } else { self.about() };
        let are = if self.back == 1 { "is back" } else { "are back" };
        let mut text =
            format!("{about}{} {are}, {since} after the silence was told", words::count(self.back, "node"));
        if !self.silent.is_empty() {
            text += &format!("; {} still silent: {}", self.silent.len(), named(&self.silent));
        }
        (self.back, self.tell_back_at) = (0, None);
        Event::new(None, EventKind::CommonBack, text)
    }
}

fn named(nodes: &BTreeSet<NodeName>) -> String {
    let names: Vec<_> = nodes.iter().take(MAX_NAMED).map(NodeName::as_str).collect();
    let more = if nodes.len() > MAX_NAMED { ", …" } else { "" };
    names.join(", ") + more
}
