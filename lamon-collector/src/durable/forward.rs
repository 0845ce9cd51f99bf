//! The forwarder thread: carries rows from the journal to the archive, for ever.
//!
//! It reads with a connection of its own, in batches, and moves the cursor only after the archive's commit: killed at
//! any instant, it carries some rows twice, which the archive's key makes harmless, and loses none.
//!
//! It also carries events, what is known of nodes and what operators changed, and has the archive do its upkeep when no rows wait.

mod copies;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_store::archive::{Appended, Archive, ArchiveUrl, BATCH_ROWS};
use lamon_store::journal::{JournalReader, ReadError};
use lamon_store::registers::{NodeRecord, Setting};
use lamon_store::upkeep::Retention;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Ages, Begin, Heard, JournalHandle, Query, Report};
use crate::sample::Now;

/// How often the backlog is counted and reported.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// How long at least between two commits of the archive, unless a whole batch waits: each writes a page for every node, so
/// that few rows cost as much as many. The first rows after a pause do not wait.
const GATHER: Duration = Duration::from_secs(10);

/// The rows of a whole batch, as a distance of positions.
#[expect(clippy::cast_possible_wrap, reason = "a thousand")]
const BATCH: i64 = BATCH_ROWS as i64;

/// How many events go to the archive at once.
const EVENT_BATCH: usize = 500;

/// While a backlog is carried, one step of upkeep for so many batches: the newest rollups then lag, but never stop.
const BATCHES_A_STEP: u32 = 20;

/// How long upkeep that failed is left alone: what it lacks, a privilege or room, does not come within seconds.
const UPKEEP_PAUSE: Duration = Duration::from_secs(60);

/// What the forwarder works with.
pub(crate) struct ForwarderSettings {
    /// The archive.
    pub(crate) url: ArchiveUrl,
    /// The hub's name, in each row.
    pub(crate) hub: String,
    /// How long the archive keeps what.
    pub(crate) retention: Retention,
    /// The journal's file.
    pub(crate) journal_path: PathBuf,
    /// What agents said of themselves.
    pub(crate) hellos: mpsc::Receiver<NodeRecord>,
    /// What operators changed, all of it.
    pub(crate) settings: watch::Receiver<Arc<Vec<Setting>>>,
    /// The hub has no file of what operators changed: the archive may know it.
    pub(crate) fresh: bool,
}

/// Starts the thread. It ends soon after `shutdown` is cancelled; what it did not carry is carried at the next start.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn spawn(
    settings: ForwarderSettings,
    journal: JournalHandle,
    reports: mpsc::Sender<Report>,
    shutdown: CancellationToken,
) -> std::io::Result<JoinHandle<()>> {
    let forwarder = Forwarder {
        settings,
        journal,
        reports,
        heard: Heard::new(),
        failing: None,
        told: false,
        unreadable: None,
        server: String::new(),
        report_at: Instant::now(),
        upkeep_failing: None,
        upkeep_at: Instant::now(),
        batches: 0,
        gather_until: Instant::now(),
    };
    std::thread::Builder::new().name("forwarder".into()).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = forwarder.run() => {}
                }
            }),
            Err(error) => error!(%error, "the forwarder thread has no runtime"),
        }
    })
}

struct Forwarder {
    settings: ForwarderSettings,
    journal: JournalHandle,
    reports: mpsc::Sender<Report>,
    heard: Heard,
    /// Why the archive does not take samples, so that each reason is told once.
    failing: Option<String>,
    /// Whether anything was told of the archive yet.
    told: bool,
    /// Which of several servers took samples last, as it was told.
    server: String,
    /// Why the journal cannot be read, so that each reason is told once.
    unreadable: Option<String>,
    report_at: Instant,
    /// Why upkeep fails, so that each reason is told once.
    upkeep_failing: Option<String>,
    /// When upkeep may be tried again.
    upkeep_at: Instant,
    /// Batches of a backlog since the last step of upkeep.
    batches: u32,
    /// Until when rows wait for company.
    gather_until: Instant,
}

/// What ended a round of forwarding.
enum Interruption {
    /// The archive does not work now.
    Archive(String),
    /// The journal cannot be read now.
    Journal(String),
    /// The journal thread has ended, and with it the hub.
    HubEnds,
}

impl From<lamon_store::ArchiveError> for Interruption {
    fn from(error: lamon_store::ArchiveError) -> Self {
        Self::Archive(error.to_string())
    }
}

impl From<ReadError> for Interruption {
    fn from(error: ReadError) -> Self {
        Self::Journal(error.to_string())
    }
}

impl Forwarder {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            match self.forward(&mut backoff).await {
                Interruption::HubEnds => return,
                Interruption::Archive(reason) => {
                    self.told = true;
                    if self.failing.as_ref() != Some(&reason) {
                        self.report(Report::DatabaseFailed(reason.clone()));
                        self.failing = Some(reason);
                    }
                    self.settings.url.pass_over();
                }
                Interruption::Journal(reason) => {
                    // Until rows are carried again, nobody knows how the archive is.
                    (self.told, self.failing) = (false, None);
                    if self.unreadable.as_ref() != Some(&reason) {
                        self.report(Report::JournalUnreadable(reason.clone()));
                        self.unreadable = Some(reason);
                    }
                }
            }
            sleep(backoff.wait()).await;
        }
    }

    /// Connects and carries rows until something fails.
    async fn forward(&mut self, backoff: &mut Backoff) -> Interruption {
        let Some(Begin { cursor: mut position, mut ages }) = self.begin().await else {
            return Interruption::HubEnds;
        };
        let mut reader = match JournalReader::open(&self.settings.journal_path) {
            Ok(reader) => reader,
            Err(error) => return error.into(),
        };
        if let Err(error) = self.count_backlog(&mut reader, position) {
            return error;
        }
        let mut archive = match Archive::connect(&self.settings.url, &self.settings.hub).await {
            Ok(archive) => archive,
            Err(error) => return error.into(),
        };
        info!(archive = %archive.server(), "the archive takes samples");
        if let Err(end) = self.take_up_settings(&mut archive).await {
            return end;
        }
        loop {
            // Taken before the rows are read: up to there, an empty answer is the whole answer. Positions do not begin at
            // 0, and rows may have been moved aside, so the newest position may be far above the last row.
            let newest = *self.journal.newest.borrow();
            let rows = match reader.read_after(position, BATCH_ROWS) {
                Ok(rows) => rows,
                Err(error) => return error.into(),
            };
            if self.unreadable.take().is_some() {
                self.report(Report::JournalReadable);
            }
            if let Some((last, _)) = rows.last() {
                let last = *last;
                let samples: Vec<_> = rows.into_iter().map(|(_, sample)| sample).collect();
                match archive.append(&samples).await {
                    Ok(appended) => self.appended(&appended),
                    Err(error) => return error.into(),
                }
                self.gather_until = Instant::now() + GATHER;
                self.heard.samples(&samples);
                position = last;
                if self.journal.queries.send(Query::Forwarded { position }).await.is_err() {
                    return Interruption::HubEnds;
                }
            } else {
                position = position.max(newest);
            }
            backoff.reset();
            let server = archive.server();
            let moved = self.server != server;
            if self.failing.take().is_some() || !std::mem::replace(&mut self.told, true) || moved {
                self.report(Report::DatabaseWorks { server: server.clone() });
                self.server = server;
            }
            if let Err(end) = self.carry_events(&mut reader, &mut archive).await {
                return end;
            }
            self.tend(&mut archive, position, &mut ages).await;
            if let Err(end) = self.wait_for_rows(&mut reader, position).await {
                return end;
            }
        }
    }

    /// Carries events, and what is known of nodes.
    async fn carry_events(
        &mut self,
        reader: &mut JournalReader,
        archive: &mut Archive,
    ) -> Result<(), Interruption> {
        while let Ok(hello) = self.settings.hellos.try_recv() {
            self.heard.hello(hello);
        }
        self.copy_settings(archive).await?;
        let due = self.heard.due();
        if !due.is_empty() {
            archive.upsert_nodes(&due).await?;
            self.heard.written();
        }
        let events = reader.events(EVENT_BATCH)?;
        let Some(number) = events.last().map(|event| event.number) else { return Ok(()) };
        archive.append_events(&events).await?;
        // The archive takes them twice without harm.
        self.journal.queries.send(Query::EventsForwarded { number }).await.map_err(|_| Interruption::HubEnds)
    }

    /// Whether rows enough wait behind `position` that they go on without company.
    fn batch_waits(&self, position: i64) -> bool {
        self.journal.newest.borrow().saturating_sub(position) >= BATCH
    }

    /// Has the archive make rollups and delete what is old, until a batch of samples waits again.
    async fn tend(&mut self, archive: &mut Archive, position: i64, ages: &mut Ages) {
        if self.batch_waits(position) {
            self.batches += 1;
            if self.batches < BATCHES_A_STEP {
                return;
            }
        }
        self.batches = 0;
        while Instant::now() >= self.upkeep_at {
            // The journal's thread tells of a clock that jumped.
            let (present, _) = ages.read(Now::read());
            match archive.upkeep(&self.settings.retention, present).await {
                Ok(step) => {
                    self.upkeep_failing = None;
                    if !step.more || self.batch_waits(position) {
                        return;
                    }
                }
                Err(error) => {
                    self.upkeep_at = Instant::now() + UPKEEP_PAUSE;
                    let reason = error.to_string();
                    if self.upkeep_failing.as_ref() != Some(&reason) {
                        self.report(Report::UpkeepFailed(reason.clone()));
                        self.upkeep_failing = Some(reason);
                    }
                }
            }
        }
    }

    /// Waits until rows behind `position` are to be carried, or it is time to look for other work; reports the backlog now
    /// and then.
    async fn wait_for_rows(&mut self, reader: &mut JournalReader, position: i64) -> Result<(), Interruption> {
        let mut newest = self.journal.newest.clone();
        loop {
            let now = Instant::now();
            if now >= self.report_at {
                self.count_backlog(reader, position)?;
            }
            let gathering = now < self.gather_until;
            let (least, until) = if gathering { (BATCH, self.gather_until) } else { (1, self.report_at) };
            let enough = newest.wait_for(|newest| newest.saturating_sub(position) >= least);
            match timeout_at(until, enough).await {
                Ok(Err(_)) => return Err(Interruption::HubEnds),
                Err(_) if gathering => {}
                Ok(Ok(_)) | Err(_) => return Ok(()),
            }
        }
    }

    fn count_backlog(&mut self, reader: &mut JournalReader, position: i64) -> Result<(), Interruption> {
        self.report_at = Instant::now() + REPORT_EVERY;
        let backlog = reader.backlog(position)?;
        self.report(Report::Backlog { samples: backlog.rows, oldest_ms: backlog.oldest_ms });
        Ok(())
    }

    fn appended(&self, appended: &Appended) {
        if appended.dead > 0 {
            let reason = appended.reasons.first().cloned().unwrap_or_default();
            self.report(Report::DeadLetters(appended.dead, reason));
        }
    }

    async fn begin(&self) -> Option<Begin> {
        let (reply, answer) = oneshot::channel();
        self.journal.queries.send(Query::Cursor { reply }).await.ok()?;
        answer.await.ok()
    }

    fn report(&self, report: Report) {
        // The core task takes reports within microseconds; a full queue means that it ended.
        let _ = self.reports.try_send(report);
    }
}
