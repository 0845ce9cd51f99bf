//! Reading the archive for who asks while the hub runs, on a thread of its own: the core task and the live path never wait
//! for a database.
//!
//! | file | what it does |
//! |---|---|
//! | `events` | what happened, page by page |
//! | `disks` | how much nights add to disks |

mod disks;
mod events;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use lamon_control::{Answer, Refusal, Why};
use lamon_store::reading::Site;
use lamon_store::{ArchiveReader, ArchiveUrl};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use self::disks::Disks;
pub(crate) use self::events::EventsAsked;

/// How many questions wait: people ask them, so a full queue is a database that hangs.
const QUEUE: usize = 4;

/// How long the archive may take for an answer. The command `lamon` waits twice as long.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// A question about the past.
struct Question {
    asked: EventsAsked,
    reply: oneshot::Sender<Result<Answer, Refusal>>,
}

/// Where the core task asks about the past.
#[derive(Debug)]
pub(crate) struct Past(mpsc::Sender<Question>);

impl Past {
    /// Asks for a page of events. The answer comes when the archive has given it.
    pub(crate) fn events(
        &self,
        asked: EventsAsked,
    ) -> Result<oneshot::Receiver<Result<Answer, Refusal>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let busy = |_| Refusal::new(Why::Busy, "others are reading the archive: try again");
        self.0.try_send(Question { asked, reply }).map(|()| answer).map_err(busy)
    }
}

/// The thread, and what it is reached by.
pub(crate) struct Spawned {
    /// Where questions go.
    pub(crate) past: Past,
    /// What is known of disks.
    pub(crate) disks: watch::Receiver<Disks>,
    /// The thread.
    pub(crate) thread: JoinHandle<()>,
}

/// Starts the thread. `site` tells when nights begin. It ends with the core task's end of the questions, or when `ended` is cancelled.
///
/// # Errors
///
/// When the system gives no thread or runtime.
pub(crate) fn spawn(url: ArchiveUrl, site: Site, ended: CancellationToken) -> io::Result<Spawned> {
    let (told, disks) = watch::channel(Disks::default());
    let (past, questions) = mpsc::channel(QUEUE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name("past".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                // Whoever waits for an answer does not wait for the nights.
                ((), ()) = async { tokio::join!(answer(&url, questions), disks::follow(&url, site, told)) } => {}
                () = ended.cancelled() => {}
            }
        });
        // A statement that still runs in a file ends with the process.
        runtime.shutdown_background();
    })?;
    Ok(Spawned { past: Past(past), disks, thread })
}

/// Answers one question after the other. A reader that failed is let go of, and the next question opens another.
async fn answer(url: &ArchiveUrl, mut questions: mpsc::Receiver<Question>) {
    let mut kept: Option<ArchiveReader> = None;
    while let Some(Question { asked, reply }) = questions.recv().await {
        let read = async {
            let mut reader = match kept.take() {
                Some(reader) => reader,
                None => ArchiveReader::open(url).await?,
            };
            let page = events::page(&mut reader, &asked).await?;
            kept = Some(reader);
            Ok::<_, lamon_store::ArchiveError>(page)
        };
        let refused =
            |why: &str| Refusal::new(Why::NotPossible, format!("the archive cannot be read: {why}"));
        let answered = match timeout(ANSWER_TIME, read).await {
            Ok(Ok(page)) => Ok(Answer::Events(page)),
            Ok(Err(error)) => Err(refused(&error.to_string())),
            Err(_) => Err(refused(&format!("no answer within {} s", ANSWER_TIME.as_secs()))),
        };
        // Whoever asked may have gone away.
        let _ = reply.send(answered);
    }
}
