//! The journal thread: gathers samples, commits them together, and says so.
//!
//! A commit costs a flush of the disk, so samples wait for company: up to [`BATCH_SAMPLES`], or [`WINDOW`], or until
//! somebody waits for the answer. When the journal cannot be written the batch is kept and tried again for ever; what
//! comes meanwhile waits in the queue, then in the connections' windows, then with the agents. Nothing is dropped, and
//! memory stays bounded.

mod commit;
mod queries;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_store::age::Present;
use lamon_store::journal::{Journal, JournalOptions, Opened};
use lamon_store::registers::Event;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{Ages, Append, Begin, EVENTS, GivenBack, JournalHandle, Query, Report, Words};
use crate::sample::Now;

/// A commit takes at most about this many samples: enough that the flush of the disk is a small part of each.
const BATCH_SAMPLES: usize = 500;

/// The longest that a sample waits for company: an idle hub commits once a second at most.
const WINDOW: Duration = Duration::from_secs(1);

/// How long to wait before a failed commit, or opening, is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How many appends wait for the thread, each of at most one window of one connection.
const APPENDS: usize = 64;

/// How many questions wait for the thread: one for each connection that just said hello, more of them wait.
const QUERIES: usize = 64;

/// How often old rows are looked for, and deleted in steps of a few milliseconds. Rows are kept for days.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// How the journal is kept.
#[derive(Debug, Clone)]
pub(crate) struct JournalSettings {
    /// The file.
    pub(crate) path: PathBuf,
    /// How it is opened.
    pub(crate) options: JournalOptions,
    /// How long rows stay at least.
    pub(crate) keep: Duration,
    /// The archive's name, under which its cursor is kept.
    pub(crate) archive: String,
}

/// Starts the thread, from within the runtime of those who append. It ends, with everything committed that it can commit, when `shutdown` is cancelled and the
/// queue is empty.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn spawn(
    settings: JournalSettings,
    events: mpsc::Receiver<Event>,
    reports: mpsc::Sender<Report>,
    shutdown: CancellationToken,
) -> std::io::Result<(JournalHandle, JoinHandle<()>)> {
    let (appends, appends_in) = mpsc::channel(APPENDS);
    let (queries, queries_in) = mpsc::channel(QUERIES);
    let (newest_out, newest) = watch::channel(0);
    let hurry = Arc::new(Notify::new());
    let keeper = Keeper {
        settings,
        reports,
        newest: newest_out,
        journal: None,
        pending: Vec::new(),
        pending_samples: 0,
        pending_events: Vec::new(),
        commit_at: None,
        flush_at: None,
        failing: None,
        told: false,
        cursor_waits: Vec::new(),
        ages: None,
        hurry: Arc::clone(&hurry),
        words: Words::spawn(),
    };
    let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(keeper.run(appends_in, queries_in, events, shutdown)),
            Err(error) => error!(%error, "the journal thread has no runtime"),
        }
    })?;
    Ok((JournalHandle { appends, queries, newest, hurry }, thread))
}

struct Keeper {
    settings: JournalSettings,
    reports: mpsc::Sender<Report>,
    newest: watch::Sender<i64>,
    /// `None` until it could be opened.
    journal: Option<Journal>,
    /// What the next commit takes. At most [`BATCH_SAMPLES`] and one append more.
    pending: Vec<Append>,
    pending_samples: usize,
    /// Events that the next commit takes, [`EVENTS`] at most.
    pending_events: Vec<Event>,
    /// When the next commit, or try, is due; `None` when nothing waits and the journal is open.
    commit_at: Option<Instant>,
    /// When a cursor that moved is written alone.
    flush_at: Option<Instant>,
    /// Why the journal cannot be written, so that each reason is told once.
    failing: Option<String>,
    /// Whether anything was told of the journal yet.
    told: bool,
    /// Who asked for the cursor before the journal was open.
    cursor_waits: Vec<oneshot::Sender<Begin>>,
    /// By which time rows are old; none until the journal was open.
    ages: Option<Ages>,
    /// Rung when an append does not want to wait for the window's end.
    hurry: Arc<Notify>,
    /// Where it is told what is on disk.
    words: Words,
}

enum Chosen {
    Append(Option<Append>),
    Query(Option<Query>),
    Event(Event),
    Hurry,
    Commit,
    Flush,
    Prune,
    Shutdown,
}

impl Keeper {
    async fn run(
        mut self,
        mut appends: mpsc::Receiver<Append>,
        mut queries: mpsc::Receiver<Query>,
        mut events: mpsc::Receiver<Event>,
        shutdown: CancellationToken,
    ) {
        self.open();
        let mut prune_at = Instant::now() + PRUNE_EVERY;
        let mut ending = false;
        loop {
            // While a window is open, what comes waits in the queue: see `JournalHandle::handed_over`.
            let gathering = self.commit_at.is_some();
            let listens = self.has_room() && (ending || !gathering);
            let commit_at = self.commit_at.unwrap_or(prune_at);
            let chosen = tokio::select! {
                biased;
                query = queries.recv() => Chosen::Query(query),
                append = appends.recv(), if listens => Chosen::Append(append),
                Some(event) = events.recv(), if self.pending_events.len() < EVENTS => Chosen::Event(event),
                () = self.hurry.notified(), if gathering => Chosen::Hurry,
                () = sleep_until(commit_at), if gathering => Chosen::Commit,
                () = sleep_until(self.flush_at.unwrap_or(prune_at)), if self.flush_at.is_some() => Chosen::Flush,
                // Also while nothing can be committed: a disk that the journal itself filled gets room by this.
                () = sleep_until(prune_at) => Chosen::Prune,
                () = shutdown.cancelled(), if !ending => Chosen::Shutdown,
            };
            match chosen {
                Chosen::Append(Some(append)) => self.gather(append),
                // Every connection has ended: what is pending gets its last try.
                Chosen::Append(None) | Chosen::Query(None) => break,
                Chosen::Query(Some(query)) => self.answer(query),
                Chosen::Event(event) => self.gather_event(event),
                Chosen::Hurry => self.take_waiting(&mut appends),
                Chosen::Commit => {
                    self.take_waiting(&mut appends);
                    self.commit();
                }
                Chosen::Flush => self.flush(),
                Chosen::Prune => {
                    let more = self.prune();
                    prune_at = Instant::now() + if more { Duration::from_millis(50) } else { PRUNE_EVERY };
                }
                Chosen::Shutdown => {
                    ending = true;
                    // From here on nobody can send; what is queued is still taken.
                    appends.close();
                }
            }
        }
        while let Ok(append) = appends.try_recv() {
            self.gather(append);
        }
        while let Ok(event) = events.try_recv() {
            self.gather_event(event);
        }
        self.commit();
        self.flush();
        if let Some(Err(error)) = self.journal.as_mut().map(Journal::fold) {
            warn!(%error, "the journal's write-ahead log is not folded into its file");
        }
    }

    /// Writes the cursor, when no samples came to write it with.
    fn flush(&mut self) {
        self.flush_at = None;
        if let Some(Err(error)) = self.journal.as_mut().map(Journal::flush) {
            // The archive takes rows twice without harm, so a cursor that lags costs only work.
            warn!(%error, "the journal cannot note how far the archive is");
        }
    }

    /// Whether another append fits into the next commit.
    const fn has_room(&self) -> bool {
        self.pending_samples < BATCH_SAMPLES
    }

    /// Gathers what waits in the queue.
    fn take_waiting(&mut self, appends: &mut mpsc::Receiver<Append>) {
        while self.has_room()
            && let Ok(append) = appends.try_recv()
        {
            self.gather(append);
        }
    }

    fn gather(&mut self, append: Append) {
        if append.line.is_broken() {
            let _ = append.done.send(Err(GivenBack));
            return;
        }
        self.pending_samples += append.samples.len();
        let soon = append.urgent || self.pending_samples >= BATCH_SAMPLES;
        self.pending.push(append);
        if self.failing.is_some() {
            return;
        }
        let now = Instant::now();
        let due = if soon { now } else { now + WINDOW };
        self.commit_at = Some(self.commit_at.map_or(due, |earlier| earlier.min(due)));
    }

    fn gather_event(&mut self, event: Event) {
        self.pending_events.push(event);
        if self.failing.is_none() {
            self.commit_at.get_or_insert(Instant::now() + WINDOW);
        }
    }

    /// Opens the journal, or says why not and tries again later.
    fn open(&mut self) {
        let opened = make_folder(&self.settings.path)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                Journal::open(&self.settings.path, self.settings.options).map_err(|error| error.to_string())
            })
            .and_then(|(mut journal, opened)| {
                journal.use_archives(&[&self.settings.archive]).map_err(|error| error.to_string())?;
                Ok((journal, opened))
            });
        match opened {
            Ok((journal, opened)) => {
                if let Opened::MovedAside { to, reason } = opened {
                    self.report(Report::JournalMovedAside(format!("{reason}; moved to {}", to.display())));
                }
                info!(path = %journal.path().display(), "the journal is open");
                self.newest.send_replace(journal.last_position());
                self.report(Report::Accounts(journal.accounts()));
                let now = Now::read();
                let clock = journal.age_clock(now.unix_ms);
                self.ages.get_or_insert_with(|| Ages::new(clock, now));
                self.journal = Some(journal);
                self.read_ages();
                self.works();
                self.answer_cursor();
            }
            Err(reason) => self.fails(reason),
        }
    }

    fn fails(&mut self, reason: String) {
        self.commit_at = Some(Instant::now() + RETRY);
        self.told = true;
        if self.failing.as_ref() != Some(&reason) {
            self.report(Report::JournalFailed(reason.clone()));
            self.failing = Some(reason);
        }
    }

    fn works(&mut self) {
        if self.failing.take().is_some() || !std::mem::replace(&mut self.told, true) {
            self.report(Report::JournalWorks);
        }
    }

    /// By which time rows are old now; tells when the clock jumped.
    fn read_ages(&mut self) -> Option<Present> {
        let (ages, journal) = (self.ages.as_mut()?, self.journal.as_mut()?);
        let (present, jumped) = ages.read(Now::read());
        journal.set_age_clock(ages.clock());
        if let Some(jump) = jumped {
            self.report(Report::ClockJumped(jump));
        }
        Some(present)
    }

    /// Deletes one step of old rows; whether there are more.
    fn prune(&mut self) -> bool {
        let Some(present) = self.read_ages() else { return false };
        let Some(journal) = &mut self.journal else { return false };
        match journal.prune(self.settings.keep, present) {
            Ok(pruned) => pruned.more,
            Err(error) => {
                warn!(%error, "old rows of the journal cannot be deleted");
                false
            }
        }
    }

    fn report(&self, report: Report) {
        // The core task takes reports within microseconds; a full queue means that it ended.
        let _ = self.reports.try_send(report);
    }
}

fn make_folder(path: &std::path::Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| {
        std::fs::create_dir_all(folder).map_err(|error| {
            std::io::Error::other(format!(
                "the journal's folder {} cannot be made: {error}",
                folder.display()
            ))
        })
    })
}
