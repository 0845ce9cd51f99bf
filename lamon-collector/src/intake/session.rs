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
mod tests {
    use lamon_wire::frames::{Anchor, Row, TableEntry};

    use super::*;

    const NOW_MS: i64 = 1_795_000_000_000;
    const NOW: HubClock = HubClock { monotonic_us: 0, unix_ms: NOW_MS };
    const LATER: HubClock = HubClock { monotonic_us: 20_000_000, unix_ms: NOW_MS + 20_000 };

    fn session() -> Session {
        let hello = Hello {
            version: 1,
            node: NodeName::new("ccd01").unwrap(),
            os: String::new(),
            agent_version: String::new(),
            boot_id: [0; 16],
            epoch: 9,
            hub_position: 0,
            interval_ms: 10_000,
            monotonic_ms: 1_000_000,
            wall_ms: NOW_MS - 250,
        };
        Session::new(&hello, NOW)
    }

    fn payload(frame: &AgentFrame) -> Vec<u8> {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        out.split_off(lamon_wire::framing::LENGTH_BYTES)
    }

    fn table() -> AgentFrame {
        let entry = |name, decimals| TableEntry {
            name: MetricName::new(name).unwrap(),
            label: String::new(),
            decimals,
        };
        AgentFrame::Table(Table { id: 4, metrics: vec![entry("cpu_percent", 2), entry("uptime", 0)] })
    }

    fn samples(table: u16, first: u64, rows: usize) -> AgentFrame {
        let row = |place| Row {
            after_ms: if place > 0 { 10_000 } else { 0 },
            readings: vec![
                Reading::new(3.5, 2),
                if place > 0 { Reading::NONE } else { Reading::new(77.0, 0) },
            ],
        };
        AgentFrame::Samples(Samples {
            table,
            first,
            monotonic_ms: 1_005_000,
            rows: (0..rows).map(row).collect(),
        })
    }

    #[test]
    fn samples_are_named_numbered_and_laid_on_the_hubs_time() {
        let mut session = session();
        assert_eq!(session.handle_frame(&payload(&table()), LATER), Ok(Brought::Nothing));
        let Brought::Ordered(made) = session.handle_frame(&payload(&samples(4, 20, 2)), LATER).unwrap()
        else {
            panic!("samples bring samples");
        };
        let seen: Vec<_> = made
            .iter()
            .map(|sample| {
                let values: Vec<_> =
                    sample.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                (sample.identity, sample.taken_ms - NOW_MS, values)
            })
            .collect();
        let identity = |sequence| Identity { epoch: 9, sequence };
        assert_eq!(
            seen,
            [
                (identity(20), 5_000, vec![("cpu_percent", 3.5), ("uptime", 77.0), ("clock_offset", 0.25)]),
                (identity(21), 15_000, vec![("cpu_percent", 3.5), ("clock_offset", 0.25)]),
            ]
        );
    }

    #[test]
    fn the_interval_is_the_hubs_while_it_names_one_and_then_the_agents_again() {
        let mut session = session();
        session.handle_frame(&payload(&table()), LATER).unwrap();
        let mut number = 0;
        let mut interval = |session: &mut Session| {
            number += 1;
            let live = Live { table: 4, sequence: number, monotonic_ms: 0, readings: vec![Reading::NONE; 2] };
            match session.handle_frame(&payload(&AgentFrame::Live(live)), LATER).unwrap() {
                Brought::Ahead(samples) => samples[0].interval.unwrap().as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(interval(&mut session), 10);
        for (interval_ms, seconds) in [(Some(60_000), 60), (Some(1), 1), (None, 10)] {
            session.settings_sent(&Settings { interval_ms, watch: Vec::new() });
            assert_eq!(interval(&mut session), seconds, "{interval_ms:?}");
        }
    }

    #[test]
    fn what_breaks_the_order_ends_the_connection() {
        let mut session = session();
        let mut take = |frame: &AgentFrame| session.handle_frame(&payload(frame), LATER).map(|_| ());
        assert_eq!(take(&samples(4, 1, 1)), Err(SessionError::Table { got: 4, expected: None }));
        take(&table()).unwrap();
        assert_eq!(take(&samples(5, 1, 1)), Err(SessionError::Table { got: 5, expected: Some(4) }));
        take(&samples(4, 1, 3)).unwrap();
        assert_eq!(take(&samples(4, 3, 1)), Err(SessionError::Order { got: 3, last: 3 }));
        // A gap is no fault: the agent's memory may have let its oldest samples go.
        take(&samples(4, 1_000, 1)).unwrap();
        let live = Live { table: 4, sequence: 2_000, monotonic_ms: 0, readings: vec![Reading::NONE] };
        assert_eq!(take(&AgentFrame::Live(live)), Err(SessionError::Readings { got: 1, expected: 2 }));
    }

    #[test]
    fn samples_of_an_earlier_boot_have_its_times_and_no_clock_offset() {
        let mut session = session();
        session.handle_frame(&payload(&table()), LATER).unwrap();
        let anchor = Anchor { monotonic_ms: 1_000_000, unix_ms: NOW_MS - 7_200_000 };
        session.handle_frame(&payload(&AgentFrame::Boot(Boot::Earlier(anchor))), LATER).unwrap();
        let mut take = |frame: &AgentFrame| match session.handle_frame(&payload(frame), LATER).unwrap() {
            Brought::Ordered(made) | Brought::Ahead(made) => {
                made.iter().map(|sample| (sample.taken_ms - NOW_MS, sample.metrics.len())).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        assert_eq!(take(&samples(4, 20, 2)), [(-7_195_000, 2), (-7_185_000, 1)]);
        let live = Live { table: 4, sequence: 90, monotonic_ms: 1_020_000, readings: vec![Reading::NONE; 2] };
        assert_eq!(take(&AgentFrame::Live(live)), [(20_000, 1)], "live is of this boot");
        assert_eq!(take(&AgentFrame::Boot(Boot::This)), []);
        assert_eq!(take(&samples(4, 30, 1)), [(5_000, 3)]);
    }

    #[test]
    fn what_comes_before_the_answer_to_a_rewind_is_only_shown() {
        let mut session = session();
        session.handle_frame(&payload(&table()), LATER).unwrap();
        let take = |session: &mut Session, frame| session.handle_frame(&payload(&frame), LATER);
        assert_eq!(take(&mut session, AgentFrame::Rewound(1)), Err(SessionError::Rewound));
        take(&mut session, samples(4, 1, WINDOW as usize)).unwrap();
        session.rewind();
        assert!(
            matches!(take(&mut session, samples(4, 65, 3)), Ok(Brought::Ahead(crossed)) if crossed.len() == 3)
        );
        assert_eq!(take(&mut session, AgentFrame::Rewound(1)), Ok(Brought::Nothing));
        let again = take(&mut session, samples(4, 1, WINDOW as usize));
        assert!(matches!(again, Ok(Brought::Ordered(samples)) if samples[0].identity.sequence == 1));
    }

    #[test]
    fn the_window_bounds_what_is_under_way() {
        let mut session = session();
        session.handle_frame(&payload(&table()), LATER).unwrap();
        let window = WINDOW as usize;
        session.handle_frame(&payload(&samples(4, 1, window)), LATER).unwrap();
        let more = payload(&samples(4, 1_000, 1));
        assert_eq!(session.handle_frame(&more, LATER), Err(SessionError::Window));
        session.acknowledged(1);
        assert!(session.handle_frame(&more, LATER).is_ok());
    }

    /// Frames as a confused agent might send them.
    fn any_frame() -> impl proptest::strategy::Strategy<Value = AgentFrame> {
        use proptest::prelude::*;
        prop_oneof![
            Just(table()),
            (3..6_u16, 0..60_u64, 1..40_usize).prop_map(|(table, first, rows)| samples(table, first, rows)),
            (3..6_u16, any::<u64>(), any::<u64>(), 0..4_usize).prop_map(
                |(table, sequence, monotonic_ms, readings)| {
                    AgentFrame::Live(Live {
                        table,
                        sequence,
                        monotonic_ms,
                        readings: vec![Reading::NONE; readings],
                    })
                }
            ),
        ]
    }

    proptest::proptest! {
        /// Numbers rise, the window holds, and every sample that is taken is counted, whatever the frames.
        #[test]
        fn any_frames_are_taken_in_order_or_refused(frames in proptest::collection::vec(any_frame(), 0..40)) {
            let mut session = session();
            let mut under_way = 0;
            let mut last = None;
            for frame in frames {
                match session.handle_frame(&payload(&frame), LATER) {
                    Ok(Brought::Ordered(samples)) => {
                        for sample in &samples {
                            proptest::prop_assert!(last.is_none_or(|last| sample.identity.sequence > last));
                            last = Some(sample.identity.sequence);
                        }
                        under_way += samples.len();
                    }
                    Ok(Brought::Ahead(samples)) => {
                        proptest::prop_assert!(samples.iter().all(|sample| sample.arrival == Arrival::Ahead));
                    }
                    Ok(Brought::Nothing | Brought::Tally(_)) | Err(_) => {}
                }
                proptest::prop_assert_eq!(session.under_way, under_way);
                proptest::prop_assert!(under_way <= WINDOW as usize);
            }
        }
    }
}
