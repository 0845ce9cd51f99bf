//! The load of a fault: simulated agents that speak the real protocol, go on taking samples whatever happens to the hub, keep
//! what is not acknowledged, and know of each sample whether it was.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use lamon_wire::frames::{AgentFrame, HubFrame, Live, Row, Samples};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::line::{self, Line};
use crate::simulated::{Identity, NodeClock, SimulatedAgent};

/// What an agent keeps at most beyond what is acknowledged; then it waits, so that a long fault ends in a minute.
const MAX_WAITING: u64 = 4_000;

/// The most samples of a frame.
const FRAME_SAMPLES: u64 = 16;

/// How long an agent waits before it connects again.
const RECONNECT: Duration = Duration::from_millis(30);

/// How long a hello may take.
const HELLO: Duration = Duration::from_secs(10);

/// How long everything may stand still before a wait is given up: a busy machine, a database that starts, a back-off.
pub const STANDSTILL: Duration = Duration::from_secs(100);

/// How much an agent does.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many agents.
    pub agents: u32,
    /// Time between two takings.
    pub pause: Duration,
    /// A taking is 1 to so many samples.
    pub burst: u32,
}

impl Load {
    /// What keeps commits, batches and cursors going all the time, some 1,000 samples a second.
    #[must_use]
    pub const fn steady() -> Self {
        Self { agents: 8, pause: Duration::from_millis(20), burst: 4 }
    }
}

/// Running agents; they end when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    lines: Arc<Mutex<Vec<Arc<Mutex<Line>>>>>,
    clock: NodeClock,
    hub: watch::Sender<Option<SocketAddr>>,
    takes: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// One agent.
struct Agent {
    line: Arc<Mutex<Line>>,
    identity: Identity,
    clock: NodeClock,
    load: Load,
    random: fastrand::Rng,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fleet {
    /// Agents that take samples from now on, and wait for a hub.
    #[must_use]
    pub fn start(load: Load, random: &mut fastrand::Rng) -> Self {
        let mut fleet = Self::new();
        for number in 1..=load.agents {
            fleet.add(&format!("chaos{number:02}"), random.u32(..), load, random);
        }
        fleet
    }

    /// No agents yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lines: Arc::default(),
            clock: NodeClock::new(),
            hub: watch::Sender::new(None),
            takes: watch::Sender::new(true),
            tasks: JoinSet::new(),
        }
    }

    /// One more agent.
    pub fn add(&mut self, node: &str, epoch: u32, load: Load, random: &mut fastrand::Rng) {
        let line = Arc::new(Mutex::new(Line::new(node, epoch)));
        lock(&self.lines).push(Arc::clone(&line));
        let identity = Identity { interval: Duration::from_secs(1), ..Identity::new(node, epoch) };
        let agent = Agent { line, identity, clock: self.clock.clone(), load, random: random.fork() };
        self.tasks.spawn(agent.run(self.hub.subscribe(), self.takes.subscribe()));
    }

    /// Gives every agent samples of these ages, which wait to be sent.
    pub fn feed(&self, ages: &[Duration]) {
        let now_ms = self.clock.monotonic_ms();
        for line in lock(&self.lines).iter() {
            for age in ages {
                lock(line).take(now_ms.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
            }
        }
    }

    /// Ends every agent, as an uninstall would; what they took stays known.
    pub async fn uninstall(&mut self) {
        self.tasks.shutdown().await;
    }

    /// The hub is there now, or nowhere. Agents find out by themselves that it went away.
    pub fn aim(&self, hub: Option<SocketAddr>) {
        self.hub.send_replace(hub);
    }

    /// Takes samples from now on, or stops to.
    pub fn take(&self, takes: bool) {
        self.takes.send_replace(takes);
    }

    /// The clock of all nodes.
    #[must_use]
    pub fn clock(&self) -> &NodeClock {
        &self.clock
    }

    /// What was taken, sent and acknowledged so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.lines).iter().map(|line| lock(line).clone()).collect()
    }

    /// How many were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        lock(&self.lines).iter().map(|line| lock(line).acknowledged()).sum()
    }

    /// Waits until so many more are acknowledged.
    ///
    /// # Errors
    ///
    /// When nothing goes on.
    pub async fn gets_on(&self, samples: u64) -> anyhow::Result<()> {
        let goal = self.acknowledged() + samples;
        self.until(|fleet| fleet.acknowledged() >= goal).await
    }

    /// Stops to take samples and waits until everything that was taken is acknowledged.
    ///
    /// # Errors
    ///
    /// When nothing goes on.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.take(false);
        self.until(|fleet| {
            // Those that were uninstalled send nothing more.
            let lines = lock(&fleet.lines);
            lines.iter().rev().take(fleet.tasks.len()).all(|line| {
                let line = lock(line);
                line.acknowledged() == line.taken()
            })
        })
        .await
    }

    async fn until(&self, reached: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let (mut moved, mut before) = (Instant::now(), self.acknowledged());
        while !reached(self) {
            sleep(Duration::from_millis(10)).await;
            let now = self.acknowledged();
            if now != before {
                (moved, before) = (Instant::now(), now);
            }
            if moved.elapsed() > STANDSTILL {
                bail!("nothing was acknowledged for {} s, {before} samples before", STANDSTILL.as_secs());
            }
        }
        Ok(())
    }
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

impl Agent {
    async fn run(mut self, mut hub: watch::Receiver<Option<SocketAddr>>, takes: watch::Receiver<bool>) {
        loop {
            let aim = *hub.borrow_and_update();
            let Some(address) = aim else {
                // While there is no hub an agent samples all the same.
                tokio::select! {
                    changed = hub.changed() => if changed.is_err() { return },
                    () = sleep(self.load.pause) => self.take(*takes.borrow()),
                }
                continue;
            };
            let connect = SimulatedAgent::connect_at(address, &self.identity, self.clock.clone());
            if let Ok(Ok(agent)) = timeout(HELLO, connect).await {
                // It ends by the hub's end, or by a cut: both are what these agents are for.
                tokio::select! {
                    _ = self.serve(agent, &takes) => {}
                    _ = hub.changed() => {}
                }
            }
            sleep(RECONNECT).await;
        }
    }

    /// Takes what falls due now.
    fn take(&mut self, takes: bool) {
        let mut line = lock(&self.line);
        if takes && self.load.burst > 0 && line.taken() - line.acknowledged() < MAX_WAITING {
            for _ in 0..self.random.u32(1..=self.load.burst) {
                line.take(self.clock.monotonic_ms());
            }
        }
    }

    async fn serve(
        &mut self,
        mut agent: SimulatedAgent,
        takes: &watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        lock(&self.line).greet(agent.welcome().committed);
        let window = u64::from(agent.welcome().window);
        let mut next = lock(&self.line).acknowledged() + 1;
        let mut table = None;
        let mut ticks = interval(self.load.pause);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            while let Some(samples) = self.frame(next, window)? {
                next = samples.first + u64::try_from(samples.rows.len())?;
                if table.replace(samples.table) != Some(samples.table) {
                    agent.send_table(samples.table, line::metrics(samples.table)).await?;
                }
                lock(&self.line).send(next - 1);
                agent.send(&AgentFrame::Samples(samples)).await?;
            }
            tokio::select! {
                _ = ticks.tick() => {
                    self.take(*takes.borrow());
                    if let Some(live) = self.live(next, window) {
                        if table.replace(live.table) != Some(live.table) {
                            agent.send_table(live.table, line::metrics(live.table)).await?;
                        }
                        agent.send(&AgentFrame::Live(live)).await?;
                    }
                }
                frame = agent.next() => match frame?.context("the hub closed")? {
                    HubFrame::Ack(upto) => lock(&self.line).acknowledge(upto),
                    HubFrame::Rewind(from) => {
                        agent.send(&AgentFrame::Rewound(from)).await?;
                        next = from.max(lock(&self.line).acknowledged() + 1);
                        table = None;
                    }
                    HubFrame::Settings(_) | HubFrame::Ping { .. } => {}
                },
            }
        }
    }

    /// The newest sample, to be shown, when it cannot go in its turn because the window is full.
    fn live(&self, next: u64, window: u64) -> Option<Live> {
        let line = lock(&self.line);
        let sequence = line.taken();
        if next < line.acknowledged() + 1 + window || next > sequence {
            return None;
        }
        let (table, readings) = (line::table_of(sequence), line::readings(line.epoch, sequence));
        Some(Live { table, sequence, monotonic_ms: line.taken_at(sequence)?, readings })
    }

    /// The samples from `next` on that fit the window, a frame and a table.
    fn frame(&self, next: u64, window: u64) -> anyhow::Result<Option<Samples>> {
        let line = lock(&self.line);
        let end = (line.taken() + 1).min(line.acknowledged() + 1 + window).min(next + FRAME_SAMPLES);
        let id = line::table_of(next);
        let numbers = (next..end).take_while(|number| line::table_of(*number) == id);
        let (mut rows, mut first_ms, mut last_ms) = (Vec::new(), 0, 0);
        for number in numbers {
            let taken = line.taken_at(number).context("a sample without a time")?;
            if rows.is_empty() {
                (first_ms, last_ms) = (taken, taken);
            }
            // A past that was fed begins before the one that was sent: another frame.
            if taken < last_ms {
                break;
            }
            let after_ms = u32::try_from(taken - last_ms)?;
            last_ms = taken;
            rows.push(Row { after_ms, readings: line::readings(line.epoch, number) });
        }
        let none = rows.is_empty();
        Ok((!none).then_some(Samples { table: id, first: next, monotonic_ms: first_ms, rows }))
    }
}
