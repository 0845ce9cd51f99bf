//! The spool: samples that the hub has not acknowledged, on this node's disk, so that a reboot loses none of them.
//!
//! **What it promises.** A sample that has waited for the hub's acknowledgement for `spool_delay` (a minute) is on disk, and
//! so is every one when the agent is asked to end. What a loss of power takes are the samples of the last `spool_delay`,
//! and none when the hub had them. While the hub acknowledges, nothing is written at all; while it is away, one write of
//! some hundred bytes each `spool_delay`.
//!
//! **How.** The ring is the truth, the spool follows it: segments that are only ever appended to (`records`), each removed
//! when its last sample is acknowledged, or lost. The agent that starts finds them, puts them back into the ring
//! (`restore`) and goes on in their epoch, with numbers that no sample has had. The disk may hang or be full: it is
//! written to on a thread of its own, one job at a time, and what fails is tried again.
//!
//! | file | what it holds |
//! |---|---|
//! | `records` | what a segment holds; pure |
//! | `files` | the folder and its lock; may block |
//! | `restore` | from the segments back into the ring |
//! | `late` | a spool that cannot be used yet |

mod files;
mod late;
mod records;
mod restore;

use std::collections::VecDeque;
use std::future::pending;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lamon_wire::frames::{Anchor, Table};
use lamon_wire::names::NodeName;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use self::files::OpenError;
use self::files::{Append, Done, Files, Job};
pub use self::late::{Late, Opened, Place, Tried};
use self::records::{Clock, MAGIC, Mark, Note, write_note, write_samples, write_table};
use crate::clock::Now;
use crate::ring::Ring;

/// How many segments the limit is divided into: what is acknowledged is removed by whole segments.
const SEGMENTS: u64 = 8;

/// How much is handed to the disk at once, in bytes: the memory that it takes while it is written.
const CHUNK_BYTES: usize = 64 * 1_024;

/// How long to wait after a write that failed: a full disk stays full for a while.
const RETRY_MS: u64 = 60_000;

/// How long the end may wait for the disk.
const FINISH_TIME: Duration = Duration::from_secs(4);

/// How far the node's wall clock may be set before the spool is told, milliseconds.
const CLOCK_STEP_MS: i64 = 500;

/// The stack of the thread that writes, in bytes: it makes a few system calls.
const STACK_BYTES: usize = 64 * 1_024;

/// The samples on disk. See the module's page.
#[derive(Debug)]
pub struct Spool {
    files: Arc<Mutex<Files>>,
    delay_ms: u64,
    limit_bytes: u64,
    boot_id: [u8; 16],
    segments: VecDeque<Segment>,
    next_id: u64,
    /// What the newest segment was told; `None` when the next write begins another.
    told: Option<Told>,
    running: Option<Running>,
    /// When a write that failed may be tried again, milliseconds of the monotonic clock.
    retry_ms: u64,
    failing: bool,
    /// Whether it was told that the limit is too small for what waits.
    told_full: bool,
}

/// A file of the spool.
#[derive(Debug, Clone, Copy)]
struct Segment {
    id: u64,
    bytes: u64,
    /// The ring's position behind its last sample.
    end: u64,
}

/// What a segment was told before.
#[derive(Debug, Clone)]
struct Told {
    clock: Clock,
    mark: Mark,
    table: Option<Arc<Table>>,
}

/// A job that a thread does.
#[derive(Debug)]
struct Running {
    done: oneshot::Receiver<Done>,
    /// The segment as it is when the job is done.
    append: Option<Segment>,
}

/// A job is done, or its thread is gone.
#[derive(Debug)]
pub struct Written(Option<Done>);

impl Spool {
    /// Opens the spool in `folder` and puts what is in it into the ring, which is new. Says which epoch goes on. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(
        folder: &Path,
        node: &NodeName,
        limit_bytes: u64,
        delay: Duration,
        boot_id: [u8; 16],
        ring: &mut Ring,
    ) -> Result<(Self, Option<u32>), OpenError> {
        let (files, found) = Files::open(folder, node)?;
        let kept = restore::restore(&files, &found, limit_bytes, boot_id, ring);
        let epoch = kept.as_ref().map(|kept| kept.epoch);
        let segments = VecDeque::from(kept.map(|kept| kept.segments).unwrap_or_default());
        let spool = Self {
            files: Arc::new(Mutex::new(files)),
            delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            limit_bytes,
            boot_id,
            segments,
            next_id: found.last().map_or(1, |(id, _)| id.wrapping_add(1)),
            told: None,
            running: None,
            retry_ms: 0,
            failing: false,
            told_full: false,
        };
        let needed = |id: u64| spool.segments.iter().any(|segment| segment.id == id);
        let remove: Vec<u64> = found.iter().map(|(id, _)| *id).filter(|id| !needed(*id)).collect();
        if !remove.is_empty() {
            spool.lock_and_run(Job { remove, append: None });
        }
        Ok((spool, epoch))
    }

    /// When [`Spool::handle_timeout`] has something to do, milliseconds of the monotonic clock.
    #[must_use]
    pub fn deadline_ms(&self, ring: &Ring) -> Option<u64> {
        if self.running.is_some() {
            return None;
        }
        if ring.is_empty() {
            return (!self.segments.is_empty()).then_some(self.retry_ms);
        }
        let due = ring.oldest_unspooled_ms()?.saturating_add(self.delay_ms);
        Some(due.max(self.retry_ms))
    }

    /// Hands to the disk what is due. `hub` is what a hub last said of the time.
    pub fn handle_timeout(&mut self, now: Now, hub: Option<Anchor>, epoch: u32, ring: &mut Ring) {
        if self.deadline_ms(ring).is_some_and(|due| due <= now.monotonic_ms()) {
            self.start(now, hub, epoch, ring);
        }
    }

    /// Waits for the disk. Cancel-safe.
    pub async fn written(&mut self) -> Written {
        match &mut self.running {
            Some(running) => Written((&mut running.done).await.ok()),
            None => pending().await,
        }
    }

    /// The disk is done with its job.
    pub fn handle_written(&mut self, now: Now, written: Written, ring: &mut Ring) {
        let Some(running) = self.running.take() else { return };
        let lost =
            || Done { removed: Vec::new(), appended: Err(std::io::Error::other("no thread to write it")) };
        let done = written.0.unwrap_or_else(lost);
        self.segments.retain(|segment| !done.removed.contains(&segment.id));
        if !done.removed.is_empty() && self.segments.is_empty() {
            tracing::debug!("the spool is empty");
        }
        if ring.is_empty() && !self.segments.is_empty() {
            // What could not be removed is tried again, but not at once.
            self.retry_ms = now.monotonic_ms().saturating_add(RETRY_MS);
        }
        let Some(segment) = running.append else { return };
        match done.appended {
            Ok(()) => {
                match self.segments.back_mut().filter(|last| last.id == segment.id) {
                    Some(last) => *last = segment,
                    None => self.segments.push_back(segment),
                }
                ring.spooled(true);
                self.retry_ms = 0;
                if std::mem::take(&mut self.failing) {
                    tracing::info!("samples go to the spool again");
                }
                tracing::debug!("{} unacknowledged samples are on disk", ring.on_disk());
            }
            Err(error) => {
                ring.spooled(false);
                self.told = None;
                self.retry_ms = now.monotonic_ms().saturating_add(RETRY_MS);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(
                        "samples cannot be written to the spool, a crash would lose them until that works: {error}"
                    );
                }
            }
        }
    }

    /// A new epoch began: what is on disk is of another.
    pub fn begin_epoch(&mut self) {
        self.told = None;
    }

    /// Puts all that is not acknowledged on disk, or clears the folder; for a few seconds at most.
    pub async fn finish(&mut self, hub: Option<Anchor>, epoch: u32, ring: &mut Ring) {
        let finish = async {
            // A job may be under way, which knows nothing of the end.
            loop {
                if self.running.is_none() {
                    let marked = self.told.as_ref().is_none_or(|told| told.mark == mark(ring));
                    let idle = match ring.oldest_unspooled_ms() {
                        None if ring.is_empty() => self.segments.is_empty(),
                        None => marked,
                        Some(_) => false,
                    };
                    if idle {
                        return;
                    }
                    self.retry_ms = 0;
                    self.start(Now::read(), hub, epoch, ring);
                }
                let written = self.written().await;
                self.handle_written(Now::read(), written, ring);
                if self.retry_ms > 0 {
                    return;
                }
            }
        };
        if timeout(FINISH_TIME, finish).await.is_err() {
            tracing::warn!("the disk of the spool does not answer: {} samples may be lost", ring.len());
        }
    }

    /// Starts a job of what there is to do.
    fn start(&mut self, now: Now, hub: Option<Anchor>, epoch: u32, ring: &mut Ring) {
        let append = if ring.is_empty() { None } else { Some(self.gather(now, hub, epoch, ring)) };
        let (oldest, end) = ring.spool_range();
        let more = append.as_ref().map_or(0, |append| append.bytes.len() as u64);
        let mut bytes = more + self.segments.iter().map(|segment| segment.bytes).sum::<u64>();
        let mut remove = Vec::new();
        for segment in &self.segments {
            let newest = append.as_ref().is_some_and(|append| append.id == segment.id);
            let over = bytes > self.limit_bytes && segment.end > oldest;
            if newest || (segment.end > oldest && !over) {
                break;
            }
            if over && !std::mem::replace(&mut self.told_full, true) {
                tracing::warn!(
                    "the spool is full: its oldest samples are kept in memory only (set spool_size)"
                );
            }
            bytes -= segment.bytes;
            remove.push(segment.id);
        }
        if append.is_none() {
            self.told = None;
        }
        let segment = append.as_ref().map(|append| Segment { id: append.id, bytes: append.at + more, end });
        let job = Job { remove, append };
        let (tell, done) = oneshot::channel();
        let files = Arc::clone(&self.files);
        let work = move || {
            let done = files.lock().unwrap_or_else(PoisonError::into_inner).run(job);
            let _ = tell.send(done);
        };
        // Without a thread `tell` is dropped, which says so.
        let thread = std::thread::Builder::new().name("spool".into()).stack_size(STACK_BYTES);
        let _ = thread.spawn(work);
        self.running = Some(Running { done, append: segment });
    }

    /// What is to be written next, as the bytes of a segment that goes on or begins.
    fn gather(&mut self, now: Now, hub: Option<Anchor>, epoch: u32, ring: &mut Ring) -> Append {
        let node = Anchor { monotonic_ms: now.monotonic_ms(), unix_ms: now.wall_ms() };
        let clock = Clock { boot_id: self.boot_id, anchor: hub.unwrap_or(node), by_hub: hub.is_some() };
        let mark = mark(ring);
        let goes_on = self.segments.back().filter(|last| last.bytes < self.limit_bytes / SEGMENTS);
        let (mut bytes, mut told, id, at) = match (self.told.take(), goes_on) {
            (Some(told), Some(last)) => (Vec::new(), told, last.id, last.bytes),
            _ => {
                let mut bytes = MAGIC.to_vec();
                write_note(&mut bytes, Note::Epoch(epoch));
                write_note(&mut bytes, Note::Clock(clock));
                write_note(&mut bytes, Note::Mark(mark));
                self.next_id = self.next_id.wrapping_add(1);
                (bytes, Told { clock, mark, table: None }, self.next_id - 1, 0)
            }
        };
        if differs(told.clock, clock) {
            write_note(&mut bytes, Note::Clock(clock));
            told.clock = clock;
        }
        if told.mark != mark {
            write_note(&mut bytes, Note::Mark(mark));
            told.mark = mark;
        }
        let chunk = CHUNK_BYTES.min(usize::try_from(self.limit_bytes / SEGMENTS).unwrap_or(CHUNK_BYTES));
        while bytes.len() < chunk
            && let Some(table) = ring.next_spool_table().cloned()
        {
            if !told.table.as_ref().is_some_and(|last| Arc::ptr_eq(last, &table)) {
                write_table(&mut bytes, &table);
                told.table = Some(table);
            }
            if !write_samples(&mut bytes, |out| ring.write_spool(out)) {
                break;
            }
        }
        self.told = Some(told);
        Append { id, at, bytes }
    }

    fn lock_and_run(&self, job: Job) {
        let _ = self.files.lock().unwrap_or_else(PoisonError::into_inner).run(job);
    }
}

fn mark(ring: &Ring) -> Mark {
    let tally = ring.tally();
    Mark { through: ring.through(), taken: tally.taken, acknowledged: tally.acknowledged }
}

/// Whether a clock says something else than the one that was written.
fn differs(told: Clock, now: Clock) -> bool {
    if told.by_hub || now.by_hub {
        return told != now;
    }
    let zero = |clock: Clock| {
        clock.anchor.unix_ms.saturating_sub(i64::try_from(clock.anchor.monotonic_ms).unwrap_or(i64::MAX))
    };
    zero(told).abs_diff(zero(now)) > CLOCK_STEP_MS.unsigned_abs()
}

#[cfg(test)]
mod tests;
