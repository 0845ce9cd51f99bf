//! The forwarder thread: carries rows from the journal to the archive, for ever.
//!
//! It reads with a connection of its own, in batches, and moves the cursor only after the archive's commit: killed at
//! any instant, it carries some rows twice, which the archive's key makes harmless, and loses none.
//!
//! It also carries events and what is known of nodes, and has the archive do its upkeep when no rows wait.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_store::archive::{Appended, Archive, ArchiveUrl};
use lamon_store::journal::JournalReader;
use lamon_store::registers::NodeRecord;
use lamon_store::upkeep::Retention;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Heard, JournalHandle, Query, Report};
use crate::sample::Now;

/// How often the backlog is counted and reported.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// How long rows wait for company on their way to the archive: an idle hub's archive commits every few seconds, not
/// with each sample.
const GATHER: Duration = Duration::from_secs(2);

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
        report_at: Instant::now(),
        upkeep_failing: None,
        upkeep_at: Instant::now(),
        batches: 0,
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
    report_at: Instant,
    /// Why upkeep fails, so that each reason is told once.
    upkeep_failing: Option<String>,
    /// When upkeep may be tried again.
    upkeep_at: Instant,
    /// Batches of a backlog since the last step of upkeep.
    batches: u32,
}

/// What ended a round of forwarding.
enum Interruption {
    /// The archive or the journal does not work now.
    Failed(String),
    /// The journal thread has ended, and with it the hub.
    HubEnds,
}

impl Forwarder {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            match self.forward(&mut backoff).await {
                Interruption::HubEnds => return,
                Interruption::Failed(reason) => {
                    self.told = true;
                    if self.failing.as_ref() != Some(&reason) {
                        self.report(Report::DatabaseFailed(reason.clone()));
                        self.failing = Some(reason);
                    }
                    sleep(backoff.wait()).await;
                }
            }
        }
    }

    /// Connects and carries rows until something fails.
    async fn forward(&mut self, backoff: &mut Backoff) -> Interruption {
        let Some(mut position) = self.cursor().await else { return Interruption::HubEnds };
        let mut reader = match JournalReader::open(&self.settings.journal_path) {
            Ok(reader) => reader,
            Err(error) => return Interruption::Failed(error.to_string()),
        };
        if let Err(error) = self.count_backlog(&mut reader, position) {
            return error;
        }
        let mut archive = match Archive::connect(&self.settings.url, &self.settings.hub).await {
            Ok(archive) => archive,
            Err(error) => return Interruption::Failed(error.to_string()),
        };
        info!(archive = %self.settings.url, "the archive takes samples");
        loop {
            // Taken before the rows are read: up to there, an empty answer is the whole answer. Positions do not begin at
            // 0, and rows may have been moved aside, so the newest position may be far above the last row.
            let newest = *self.journal.newest.borrow();
            let rows = match reader.read_after(position, lamon_store::archive::BATCH_ROWS) {
                Ok(rows) => rows,
                Err(error) => return Interruption::Failed(error.to_string()),
            };
            let backlog = rows.len() >= lamon_store::archive::BATCH_ROWS;
            if let Some((last, _)) = rows.last() {
                let last = *last;
                let samples: Vec<_> = rows.into_iter().map(|(_, sample)| sample).collect();
                match archive.append(&samples).await {
                    Ok(appended) => self.appended(&appended),
                    Err(error) => return Interruption::Failed(error.to_string()),
                }
                self.heard.samples(&samples);
                position = last;
                if self.journal.queries.send(Query::Forwarded { position }).await.is_err() {
                    return Interruption::HubEnds;
                }
            } else {
                position = position.max(newest);
            }
            backoff.reset();
            if self.failing.take().is_some() || !std::mem::replace(&mut self.told, true) {
                self.report(Report::DatabaseWorks);
            }
            if let Err(end) = self.carry_events(&mut reader, &mut archive).await {
                return end;
            }
            self.tend(&mut archive, backlog, position).await;
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
        let failed = |error: lamon_store::ArchiveError| Interruption::Failed(error.to_string());
        let due = self.heard.due();
        if !due.is_empty() {
            archive.upsert_nodes(&due).await.map_err(failed)?;
            self.heard.written();
        }
        let events = reader.events(EVENT_BATCH).map_err(|error| Interruption::Failed(error.to_string()))?;
        let Some(number) = events.last().map(|event| event.number) else { return Ok(()) };
        archive.append_events(&events).await.map_err(failed)?;
        // The archive takes them twice without harm.
        self.journal.queries.send(Query::EventsForwarded { number }).await.map_err(|_| Interruption::HubEnds)
    }

    /// Has the archive make rollups and delete what is old, until samples wait again.
    async fn tend(&mut self, archive: &mut Archive, backlog: bool, position: i64) {
        if backlog {
            self.batches += 1;
            if self.batches < BATCHES_A_STEP {
                return;
            }
        }
        self.batches = 0;
        while Instant::now() >= self.upkeep_at {
            match archive.upkeep(&self.settings.retention, Now::read().unix_ms).await {
                Ok(step) => {
                    self.upkeep_failing = None;
                    if !step.more || backlog || *self.journal.newest.borrow() > position {
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

    /// Waits until the journal has rows behind `position`, or it is time to look for other work; reports the backlog now
    /// and then.
    async fn wait_for_rows(&mut self, reader: &mut JournalReader, position: i64) -> Result<(), Interruption> {
        let mut newest = self.journal.newest.clone();
        let behind = |newest: &i64| *newest > position;
        if newest.borrow_and_update().saturating_sub(position)
            < i64::try_from(lamon_store::archive::BATCH_ROWS).unwrap_or(i64::MAX)
        {
            sleep(GATHER).await;
        }
        if Instant::now() >= self.report_at {
            self.count_backlog(reader, position)?;
        }
        match timeout_at(self.report_at, newest.wait_for(behind)).await {
            Ok(Ok(_)) | Err(_) => Ok(()),
            Ok(Err(_)) => Err(Interruption::HubEnds),
        }
    }

    fn count_backlog(&mut self, reader: &mut JournalReader, position: i64) -> Result<(), Interruption> {
        self.report_at = Instant::now() + REPORT_EVERY;
        match reader.backlog(position) {
            Ok(backlog) => {
                self.report(Report::Backlog { samples: backlog.rows, oldest_ms: backlog.oldest_ms });
                Ok(())
            }
            Err(error) => Err(Interruption::Failed(error.to_string())),
        }
    }

    fn appended(&self, appended: &Appended) {
        if appended.dead > 0 {
            let reason = appended.reasons.first().cloned().unwrap_or_default();
            self.report(Report::DeadLetters(appended.dead, reason));
        }
    }

    async fn cursor(&self) -> Option<i64> {
        let (reply, answer) = oneshot::channel();
        self.journal.queries.send(Query::Cursor { reply }).await.ok()?;
        answer.await.ok()
    }

    fn report(&self, report: Report) {
        // The core task takes reports within microseconds; a full queue means that it ended.
        let _ = self.reports.try_send(report);
    }
}
