//! Once a day one message over every channel: that nothing is told is no news of a channel that does not work.

use std::collections::BTreeMap;

use lamon_bus::Level;
use serde::{Deserialize, Serialize};

use super::words::held;
use super::{Dispatch, Moment};
use crate::notice::{Fallback, Message, Notice};

/// So long after the start the hub's picture may take to come, seconds; then what is known is told.
const PICTURE_TAKES: f64 = 60.0;

/// A clock that is put right around midnight is no other day, seconds.
const SHORTEST_DAY: f64 = 3_600.0;

/// When the last self-test was; outlives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct SelfTest {
    /// See [`Moment::day`].
    day: i32,
    unix: f64,
}

impl Dispatch {
    /// Tells every channel that all is alive, when that is due.
    pub(super) fn tell_alive(&mut self, now: Moment, notices: &mut Vec<Notice>) {
        let Some(at) = self.self_test.filter(|at| now.minute >= *at) else { return };
        let done = SelfTest { day: now.day, unix: now.unix };
        match self.state.self_test {
            // It was never asked for before, and today's hour is over: it begins tomorrow.
            None if now.minute > at => {
                self.state.self_test = Some(done);
                self.changed = true;
                return;
            }
            Some(last) if last.day == now.day || (now.unix - last.unix).abs() < SHORTEST_DAY => return,
            _ => {}
        }
        let picture = !self.nodes.is_empty() || self.state.away;
        if !picture && now.unix - self.started < PICTURE_TAKES {
            return;
        }
        self.state.self_test = Some(done);
        self.changed = true;
        let (title, text) = self.alive();
        for (channel, limit) in &self.limits {
            // It counts, but no limit holds it back: once a day is never too often.
            let budget = self.state.budgets.entry(channel.clone()).or_default();
            let text = match budget.admit(*limit, now.unix) {
                Some(more) if more > 0 => format!("{text}\n{}", held(more)),
                _ => text.clone(),
            };
            let message = Message {
                title: title.clone(),
                text,
                level: Level::Good,
                nodes: Vec::new(),
                route: "self-test".to_owned(),
                time: now.unix,
            };
            let (mark, fallback) = (format!("self-test@{}", now.day), self.fallback_of(channel));
            notices.push(Notice { mark, channel: channel.clone(), fallback, only: Vec::new(), message });
        }
    }

    /// Title and text.
    fn alive(&self) -> (String, String) {
        let mut levels: BTreeMap<Level, usize> = BTreeMap::new();
        for (level, _) in self.nodes.values() {
            *levels.entry(*level).or_default() += 1;
        }
        let count = self.nodes.len();
        let nodes = if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
        let mut parts = vec![nodes.clone()];
        parts.extend(levels.iter().map(|(level, count)| format!("{count} {level}")));
        let muted = self.nodes.values().filter(|(_, muted)| *muted).count();
        if muted > 0 {
            parts.push(format!("{muted} muted"));
        }
        let mut text = format!("lamon-notify is alive: {}", parts.join(", "));
        let open = self.state.problems.len();
        if open > 0 {
            let known = self.state.problems.values().filter(|problem| problem.acknowledged).count();
            text = format!("{text}; not over: {open}, acknowledged of them: {known}");
        }
        if self.state.away {
            text = format!("{text}; the hub is not heard, this is what was known");
        }
        (format!("lamon is alive: {nodes}"), text)
    }

    /// Where a channel's self-test goes when it fails: the other channel of the first route that tells over it and has one.
    fn fallback_of(&self, channel: &String) -> Option<Fallback> {
        let routes = self.routes.iter().filter(|route| route.channels.contains(channel));
        let (other, after) =
            routes.filter_map(|route| route.fallback.as_ref()).find(|(other, _)| other != channel)?;
        Some(Fallback { channel: other.clone(), after: after.as_secs_f64() })
    }
}
