//! The newest events, in memory, for who asks over the control socket. Older ones are in the archive.

use std::collections::VecDeque;

use lamon_control::MAX_PAGE;
use lamon_control::answer::{Event, Events};

use crate::sample::Now;
use crate::watch::Update;

/// How many are kept: a bad night of a hundred nodes, in some 200 KB.
const KEPT: usize = 1_000;

/// The newest events.
#[derive(Debug, Default)]
pub(super) struct Recent {
    events: VecDeque<Event>,
    number: u64,
}

impl Recent {
    /// Notes what happened.
    pub(super) fn note(&mut self, now: Now, update: &Update) {
        for line in update.lines() {
            self.number += 1;
            if self.events.len() >= KEPT {
                self.events.pop_front();
            }
            self.events.push_back(Event {
                number: self.number,
                time_ms: now.unix_ms,
                node: line.node.map(|node| node.to_string()),
                metric: line.metric.map(|metric| metric.to_string()),
                kind: line.kind.into(),
                level: line.level.as_str().into(),
                text: line.text,
                hub: None,
            });
        }
    }

    /// A page of them, newest first.
    pub(super) fn page(&self, node: Option<&str>, before: Option<u64>, limit: Option<usize>) -> Events {
        let limit = limit.unwrap_or(MAX_PAGE).min(MAX_PAGE);
        let wanted = |event: &&Event| {
            before.is_none_or(|before| event.number < before)
                && node.is_none_or(|node| event.node.as_deref() == Some(node))
        };
        let mut found = self.events.iter().rev().filter(wanted);
        let events = found.by_ref().take(limit).cloned().collect();
        Events { events, more: found.next().is_some(), next: None }
    }
}
