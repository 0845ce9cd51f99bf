//! The thread that follows the hub: it alone owns the picture, and sends what changed to whoever looks.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use lamon_bus::{Follower, News};
use lamon_daemon::systemd;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::answers::HubState;
use crate::picture::Snapshot;

/// The updates that wait for a page that is slow, before it is sent everything anew: a few seconds of a thousand nodes.
const UPDATES_KEPT: usize = 256;

/// How long changes are gathered: no eye sees the difference, and a hundred nodes are one message.
const GATHER: Duration = Duration::from_millis(50);

/// The longest wait for news: how long the end of the program may take, and how often systemd is told that it lives.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// An update, written once for all pages.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// Its number; see [`Snapshot::number`].
    pub(crate) number: u64,
    /// Server-sent events, ready to be sent.
    pub(crate) text: Bytes,
}

/// What the thread shares with everybody.
#[derive(Debug)]
pub(crate) struct Shared {
    // Held only to copy a pointer.
    snapshot: RwLock<Arc<Snapshot>>,
    updates: broadcast::Sender<Update>,
}

impl Shared {
    /// Nothing is known yet.
    pub(crate) fn new() -> Arc<Self> {
        let updates = broadcast::Sender::new(UPDATES_KEPT);
        Arc::new(Self { snapshot: RwLock::default(), updates })
    }

    /// Everything as it is now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What changes from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    /// Shows what is newest, and sends it.
    pub(crate) fn publish(&self, snapshot: Snapshot, text: String) {
        let number = snapshot.number;
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        if !text.is_empty() {
            // Nobody looks: nobody misses it.
            let _ = self.updates.send(Update { number, text: text.into() });
        }
    }
}

/// A server-sent event; empty when it cannot be written.
pub(crate) fn event<T: Serialize + ?Sized>(name: &str, data: &T) -> String {
    serde_json::to_string(data).map(|json| format!("event: {name}\ndata: {json}\n\n")).unwrap_or_default()
}

/// Follows the hub until the end.
pub(crate) fn follow(mut follower: Follower, shared: &Shared, ended: &CancellationToken) {
    let watchdog = systemd::watchdog_period();
    let mut alive = Instant::now();
    let mut whole = false;
    while !ended.is_cancelled() {
        let mut news = follower.wait(LONGEST_WAIT);
        if !news.is_empty() {
            std::thread::sleep(GATHER);
            news.extend(follower.wait(Duration::ZERO));
        }
        let now = Instant::now();
        if news.contains(&News::Restarted) {
            info!("the hub was started again");
        }
        // An answer may bring no news but that the picture is whole.
        if !news.is_empty() || whole != follower.is_whole() {
            whole = follower.is_whole();
            take(&follower, shared, &news);
        }
        if watchdog.is_some_and(|period| alive.elapsed() >= period) {
            systemd::alive();
            alive = now;
        }
    }
}

/// Takes up what came, and sends it.
fn take(follower: &Follower, shared: &Shared, news: &[News]) {
    let picture = follower.picture();
    let before = shared.snapshot();
    let mut next = Snapshot::clone(&before);
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut text = String::new();
    for one in news {
        match one {
            News::Sampled(name) | News::Levels(name) => {
                names.insert(name);
            }
            News::Event(line) => text.push_str(&event("event", &*next.take_event(line))),
            News::Gone(_) | News::Hub | News::Restarted | News::Back | News::Away => {}
        }
        next.heard = *one != News::Away;
    }
    match (before.heard, next.heard) {
        (true, false) => warn!("nothing is heard of the hub"),
        (false, true) => info!("the hub is heard"),
        _ => {}
    }
    next.hub = picture.hub().map(HubState::from).or(next.hub);
    if before.heard != next.heard || before.hub != next.hub {
        text.push_str(&event("hub", &next.site()));
    }
    names.retain(|name| next.take_node(picture, name));
    if !names.is_empty() {
        let rows: Vec<_> =
            names.iter().filter_map(|name| next.nodes.get(*name)).map(|kept| &kept.json).collect();
        text.push_str(&event("nodes", &rows));
    }
    // What a restarted hub has not named yet is not gone: its answer takes a moment.
    let gone = if follower.is_whole() { next.drop_gone(picture) } else { Vec::new() };
    if !gone.is_empty() {
        text.push_str(&event("gone", &gone));
    }
    next.number += 1;
    shared.publish(next, text);
}
