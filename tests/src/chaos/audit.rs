//! The count at the end of a fault: every acknowledged sample in the journal once and in the archive once, with the values that
//! were sent, and nothing that never was.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, bail};
use lamon_store::{ArchiveReader, ArchiveUrl, JournalReader, Sample};
use tokio::task::spawn_blocking;

use super::line::{self, Line};

/// Rows of the journal that are read at once.
const PAGE: usize = 10_000;

/// How far from its own time a sample may be stored, milliseconds: what a frame may have been on its way on a busy machine.
const MAX_SHIFT_MS: u64 = 20_000;

/// How many findings are kept in words.
const MAX_FINDINGS: usize = 200;

/// A sample: the number of its line, and its own number.
pub type Identity = (usize, u64);

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Samples handed to the network, each counted once.
    pub sent: u64,
    /// Samples of which an agent was told that they are on disk.
    pub acknowledged: u64,
    /// Samples found in the journal, each counted once.
    pub journal: u64,
    /// Samples found in the archive, each counted once.
    pub archive: u64,
    /// Acknowledged samples that are missing, in the journal or in the archive.
    pub lost: u64,
    /// Samples that are there more than once, in the journal or in the archive.
    pub doubled: u64,
    /// Rows with other values, another time, or of samples that were never sent; and what a hub said that cannot be.
    pub wrong: u64,
    /// The first of each, in words.
    pub findings: Vec<String>,
}

impl Audit {
    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.journal += other.journal;
        self.archive += other.archive;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.wrong += other.wrong;
        self.findings.extend(other.findings);
    }

    /// Something is not as it must be.
    pub fn wrong(&mut self, what: String) {
        self.wrong += 1;
        self.find(what);
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(what);
        }
    }
}

/// How often each sample of a store was found.
#[derive(Debug, Default)]
pub struct Found(HashMap<Identity, u32>);

impl Found {
    /// Whether a sample was found.
    #[must_use]
    pub fn has(&self, identity: Identity) -> bool {
        self.0.contains_key(&identity)
    }

    /// How many were, each counted once.
    #[must_use]
    pub fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Counts against what was sent.
#[derive(Debug)]
pub struct Auditor {
    lines: Vec<Line>,
    by_name: HashMap<(String, u32), usize>,
    now_ms: i64,
    /// What to add to a node's monotonic clock for the true time, milliseconds.
    unix_ms: i64,
    /// How far the hub's clock was set off, milliseconds.
    clock_ms: u64,
    /// How many rows are farther from their own time than clocks that are right explain.
    moved: u64,
    /// The result so far.
    pub audit: Audit,
}

impl Auditor {
    /// Counts for these lines. `monotonic_ms` is what the nodes' clock shows now.
    #[must_use]
    pub fn new(lines: Vec<Line>, monotonic_ms: u64) -> Self {
        let by_name =
            lines.iter().enumerate().map(|(n, line)| ((line.node.clone(), line.epoch), n)).collect();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(0);
        let unix_ms = now_ms - monotonic_ms.cast_signed();
        let mut audit = Audit::default();
        for line in &lines {
            audit.sent += line.sent();
            audit.acknowledged += line.acknowledged();
            audit.wrong += u64::try_from(line.complaints().len()).unwrap_or(0);
            audit.findings.extend(line.complaints().iter().cloned());
        }
        Self { lines, by_name, now_ms, unix_ms, clock_ms: 0, moved: 0, audit }
    }

    /// Lets rows be so far from their own time, milliseconds: the hub's clock was set off.
    pub fn times_within(&mut self, clock_ms: i64) {
        self.clock_ms = clock_ms.unsigned_abs();
    }

    /// How many rows are farther from their own time than clocks that are right explain.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Lets the hub know less than it acknowledged: its disk was damaged.
    pub fn forgive(&mut self) {
        for line in &self.lines {
            let forgotten = line.complaints().iter().filter(|complaint| complaint.contains("then"));
            self.audit.wrong -= u64::try_from(forgotten.count()).unwrap_or(0);
        }
        self.audit.findings.retain(|finding| !finding.contains("then"));
    }

    /// What the true time is now, unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Every acknowledged sample.
    pub fn acknowledged(&self) -> impl Iterator<Item = Identity> {
        let lines = self.lines.iter().enumerate();
        lines.flat_map(|(place, line)| (1..=line.acknowledged()).map(move |number| (place, number)))
    }

    /// Takes up a row. Those of other nodes are nobody's business here.
    pub fn row(&mut self, place: &str, row: &Sample, found: &mut Found) {
        if !self.lines.iter().any(|line| line.node == *row.node) {
            return;
        }
        let Some(identity) = self.identify(row) else {
            return self.audit.wrong(format!("{place} has what was never sent: {row:?}"));
        };
        let count = found.0.entry(identity).or_default();
        *count += 1;
        if *count > 1 {
            let again = *count == 2;
            self.audit.doubled += u64::from(again);
            self.audit.find(format!("{place} has twice {row:?}"));
        }
        let mut stored: Vec<(&str, f64)> =
            row.metrics.iter().map(|(name, value)| (&**name, *value)).collect();
        // The hub adds this one.
        stored.retain(|(name, _)| *name != "clock_offset");
        stored.sort_by_key(|(name, _)| *name);
        let expected = line::values(row.epoch, row.sequence);
        if stored != expected {
            self.audit.wrong(format!("{place} has other values than were sent: {row:?} for {expected:?}"));
        }
        let taken = self.lines.get(identity.0).and_then(|line| line.taken_at(identity.1)).unwrap_or(0);
        let shift_ms = row.time_ms.abs_diff(taken.cast_signed() + self.unix_ms);
        self.moved += u64::from(shift_ms > MAX_SHIFT_MS);
        if shift_ms > MAX_SHIFT_MS + self.clock_ms {
            self.audit.wrong(format!("{place} has at a time {shift_ms} ms off: {row:?}"));
        }
    }

    /// Which sample a row is; none when it was never sent.
    #[must_use]
    pub fn identify(&self, row: &Sample) -> Option<Identity> {
        let place = *self.by_name.get(&(row.node.to_string(), row.epoch))?;
        (1..=self.lines.get(place)?.sent()).contains(&row.sequence).then_some((place, row.sequence))
    }

    /// Reads a journal. Its hub may run.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn journal(&mut self, path: &Path) -> anyhow::Result<Found> {
        let rows = read_journal(path).await?;
        let mut found = Found::default();
        for row in &rows {
            self.row("the journal", row, &mut found);
        }
        Ok(found)
    }

    /// Reads an archive.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn archive(&mut self, url: &ArchiveUrl) -> anyhow::Result<Found> {
        let mut found = Found::default();
        let nodes: HashSet<String> = self.lines.iter().map(|line| line.node.clone()).collect();
        let mut reader = ArchiveReader::open(url).await?;
        for node in nodes {
            for row in read_archive(&mut reader, &node).await? {
                self.row("the archive", &row, &mut found);
            }
        }
        let dead = reader.dead_letter_count().await?;
        if dead > 0 {
            self.audit.wrong(format!("{dead} samples are in dead_letter"));
        }
        Ok(found)
    }

    /// An acknowledged sample is missing.
    pub fn lost(&mut self, identity: Identity, place: &str) {
        self.audit.lost += 1;
        if let Some(line) = self.lines.get(identity.0) {
            let what = format!("{place} lacks {} epoch {} number {}", line.node, line.epoch, identity.1);
            self.audit.find(what);
        }
    }

    /// The count when everything acknowledged must be in both.
    #[must_use]
    pub fn both(self, journal: &Found, archive: &Found) -> Audit {
        self.both_but(journal, archive, &HashSet::new())
    }

    /// The same, but for samples that may be missing.
    #[must_use]
    pub fn both_but(mut self, journal: &Found, archive: &Found, excused: &HashSet<Identity>) -> Audit {
        let missing: Vec<(Identity, &str)> = self
            .acknowledged()
            .filter(|identity| !excused.contains(identity))
            .filter_map(|identity| match (journal.has(identity), archive.has(identity)) {
                (true, true) => None,
                (false, _) => Some((identity, "the journal")),
                (true, false) => Some((identity, "the archive")),
            })
            .collect();
        for (identity, place) in missing {
            self.lost(identity, place);
        }
        (self.audit.journal, self.audit.archive) = (journal.len(), archive.len());
        self.audit
    }
}

/// Every row of a journal, in order.
///
/// # Errors
///
/// When it cannot be read.
pub async fn read_journal(path: &Path) -> anyhow::Result<Vec<Sample>> {
    let path = path.to_owned();
    let read = move || -> anyhow::Result<Vec<Sample>> {
        let mut reader = JournalReader::open(&path)?;
        let (mut position, mut all) = (0, Vec::new());
        loop {
            let rows = reader.read_after(position, PAGE)?;
            let Some((last, _)) = rows.last() else { return Ok(all) };
            position = *last;
            all.extend(rows.into_iter().map(|(_, sample)| sample));
        }
    };
    spawn_blocking(read).await?
}

/// Every row of a node in an archive.
///
/// # Errors
///
/// When it cannot be read, or there are more than one call gives.
pub async fn read_archive(reader: &mut ArchiveReader, node: &str) -> anyhow::Result<Vec<Sample>> {
    let most = lamon_store::reading::MAX_ROWS;
    let rows = reader.range(node, 0, i64::MAX, most).await.context("the archive cannot be read")?;
    if rows.len() >= most {
        bail!("{node} has {most} rows or more: too many to be counted");
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sequence: u64, unix_ms: i64) -> Sample {
        let values = line::values(5, sequence).into_iter().map(|(name, value)| (name.into(), value));
        let clock_offset = ("clock_offset".into(), 0.25);
        let metrics = values.chain([clock_offset]).collect();
        Sample { node: "a".into(), epoch: 5, sequence, time_ms: unix_ms + 1_000, metrics }
    }

    /// Ten samples sent, eight acknowledged, all taken at the same time.
    fn auditor() -> Auditor {
        let mut line = Line::new("a", 5);
        (0..10).for_each(|_| line.take(1_000));
        line.send(10);
        line.acknowledge(8);
        Auditor::new(vec![line], 2_000)
    }

    #[test]
    fn what_is_there_once_is_good_and_the_rest_is_counted() {
        let mut auditor = auditor();
        let unix_ms = auditor.unix_ms;
        let [mut journal, mut archive] = [Found::default(), Found::default()];
        for sequence in 1..=9 {
            auditor.row("j", &row(sequence, unix_ms), &mut journal);
            auditor.row("a", &row(sequence, unix_ms), &mut archive);
        }
        let audit = auditor.both(&journal, &archive);
        assert_eq!((audit.sent, audit.acknowledged, audit.journal, audit.archive), (10, 8, 9, 9));
        assert_eq!((audit.lost, audit.doubled, audit.wrong), (0, 0, 0), "{:?}", audit.findings);
    }

    #[test]
    fn what_is_lost_doubled_or_wrong_is_found() {
        let mut auditor = auditor();
        let unix_ms = auditor.unix_ms;
        let [mut journal, mut archive] = [Found::default(), Found::default()];
        for sequence in 1..=8 {
            auditor.row("j", &row(sequence, unix_ms), &mut journal);
        }
        // 3 and 8 are missing; 5 is there three times, at another time too; 11 was never sent.
        for sequence in [1, 2, 4, 5, 5, 5, 6, 7, 11] {
            auditor.row("a", &row(sequence, unix_ms), &mut archive);
        }
        let mut other = row(10, unix_ms);
        other.metrics[0].1 += 0.01;
        auditor.row("a", &other, &mut archive);
        auditor.row("a", &row(9, unix_ms - 60_000), &mut archive);
        auditor.row("a", &Sample { epoch: 6, ..row(1, unix_ms) }, &mut archive);
        let audit = auditor.both(&journal, &archive);
        assert_eq!((audit.lost, audit.doubled, audit.wrong), (2, 1, 4), "{:#?}", audit.findings);
    }
}
