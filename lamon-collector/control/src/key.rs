//! Keys of nodes: approved, waiting, revoked, and secrets that let nodes in by themselves; as they are shown and kept.

use serde::{Deserialize, Serialize};

/// A key that a node has: nobody else speaks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeKey {
    /// The node.
    pub node: String,
    /// The key's fingerprint, `SHA256:` and 43 characters.
    pub key: String,
    /// Who approved it; the secret's number when the node brought one.
    pub who: String,
    /// When, unix milliseconds UTC.
    pub made_ms: i64,
}

/// A key that is believed no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokedKey {
    /// The key's fingerprint.
    pub key: String,
    /// Whose it was.
    pub node: String,
    /// Why.
    pub reason: String,
    /// Who said so.
    pub who: String,
    /// When, unix milliseconds UTC.
    pub made_ms: i64,
}

/// A secret by which nodes are let in without being asked about, kept without the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinSecret {
    /// Its number, by which it is ended.
    pub id: u32,
    /// Which nodes it lets in: a name, a glob, `@group`, or `*` for all.
    pub nodes: String,
    /// SHA-256 of the secret, in hexadecimal.
    pub digest: String,
    /// How many more nodes it lets in.
    pub left: u32,
    /// Until when, unix milliseconds UTC.
    pub until_ms: i64,
    /// Who made it.
    pub who: String,
    /// When, unix milliseconds UTC.
    pub made_ms: i64,
}

/// Somebody who wants to speak for a node, and may not yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingKey {
    /// The node it wants to speak for.
    pub node: String,
    /// Its key's fingerprint.
    pub key: String,
    /// From where it comes.
    pub from: String,
    /// Its operating system, in its own words.
    pub os: String,
    /// Since when it asks, unix milliseconds UTC.
    pub since_ms: i64,
    /// When it asked last, unix milliseconds UTC.
    pub last_ms: i64,
    /// The node has another key: the computer was set up anew, or this is somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces: bool,
}

/// Everything about keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The hub's own, which agents ask people to compare; none when it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<String>,
    /// Who waits to be approved, the first that came first.
    pub waiting: Vec<WaitingKey>,
    /// Keys of nodes, by their names.
    pub approved: Vec<NodeKey>,
    /// Keys that are believed no more, the newest last.
    pub revoked: Vec<RevokedKey>,
    /// Secrets that let nodes in.
    pub secrets: Vec<JoinSecret>,
}
