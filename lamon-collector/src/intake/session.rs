//! What an agent's frames mean. Pure: frames and the time in, samples out.

use std::sync::Arc;
use std::time::Duration;

use lamon_wire::frames::{AgentFrame, Boot, FrameError, Live, Samples, Settings, Table, Tally};
use lamon_wire::hello::Hello;
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::Reading;
use thiserror::Error;

use super::timeline::{HubClock, Timeline};
use crate::sample::{Arrival, Identity, Sample};

/// How many samples an agent may have on their way to the hub's disk. Sixty-four samples of a thousand agents, all with
/// a backlog and a journal that hangs, are 25 MB; and at a commit of a few milliseconds one agent's backlog of a day
/// still comes in within seconds.
pub(super) const WINDOW: u32 = 64;

/// Why a connection of an agent must end. The agent connects again and starts from what is committed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum SessionError {
    /// The frame is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Samples name a table that is not the last one sent.
    #[error("samples of table {got}, but the last table sent is {expected:?}")]
    Table {
        /// What they name.
        got: u16,
        /// The last table's number.
        expected: Option<u16>,
    },
    /// A row has not one reading for each metric.
    #[error("{got} readings for a table of {expected} metrics")]
    Readings {
        /// How many came.
        got: usize,
        /// How many metrics the table has.
        expected: usize,
    },
    /// Sequence numbers go back within a connection.
    #[error("sample {got} came after sample {last}")]
    Order {
        /// What came.
        got: u64,
        /// What had come.
        last: u64,
    },
    /// The agent answers a rewind that it was not sent.
    #[error("an answer to a rewind, without one")]
    Rewound,
    /// The agent has more unacknowledged samples under way than it was allowed.
    #[error("more than {WINDOW} samples under way")]
    Window,
}

/// What a frame brought.
#[derive(Debug, PartialEq)]
pub(super) enum Brought {
    /// Samples in their turn, for the live path and for the disk.
    Ordered(Vec<Arc<Sample>>),
    /// Samples ahead of their turn, for the live path alone.
    Ahead(Vec<Arc<Sample>>),
    /// What became of the epoch's samples.
    Tally(Tally),
    /// Nothing to hand on.
    Nothing,
}

/// One connection of an agent that was let in.
#[derive(Debug)]
pub(super) struct Session {
    node: NodeName,
    epoch: u32,
    /// The agent's own interval, at which it samples while the hub names no other.
    own_interval: Duration,
    interval: Duration,
    table: Option<Known>,
    timeline: Timeline,
    last: Option<u64>,
    under_way: usize,
    /// Samples were let go, and those that come are not in their turn until the agent's answer to the rewind.
    rewinding: bool,
    /// Whose clock stamps the samples.
    boot: Boot,
    clock_offset: MetricName,
}

/// A table with its names ready to be shared by samples.
#[derive(Debug)]
struct Known {
    id: u16,
    metrics: Vec<(MetricName, u8)>,
}

impl Session {
    /// A session that begins with a hello, which arrived now.
    pub(super) fn new(hello: &Hello, now: HubClock) -> Self {
        #[expect(clippy::expect_used, reason = "a literal that is a name")]
        let clock_offset = MetricName::new("clock_offset").expect("a name");
        Self {
            node: hello.node.clone(),
            epoch: hello.epoch,
            own_interval: believed(hello.interval_ms),
            interval: believed(hello.interval_ms),
            table: None,
            timeline: Timeline::new(now, hello.monotonic_ms, hello.wall_ms),
            last: None,
            under_way: 0,
            rewinding: false,
            boot: Boot::This,
            clock_offset,
        }
    }

    /// The agent was told how to watch; its samples come at this interval from now on.
    pub(super) fn settings_sent(&mut self, settings: &Settings) {
        self.interval = settings.interval_ms.map_or(self.own_interval, believed);
    }

    /// Takes up a frame's payload, which arrived now.
    ///
    /// # Errors
    ///
    /// [`SessionError`]: the connection must end.
    pub(super) fn handle_frame(&mut self, payload: &[u8], now: HubClock) -> Result<Brought, SessionError> {
        match AgentFrame::parse(payload)? {
            AgentFrame::Table(table) => self.table = Some(Known::from(table)),
            AgentFrame::Pong(pong) => self.timeline.exchange(&pong, now),
            AgentFrame::Boot(boot) => self.boot = boot,
            AgentFrame::Tally(tally) => return Ok(Brought::Tally(tally)),
            AgentFrame::Rewound(_) if self.rewinding => (self.rewinding, self.last) = (false, None),
            AgentFrame::Rewound(_) => return Err(SessionError::Rewound),
            AgentFrame::Live(live) => return self.live(&live, now).map(|live| Brought::Ahead(vec![live])),
            AgentFrame::Samples(samples) if self.rewinding => {
                return self.rows(&samples, now, Arrival::Ahead).map(Brought::Ahead);
            }
            AgentFrame::Samples(samples) => return self.samples(&samples, now).map(Brought::Ordered),
        }
        Ok(Brought::Nothing)
    }

    /// All samples that are not acknowledged were let go, and the agent is asked to send them again.
    pub(super) const fn rewind(&mut self) {
        (self.rewinding, self.under_way) = (true, 0);
    }

    /// So many samples were acknowledged.
    pub(super) const fn acknowledged(&mut self, count: usize) {
        self.under_way = self.under_way.saturating_sub(count);
    }

    fn live(&self, live: &Live, now: HubClock) -> Result<Arc<Sample>, SessionError> {
        let known = self.known(live.table)?;
        let age = self.timeline.age(now, live.monotonic_ms);
        self.sample(known, live.sequence, (now, age, true), &live.readings, Arrival::Ahead).map(Arc::new)
    }

    fn samples(&mut self, samples: &Samples, now: HubClock) -> Result<Vec<Arc<Sample>>, SessionError> {
        if let Some(last) = self.last.filter(|last| samples.first <= *last) {
            return Err(SessionError::Order { got: samples.first, last });
        }
        if self.under_way + samples.rows.len() > WINDOW as usize {
            return Err(SessionError::Window);
        }
        let made = self.rows(samples, now, Arrival::Ordered)?;
        self.last = made.last().map(|sample| sample.identity.sequence);
        self.under_way += made.len();
        Ok(made)
    }

    fn rows(
        &self,
        samples: &Samples,
        now: HubClock,
        arrival: Arrival,
    ) -> Result<Vec<Arc<Sample>>, SessionError> {
        let known = self.known(samples.table)?;
        let mut monotonic_ms = samples.monotonic_ms;
        let mut made = Vec::with_capacity(samples.rows.len());
        for (sequence, row) in (samples.first..).zip(&samples.rows) {
            monotonic_ms += u64::from(row.after_ms);
            let (age, this) = match self.boot {
                Boot::This => (self.timeline.age(now, monotonic_ms), true),
                Boot::Earlier(anchor) => (self.timeline.age_of_earlier(now, anchor, monotonic_ms), false),
            };
            let sample = self.sample(known, sequence, (now, age, this), &row.readings, arrival)?;
            made.push(Arc::new(sample));
        }
        Ok(made)
    }

    fn known(&self, id: u16) -> Result<&Known, SessionError> {
        let known = self.table.as_ref().filter(|known| known.id == id);
        known.ok_or(SessionError::Table { got: id, expected: self.table.as_ref().map(|known| known.id) })
    }

    fn sample(
        &self,
        known: &Known,
        sequence: u64,
        (now, age, this_boot): (HubClock, Duration, bool),
        readings: &[Reading],
        arrival: Arrival,
    ) -> Result<Sample, SessionError> {
        if readings.len() != known.metrics.len() {
            return Err(SessionError::Readings { got: readings.len(), expected: known.metrics.len() });
        }
        let values = known.metrics.iter().zip(readings);
        let values =
            values.filter_map(|((name, decimals), reading)| Some((name.clone(), reading.value(*decimals)?)));
        let mut metrics: Vec<_> = Vec::with_capacity(readings.len() + 1);
        metrics.extend(values.filter(|(name, _)| *name != self.clock_offset));
        // What the node's clock is off now says nothing of an earlier boot.
        if this_boot {
            metrics.push((self.clock_offset.clone(), self.timeline.clock_offset_seconds()));
        }
        Ok(Sample {
            node: self.node.clone(),
            identity: Identity { epoch: self.epoch, sequence },
            taken_ms: now.unix_ms - i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
            age,
            interval: Some(self.interval),
            arrival,
            metrics,
        })
    }
}

/// An interval as the watch takes it.
fn believed(interval_ms: u32) -> Duration {
    Duration::from_millis(interval_ms.into()).max(Sample::SHORTEST_INTERVAL)
}

impl From<Table> for Known {
    fn from(table: Table) -> Self {
        let metrics = table.metrics.into_iter().map(|entry| (entry.name, entry.decimals)).collect();
        Self { id: table.id, metrics }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
