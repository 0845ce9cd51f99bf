//! Real agents with a spool, each behind a wiretap, and the count of what they sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use lamon_agent::ring::Ring;
use lamon_agent::spool::Spool;
use lamon_store::{ArchiveReader, Sample};
use lamon_wire::frames::AgentFrame;
use lamon_wire::framing::FrameBuffer;
use lamon_wire::names::NodeName;
use tokio::time::{Duration, Instant, sleep};

use super::audit::{Audit, read_archive, read_journal};
use super::fleet::STANDSTILL;
use super::site::Site;
use crate::agent::{Agent, AgentBuilder};
use crate::wiretap::{Sent, Wiretap};

/// The most that the spool of such an agent may take, bytes.
const SPOOL_BYTES: u64 = 4_000_000;

/// A sample of one node: epoch and number.
type Identity = (u32, u64);

/// A real agent on its node.
#[derive(Debug)]
pub struct Node {
    name: String,
    spool: PathBuf,
    builder: AgentBuilder,
    agent: Option<Agent>,
    /// Between the agent and the hub, leading nowhere at first.
    pub tap: Wiretap,
    /// Samples that were on the node's disk, and not acknowledged, when the agent was killed.
    on_disk: BTreeSet<Identity>,
    kills: u32,
}

impl Node {
    /// A node whose agent does not run yet, with its spool in this folder.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub async fn new(name: &str, folder: &Path) -> anyhow::Result<Self> {
        let (tap, spool) = (Wiretap::leading_nowhere().await?, folder.join(format!("spool-{name}")));
        let lines = format!(
            "spool = {:?}\nspool_delay = \"1s\"\nspool_size = {SPOOL_BYTES}",
            spool.display().to_string()
        );
        let builder = Agent::named(name).sending_to(tap.address()).with(&lines).quietly();
        Ok(Self { name: name.into(), spool, builder, agent: None, tap, on_disk: BTreeSet::new(), kills: 0 })
    }

    /// Starts the agent.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.agent = Some(self.builder.clone().try_start()?);
        Ok(())
    }

    /// Kills the agent with SIGKILL, and looks at what it left on its disk.
    ///
    /// # Errors
    ///
    /// When that cannot be read.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let Some(agent) = self.agent.take() else { return Ok(()) };
        agent.crash();
        self.kills += 1;
        if self.spool.is_dir() {
            self.on_disk.extend(left_in(&self.spool, &self.name)?);
        }
        Ok(())
    }

    /// The samples of which the hub said that they are on disk.
    fn acknowledged(&self, sent: &BTreeMap<Identity, Sent>) -> anyhow::Result<BTreeSet<Identity>> {
        let upto = self.tap.acknowledged()?;
        let known = |(epoch, number): &&Identity| upto.get(epoch).is_some_and(|upto| number <= upto);
        Ok(sent.keys().filter(known).copied().collect())
    }
}

/// What a spool holds, by the agent's own eyes. They look at a copy: opening a spool writes to it.
fn left_in(spool: &Path, node: &str) -> anyhow::Result<BTreeSet<Identity>> {
    let copy = tempfile::tempdir()?;
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
    }
    let mut ring = Ring::new(usize::try_from(SPOOL_BYTES)?);
    let opened =
        Spool::open(copy.path(), &NodeName::new(node)?, SPOOL_BYTES, Duration::ZERO, [0; 16], &mut ring)?;
    let Some(epoch) = opened.1 else { return Ok(BTreeSet::new()) };
    let mut bytes = Vec::new();
    while ring.write_samples(u64::MAX, true, &mut bytes)? {}
    let mut frames = FrameBuffer::new();
    frames.extend(&bytes);
    let mut found = BTreeSet::new();
    while let Some(payload) = frames.next_frame() {
        if let AgentFrame::Samples(samples) = AgentFrame::parse(payload)? {
            found.extend((samples.first..).zip(&samples.rows).map(|(number, _)| (epoch, number)));
        }
    }
    Ok(found)
}

/// Waits until the archive has what was on the nodes' disks, ends the agents, and counts: everything that was acknowledged or
/// on a node's disk must be in the journal once and in the archive once, as it was sent.
///
/// # Errors
///
/// When nothing goes on, or something cannot be read.
pub async fn count(nodes: &mut [Node], site: &Site) -> anyhow::Result<(Audit, String)> {
    let mut audit = Audit::default();
    let (mut kills, mut on_disk) = (0, 0);
    for node in nodes {
        wait_for(node, site).await?;
        node.kill()?;
        // That kill is no fault: what it left on the disk is nobody's loss.
        let promised = std::mem::take(&mut node.on_disk);
        kills += node.kills - 1;
        // What is on its way yet may be stored and acknowledged later than the archive is waited for.
        let acknowledged = node.acknowledged(&node.tap.sent()?)?;
        site.forwarded().await?;
        let sent = node.tap.sent()?;
        let journal =
            read_journal(&site.journal()).await?.into_iter().filter(|row| *row.node == *node.name).collect();
        let archive = read_archive(&mut ArchiveReader::open(site.archive()).await?, &node.name).await?;
        let journal = tally("the journal", journal, &sent, &mut audit);
        let archive = tally("the archive", archive, &sent, &mut audit);
        // What the last life spooled may not have been sent yet.
        let promised: BTreeSet<_> =
            promised.into_iter().filter(|identity| sent.contains_key(identity)).collect();
        for identity in acknowledged.union(&promised) {
            if !(journal.contains(identity) && archive.contains(identity)) {
                audit.lost += 1;
                audit.findings.push(format!("{} lacks {identity:?}", node.name));
            }
        }
        let length = |set: &BTreeSet<_>| u64::try_from(set.len()).unwrap_or(u64::MAX);
        audit.sent += u64::try_from(sent.len())?;
        audit.acknowledged += length(&acknowledged);
        audit.journal += length(&journal);
        audit.archive += length(&archive);
        on_disk += promised.len();
    }
    let remark = format!(
        "{kills} kills of real agents left {on_disk} unacknowledged samples on their nodes' disks, and all of them came"
    );
    Ok((audit, remark))
}

/// Waits until everything that an agent had on its disk is in the archive.
async fn wait_for(node: &Node, site: &Site) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        if let Ok(mut reader) = ArchiveReader::open(site.archive()).await {
            let rows = read_archive(&mut reader, &node.name).await.unwrap_or_default();
            let there: BTreeSet<_> = rows.iter().map(|row| (row.epoch, row.sequence)).collect();
            let missing = node.on_disk.difference(&there).count();
            if missing == 0 && !there.is_empty() {
                return Ok(());
            }
            ensure!(
                began.elapsed() < STANDSTILL,
                "{missing} samples that {} had on its disk do not come",
                node.name
            );
        }
        ensure!(began.elapsed() < STANDSTILL, "the archive does not come back");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Counts rows against what was sent.
fn tally(
    place: &str,
    rows: Vec<Sample>,
    sent: &BTreeMap<Identity, Sent>,
    audit: &mut Audit,
) -> BTreeSet<Identity> {
    let mut found = BTreeSet::new();
    for row in rows {
        let identity = (row.epoch, row.sequence);
        if !found.insert(identity) {
            audit.doubled += 1;
            audit.findings.push(format!("{place} has twice {row:?}"));
        }
        let mut stored: Vec<_> = row.metrics.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        // The hub adds this one.
        stored.retain(|(name, _)| name != "clock_offset");
        stored.sort_by(|(one, _), (other, _)| one.cmp(other));
        let expected = sent.get(&identity).map(|sent| {
            let mut sent = sent.clone();
            sent.sort_by(|(one, _), (other, _)| one.cmp(other));
            sent
        });
        if expected.as_ref() != Some(&stored) {
            audit.wrong(format!("{place} has other values than were sent: {row:?} for {expected:?}"));
        }
    }
    found
}
