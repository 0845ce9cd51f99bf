//! The frozen first exchange: whatever else changes, every hub reads every agent's [`Hello`] and every agent its hub's
//! [`Answer`].
//!
//! Both sides ignore bytes behind the fields they know, so that a later release may append some. The bytes of today are
//! kept in `tests/versions/`.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::framing::{FrameTooLong, write_frame};
use crate::names::NodeName;

/// The newest protocol version that this crate speaks; it speaks the older ones too. Hubs are upgraded before their agents.
///
/// - 2: agents tell of earlier boots and of what was lost, and answer rewinds.
/// - 1: the first.
pub const VERSION: u16 = 2;

/// The first version that has [`Boot`](crate::frames::Boot), [`Tally`](crate::frames::Tally) and rewinds.
pub const VERSION_HISTORY: u16 = 2;

/// The longest text of a [`Hello`], in bytes.
pub const MAX_TEXT_BYTES: usize = 64;

/// An agent's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest protocol version that the agent speaks. The hub answers with one not above it.
    pub version: u16,
    /// Who it speaks for.
    pub node: NodeName,
    /// The operating system in a few words, `Debian GNU/Linux 12`; at most [`MAX_TEXT_BYTES`].
    pub os: String,
    /// The agent's version; at most [`MAX_TEXT_BYTES`].
    pub agent_version: String,
    /// Changes at each boot of the node, and only then (Linux: `/proc/sys/kernel/random/boot_id`).
    pub boot_id: [u8; 16],
    /// Drawn at random when the agent starts with no sample kept; sequence numbers count within it.
    pub epoch: u32,
    /// Which entry of its list of hubs the agent is trying, from 0.
    pub hub_position: u8,
    /// Milliseconds between samples.
    pub interval_ms: u32,
    /// The agent's monotonic clock as it sends this, milliseconds since the node's boot.
    pub monotonic_ms: u64,
    /// The node's wall clock as it sends this, unix milliseconds UTC.
    pub wall_ms: i64,
}

/// What was appended to the [`Hello`] since the first release; an agent of that release sends none of it, and a hub of it
/// does not look there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// A secret of the hub's that lets the node in ([`MAX_TEXT_BYTES`] at most); told to a hub alone that is known by its key.
    pub join: Option<String>,
}

/// The hub's answer to a [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Go on.
    Welcome(Welcome),
    /// This hub does not serve now: try the next of the list, and this one again later.
    Standby {
        /// Why, for the agent's log.
        why: String,
    },
    /// This hub does not take this agent; trying again soon is useless, later may help.
    Refused {
        /// Why, for the agent's log.
        why: String,
    },
}

/// What an accepted agent needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version that both speak from here on.
    pub version: u16,
    /// The hub's clock, unix milliseconds UTC.
    pub hub_unix_ms: i64,
    /// The highest sequence number of the agent's epoch that is on the hub's disk; `None` when there is none.
    pub committed: Option<u64>,
    /// How many samples the agent may have sent and not seen acknowledged.
    pub window: u32,
}

/// Why a first frame is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HelloError {
    /// The payload does not decode.
    #[error("not a hello: {0}")]
    Decode(postcard::Error),
    /// A text is longer than [`MAX_TEXT_BYTES`].
    #[error("{field} of {bytes} bytes in the hello, at most {MAX_TEXT_BYTES} are allowed")]
    TextTooLong {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        bytes: usize,
    },
    /// The interval is 0 or longer than a day.
    #[error("interval of {0} ms in the hello, expected 1 ms to a day")]
    Interval(u32),
}

/// The longest interval that a hello may state, a day in milliseconds.
const MAX_INTERVAL_MS: u32 = 86_400_000;

impl Hello {
    /// Reads the payload of an agent's first frame.
    ///
    /// # Errors
    ///
    /// [`HelloError`] when it does not decode or breaks a limit.
    pub fn parse(payload: &[u8]) -> Result<Self, HelloError> {
        let (mut hello, _later_fields) =
            postcard::take_from_bytes::<Self>(payload).map_err(HelloError::Decode)?;
        for (field, text) in [("os", &mut hello.os), ("agent_version", &mut hello.agent_version)] {
            if text.len() > MAX_TEXT_BYTES {
                return Err(HelloError::TextTooLong { field, bytes: text.len() });
            }
            text.retain(is_shown);
        }
        if !(1..=MAX_INTERVAL_MS).contains(&hello.interval_ms) {
            return Err(HelloError::Interval(hello.interval_ms));
        }
        Ok(hello)
    }

    /// Reads what stands behind the fields of the first release. What makes no sense is as if it were not there: a later
    /// release knows what it is.
    #[must_use]
    pub fn parse_extra(payload: &[u8]) -> Extra {
        let extra = postcard::take_from_bytes::<Self>(payload)
            .and_then(|(_, rest)| postcard::take_from_bytes::<Extra>(rest))
            .map(|(extra, _later_fields)| extra)
            .unwrap_or_default();
        Extra { join: extra.join.filter(|secret| secret.len() <= MAX_TEXT_BYTES) }
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`] never happens within the limits of the fields.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, self)
    }

    /// Appends the frame to `out`, with what the first release does not know.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`] never happens within the limits of the fields.
    pub fn write_with(&self, extra: &Extra, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, &(self, extra))
    }
}

/// Not what moves a terminal's cursor, ends a line of a log, or turns the direction of writing: strangers say hello, and what they
/// say stands beside the key that somebody compares.
fn is_shown(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

impl Answer {
    /// Reads the payload of a hub's first frame.
    ///
    /// # Errors
    ///
    /// When it does not decode.
    pub fn parse(payload: &[u8]) -> Result<Self, postcard::Error> {
        postcard::take_from_bytes::<Self>(payload).map(|(answer, _later_fields)| answer)
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`] for a reason of 64 KiB.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, self)
    }
}
