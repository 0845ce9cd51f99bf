//! What operators do with keys.

use lamon_control::key::JoinSecret;
use lamon_keys::{Fingerprint, JoinToken};
use lamon_wire::names::NodeName;
use thiserror::Error;

use super::secrets::MAX_SECRETS;
use super::{Keys, Told};
use crate::sample::{Now, utc};
use crate::watch::{EventKind, MAX_NODES, NodePattern, OperateError, checked_reason};

/// The longest that a join secret holds: what lets strangers in should not be forgotten in a drawer. A month, in seconds.
const MAX_JOIN_SECONDS: u64 = 31 * 86_400;

/// Why something that an operator asks for is not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum KeyError {
    /// The name is none.
    #[error("{0:?} is no node's name")]
    Node(String),
    /// Nobody waits for this node with this key.
    #[error(
        "nobody waits to speak for {0}{1}: lamon keys shows who waits, for ten minutes after he asked last"
    )]
    NobodyWaits(NodeName, String),
    /// Several wait.
    #[error("several keys wait for {0}, compare and name one: {1}")]
    Several(NodeName, String),
    /// The key is that of another node.
    #[error("this is the key of {0} already")]
    OfAnother(NodeName),
    /// There is no such key or node with one.
    #[error("no node and no key is called {0:?}")]
    UnknownKey(String),
    /// There is no such secret.
    #[error("there is no join secret {0}")]
    UnknownSecret(u32),
    /// There are too many of something.
    #[error("there are {0} already: end some first")]
    TooMany(usize),
    /// A secret's number of nodes or time makes no sense.
    #[error("a join secret lets 1 to {MAX_NODES} nodes in, for at most 31 days")]
    Join,
    /// A reason or a target is wrong.
    #[error(transparent)]
    Operate(#[from] OperateError),
}

impl Keys {
    /// Lets a key speak for a node: the one that waits, the one of several that `key` begins, or any whose whole
    /// fingerprint `key` is.
    pub(crate) fn approve(
        &mut self,
        now: Now,
        node: &str,
        key: Option<&str>,
        who: &str,
    ) -> Result<Told, KeyError> {
        let node = NodeName::new(node).map_err(|_| KeyError::Node(node.into()))?;
        let key = self.chosen(now, &node, key)?;
        if let Some((owner, _)) = self.approved.iter().find(|(owner, has)| has.key == key && **owner != node)
        {
            return Err(KeyError::OfAnother(owner.clone()));
        }
        if self.approved.len() >= MAX_NODES && !self.approved.contains_key(&node) {
            return Err(KeyError::TooMany(MAX_NODES));
        }
        self.approve_key(now, &node, key, who);
        let text = format!("{who} approved {node} with the key {key}");
        Ok(Told { kind: EventKind::KeyApproved, node, text })
    }

    fn chosen(&mut self, now: Now, node: &NodeName, key: Option<&str>) -> Result<Fingerprint, KeyError> {
        if let Some(Ok(whole)) = key.map(str::parse) {
            return Ok(whole);
        }
        let wanted = key.unwrap_or_default();
        let waiting = self.waiting.list(now.monotonic);
        let fits =
            |key: &str| key.starts_with(wanted) || key.trim_start_matches("SHA256:").starts_with(wanted);
        let mut keys: Vec<_> =
            waiting.iter().filter(|entry| entry.node == node.as_str() && fits(&entry.key)).collect();
        let of_key = || key.map(|key| format!(" with a key {key}…")).unwrap_or_default();
        match (keys.pop(), keys.is_empty()) {
            (None, _) => Err(KeyError::NobodyWaits(node.clone(), of_key())),
            (Some(only), true) => only.key.parse().map_err(|_| KeyError::NobodyWaits(node.clone(), of_key())),
            (Some(last), false) => {
                let shown =
                    keys.iter().chain([&last]).map(|entry| format!("{} at {}", entry.key, entry.from));
                Err(KeyError::Several(node.clone(), shown.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// Believes a key no more: that of a node, one that waits for a node, or one by its fingerprint.
    pub(crate) fn revoke(
        &mut self,
        now: Now,
        target: &str,
        reason: &str,
        who: &str,
    ) -> Result<Told, KeyError> {
        let reason = checked_reason(reason)?;
        let unknown = || KeyError::UnknownKey(target.chars().take(80).collect());
        let approved =
            self.approved.iter().find(|(node, has)| node.as_str() == target || has.key.to_string() == target);
        let found = match approved {
            Some((node, has)) => Some((node.clone(), has.key.to_string())),
            None => {
                let mut waiting = self.waiting.list(now.monotonic).into_iter();
                let entry =
                    waiting.find(|entry| entry.node == target || entry.key == target).ok_or_else(unknown)?;
                NodeName::new(&entry.node).ok().map(|node| (node, entry.key))
            }
        };
        let (node, key) = found.ok_or_else(unknown)?;
        if self.approved.get(&node).is_some_and(|has| has.key.to_string() == key) {
            self.approved.remove(&node);
        }
        self.waiting.drop_key(&key);
        let text = format!("{who} revoked the key {key} of {node}: {reason}");
        self.disbelieve(now, key, node.to_string(), &reason, who);
        Ok(Told { kind: EventKind::KeyRevoked, node, text })
    }

    /// Makes a secret that lets nodes in by themselves, and knows the hub's own key for them.
    pub(crate) fn make_join(
        &mut self,
        now: Now,
        hub: Fingerprint,
        (nodes, uses, seconds): (&str, u32, u64),
        who: &str,
    ) -> Result<(u32, JoinToken, String), KeyError> {
        let pattern = NodePattern::try_from(nodes.to_owned());
        pattern.map_err(|why| OperateError::Target(nodes.chars().take(80).collect(), why))?;
        let good = (1..=MAX_NODES).contains(&usize::try_from(uses).unwrap_or(usize::MAX))
            && (1..=MAX_JOIN_SECONDS).contains(&seconds);
        if !good {
            return Err(KeyError::Join);
        }
        let length_ms = i64::try_from(seconds * 1_000).unwrap_or(i64::MAX);
        let until_ms = now.unix_ms.saturating_add(length_ms);
        let token = JoinToken::make(hub).map_err(|_| KeyError::Join)?;
        let made = JoinSecret {
            id: 0,
            nodes: nodes.into(),
            digest: String::new(),
            left: uses,
            until_ms,
            who: who.into(),
            made_ms: now.unix_ms,
        };
        let id = self.secrets.add(now.unix_ms, token.secret(), made).ok_or(KeyError::TooMany(MAX_SECRETS))?;
        self.changes += 1;
        let text = format!("{who} made join secret {id} for {nodes}: {uses} nodes, until {}", utc(until_ms));
        Ok((id, token, text))
    }

    /// Ends a secret before its time.
    pub(crate) fn end_join(&mut self, id: u32, who: &str) -> Result<String, KeyError> {
        if !self.secrets.end(id) {
            return Err(KeyError::UnknownSecret(id));
        }
        self.changes += 1;
        Ok(format!("{who} ended join secret {id}"))
    }
}
