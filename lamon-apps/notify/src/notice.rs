//! One message to one channel.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lamon_bus::Level;
use serde::{Deserialize, Serialize};

/// What is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    /// A line: what it is about.
    pub(crate) title: String,
    /// Sentences, a line each.
    pub(crate) text: String,
    /// The worst that it tells.
    pub(crate) level: Level,
    /// The nodes that it tells of.
    pub(crate) nodes: Vec<String>,
    /// The route that wanted it.
    pub(crate) route: String,
    /// When it was made, unix seconds UTC.
    pub(crate) time: f64,
}

impl Message {
    /// The time for people, of this computer's time zone.
    pub(crate) fn local_time(&self) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole seconds, and outside of any year it is no time"
        )]
        let time = Timestamp::from_second(self.time as i64).unwrap_or(Timestamp::UNIX_EPOCH);
        time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }
}

/// A message on its way to a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Tells it apart from others to the same channel: one that a crash would bring again has the mark that it had.
    pub(crate) mark: String,
    /// Where to.
    pub(crate) channel: String,
    /// Where to when that fails for so long.
    pub(crate) fallback: Option<Fallback>,
    /// Of a mail's recipients these alone, who did not get it with the others; empty is everybody.
    #[serde(default)]
    pub(crate) only: Vec<String>,
    /// What.
    pub(crate) message: Message,
}

/// Where a notice goes that cannot be delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    /// The other channel.
    pub(crate) channel: String,
    /// Seconds after the message was made.
    pub(crate) after: f64,
}
