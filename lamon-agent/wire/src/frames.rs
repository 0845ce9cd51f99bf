//! The frames of protocol versions 1 and 2, spoken after [`Hello`](crate::hello::Hello) and
//! [`Welcome`](crate::hello::Welcome), which agree on the version. Version 2 only adds frames.
//!
//! ```text
//! agent                                   hub
//!   Hello            ------------------->
//!                    <-------------------  Welcome(committed)
//!   Table, Samples   ------------------->  (live path at once; journal)
//!                    <-------------------  Ack(n)         all up to n are on disk
//!                    <-------------------  Rewind(n)      send again from n (to agents of version 2)
//!   Rewound(n)       ------------------->  what follows is sent again (version 2)
//!   Live             ------------------->  (live path only, while a backlog flows)
//!   Boot             ------------------->  whose clock stamped what follows (version 2)
//!   Tally            ------------------->  how many were taken, and what became of them (version 2)
//!   Pong             <------------------>  Ping
//! ```
//!
//! Times are the agent's monotonic clock; the hub lays them on its own timeline by the four timestamps of ping and pong.
//! Of a boot that ended only an [`Anchor`] is left.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::framing::{FrameTooLong, write_frame};
use crate::names::MetricName;
use crate::reading::{MAX_DECIMALS, Reading};

/// The most metrics of one node: at 1 KiB a line or 64 KiB a table, more could not be stated either.
pub const MAX_METRICS: usize = 512;

/// The longest label, in bytes: what a metric was called before its name was made.
pub const MAX_LABEL_BYTES: usize = 64;

/// The most samples of one frame: the frames of a backlog stay small enough that `Live` between them is not late.
pub const MAX_SAMPLES_PER_FRAME: usize = 256;

/// What an agent sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentFrame {
    /// Names the values of the samples that follow; sent again whenever the set of metrics changes.
    Table(Table),
    /// Samples in the order of their sequence numbers, to be acknowledged.
    Samples(Samples),
    /// The newest values, not acknowledged, so that a backlog does not make the picture old.
    Live(Live),
    /// The answer to a [`HubFrame::Ping`].
    Pong(Pong),
    /// Since version 2: whose clock stamped the [`Samples`](Self::Samples) that follow. Until the first one of a
    /// connection it is that of the hello, and of [`Live`](Self::Live) it always is.
    Boot(Boot),
    /// Since version 2: what became of the samples of this epoch. Sent behind the hello's answer, with every pong, and
    /// when samples are lost.
    Tally(Tally),
    /// Since version 2: the answer to a [`HubFrame::Rewind`], with its number. The samples before this were sent
    /// before the agent read it; those behind it come again from there, or from the oldest that the agent still has.
    Rewound(u64),
}

/// What a hub sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum HubFrame {
    /// Every sample of the epoch up to this sequence number is on disk (or was before).
    Ack(u64),
    /// The hub could not store the samples from this sequence number on and let them go: send them again. Only to agents
    /// of version 2, whose [`AgentFrame::Rewound`] tells where the answer begins.
    Rewind(u64),
    /// How this node is to be watched from now on.
    Settings(Settings),
    /// Answer with a [`Pong`] at once.
    Ping {
        /// The hub's monotonic clock, microseconds; comes back untouched.
        hub_us: u64,
    },
}

/// The meaning of a sample's values, by position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// A number for this set of metrics, unlike that of the table before.
    pub id: u16,
    /// The metrics, each name once, 1 to [`MAX_METRICS`].
    pub metrics: Vec<TableEntry>,
}

/// One metric of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableEntry {
    /// Its name; the unit follows from it ([`Unit::of`](crate::metric::Unit::of)).
    pub name: MetricName,
    /// What the system calls the thing (`/mnt/Data Disk`), empty where the name says it all; at most
    /// [`MAX_LABEL_BYTES`].
    pub label: String,
    /// Decimals of its [`Reading`]s, 0 to [`MAX_DECIMALS`].
    pub decimals: u8,
}

/// Ordered samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Samples {
    /// The [`Table::id`] that names the readings.
    pub table: u16,
    /// The sequence number of the first row; each following row has the next.
    pub first: u64,
    /// The agent's monotonic clock at the first row, milliseconds.
    pub monotonic_ms: u64,
    /// The samples, 1 to [`MAX_SAMPLES_PER_FRAME`].
    pub rows: Vec<Row>,
}

/// One sample of [`Samples`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Milliseconds since the row before; 0 in the first.
    pub after_ms: u32,
    /// One reading for each metric of the table.
    pub readings: Vec<Reading>,
}

/// The newest values of a node whose backlog is still on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The [`Table::id`] that names the readings.
    pub table: u16,
    /// The sequence number that this sample will have when it comes in its turn.
    pub sequence: u64,
    /// The agent's monotonic clock at the sample, milliseconds.
    pub monotonic_ms: u64,
    /// One reading for each metric of the table.
    pub readings: Vec<Reading>,
}

/// Three of the four timestamps of the exchange (RFC 5905 figure 2); the fourth is taken by the hub as this arrives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// From the [`HubFrame::Ping`].
    pub hub_us: u64,
    /// The agent's monotonic clock when the ping arrived, microseconds.
    pub received_us: u64,
    /// The agent's monotonic clock as it sends this, microseconds.
    pub sent_us: u64,
    /// The node's wall clock at the same instant as `sent_us`, unix microseconds UTC.
    pub wall_us: i64,
}

/// Whose monotonic clock stamped samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Boot {
    /// That of the boot that the hello names.
    This,
    /// That of a boot that ended.
    Earlier(Anchor),
}

/// One instant of a boot that ended: what its monotonic clock showed, and what time it was.
///
/// The agent takes the last word of a hub (its clock in the welcome: off by the time that travelled, milliseconds), or,
/// where none came in that boot, the node's own wall clock as it last was (off by as much as that). A sample is dated by
/// what its own stamp differs, so the node's quartz adds its drift for that time, 9 s a day at worst without NTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The monotonic clock of that boot, milliseconds.
    pub monotonic_ms: u64,
    /// The time, unix milliseconds UTC.
    pub unix_ms: i64,
}

/// The samples of an epoch, counted by its agent. What is in neither of the last two waits at the agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many were taken.
    pub taken: u64,
    /// How many of them hubs acknowledged.
    pub acknowledged: u64,
    /// How many of them are lost for good.
    pub lost: u64,
}

/// How a node is to be watched, as the hub's configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Milliseconds between samples; `None` leaves the agent's own.
    pub interval_ms: Option<u32>,
    /// Processes to count besides those of the agent's configuration; at most [`MAX_WATCHED`], each at most
    /// [`MAX_LABEL_BYTES`] long.
    pub watch: Vec<String>,
}

/// The most processes that one node watches by name.
pub const MAX_WATCHED: usize = 64;

/// Why a payload is no frame of these versions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// It does not decode.
    #[error("frame does not decode: {0}")]
    Decode(postcard::Error),
    /// Bytes are left over behind the frame.
    #[error("{0} bytes too many behind the frame")]
    Trailing(usize),
    /// A list is empty or longer than its limit.
    #[error("{count} {what} in a frame, expected 1 to {max}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many came.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A metric stands twice in a table.
    #[error("metric {0} stands twice in the table")]
    Twice(MetricName),
    /// A label or name of a process is longer than [`MAX_LABEL_BYTES`].
    #[error("text of {0} bytes, at most {MAX_LABEL_BYTES} are allowed")]
    TextTooLong(usize),
    /// More decimals than [`MAX_DECIMALS`].
    #[error("{0} decimals, at most {MAX_DECIMALS} are allowed")]
    Decimals(u8),
    /// Sequence numbers or times run over.
    #[error("sequence numbers or times of the samples run over")]
    Overflow,
    /// More samples acknowledged and lost than taken.
    #[error("a tally of {} taken samples, {} acknowledged and {} lost", .0.taken, .0.acknowledged, .0.lost)]
    Tally(Tally),
    /// An interval of 0 or over a day.
    #[error("interval of {0} ms, expected 1 ms to a day")]
    Interval(u32),
}

impl AgentFrame {
    /// Reads a payload and checks every limit; what names which table is left to the caller.
    ///
    /// # Errors
    ///
    /// [`FrameError`] says what is wrong; the stream behind it is still cut rightly.
    pub fn parse(payload: &[u8]) -> Result<Self, FrameError> {
        let frame = decode(payload)?;
        match &frame {
            Self::Table(table) => table.check()?,
            Self::Samples(samples) => samples.check()?,
            Self::Live(live) => count("readings", live.readings.len(), MAX_METRICS)?,
            Self::Tally(tally) => tally.check()?,
            Self::Pong(_) | Self::Boot(_) | Self::Rewound(_) => {}
        }
        Ok(frame)
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`].
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, self)
    }
}

impl HubFrame {
    /// Reads a payload and checks every limit.
    ///
    /// # Errors
    ///
    /// [`FrameError`] says what is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, FrameError> {
        let frame = decode(payload)?;
        if let Self::Settings(settings) = &frame {
            settings.check()?;
        }
        Ok(frame)
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`].
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        write_frame(out, self)
    }
}

impl Table {
    fn check(&self) -> Result<(), FrameError> {
        count("metrics", self.metrics.len(), MAX_METRICS)?;
        let mut seen = std::collections::HashSet::with_capacity(self.metrics.len());
        for entry in &self.metrics {
            if entry.decimals > MAX_DECIMALS {
                return Err(FrameError::Decimals(entry.decimals));
            }
            if entry.label.len() > MAX_LABEL_BYTES {
                return Err(FrameError::TextTooLong(entry.label.len()));
            }
            if !seen.insert(&entry.name) {
                return Err(FrameError::Twice(entry.name.clone()));
            }
        }
        Ok(())
    }
}

impl Samples {
    fn check(&self) -> Result<(), FrameError> {
        count("samples", self.rows.len(), MAX_SAMPLES_PER_FRAME)?;
        let span =
            self.rows.iter().try_fold(self.monotonic_ms, |sum, row| sum.checked_add(row.after_ms.into()));
        let last = u64::try_from(self.rows.len()).ok().and_then(|rows| self.first.checked_add(rows));
        if span.is_none() || last.is_none() {
            return Err(FrameError::Overflow);
        }
        for row in &self.rows {
            count("readings", row.readings.len(), MAX_METRICS)?;
        }
        Ok(())
    }
}

impl Tally {
    fn check(self) -> Result<(), FrameError> {
        match self.acknowledged.checked_add(self.lost) {
            Some(sum) if sum <= self.taken => Ok(()),
            _ => Err(FrameError::Tally(self)),
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), FrameError> {
        if self.watch.len() > MAX_WATCHED {
            return Err(FrameError::Count { what: "processes", count: self.watch.len(), max: MAX_WATCHED });
        }
        if let Some(long) = self.watch.iter().find(|name| name.len() > MAX_LABEL_BYTES) {
            return Err(FrameError::TextTooLong(long.len()));
        }
        match self.interval_ms {
            Some(ms) if !(1..=86_400_000).contains(&ms) => Err(FrameError::Interval(ms)),
            _ => Ok(()),
        }
    }
}

fn decode<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, FrameError> {
    let (frame, rest) = postcard::take_from_bytes(payload).map_err(FrameError::Decode)?;
    if rest.is_empty() { Ok(frame) } else { Err(FrameError::Trailing(rest.len())) }
}

fn count(what: &'static str, count: usize, max: usize) -> Result<(), FrameError> {
    if (1..=max).contains(&count) { Ok(()) } else { Err(FrameError::Count { what, count, max }) }
}
