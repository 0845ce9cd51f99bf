//! The forwarder thread: carries rows from the journal to the archive, for ever.
//!
//! It reads with a connection of its own, in batches, and moves the cursor only after the archive's commit: killed at
//! any instant, it carries some rows twice, which the archive's key makes harmless, and loses none.

use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_store::archive::{Appended, Archive, ArchiveUrl};
use lamon_store::journal::JournalReader;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{JournalHandle, Query, Report};

/// How often the backlog is counted and reported.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// How long rows wait for company on their way to the archive: an idle hub's archive commits every few seconds, not
/// with each sample.
const GATHER: Duration = Duration::from_secs(2);

/// Starts the thread. It ends soon after `shutdown` is cancelled; what it did not carry is carried at the next start.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn spawn(
    url: ArchiveUrl,
    hub: String,
    journal_path: PathBuf,
    journal: JournalHandle,
    reports: mpsc::Sender<Report>,
    shutdown: CancellationToken,
) -> std::io::Result<JoinHandle<()>> {
    let forwarder = Forwarder {
        url,
        hub,
        journal_path,
        journal,
        reports,
        failing: None,
        told: false,
        report_at: Instant::now(),
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
    url: ArchiveUrl,
    hub: String,
    journal_path: PathBuf,
    journal: JournalHandle,
    reports: mpsc::Sender<Report>,
    /// Why the archive does not take samples, so that each reason is told once.
    failing: Option<String>,
    /// Whether anything was told of the archive yet.
    told: bool,
    report_at: Instant,
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
        let mut reader = match JournalReader::open(&self.journal_path) {
            Ok(reader) => reader,
            Err(error) => return Interruption::Failed(error.to_string()),
        };
        if let Err(error) = self.count_backlog(&mut reader, position) {
            return error;
        }
        let mut archive = match Archive::connect(&self.url, &self.hub).await {
            Ok(archive) => archive,
            Err(error) => return Interruption::Failed(error.to_string()),
        };
        info!(archive = %self.url, "the archive takes samples");
        loop {
            // Taken before the rows are read: up to there, an empty answer is the whole answer. Positions do not begin at
            // 0, and rows may have been moved aside, so the newest position may be far above the last row.
            let newest = *self.journal.newest.borrow();
            let rows = match reader.read_after(position, lamon_store::archive::BATCH_ROWS) {
                Ok(rows) => rows,
                Err(error) => return Interruption::Failed(error.to_string()),
            };
            if let Some((last, _)) = rows.last() {
                let last = *last;
                let samples: Vec<_> = rows.into_iter().map(|(_, sample)| sample).collect();
                match archive.append(&samples).await {
                    Ok(appended) => self.appended(&appended),
                    Err(error) => return Interruption::Failed(error.to_string()),
                }
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
            if let Err(end) = self.wait_for_rows(&mut reader, position).await {
                return end;
            }
        }
    }

    /// Waits until the journal has rows behind `position`, reporting the backlog now and then.
    async fn wait_for_rows(&mut self, reader: &mut JournalReader, position: i64) -> Result<(), Interruption> {
        let mut newest = self.journal.newest.clone();
        let behind = |newest: &i64| *newest > position;
        if newest.borrow_and_update().saturating_sub(position)
            < i64::try_from(lamon_store::archive::BATCH_ROWS).unwrap_or(i64::MAX)
        {
            sleep(GATHER).await;
        }
        loop {
            if Instant::now() >= self.report_at {
                self.count_backlog(reader, position)?;
            }
            match timeout_at(self.report_at, newest.wait_for(behind)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(_)) => return Err(Interruption::HubEnds),
                Err(_) => {}
            }
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
