//! Keys of nodes: who may speak for which. Pure.
//!
//! A node with an approved key is spoken for by that key alone. A key that is new waits for an operator, or brings a
//! secret that lets it in. Nodes without a key come from the addresses that `[intake] plain_from` lists.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the keys, and what becomes of who comes with or without one |
//! | `waiting` | who waits to be approved |
//! | `secrets` | secrets that let nodes in |
//! | `refusals` | what was told of those who are refused |
//! | `operate` | what operators do with keys |

mod operate;
mod refusals;
mod secrets;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use lamon_control::key::{JoinSecret, NodeKey, RevokedKey, WaitingKey};
use lamon_keys::Fingerprint;
use lamon_wire::names::NodeName;

pub(crate) use self::operate::KeyError;
use self::refusals::{Because, Refusals};
use self::secrets::Secrets;
use self::waiting::Waiting;
use crate::sample::Now;
use crate::watch::{EventKind, MAX_NODES};

/// How many keys are known as revoked; the oldest are then as strange as any other. Years of reinstalled computers.
const MAX_REVOKED: usize = 2_000;

/// Who asks to speak for a node.
#[derive(Debug)]
pub(crate) struct Asks<'a> {
    /// For which.
    pub(crate) node: &'a NodeName,
    /// The node's group.
    pub(crate) group: &'a str,
    /// The key that it proved to have.
    pub(crate) key: Option<Fingerprint>,
    /// Whether its address may speak without a key.
    pub(crate) plain_taken: bool,
    /// The secret that it brought.
    pub(crate) secret: Option<&'a str>,
    /// From where it comes.
    pub(crate) from: IpAddr,
    /// Its operating system, in its own words.
    pub(crate) os: &'a str,
    /// The boot of its computer, when it is an agent that asks.
    pub(crate) boot: Option<[u8; 16]>,
}

/// Something to be told of a node's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) kind: EventKind,
    pub(crate) node: NodeName,
    pub(crate) text: String,
}

/// What becomes of who asks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The sentence for a peer that is refused.
    pub(crate) answer: Result<(), String>,
    /// What operators are told.
    pub(crate) told: Option<Told>,
}

/// A node's key.
#[derive(Debug, Clone)]
struct Approved {
    key: Fingerprint,
    who: String,
    made_ms: i64,
    /// The computer's boots that were seen with it: the last, and the one before.
    boots: [Option<[u8; 16]>; 2],
    /// When it was last told that two computers have it.
    clones_told: Option<Instant>,
}

/// All keys, what is kept of them, and who waits.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    approved: BTreeMap<NodeName, Approved>,
    revoked: Vec<RevokedKey>,
    secrets: Secrets,
    waiting: Waiting,
    refusals: Refusals,
    /// How often anything changed that is to be kept.
    changes: u64,
}

impl Keys {
    /// Decides on who asks.
    pub(crate) fn admit(&mut self, now: Now, asks: &Asks<'_>) -> Verdict {
        match asks.key {
            None => self.admit_plain(now, asks),
            Some(key) => self.admit_key(now, asks, key),
        }
    }

    fn admit_plain(&mut self, now: Now, asks: &Asks<'_>) -> Verdict {
        let Asks { node, from, .. } = asks;
        if self.approved.contains_key(*node) {
            let why = format!(
                "{node} has a key, and is heard by it alone: lamon-agent enroll, or lamon revoke {node}"
            );
            let text = format!("somebody at {from} wants to speak for {node} without its key");
            return self.refuse(now, asks, &Because::NoKey((*node).clone()), why, text);
        }
        if asks.plain_taken {
            return TAKEN;
        }
        let why = format!("connections without a key are not taken from {from}: lamon-agent enroll");
        Verdict { answer: Err(why), told: None }
    }

    fn admit_key(&mut self, now: Now, asks: &Asks<'_>, key: Fingerprint) -> Verdict {
        let Asks { node, from, .. } = asks;
        let shown = key.to_string();
        if let Some(revoked) = self.revoked.iter().find(|revoked| revoked.key == shown) {
            let why = format!("this key was revoked by {}: {}", revoked.who, revoked.reason);
            let text = format!("{node} at {from} comes with the key {key}, which {} revoked", revoked.who);
            return self.refuse(now, asks, &Because::Revoked(shown), why, text);
        }
        if let Some((owner, _)) = self.approved.iter().find(|(owner, has)| has.key == key && owner != node) {
            let why = format!(
                "this key is that of {owner}: a copied disk? Delete the key's file here, and start the agent"
            );
            let text = format!("{node} at {from} comes with the key of {owner}: is its disk a copy?");
            let because = Because::KeyOf(owner.clone());
            return self.refuse(now, asks, &because, why, text);
        }
        match self.approved.get_mut(*node) {
            Some(has) if has.key == key => {
                Verdict { answer: Ok(()), told: has.seen(now, node, asks.boot, *from) }
            }
            has => {
                let replaces = has.is_some();
                self.admit_new(now, asks, key, replaces)
            }
        }
    }

    /// Refuses a peer, and tells of it unless that was told within the hour: an agent asks again each minute, for ever.
    fn refuse(&mut self, now: Now, asks: &Asks<'_>, because: &Because, why: String, text: String) -> Verdict {
        let kind = match because {
            Because::NoKey(_) | Because::Revoked(_) => EventKind::KeyRefused,
            Because::KeyOf(_) => EventKind::KeyCloned,
        };
        let due = self.refusals.is_due(now.monotonic, because, asks.from);
        Verdict { answer: Err(why), told: due.then(|| told(kind, asks.node, text)).flatten() }
    }

    /// A key that nobody knows: a secret lets it in, or it waits.
    fn admit_new(&mut self, now: Now, asks: &Asks<'_>, key: Fingerprint, replaces: bool) -> Verdict {
        let Asks { node, from, .. } = asks;
        // A secret lets new nodes in. That a node has another key now is for people to judge.
        if !replaces
            && self.approved.len() < MAX_NODES
            && let Some(secret) = asks.secret
        {
            match self.secrets.spend(now.unix_ms, secret, node, asks.group) {
                Ok(id) => {
                    let who = format!("join secret {id}");
                    self.approve_key(now, node, key, &who);
                    let text = format!("{node} at {from} joined by {who}, with the key {key}");
                    return Verdict { answer: Ok(()), told: told(EventKind::KeyApproved, node, text) };
                }
                Err(why) => {
                    let first = self.wait(now, asks, key, replaces);
                    let why = format!("{why}; it waits to be approved: lamon approve {node}");
                    return Verdict { answer: Err(why), told: first };
                }
            }
        }
        let first = self.wait(now, asks, key, replaces);
        let why = if self.waiting.has(node, key) {
            format!("the key {key} waits to be approved: on the hub, lamon approve {node}")
        } else {
            format!("too many wait to be approved, {node} is not among them: lamon keys, on the hub")
        };
        Verdict { answer: Err(why), told: first }
    }

    /// Notes who waits; what is told when he is new.
    fn wait(&mut self, now: Now, asks: &Asks<'_>, key: Fingerprint, replaces: bool) -> Option<Told> {
        let Asks { node, from, os, .. } = asks;
        let entry = WaitingKey {
            node: node.to_string(),
            key: key.to_string(),
            from: from.to_string(),
            os: (*os).to_owned(),
            since_ms: now.unix_ms,
            last_ms: now.unix_ms,
            replaces,
        };
        if !self.waiting.note(now.monotonic, entry, *from) {
            return None;
        }
        let text = if replaces {
            format!(
                "{node} at {from} comes with another key than it had, {key}: was it set up anew? lamon approve {node} takes the new one"
            )
        } else {
            format!("{node} at {from} ({os}) waits to be approved with the key {key}: lamon approve {node}")
        };
        told(EventKind::KeyWaiting, node, text)
    }

    /// Lets a key speak for a node. The one that it had is believed no more.
    fn approve_key(&mut self, now: Now, node: &NodeName, key: Fingerprint, who: &str) {
        let approved =
            Approved { key, who: who.into(), made_ms: now.unix_ms, boots: [None; 2], clones_told: None };
        if let Some(before) = self.approved.insert(node.clone(), approved)
            && before.key != key
        {
            self.disbelieve(now, before.key.to_string(), node.to_string(), "it was replaced", who);
        }
        let shown = key.to_string();
        self.revoked.retain(|revoked| revoked.key != shown);
        self.waiting.settle(node);
        self.refusals.forget();
        self.changes += 1;
    }

    fn disbelieve(&mut self, now: Now, key: String, node: String, reason: &str, who: &str) {
        if self.revoked.len() >= MAX_REVOKED {
            self.revoked.remove(0);
        }
        self.refusals.forget();
        self.revoked.push(RevokedKey {
            key,
            node,
            reason: reason.into(),
            who: who.into(),
            made_ms: now.unix_ms,
        });
        self.changes += 1;
    }

    /// Whether this is the key of the node, or it has none and this is none.
    pub(crate) fn is_of(&self, node: &NodeName, key: Option<Fingerprint>) -> bool {
        self.approved.get(node).map(|has| has.key) == key
    }

    /// How often anything changed that is to be kept.
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    /// Keys of nodes, by their names.
    pub(crate) fn approved(&self) -> Vec<NodeKey> {
        let shown = |(node, has): (&NodeName, &Approved)| NodeKey {
            node: node.to_string(),
            key: has.key.to_string(),
            who: has.who.clone(),
            made_ms: has.made_ms,
        };
        self.approved.iter().map(shown).collect()
    }

    /// Keys that are believed no more.
    pub(crate) fn revoked(&self) -> &[RevokedKey] {
        &self.revoked
    }

    /// Secrets that let nodes in.
    pub(crate) fn secrets(&self) -> Vec<JoinSecret> {
        self.secrets.kept()
    }

    /// Who waits, the first that came first.
    pub(crate) fn waiting(&mut self, now: Now) -> Vec<WaitingKey> {
        self.waiting.list(now.monotonic)
    }

    /// Takes up what was kept. What makes no sense is left out: a node whose key is unknown waits to be approved.
    pub(crate) fn restore(
        &mut self,
        approved: Vec<NodeKey>,
        revoked: Vec<RevokedKey>,
        secrets: Vec<JoinSecret>,
    ) {
        for NodeKey { node, key: shown, who, made_ms } in approved.into_iter().take(MAX_NODES) {
            let (Ok(node), Ok(key)) = (NodeName::new(&node), shown.parse()) else { continue };
            // What an operator did since holds: he may have revoked the key, or given it to a node of another name.
            let given = self.approved.values().any(|has| has.key == key)
                || self.revoked.iter().any(|revoked| revoked.key == shown);
            if !given {
                let approved = Approved { key, who, made_ms, boots: [None; 2], clones_told: None };
                self.approved.entry(node).or_insert(approved);
            }
        }
        for key in revoked {
            if self.revoked.len() < MAX_REVOKED && self.revoked.iter().all(|known| known.key != key.key) {
                self.revoked.push(key);
            }
        }
        self.secrets.restore(secrets);
    }
}

impl Approved {
    /// Notes the boot of the computer that has the key. Boots that alternate are of two computers.
    fn seen(&mut self, now: Now, node: &NodeName, boot: Option<[u8; 16]>, from: IpAddr) -> Option<Told> {
        let boot = boot?;
        let [last, before] = self.boots;
        if last == Some(boot) {
            return None;
        }
        self.boots = [Some(boot), last];
        let due =
            self.clones_told.is_none_or(|at| now.monotonic.saturating_duration_since(at) >= refusals::AGAIN);
        if before != Some(boot) || !due {
            return None;
        }
        self.clones_told = Some(now.monotonic);
        let text = format!(
            "two computers speak for {node} with one key, one of them at {from}: delete the key's file on the copy"
        );
        told(EventKind::KeyCloned, node, text)
    }
}

const TAKEN: Verdict = Verdict { answer: Ok(()), told: None };

fn told(kind: EventKind, node: &NodeName, text: String) -> Option<Told> {
    Some(Told { kind, node: node.clone(), text })
}
