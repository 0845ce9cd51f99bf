//! Nodes as they are every day, which come back when their hub was away, as agents do: with the same waits, and with all that is not
//! acknowledged.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_keys::Fingerprint;
use lamon_tests::keyed;
use lamon_tests::simulated::{Identity, InTls, NodeClock, SimulatedAgent};
use lamon_wire::frames::HubFrame;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep, timeout};

use super::{INTERVAL, node_name, readings, table};
use crate::child::{answer, next_line};

/// What to load.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    hub: SocketAddr,
    #[arg(long)]
    nodes: u32,
    /// Where the nodes' keys are; plain when not given.
    #[arg(long)]
    keys: Option<PathBuf>,
    /// The hub's key.
    #[arg(long)]
    hub_key: Option<Fingerprint>,
}

/// How long an agent lets a connection take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How a storm went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Storm {
    /// Until half of the nodes were back, and everything of theirs acknowledged, seconds.
    pub(crate) half: f64,
    /// Until all were.
    pub(crate) all: f64,
    /// Connections that came to nothing meanwhile.
    pub(crate) failed: u64,
    /// How many nodes were not acknowledged everything, after minutes.
    pub(crate) missing: u32,
}

/// The address that a node comes from: each has one of its own, as at a site.
pub(crate) fn address_of(number: u32) -> IpAddr {
    let [_, _, high, low] = number.to_be_bytes();
    IpAddr::from([127, 1, high, low.max(1)])
}

/// Answers `true` when every node's first sample is acknowledged; then each line, which comes when the hub goes, by a [`Storm`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: &Options) -> anyhow::Result<()> {
    let failed = Arc::new(AtomicU64::new(0));
    let (storms, storm) = watch::channel(0_u32);
    let (done_in, mut done) = mpsc::unbounded_channel();
    let mut nodes = JoinSet::new();
    for number in 0..options.nodes {
        let tls = match (&options.keys, options.hub_key) {
            (Some(folder), Some(hub)) => {
                let (tls, _) = keyed::key(folder, &node_name(number), hub)?;
                Some(InTls { from: Some(address_of(number)), ..tls })
            }
            _ => None,
        };
        let node = Node {
            hub: options.hub,
            identity: Identity { interval: INTERVAL, ..Identity::new(&node_name(number), fastrand::u32(..)) },
            tls,
            clock: NodeClock::new(),
            waiting: VecDeque::new(),
            taken: 0,
            random: fastrand::Rng::with_seed(number.into()),
            failed: Arc::clone(&failed),
        };
        nodes.spawn(node.run(number, storm.clone(), done_in.clone()));
    }
    drop((storm, done_in));
    for _ in 0..options.nodes {
        anyhow::ensure!(done.recv().await.is_some(), "no node is left");
    }
    answer(&true)?;
    let (lines_in, mut lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || while next_line().is_some_and(|line| lines_in.send(line).is_ok()) {});
    while lines.recv().await.is_some() {
        let began = Instant::now();
        failed.store(0, Ordering::Relaxed);
        storms.send_modify(|number| *number += 1);
        let (mut half, mut all, mut missing) = (f64::NAN, f64::NAN, options.nodes);
        while missing > 0
            && let Ok(Some(())) = timeout(Duration::from_secs(180), done.recv()).await
        {
            missing -= 1;
            if missing == options.nodes / 2 {
                half = began.elapsed().as_secs_f64();
            }
            all = began.elapsed().as_secs_f64();
        }
        answer(&Storm { half, all, failed: failed.load(Ordering::Relaxed), missing })?;
    }
    Ok(())
}

/// One node.
struct Node {
    hub: SocketAddr,
    identity: Identity,
    tls: Option<InTls>,
    clock: NodeClock,
    /// Samples that are not acknowledged, by number.
    waiting: VecDeque<u64>,
    taken: u64,
    random: fastrand::Rng,
    failed: Arc<AtomicU64>,
}

impl Node {
    /// Never ends. Says once at first, and once for each storm, that everything is acknowledged.
    async fn run(mut self, number: u32, mut storm: watch::Receiver<u32>, done: mpsc::UnboundedSender<()>) {
        // Nodes do not all sample at the same instant, nor start.
        let phase = INTERVAL.mul_f64(f64::from(number % 1_000) / 1_000.0);
        let mut ticks = interval_at(Instant::now() + phase, INTERVAL);
        let mut backoff = Backoff::default();
        let mut owes_word = true;
        sleep(phase / 4).await;
        self.take();
        loop {
            let connect =
                SimulatedAgent::connect_over(self.hub, &self.identity, self.clock.clone(), self.tls.as_ref());
            if let Ok(Ok(agent)) = timeout(CONNECT_TIME, connect).await {
                let word = (&mut owes_word, &done);
                let _ = self.serve(agent, &mut ticks, &mut storm, word, &mut backoff).await;
            }
            if storm.has_changed().unwrap_or(false) {
                storm.mark_unchanged();
                owes_word = true;
                self.take();
            }
            self.failed.fetch_add(1, Ordering::Relaxed);
            sleep(backoff.wait()).await;
        }
    }

    fn take(&mut self) {
        self.taken += 1;
        self.waiting.push_back(self.taken);
    }

    /// Serves a connection until it ends.
    async fn serve(
        &mut self,
        mut agent: SimulatedAgent,
        ticks: &mut tokio::time::Interval,
        storm: &mut watch::Receiver<u32>,
        (owes_word, done): (&mut bool, &mpsc::UnboundedSender<()>),
        backoff: &mut Backoff,
    ) -> anyhow::Result<()> {
        agent.send_table(1, &table()).await?;
        let committed = agent.welcome().committed.unwrap_or(0);
        self.waiting.retain(|sequence| *sequence > committed);
        let waiting: Vec<u64> = self.waiting.iter().copied().collect();
        for sequence in waiting {
            agent.send_samples(1, sequence, vec![readings(&mut self.random)]).await?;
        }
        loop {
            if *owes_word && self.waiting.is_empty() && !storm.has_changed().unwrap_or(false) {
                *owes_word = false;
                let _ = done.send(());
            }
            tokio::select! {
                // The connection may be to the hub that is gone, or to the new one already.
                Ok(()) = storm.changed() => {
                    *owes_word = true;
                    self.take();
                    agent.send_samples(1, self.taken, vec![readings(&mut self.random)]).await?;
                }
                _ = ticks.tick() => {
                    self.take();
                    agent.send_samples(1, self.taken, vec![readings(&mut self.random)]).await?;
                }
                frame = agent.next() => match frame? {
                    Some(HubFrame::Ack(upto)) => {
                        backoff.reset();
                        self.waiting.retain(|sequence| *sequence > upto);
                    }
                    Some(_) => {}
                    None => anyhow::bail!("the hub closed it"),
                },
            }
        }
    }
}
