//! Keys of simulated nodes, and what operators do with them: one connection to the control socket for a thousand orders.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use lamon_control::Operation;
use lamon_control::answer::Answer;
use lamon_keys::{Believed, Fingerprint, Key, client};
use lamon_operator::Client;

use crate::simulated::InTls;

/// The key of a node, kept in `folder`, made there where it is new, as an agent shows it to the hub of the key `hub`; with its
/// fingerprint.
///
/// # Errors
///
/// When there is no room for it.
pub fn key(folder: &Path, node: &str, hub: Fingerprint) -> anyhow::Result<(InTls, Fingerprint)> {
    let key = Key::load_or_make(&folder.join(format!("{node}.key")), node)?;
    let config = client(&key, Believed::Keys(vec![hub]))?;
    Ok((InTls { config, join: None, from: None }, key.fingerprint()))
}

/// A connection to a hub's control socket.
#[derive(Debug)]
pub struct Operator(Client);

impl Operator {
    /// Connects.
    ///
    /// # Errors
    ///
    /// When nobody answers there.
    pub fn connect(socket: &Path) -> anyhow::Result<Self> {
        Ok(Self(Client::connect(socket, None)?))
    }

    /// Asks.
    ///
    /// # Errors
    ///
    /// The hub's refusal, or when it does not answer.
    pub fn ask(&mut self, operation: Operation) -> anyhow::Result<Answer> {
        Ok(self.0.ask(operation)?)
    }

    /// The hub's own key.
    ///
    /// # Errors
    ///
    /// When it has none, or as [`Operator::ask`].
    pub fn hub_key(&mut self) -> anyhow::Result<Fingerprint> {
        let Answer::Keys(keys) = self.ask(Operation::Keys {})? else { anyhow::bail!("no keys") };
        Ok(keys.hub.context("the hub has no key")?.parse()?)
    }

    /// Lets a key speak for a node.
    ///
    /// # Errors
    ///
    /// As [`Operator::ask`].
    pub fn approve(&mut self, node: &str, key: Fingerprint) -> anyhow::Result<()> {
        self.ask(Operation::Approve { node: node.into(), key: Some(key.to_string()) }).map(drop)
    }

    /// A node that is approved, with its key in `folder`.
    ///
    /// # Errors
    ///
    /// As [`key`] and [`Operator::ask`].
    pub fn approved(&mut self, folder: &Path, node: &str) -> anyhow::Result<InTls> {
        let hub = self.hub_key()?;
        let (tls, own) = key(folder, node, hub)?;
        self.approve(node, own)?;
        Ok(tls)
    }

    /// A token that lets so many nodes in, for so long.
    ///
    /// # Errors
    ///
    /// As [`Operator::ask`].
    pub fn join(&mut self, uses: u32, time: Duration) -> anyhow::Result<String> {
        let join = Operation::Join { nodes: "*".into(), uses, seconds: time.as_secs() };
        let Answer::Did(did) = self.ask(join)? else { anyhow::bail!("no token") };
        Ok(did.text)
    }
}
