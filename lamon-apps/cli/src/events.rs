//! What happened: what the hub has in memory first, and before that what is in the archive.

use std::collections::HashSet;

use lamon_control::answer::{Event, Events};
use lamon_control::{Answer, MAX_PAGE, Operation, Place};
use lamon_operator::{AskError, Client};

use crate::args::Gravity;
use crate::show::gravity;
use crate::times::Moment;

/// How many are shown when nobody says.
pub(crate) const FEW: usize = 20;

/// How many when a time is given: a bad week.
pub(crate) const MANY: usize = 1_000;

/// Which events are wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) node: Option<String>,
    pub(crate) level: Option<Gravity>,
    pub(crate) since: Option<Moment>,
    pub(crate) count: usize,
}

impl Wanted {
    fn has(&self, event: &Event) -> bool {
        let grave = self.level.is_none_or(|level| gravity(&event.level) >= level as usize);
        grave && self.since.is_none_or(|since| event.time_ms >= since.0)
    }
}

/// The newest of them, the newest last, as a log is read.
pub(crate) fn newest(client: &mut Client, wanted: &Wanted) -> Result<Events, AskError> {
    let mut found = Vec::new();
    let oldest_ms = from_memory(client, wanted, &mut found)?;
    let all_new_enough = oldest_ms.is_none_or(|oldest| wanted.since.is_none_or(|since| oldest >= since.0));
    let mut more = found.len() >= wanted.count;
    if !more && all_new_enough {
        match from_archive(client, wanted, oldest_ms, &mut found) {
            Ok(left) => more = left,
            // What the hub itself knows is worth showing all the same.
            Err(AskError::Refused(refusal)) => crate::say(&format!("older events: {}", refusal.text)),
            Err(other) => return Err(other),
        }
    }
    found.reverse();
    Ok(Events { events: found, more, next: None })
}

/// Reads what the hub has in memory; returns the time of the oldest event that it has of the node.
fn from_memory(
    client: &mut Client,
    wanted: &Wanted,
    found: &mut Vec<Event>,
) -> Result<Option<i64>, AskError> {
    let (mut before, mut oldest_ms) = (None, None);
    loop {
        let asked = Operation::Events { node: wanted.node.clone(), before, limit: Some(MAX_PAGE) };
        let Answer::Events(page) = client.ask(asked)? else {
            return Err(AskError::Language("no events".into()));
        };
        let Some(last) = page.events.last() else { return Ok(oldest_ms) };
        (before, oldest_ms) = (Some(last.number), Some(last.time_ms));
        let room = wanted.count - found.len();
        found.extend(page.events.into_iter().filter(|event| wanted.has(event)).take(room));
        if !page.more || found.len() >= wanted.count {
            return Ok(oldest_ms);
        }
    }
}

/// Goes on in the archive where the memory ends; whether there may be more.
fn from_archive(
    client: &mut Client,
    wanted: &Wanted,
    oldest_ms: Option<i64>,
    found: &mut Vec<Event>,
) -> Result<bool, AskError> {
    // Of the millisecond in which the memory ends the archive may have events that the memory has too.
    type Key = (i64, Option<String>, String, String);
    let key = |event: &Event| -> Key {
        (event.time_ms, event.node.clone(), event.kind.clone(), event.text.clone())
    };
    let known: HashSet<Key> = found.iter().map(key).collect();
    let place = |time_ms: i64| Place { time_ms: time_ms.saturating_add(1), hub: String::new(), number: 0 };
    let mut before = oldest_ms.map(place);
    loop {
        let asked = Operation::PastEvents {
            node: wanted.node.clone(),
            level: wanted.level.map(|level| format!("{level:?}").to_lowercase()),
            since_ms: wanted.since.map(|since| since.0),
            before,
            limit: Some(MAX_PAGE),
        };
        let Answer::Events(page) = client.ask(asked)? else {
            return Err(AskError::Language("no events".into()));
        };
        let fresh = page.events.into_iter().filter(|event| !known.contains(&key(event)));
        let mut fresh = fresh.peekable();
        while found.len() < wanted.count
            && let Some(event) = fresh.next()
        {
            found.push(event);
        }
        let full = found.len() >= wanted.count;
        match page.next.filter(|_| page.more && !full) {
            Some(next) => before = Some(next),
            None => return Ok(page.more || fresh.peek().is_some()),
        }
    }
}
