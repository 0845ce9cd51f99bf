//! Nodes whose samples are timed from the send to a subscriber of the bus and to an RTS2 client, which are here too: one
//! process, one clock. The runtime of the nodes, the subscriber and the client have a thread each.
//!
//! A sample is known by its node and its sequence number, which stands in the message of the bus, and, as a value of
//! `nic_in`, in RTS2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lamon_tests::simulated::{BOOTED_MS, Identity, SimulatedAgent};
use lamon_wire::frames::{AgentFrame, HubFrame, Live, Row, Samples};
use lamon_wire::reading::Reading;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep};

use super::clock::{Board, Seen};
use super::{Busy, DECIMALS, INTERVAL, node_name, readings, table};
use crate::child::{answer, next_line};

/// What to load, and where it comes out.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    hub: SocketAddr,
    #[arg(long)]
    bus: String,
    #[arg(long)]
    relay: SocketAddr,
    #[arg(long)]
    relay_bus: String,
    #[arg(long)]
    centrald: SocketAddr,
    #[arg(long)]
    nodes: u32,
}

/// Nodes that are cut off for the backlog: the first.
const CUT_OFF: u32 = 100;

/// Samples of a frame of a backlog.
const FRAME: u64 = 32;

/// How long after a span its last samples may take to come out.
const LAST: Duration = Duration::from_millis(700);

/// Latencies, milliseconds; none when nothing was seen.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Latencies {
    pub(crate) count: u64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    pub(crate) max_ms: Option<f64>,
}

/// What a span told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) sent: u64,
    pub(crate) bus: Latencies,
    pub(crate) rts2: Latencies,
    /// Of a bare relay meanwhile.
    pub(crate) relay: Latencies,
}

/// What a backlog told.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Backlog {
    /// Of fresh samples meanwhile.
    pub(crate) report: Report,
    /// Samples of the backlog.
    pub(crate) samples: u64,
    /// From the first agent's reconnect until the bus had shown a fresh sample of each; none when it did not.
    pub(crate) live_seconds: Option<f64>,
    /// And until the last sample of the backlog was acknowledged.
    pub(crate) drained_seconds: f64,
    /// CPU of the busiest thread of this process, in percent of a core.
    pub(crate) busiest_percent: f64,
}

/// Answers `true` when all nodes are there and followed; then `measure SECONDS` by a [`Report`], `backlog SAMPLES` by a
/// [`Backlog`].
pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let board = Arc::new(Board::new(options.nodes));
    super::clock::subscribe(&options.bus, Arc::clone(&board))?;
    super::clock::relay(options.relay, &options.relay_bus, Arc::clone(&board))?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(options, board))
}

async fn serve(options: Options, board: Arc<Board>) -> anyhow::Result<()> {
    let (cut, cuts) = watch::channel(0_u64);
    let (drained_in, mut drained) = mpsc::unbounded_channel();
    let mut nodes = JoinSet::new();
    let begin = Instant::now() + Duration::from_secs(3);
    for number in 0..options.nodes {
        let identity =
            Identity { interval: INTERVAL, ..Identity::new(&node_name(number), fastrand::u32(..)) };
        let node = Node {
            number,
            hub: options.hub,
            agent: SimulatedAgent::connect(options.hub, &identity).await?,
            identity,
            taken: 0,
            random: fastrand::Rng::with_seed(number.into()),
            board: Arc::clone(&board),
        };
        let first = begin + INTERVAL.mul_f64(f64::from(number) / f64::from(options.nodes));
        nodes.spawn(node.run(first, cuts.clone(), drained_in.clone()));
    }
    // Every node has sent once, so every value is declared.
    tokio::time::sleep_until(begin + INTERVAL + Duration::from_secs(1)).await;
    super::clock::follow(options.centrald, options.nodes, Arc::clone(&board))?;
    sleep(Duration::from_secs(2)).await;
    answer(&true)?;
    let (lines_in, mut lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || while next_line().is_some_and(|line| lines_in.send(line).is_ok()) {});
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            Some(node) = nodes.join_next() => return node?,
        };
        let Some(line) = line else { return Ok(()) };
        match line.split_once(' ') {
            Some(("measure", seconds)) => {
                let span = sleep(Duration::from_secs(seconds.parse()?));
                board.begin();
                span.await;
                let sent = board.end();
                sleep(LAST).await;
                answer(&report(&board, sent))?;
            }
            Some(("backlog", samples)) => {
                let samples: u64 = samples.parse()?;
                let (busy, began) = (Busy::watch(), Instant::now());
                board.begin();
                board.expect_live(CUT_OFF.min(options.nodes));
                cut.send_replace(samples);
                for _ in 0..CUT_OFF.min(options.nodes) {
                    tokio::select! {
                        _ = drained.recv() => {}
                        Some(node) = nodes.join_next() => return node?,
                    }
                }
                let drained_seconds = began.elapsed().as_secs_f64();
                let busiest_percent = busy.busiest_percent();
                let sent = board.end();
                sleep(LAST).await;
                answer(&Backlog {
                    report: report(&board, sent),
                    samples: samples * u64::from(CUT_OFF.min(options.nodes)),
                    live_seconds: board.live_after(began.into_std()),
                    drained_seconds,
                    busiest_percent,
                })?;
            }
            _ => anyhow::bail!("what is \"{line}\"?"),
        }
    }
}

fn report(board: &Board, sent: u64) -> Report {
    let of = |by| latencies(board.take(by));
    Report { sent, bus: of(Seen::Bus), rts2: of(Seen::Rts2), relay: of(Seen::Relay) }
}

fn latencies(mut all: Vec<Duration>) -> Latencies {
    all.sort_unstable();
    let at = |permille: usize| {
        let place = (all.len() * permille / 1_000).min(all.len().saturating_sub(1));
        all.get(place).map(|latency| latency.as_secs_f64() * 1e3)
    };
    let count = u64::try_from(all.len()).unwrap_or(0);
    Latencies { count, p50_ms: at(500), p99_ms: at(990), max_ms: at(1_000) }
}

/// One node.
struct Node {
    number: u32,
    hub: SocketAddr,
    agent: SimulatedAgent,
    identity: Identity,
    /// Its newest sequence number.
    taken: u64,
    random: fastrand::Rng,
    board: Arc<Board>,
}

impl Node {
    async fn run(
        mut self,
        first: Instant,
        mut cuts: watch::Receiver<u64>,
        drained: mpsc::UnboundedSender<()>,
    ) -> anyhow::Result<()> {
        self.agent.send_table(1, &table()).await?;
        let mut ticks = interval_at(first, INTERVAL);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.taken += 1;
                    let readings = self.readings(self.taken);
                    self.board.sent(self.number, self.taken);
                    self.agent.send_samples(1, self.taken, vec![readings]).await?;
                }
                frame = self.agent.next() => anyhow::ensure!(frame?.is_some(), "the hub closed a connection"),
                changed = cuts.changed() => {
                    changed?;
                    let samples = *cuts.borrow_and_update();
                    if self.number < CUT_OFF {
                        self.come_back(samples, &mut ticks).await?;
                        drained.send(())?;
                    }
                }
            }
        }
    }

    /// Connects again after so many samples, and sends them: the newest as `Live`, and all in their turn.
    async fn come_back(&mut self, samples: u64, ticks: &mut tokio::time::Interval) -> anyhow::Result<()> {
        let mut next = self.taken + 1;
        self.taken += samples;
        self.agent = SimulatedAgent::connect(self.hub, &self.identity).await?;
        self.agent.send_table(1, &table()).await?;
        self.live().await?;
        let window = u64::from(self.agent.welcome().window);
        let mut acknowledged = next - 1;
        while acknowledged < self.taken {
            while next <= self.taken && next + FRAME.min(window) <= acknowledged + window + 1 {
                let rows = FRAME.min(window).min(self.taken - next + 1);
                self.backlog(next, rows).await?;
                next += rows;
            }
            tokio::select! {
                _ = ticks.tick() => {
                    self.taken += 1;
                    self.live().await?;
                }
                frame = self.agent.next() => match frame? {
                    Some(HubFrame::Ack(upto)) => acknowledged = upto,
                    Some(_) => {}
                    None => anyhow::bail!("the hub closed a connection"),
                },
            }
        }
        Ok(())
    }

    /// The newest sample, ahead of its turn.
    async fn live(&mut self) -> anyhow::Result<()> {
        let readings = self.readings(self.taken);
        let monotonic_ms = self.agent.monotonic_ms();
        self.board.sent(self.number, self.taken);
        let live = Live { table: 1, sequence: self.taken, monotonic_ms, readings };
        self.agent.send(&AgentFrame::Live(live)).await
    }

    /// Samples in their turn, stamped as they were taken: an interval apart, the newest now.
    async fn backlog(&mut self, first: u64, count: u64) -> anyhow::Result<()> {
        let interval_ms = u32::try_from(INTERVAL.as_millis())?;
        let rows = (first..first + count)
            .map(|sequence| Row {
                after_ms: if sequence == first { 0 } else { interval_ms },
                readings: self.readings(sequence),
            })
            .collect();
        let age_ms = (self.taken - first) * u64::from(interval_ms);
        let monotonic_ms = self.agent.monotonic_ms().max(BOOTED_MS).saturating_sub(age_ms);
        self.agent.send(&AgentFrame::Samples(Samples { table: 1, first, monotonic_ms, rows })).await
    }

    fn readings(&mut self, sequence: u64) -> Vec<Reading> {
        let mut readings = readings(&mut self.random);
        let place = table().iter().position(|(name, _)| *name == "nic_in").unwrap_or(0);
        if let Some(reading) = readings.get_mut(place) {
            *reading = Reading::new(crate::report::number(sequence), DECIMALS);
        }
        readings
    }
}
