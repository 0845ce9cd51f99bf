//! A good node beside bad peers: whatever they do to the hub, it loses no sample, is not made to wait, and the hub's memory does not
//! grow.
#![expect(clippy::panic, reason = "a test whose witness has something to tell ends here")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Context;
use lamon_keys::Fingerprint;
use lamon_wire::frames::HubFrame;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use crate::archive;
use crate::hub::Hub;
use crate::keyed::Operator;
use crate::simulated::{Identity, SimulatedAgent, readings};
use crate::usage;
use crate::wait::PATIENCE;

/// The name of the good node.
pub const WITNESS: &str = "witness";

/// How often it sends.
const EVERY: Duration = Duration::from_millis(100);

/// How many samples are under way at most: fewer than the hub takes at once.
const WINDOW: usize = 60;

/// The longest that a sample may take to be acknowledged while others do their worst: less than half a minute, after which an agent
/// gives the connection up. It takes a second, as those of a second are committed together; but this machine does more than one
/// thing.
const SANE: Duration = Duration::from_secs(25);

/// What a hub's memory may grow by, bytes: a thousand who are turned away pass through 256 places, which took 2 MB, and some is
/// what an allocator keeps.
const MAX_GROWTH: u64 = 10_000_000;

/// A good node that sends until it is asked what it saw.
#[derive(Debug)]
pub struct Witness {
    hub: u32,
    before: u64,
    stop: oneshot::Sender<()>,
    sending: JoinHandle<anyhow::Result<(u64, Duration)>>,
    key: Fingerprint,
    folder: TempDir,
}

impl Witness {
    /// A node with an approved key, in TLS, whose first sample is on the hub's disk.
    ///
    /// # Errors
    ///
    /// When the hub does not take it.
    pub async fn start(hub: &Hub) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let mut operator = Operator::connect(hub.control())?;
        let key = operator.hub_key()?;
        let tls = operator.approved(folder.path(), WITNESS)?;
        let mut agent = SimulatedAgent::connect_tls(hub.address(), &Identity::new(WITNESS, 1), &tls).await?;
        agent.send_table(1, &[("cpu_percent", 2)]).await?;
        send(&mut agent, 1).await?;
        agent.acknowledged(1).await?;
        let before = usage::memory(hub.id())?.resident;
        let (stop, stopped) = oneshot::channel();
        let sending = tokio::spawn(sending(agent, stopped));
        Ok(Self { hub: hub.id(), before, stop, sending, key, folder })
    }

    /// The hub's key.
    #[must_use]
    pub const fn hub_key(&self) -> Fingerprint {
        self.key
    }

    /// A folder for keys.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Ends it: every sample was acknowledged, on one connection, soon, and is in the archive; and the hub has about the memory that it
    /// had.
    ///
    /// # Panics
    ///
    /// When something of that is not so.
    pub async fn lost_nothing(self, hub: &Hub) {
        let Self { hub: id, before, stop, sending, .. } = self;
        let after = usage::memory(id).unwrap_or_else(|error| panic!("the hub is gone: {error:#}")).resident;
        let _ = stop.send(());
        let sent = sending.await.unwrap_or_else(|error| panic!("{error}"));
        let (count, worst) =
            sent.unwrap_or_else(|error| panic!("the good node lost its connection: {error:#}"));
        let grown = after.saturating_sub(before);
        tell(count, worst, grown);
        assert!(worst < SANE, "a sample of the good node took {worst:?}");
        assert!(grown < MAX_GROWTH, "the hub grew by {grown} bytes, from {before}");
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        let rows = archive::rows(&hub.archive(), WITNESS, wanted).await;
        let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
        assert_eq!(numbers, (1..).take(wanted).collect::<Vec<_>>(), "each once");
    }
}

#[expect(clippy::print_stdout, reason = "who looks at a test wants to know how far it was from failing")]
fn tell(count: u64, worst: Duration, grown: u64) {
    println!("the good node: {count} samples, the slowest took {worst:?}; the hub grew by {grown} bytes");
}

/// Sends until it is stopped and everything is acknowledged; how many samples, and how long the slowest took.
async fn sending(
    mut agent: SimulatedAgent,
    mut stopped: oneshot::Receiver<()>,
) -> anyhow::Result<(u64, Duration)> {
    let (mut sequence, mut worst, mut goes_on) = (1, Duration::ZERO, true);
    let mut under_way: VecDeque<(u64, Instant)> = VecDeque::new();
    let mut ticks = interval(EVERY);
    while goes_on || !under_way.is_empty() {
        tokio::select! {
            _ = ticks.tick(), if goes_on && under_way.len() < WINDOW => {
                sequence += 1;
                send(&mut agent, sequence).await?;
                under_way.push_back((sequence, Instant::now()));
            }
            frame = agent.next() => {
                let frame = frame?.with_context(|| format!("the hub closed it after sample {sequence}"))?;
                let HubFrame::Ack(upto) = frame else { continue };
                while let Some((_, sent)) = under_way.pop_front_if(|(sequence, _)| *sequence <= upto) {
                    worst = worst.max(sent.elapsed());
                }
            }
            _ = &mut stopped, if goes_on => goes_on = false,
            () = sleep(PATIENCE) => anyhow::bail!("sample {sequence} is not acknowledged"),
        }
    }
    Ok((sequence, worst))
}

async fn send(agent: &mut SimulatedAgent, sequence: u64) -> anyhow::Result<()> {
    agent.send_samples(1, sequence, vec![readings(&[3.5], 2)]).await
}
