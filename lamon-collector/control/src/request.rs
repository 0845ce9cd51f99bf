//! What the hub is asked.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::mute::When;
use crate::{MAX_REQUEST_BYTES, VERSION};

/// The longest name that somebody gives for himself, in bytes.
pub const MAX_WHO_BYTES: usize = 64;

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The version of the language, [`VERSION`].
    pub v: u32,
    /// Who asks, in his own words, where the user of the connection says too little: a web page that asks for many
    /// people. It is shown beside that user, never instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What is asked.
    pub ask: Operation,
}

/// Everything that the hub can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// How the hub is, and its nodes in a few numbers.
    Status {},
    /// The nodes, by name, a page at a time.
    Nodes {
        /// The name behind which the page begins; from the first when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// All of one node.
    Node {
        /// Which.
        node: String,
    },
    /// Which rule holds for a metric, and why its level is what it is.
    Explain {
        /// Whose.
        node: String,
        /// Which metric.
        metric: String,
    },
    /// What happened, newest first, a page at a time: the newest events since the hub's start.
    Events {
        /// Of this node alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// The number before which the page begins; the newest when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<u64>,
        /// How many at most; never more than [`MAX_PAGE`](crate::MAX_PAGE).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// How every gate stands.
    Gates {},
    /// What the archive has of what happened, of every hub that writes into it, newest first, a page at a time.
    PastEvents {
        /// Of this node alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<String>,
        /// Of this level, or graver.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<String>,
        /// Not before this time, unix milliseconds UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since_ms: Option<i64>,
        /// Where to go on: [`Events::next`](crate::answer::Events::next) of the page before; a time alone will do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Place>,
        /// How many at most; never more than [`MAX_PAGE`](crate::MAX_PAGE).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// What operators changed: mutes, acknowledgements, limits, each with who and when.
    Settings {},
    /// Let nodes neither gate nor notify for a while.
    Mute {
        /// Which: a name, a glob, `@group`, or `*` for all.
        target: String,
        /// When.
        when: When,
        /// Why, for those who wonder later.
        reason: String,
    },
    /// End mutes.
    Unmute {
        /// The number of one mute, or the target of all that name exactly it.
        mute: String,
    },
    /// Say that somebody knows: until the value is well again, gets worse, or the time is over.
    Ack {
        /// Whose.
        node: String,
        /// Of this metric alone; else of the node as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric: Option<String>,
        /// For how many seconds at most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        /// What is being done about it.
        reason: String,
    },
    /// Let a gate block nothing for a while, though its condition holds.
    Override {
        /// The gate's name.
        gate: String,
        /// For how many seconds, a week at most.
        seconds: u64,
        /// Why, for those who wonder later.
        reason: String,
    },
    /// End the override of a gate before its time.
    Release {
        /// The gate's name.
        gate: String,
    },
    /// Take a node out of the picture that will not come back. Its stored samples stay.
    Forget {
        /// Which.
        node: String,
    },
    /// Set limits, warning and error together, over those of the configuration, until they are reset. A limit is a number
    /// in the metric's unit, or has its unit with it: `80`, `20 GB`, `2m`; `none` for no such limit. One that is left out
    /// stays as it is.
    Set {
        /// A rule by its name, wherever it holds; with a metric, a node.
        target: String,
        /// The metric of the node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric: Option<String>,
        /// Where warning begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warning: Option<String>,
        /// Where error begins.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// Why, for those who wonder later.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Let the limits of the configuration hold again.
    Reset {
        /// A rule by its name; with a metric, a node.
        target: String,
        /// The metric of the node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        metric: Option<String>,
    },
    /// Keys of nodes: who waits, who is approved, who is believed no more, and what lets nodes in.
    Keys {},
    /// Let a key speak for a node.
    Approve {
        /// Which node.
        node: String,
        /// The key's fingerprint, whole, or so much of its beginning as tells it from the others that wait for the node.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// Believe a key no more.
    Revoke {
        /// A node with a key, a node that somebody waits to speak for, or a key's fingerprint.
        target: String,
        /// Why, for those who wonder later.
        reason: String,
    },
    /// Make a secret that lets nodes in without anybody being asked.
    Join {
        /// Which nodes: a name, a glob, `@group`, or `*` for all.
        nodes: String,
        /// How many.
        uses: u32,
        /// For how many seconds, 31 days at most.
        seconds: u64,
    },
    /// End such a secret before its time.
    EndJoin {
        /// Its number.
        id: u32,
    },
    /// Read the configuration file again: rules, groups, what agents are told.
    Reload {},
}

impl Operation {
    /// Whether it changes anything; what does is written to the log with who asked.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Status {}
                | Self::Nodes { .. }
                | Self::Node { .. }
                | Self::Explain { .. }
                | Self::Events { .. }
                | Self::Gates {}
                | Self::PastEvents { .. }
                | Self::Settings {}
                | Self::Keys {}
        )
    }
}

/// A place among the archive's events: what is before it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The time, unix milliseconds UTC.
    pub time_ms: i64,
    /// Of events of one time: the hub.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hub: String,
    /// Of events of one time and hub: the number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub number: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Why a line is no request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// It is longer than [`MAX_REQUEST_BYTES`].
    #[error("a request has at most {MAX_REQUEST_BYTES} bytes")]
    TooLong,
    /// It is of another version.
    #[error(
        "this hub speaks version {VERSION}, and was asked in version {0}: use the programs of one release"
    )]
    Version(u32),
    /// It is not JSON of this form.
    #[error("no request: {0}")]
    Form(String),
    /// [`Request::who`] cannot be shown.
    #[error("who is at most {MAX_WHO_BYTES} bytes, without control characters")]
    Who,
}

impl Request {
    /// A request in this version.
    #[must_use]
    pub const fn new(who: Option<String>, ask: Operation) -> Self {
        Self { v: VERSION, who, ask }
    }

    /// Reads a line, with or without its end.
    ///
    /// # Errors
    ///
    /// [`RequestError`], a sentence for whoever asked.
    pub fn parse(line: &[u8]) -> Result<Self, RequestError> {
        /// The version alone, so that a later one is named and not taken for nonsense.
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        if line.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        match serde_json::from_slice::<Versioned>(line) {
            Ok(Versioned { v }) if v != VERSION => return Err(RequestError::Version(v)),
            Ok(_) | Err(_) => {}
        }
        let request: Self =
            serde_json::from_slice(line).map_err(|error| RequestError::Form(error.to_string()))?;
        match &request.who {
            Some(who) if who.len() > MAX_WHO_BYTES || who.chars().any(char::is_control) => {
                Err(RequestError::Who)
            }
            _ => Ok(request),
        }
    }
}
