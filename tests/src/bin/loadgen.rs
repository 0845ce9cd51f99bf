//! Makes the load of many nodes on a hub, speaking the real protocol of agents from one process.
//!
//! Each simulated node has a connection and a task of its own. It takes a sample every interval, keeps what is not
//! acknowledged, and sends within the hub's window, as an agent does.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use lamon_daemon::seconds::Seconds;
use lamon_keys::JoinToken;
use lamon_tests::keyed;
use lamon_tests::simulated::{Identity, InTls, NodeClock, SimulatedAgent};
use lamon_wire::frames::{AgentFrame, HubFrame, MAX_METRICS};
use lamon_wire::reading::Reading;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, sleep_until};

/// Simulates many nodes on one hub, and says what it takes.
///
/// The hub must take plain connections from here (plain_from in the section intake of its configuration), or let the nodes in by a
/// secret, with keys and in TLS.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version = lamon_daemon::VERSION, after_help = "Examples:
  loadgen --nodes 100 --interval 10                 a hundred computers, as they are
  loadgen --nodes 1000 --interval 1 --duration 30   how much a hub takes
  loadgen --nodes 10 --interval 10 --backlog 8640   ten computers that were cut off for a day
  lamon join '*' --nodes 100 > join; loadgen --nodes 100 --join join --keys keys   the hundred in TLS")]
struct Options {
    /// How many nodes: load0001, load0002, …
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    nodes: u32,
    /// Time between the samples of each.
    #[arg(long, default_value = "10s")]
    interval: Seconds,
    /// The hub.
    #[arg(long, value_name = "HOST:PORT", default_value_t = format!("localhost:{}", lamon_wire::PORT))]
    hub: String,
    /// Metrics of each sample: the core metrics first.
    #[arg(long, default_value_t = 9)]
    metrics: usize,
    /// How long, then it ends by itself; until Ctrl-C when not given.
    #[arg(long)]
    duration: Option<Seconds>,
    /// Speak TLS, let in by the token in this file: lamon join '*' --nodes N, on the hub.
    #[arg(long, value_name = "FILE")]
    join: Option<PathBuf>,
    /// With --join, where the nodes' keys are kept from one run to the next; made anew each time when not given, and such nodes
    /// are strangers the next time.
    #[arg(long, value_name = "FOLDER", requires = "join")]
    keys: Option<PathBuf>,
    /// Samples that each node has waiting from the start.
    #[arg(long, value_name = "SAMPLES", default_value_t = 0)]
    backlog: u64,
}

/// How many latencies are kept for a report; more are not needed for its percentiles.
const MAX_LATENCIES: usize = 100_000;

/// How long between reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How long a node waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(2);

/// The most samples of a frame that a node sends at once.
const FRAME_SAMPLES: u64 = 32;

/// What all nodes did since the last report.
#[derive(Debug, Default)]
struct Counts {
    connected: AtomicU64,
    sent: AtomicU64,
    acknowledged: AtomicU64,
    latencies: Mutex<Vec<Duration>>,
    last_error: Mutex<Option<String>>,
}

impl Counts {
    fn failed(&self, error: &anyhow::Error) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{error:#}"));
    }

    fn latency(&self, latency: Duration) {
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        if latencies.len() < MAX_LATENCIES {
            latencies.push(latency);
        }
    }

    fn take_latencies(&self) -> Vec<Duration> {
        let mut latencies =
            std::mem::take(&mut *self.latencies.lock().unwrap_or_else(PoisonError::into_inner));
        latencies.sort_unstable();
        latencies
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Arc::new(Options::parse());
    anyhow::ensure!((1..=MAX_METRICS).contains(&options.metrics), "1 to {MAX_METRICS} metrics");
    anyhow::ensure!(!options.interval.duration().is_zero(), "an interval of 0 is none");
    let names: Arc<Vec<String>> = Arc::new(metric_names(options.metrics));
    let scratch = tempfile::tempdir().context("no folder for keys")?;
    let keys = match &options.join {
        Some(file) => Some(Keys::read(file, options.keys.as_deref().unwrap_or(scratch.path()))?),
        None => None,
    };
    let counts = Arc::new(Counts::default());
    let mut nodes = JoinSet::new();
    for number in 1..=options.nodes {
        let (options, names, counts) = (Arc::clone(&options), Arc::clone(&names), Arc::clone(&counts));
        let mut node = Node::new(number, &options);
        node.tls = keys.as_ref().map(|keys| keys.of(&node.identity.node)).transpose()?;
        nodes.spawn(async move { node.run(&options, &names, &counts).await });
    }
    let end = options.duration.map(|duration| Instant::now() + duration.duration());
    let stop = lamon_daemon::signals::shutdown().context("cannot listen for signals")?;
    let began = Instant::now();
    loop {
        let next = Instant::now() + REPORT_EVERY;
        let next = end.map_or(next, |end| end.min(next));
        let from = Instant::now();
        tokio::select! {
            () = sleep_until(next) => {}
            () = stop.cancelled() => {}
        }
        report(&counts, options.nodes, began.elapsed(), from.elapsed());
        if stop.is_cancelled() || end.is_some_and(|end| Instant::now() >= end) {
            return Ok(());
        }
    }
}

/// Names of metrics as agents send them: the core first, which agents do not measure left out, then disks and interfaces.
fn metric_names(count: usize) -> Vec<String> {
    let core = lamon_wire::metric::CORE.iter().filter(|name| **name != "clock_offset");
    let more = (1..).map(|number: u32| match number % 3 {
        1 => format!("disk_d{number:03}_percent"),
        2 => format!("disk_d{number:03}_free"),
        _ => format!("nic_n{number:03}_in"),
    });
    core.map(ToString::to_string).chain(more).take(count).collect()
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn report(counts: &Counts, nodes: u32, total: Duration, span: Duration) {
    let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let rate = |count: u64| count as f64 / span.as_secs_f64().max(0.001);
    let latencies = counts.take_latencies();
    let percentile = |percent: usize| {
        let place = latencies.len() * percent / 100;
        latencies.get(place.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default().as_secs_f64()
            * 1e3
    };
    println!(
        "{:6.0} s  {} of {nodes} nodes  {:9.1} samples/s sent  {:9.1}/s acknowledged  to ack: median {:.0} ms, 99 % {:.0} ms",
        total.as_secs_f64(),
        counts.connected.load(Ordering::Relaxed),
        rate(take(&counts.sent)),
        rate(take(&counts.acknowledged)),
        percentile(50),
        percentile(99),
    );
    if let Some(error) = counts.last_error.lock().unwrap_or_else(PoisonError::into_inner).take() {
        println!("          the last failure: {error}");
    }
}

/// Keys of nodes that are let in by a token.
struct Keys {
    token: JoinToken,
    folder: PathBuf,
}

impl Keys {
    fn read(file: &Path, folder: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let token = text.trim().parse().with_context(|| format!("{} is wrong", file.display()))?;
        Ok(Self { token, folder: std::path::absolute(folder)? })
    }

    fn of(&self, node: &str) -> anyhow::Result<InTls> {
        let (tls, _) = keyed::key(&self.folder, node, self.token.hub())?;
        Ok(InTls { join: Some(self.token.secret().to_owned()), ..tls })
    }
}

/// One simulated node.
struct Node {
    identity: Identity,
    /// Its key; plain when it has none.
    tls: Option<InTls>,
    /// When each sample that is not acknowledged was taken; the first is `first`.
    waiting: VecDeque<Instant>,
    first: u64,
    /// The next to be sent.
    next: u64,
    random: fastrand::Rng,
}

impl Node {
    fn new(number: u32, options: &Options) -> Self {
        let now = Instant::now();
        let backlog = usize::try_from(options.backlog).unwrap_or(usize::MAX);
        Self {
            identity: Identity {
                node: format!("load{number:04}"),
                epoch: fastrand::u32(..),
                interval: options.interval.duration(),
            },
            tls: None,
            waiting: std::iter::repeat_n(now, backlog).collect(),
            first: 1,
            next: 1,
            random: fastrand::Rng::new(),
        }
    }

    async fn run(mut self, options: &Options, names: &[String], counts: &Counts) {
        // Nodes do not all sample at the same instant.
        let interval = options.interval.duration();
        let phase = interval.mul_f64(self.random.f64());
        let mut ticks = interval_at(Instant::now() + phase, interval);
        loop {
            let connect = SimulatedAgent::connect_over(
                options.hub.as_str(),
                &self.identity,
                NodeClock::new(),
                self.tls.as_ref(),
            );
            let lost = match connect.await {
                Ok(agent) => {
                    counts.connected.fetch_add(1, Ordering::Relaxed);
                    let lost = self.serve(agent, &mut ticks, names, counts).await;
                    counts.connected.fetch_sub(1, Ordering::Relaxed);
                    lost
                }
                Err(error) => Err(error),
            };
            if let Err(error) = lost {
                counts.failed(&error);
            }
            sleep(RECONNECT).await;
        }
    }

    async fn serve(
        &mut self,
        mut agent: SimulatedAgent,
        ticks: &mut tokio::time::Interval,
        names: &[String],
        counts: &Counts,
    ) -> anyhow::Result<()> {
        let table: Vec<_> = names.iter().map(|name| (name.as_str(), 2)).collect();
        agent.send_table(1, &table).await?;
        if let Some(committed) = agent.welcome().committed {
            self.acknowledge(committed, counts);
        }
        self.next = self.first;
        let window = u64::from(agent.welcome().window);
        loop {
            let taken = self.first + u64::try_from(self.waiting.len())?;
            while self.next < taken && self.next < self.first + window {
                let last = taken.min(self.first + window).min(self.next + FRAME_SAMPLES);
                let rows = (self.next..last).map(|_| self.readings(names.len())).collect();
                agent.send_samples(1, self.next, rows).await?;
                counts.sent.fetch_add(last - self.next, Ordering::Relaxed);
                self.next = last;
            }
            tokio::select! {
                _ = ticks.tick() => self.waiting.push_back(Instant::now()),
                frame = agent.next() => match frame? {
                    Some(HubFrame::Ack(upto)) => self.acknowledge(upto, counts),
                    Some(HubFrame::Rewind(from)) => {
                        agent.send(&AgentFrame::Rewound(from)).await?;
                        self.next = from.max(self.first);
                    }
                    Some(_) => {}
                    None => anyhow::bail!("the hub closed the connection of {}", self.identity.node),
                },
            }
        }
    }

    fn acknowledge(&mut self, upto: u64, counts: &Counts) {
        while self.first <= upto
            && let Some(taken) = self.waiting.pop_front()
        {
            counts.latency(taken.elapsed());
            counts.acknowledged.fetch_add(1, Ordering::Relaxed);
            self.first += 1;
        }
    }

    /// Values that stay within the built-in limits, and that change from sample to sample.
    fn readings(&mut self, count: usize) -> Vec<Reading> {
        (0..count).map(|_| Reading::new(self.random.f64() * 45.0, 2)).collect()
    }
}
