//! Who waits to be approved.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lamon_control::key::WaitingKey;
use lamon_keys::Fingerprint;
use lamon_wire::names::NodeName;

use crate::address::of_one;

/// The most that wait: a roll-out over a whole observatory, and what a person can still look through.
pub(super) const MAX_WAITING: usize = 256;

/// The most of one address, so that one computer that invents names does not take the places of others. Behind one
/// address may be a few computers.
pub(super) const MAX_OF_ADDRESS: usize = 8;

/// Who did not ask for so long does not wait any more; agents ask each minute at least.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Entry {
    shown: WaitingKey,
    from: IpAddr,
    asked: Instant,
}

/// Who waits, the first that came first.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    entries: Vec<Entry>,
}

impl Waiting {
    /// Notes that somebody asks; whether he is new, and has a place.
    pub(super) fn note(&mut self, now: Instant, asks: WaitingKey, from: IpAddr) -> bool {
        let from = of_one(from);
        let known = |entry: &&mut Entry| entry.shown.node == asks.node && entry.shown.key == asks.key;
        if let Some(entry) = self.entries.iter_mut().find(known) {
            entry.shown = WaitingKey { since_ms: entry.shown.since_ms, ..asks };
            (entry.asked, entry.from) = (now, from);
            return false;
        }
        self.expire(now);
        let of_address = self.entries.iter().filter(|entry| entry.from == from).count();
        if self.entries.len() >= MAX_WAITING || of_address >= MAX_OF_ADDRESS {
            return false;
        }
        self.entries.push(Entry { shown: asks, from, asked: now });
        true
    }

    /// Whether this key waits for that node.
    pub(super) fn has(&self, node: &NodeName, key: Fingerprint) -> bool {
        let key = key.to_string();
        self.entries.iter().any(|entry| entry.shown.node == node.as_str() && entry.shown.key == key)
    }

    /// Nobody waits any more for this node.
    pub(super) fn settle(&mut self, node: &NodeName) {
        self.entries.retain(|entry| entry.shown.node != node.as_str());
    }

    /// This key does not wait any more.
    pub(super) fn drop_key(&mut self, key: &str) {
        self.entries.retain(|entry| entry.shown.key != key);
    }

    /// Everybody who waits now.
    pub(super) fn list(&mut self, now: Instant) -> Vec<WaitingKey> {
        self.expire(now);
        self.entries.iter().map(|entry| entry.shown.clone()).collect()
    }

    fn expire(&mut self, now: Instant) {
        self.entries.retain(|entry| now.saturating_duration_since(entry.asked) < PATIENCE);
    }
}
