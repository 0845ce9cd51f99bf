//! Who is told what and when. Pure: no clock, no file, no socket.
//!
//! What happens is put into one message for each route, which goes when its window is over. What stays wrong is repeated and
//! escalated until somebody acknowledges it; what is over is told to whoever knew of it.

mod alive;
mod happening;
mod remind;
mod state;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use globset::GlobSet;
use lamon_bus::{Event, Level, Node};

use self::happening::Effect;
use self::happening::Happening;
pub(crate) use self::happening::named;
pub(crate) use self::state::State;
use self::state::{Problem, Told};
use crate::config::{Config, Limit, Route};
use crate::notice::{Fallback, Notice};

/// The most problems that are known at once: a site of a thousand nodes with five each.
const MAX_PROBLEMS: usize = 5_000;

/// At the first start events so old are told, seconds: the hub's clock may differ a little.
const FIRST_LOOK_BACK: f64 = 60.0;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Unix seconds UTC.
    pub(crate) unix: f64,
    /// Minutes after midnight, local.
    pub(crate) minute: u16,
    /// The local day: a number that no other day has.
    pub(crate) day: i32,
}

/// Who is told what and when.
#[derive(Debug)]
pub(crate) struct Dispatch {
    window: f64,
    routes: Vec<Route>,
    limits: BTreeMap<String, Limit>,
    /// Minutes after midnight at which all channels are told that all is alive.
    self_test: Option<u16>,
    /// How nodes are, and whether they are muted: as many as the picture has.
    nodes: BTreeMap<String, (Level, bool)>,
    /// Unix seconds.
    started: f64,
    state: State,
    changed: bool,
}

impl Dispatch {
    /// Goes on with what was known before a restart.
    pub(crate) fn new(config: &Config, mut state: State, now: Moment) -> Self {
        state.seen.begin(now.unix - FIRST_LOOK_BACK);
        let (window, routes, limits, self_test, nodes) = Default::default();
        let mut dispatch =
            Self { window, routes, limits, self_test, nodes, started: now.unix, state, changed: true };
        dispatch.configure(config);
        dispatch
    }

    /// Goes on with another configuration. What is wrong stays known; what was being put together for routes that go is to be sent.
    pub(crate) fn handle_reload(&mut self, config: &Config, now: Moment) -> Vec<Notice> {
        for route in &self.routes {
            if !config.routes.iter().any(|other| other.name == route.name) {
                for key in [route.name.clone(), format!("{}!", route.name)] {
                    self.state.groups.entry(key).and_modify(|group| group.due = now.unix);
                }
            }
        }
        let notices = self.handle_timeout(now);
        self.configure(config);
        notices
    }

    fn configure(&mut self, config: &Config) {
        self.window = config.window.as_secs_f64();
        self.routes.clone_from(&config.routes);
        self.self_test = config.self_test;
        self.limits = config.channels.iter().map(|channel| (channel.name.clone(), channel.limit)).collect();
        self.state.keep_only(&self.routes, &self.limits);
        self.changed = true;
    }

    /// What is to be kept over a restart.
    pub(crate) const fn state(&self) -> &State {
        &self.state
    }

    /// Whether that changed since this was asked last.
    pub(crate) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// Takes up an event; `nodes` is what is known of those that it is about.
    pub(crate) fn take(&mut self, event: &Event, nodes: &[Node], now: Moment) {
        if !self.state.seen.take(event) {
            return;
        }
        self.changed = true;
        // The hub leaves muted nodes out of events of several.
        let muted = event.node.is_some() && nodes.iter().any(|node| node.muted);
        self.happen(&Happening::of(event, nodes), muted, event.time.min(now.unix), now);
    }

    /// The hub is not heard, or is again.
    pub(crate) fn handle_presence(&mut self, away: bool, now: Moment) {
        if std::mem::replace(&mut self.state.away, away) != away {
            self.changed = true;
            self.happen(&Happening::presence(away), false, now.unix, now);
        }
    }

    /// Takes up how a node is.
    pub(crate) fn handle_node(&mut self, node: &Node, now: Moment) {
        self.nodes.insert(node.name.clone(), (node.level, node.muted));
        let mut unmuted = Vec::new();
        for (key, problem) in &mut self.state.problems {
            if problem.last.node.as_deref() != Some(&node.name) {
                continue;
            }
            self.changed = true;
            problem.acknowledged = node.acknowledged;
            if std::mem::replace(&mut problem.muted, node.muted) && !node.muted {
                unmuted.push(key.clone());
            }
            let well = match problem.last.kind.as_str() {
                "level" => {
                    let metric = problem.last.metric.as_ref().and_then(|name| node.metrics.get(name));
                    metric.is_some_and(|metric| metric.level == Level::Good)
                }
                "silent" => node.level != Level::Silent,
                _ => false,
            };
            problem.well = well.then(|| problem.well.unwrap_or(now.unix));
        }
        for key in unmuted {
            let Some(problem) = self.state.problems.get(&key) else { continue };
            let happening = problem.last.clone();
            let line = words::still(problem, now.unix);
            self.tell(&happening, Some(&key), &line, now);
        }
    }

    /// A node was taken out of the picture: nothing of it is wrong any more.
    pub(crate) fn handle_gone(&mut self, node: &str) {
        self.changed = true;
        self.nodes.remove(node);
        self.state.problems.retain(|_, problem| problem.last.node.as_deref() != Some(node));
    }

    /// The picture is empty: it is another hub's, or this one has started anew and says next how its nodes are.
    pub(crate) fn handle_restarted(&mut self) {
        self.nodes.clear();
    }

    /// What is to be sent by now.
    pub(crate) fn handle_timeout(&mut self, now: Moment) -> Vec<Notice> {
        self.end_lost(now);
        if !self.state.away {
            self.remind(now);
        }
        let mut notices = Vec::new();
        for route in &self.routes {
            if route.quiet.is_some_and(|quiet| quiet.contains(now.minute)) {
                continue;
            }
            let fallback = route
                .fallback
                .as_ref()
                .map(|(channel, after)| Fallback { channel: channel.clone(), after: after.as_secs_f64() });
            let escalated = route.escalate.as_ref().map_or(&[][..], |escalate| &escalate.channels);
            for (key, channels) in
                [(route.name.clone(), &route.channels[..]), (format!("{}!", route.name), escalated)]
            {
                if self.state.groups.get(&key).is_none_or(|group| group.due > now.unix) {
                    continue;
                }
                let Some(group) = self.state.groups.remove(&key) else { continue };
                self.changed = true;
                for channel in channels {
                    let limit = self.limits.get(channel).copied().unwrap_or_default();
                    let budget = self.state.budgets.entry(channel.clone()).or_default();
                    let Some(held) = budget.admit(limit, now.unix) else {
                        budget.held += group.lines.len() as u64 + group.more;
                        continue;
                    };
                    let message = words::message(&group, &route.name, held, now.unix);
                    let fallback = fallback.clone().filter(|fallback| fallback.channel != *channel);
                    let mark = format!("{key}@{:.3}", group.due);
                    notices.push(Notice {
                        mark,
                        channel: channel.clone(),
                        fallback,
                        only: Vec::new(),
                        message,
                    });
                }
            }
        }
        self.tell_held(now, &mut notices);
        self.tell_alive(now, &mut notices);
        notices
    }

    fn happen(&mut self, happening: &Happening, muted: bool, since: f64, now: Moment) {
        match happening.effect() {
            Effect::Tells if muted => {}
            Effect::Tells => self.tell(happening, None, &happening.text, now),
            Effect::Begins(key) => {
                if self.state.problems.len() >= MAX_PROBLEMS && !self.state.problems.contains_key(&key) {
                    // Told all the same, but neither repeated nor followed.
                    return self.tell(happening, None, &happening.text, now);
                }
                let problem = self.state.problems.entry(key.clone()).or_insert_with(|| Problem {
                    last: happening.clone(),
                    since,
                    acknowledged: false,
                    muted,
                    well: None,
                    told: BTreeMap::new(),
                });
                problem.last = happening.clone();
                problem.well = None;
                problem.muted = muted;
                if !muted {
                    self.tell(happening, Some(&key), &happening.text, now);
                }
            }
            Effect::Ends(key, family) => {
                let first = self.state.problems.range(family.clone()..).next();
                let other =
                    first.filter(|(other, _)| other.starts_with(&family)).map(|(other, _)| other.clone());
                let key = if self.state.problems.contains_key(&key) { Some(key) } else { other };
                let line = match key.as_ref().and_then(|key| self.state.problems.get(key)) {
                    Some(problem) => words::over(&happening.text, now.unix - problem.since),
                    None => happening.text.clone(),
                };
                if !muted {
                    self.tell(happening, key.as_deref(), &line, now);
                }
                if let Some(key) = key {
                    self.state.problems.remove(&key);
                }
            }
        }
    }

    /// Puts a line into the messages of the routes that want it, or that told of its problem before.
    fn tell(&mut self, happening: &Happening, problem: Option<&str>, line: &str, now: Moment) {
        let mut problem = problem.and_then(|key| self.state.problems.get_mut(key));
        for route in &self.routes {
            let told = problem.as_ref().and_then(|problem| problem.told.get(&route.name));
            if told.is_none() && !wants(route, happening, now) {
                continue;
            }
            let escalated = told.is_some_and(|told| told.escalated);
            let names =
                std::iter::once(route.name.clone()).chain(escalated.then(|| format!("{}!", route.name)));
            for name in names {
                let due = now.unix + self.window;
                let group = self
                    .state
                    .groups
                    .entry(name)
                    .or_insert_with(|| state::Group { due, ..Default::default() });
                group.push(happening, line, now.minute);
            }
            if let Some(problem) = &mut problem {
                let told = Told { first: now.unix, last: now.unix, escalated: false };
                problem.told.entry(route.name.clone()).or_insert(told).last = now.unix;
            }
        }
    }

    /// Says what the limit of a channel held back, as soon as it allows.
    fn tell_held(&mut self, now: Moment, notices: &mut Vec<Notice>) {
        for (channel, budget) in &mut self.state.budgets {
            if budget.held == 0 {
                continue;
            }
            let limit = self.limits.get(channel).copied().unwrap_or_default();
            if let Some(held) = budget.admit(limit, now.unix) {
                self.changed = true;
                let message = words::message_of_held(held, now.unix);
                let mark = format!("held@{:.3}", now.unix);
                notices.push(Notice {
                    mark,
                    channel: channel.clone(),
                    fallback: None,
                    only: Vec::new(),
                    message,
                });
            }
        }
    }
}

/// Whether a route is about this.
fn wants(route: &Route, happening: &Happening, now: Moment) -> bool {
    let fits = |set: &Option<GlobSet>, name: &str| set.as_ref().is_none_or(|set| set.is_match(name));
    let about = |(node, group): &(String, String)| fits(&route.nodes, node) && fits(&route.groups, group);
    let everything = route.nodes.is_none() && route.groups.is_none();
    route.levels.contains(&happening.level)
        && fits(&route.kinds, &happening.kind)
        && (everything || happening.everybody || happening.concerned.iter().any(about))
        && route.hours.is_none_or(|hours| hours.contains(now.minute))
}
