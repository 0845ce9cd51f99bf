//! Live samples as fast as one subscriber of the bus gets them.
//!
//! The sender is one thread, the subscriber another. Few enough messages are between them ([`UNDER_WAY`]) for what the
//! hub lets wait for a subscriber, so nothing is dropped: what is measured is what everybody keeps up with, and every
//! sample is counted at the end. The samples are `Live` frames, which go to the live path alone: nothing waits for a
//! disk. Each node has a connection, and writes ten frames at once, as it comes about when a hub is behind.
//!
//! With `--publisher` the sender loads nobody: it gives a bare publisher leave for as many messages.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use lamon_tests::simulated::{Identity, SimulatedAgent};
use lamon_wire::frames::{AgentFrame, Live};

use super::{Busy, Done, node_name, readings, table};
use crate::child::{answer, next_line};

/// What to load, and where it comes out.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The hub.
    #[arg(long)]
    hub: Option<SocketAddr>,
    /// The bare publisher.
    #[arg(long)]
    publisher: Option<SocketAddr>,
    /// The bus of either.
    #[arg(long)]
    bus: String,
    #[arg(long)]
    seconds: f64,
}

/// Nodes, each with a connection.
pub(crate) const NODES: u32 = 100;

/// Frames of a node that are written at once.
const FRAMES: u64 = 10;

/// Messages that a bare publisher sends for each byte of leave.
pub(crate) const LEAVE: u64 = 100;

/// Messages between sender and subscriber before more are sent. A round more may be sent then, and ZeroMQ learns only at
/// each half of its high-water mark of 10,000 what was read, so that 5,000 may be the limit: together they stay below.
const UNDER_WAY: u64 = 3_500;

/// How long the subscriber may hear nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What hands messages to the bus.
enum Sender {
    Agents(Vec<Agent>),
    Publisher(TcpStream),
}

struct Agent {
    connection: SimulatedAgent,
    sequence: u64,
    random: fastrand::Rng,
}

/// Answers `true` when all is set up; on the next line does it, and answers [`Done`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let received = Arc::new(AtomicU64::new(0));
        subscribe(&options.bus, Arc::clone(&received))?;
        let mut sender = match (options.hub, options.publisher) {
            (Some(hub), _) => Sender::Agents(agents(hub).await?),
            (None, Some(publisher)) => {
                let stream = TcpStream::connect(publisher)?;
                stream.set_nodelay(true)?;
                Sender::Publisher(stream)
            }
            (None, None) => bail!("nobody to load"),
        };
        warm_up(&mut sender, &received).await?;
        answer(&true)?;
        next_line();
        let before = received.load(Ordering::Relaxed);
        let (busy, began) = (Busy::watch(), Instant::now());
        let mut sent = 0;
        while began.elapsed().as_secs_f64() < options.seconds {
            if sent - (received.load(Ordering::Relaxed) - before) < UNDER_WAY {
                sent += sender.send().await?;
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        wait_for(&received, before + sent)?;
        answer(&Done {
            samples: sent,
            seconds: began.elapsed().as_secs_f64(),
            busiest_percent: busy.busiest_percent(),
        })
    })
}

/// Counts what comes, for ever.
fn subscribe(bus: &str, received: Arc<AtomicU64>) -> anyhow::Result<()> {
    let socket = zmq::Context::new().socket(zmq::SUB)?;
    socket.set_rcvhwm(0)?;
    socket.set_subscribe(b"sample/")?;
    socket.connect(bus)?;
    std::thread::spawn(move || {
        let (mut topic, mut json) = (zmq::Message::new(), zmq::Message::new());
        while socket.recv(&mut topic, 0).and_then(|()| socket.recv(&mut json, 0)).is_ok() {
            received.fetch_add(1, Ordering::Relaxed);
        }
    });
    Ok(())
}

async fn agents(hub: SocketAddr) -> anyhow::Result<Vec<Agent>> {
    let mut agents = Vec::new();
    for number in 0..NODES {
        let identity = Identity::new(&node_name(number), fastrand::u32(..));
        let mut connection = SimulatedAgent::connect(hub, &identity).await?;
        connection.send_table(1, &table()).await?;
        agents.push(Agent { connection, sequence: 0, random: fastrand::Rng::with_seed(number.into()) });
    }
    Ok(agents)
}

impl Sender {
    /// Sends some messages of every node, and says how many.
    async fn send(&mut self) -> anyhow::Result<u64> {
        match self {
            Self::Agents(agents) => {
                for agent in &mut *agents {
                    agent.send().await?;
                }
                Ok(FRAMES * u64::from(NODES))
            }
            Self::Publisher(stream) => {
                stream.write_all(&[0])?;
                Ok(LEAVE)
            }
        }
    }
}

impl Agent {
    async fn send(&mut self) -> anyhow::Result<()> {
        let monotonic_ms = self.connection.monotonic_ms();
        let mut out = Vec::new();
        for _ in 0..FRAMES {
            self.sequence += 1;
            let readings = readings(&mut self.random);
            AgentFrame::Live(Live { table: 1, sequence: self.sequence, monotonic_ms, readings })
                .write(&mut out)?;
        }
        Ok(self.connection.send_bytes(&out).await?)
    }
}

/// A subscription takes a moment to reach the publisher: sends until something comes, and waits until all of it has.
async fn warm_up(sender: &mut Sender, received: &AtomicU64) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while received.load(Ordering::Relaxed) == 0 {
        sender.send().await?;
        std::thread::sleep(Duration::from_millis(200));
        anyhow::ensure!(Instant::now() < end, "nothing comes from the bus");
    }
    let mut last = 0;
    while std::mem::replace(&mut last, received.load(Ordering::Relaxed)) != last {
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn wait_for(received: &AtomicU64, count: u64) -> anyhow::Result<()> {
    let (mut last, mut heard) = (0, Instant::now());
    loop {
        let now = received.load(Ordering::Relaxed);
        if now >= count {
            return Ok(());
        }
        if now != last {
            (last, heard) = (now, Instant::now());
        }
        anyhow::ensure!(heard.elapsed() < PATIENCE, "{} messages did not come out of the bus", count - now);
        std::thread::sleep(Duration::from_micros(100));
    }
}
