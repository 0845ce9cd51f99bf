//! Operating the hub: what may be asked of it while it runs, and who asks.
//!
//! ```text
//! lamon (CLI) --Unix socket--> listener -> connection --+
//!                                                       +-- Operations --> core task
//! RTS2 commands (lamon-sensord) ------------------------+
//! ```
//!
//! Everybody asks by [`Operations`], and the core task, which owns all state, carries it out (`core/operate.rs`). What
//! changes something is answered when it is on disk.
//!
//! | file | what it does |
//! |---|---|
//! | `socket` | makes the socket's file, for one group alone |
//! | `listener` | accepts connections, a bounded number |
//! | `connection` | a line, an answer, and so on |
//! | `who` | who is at the other end |

mod connection;
mod listener;
mod socket;
mod who;

use std::time::Duration;

use lamon_control::{Answer, Operation, Refusal, Response, Why};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::info;

pub(crate) use self::listener::run;
pub use self::socket::{ControlSocket, SocketError};

/// How many operations wait for the core task, which takes each in microseconds: a full queue is a hub that stands still.
const QUEUE: usize = 64;

/// How long somebody waits to hear that his change is on disk, and then hears that it is not yet.
const KEPT_TIME: Duration = Duration::from_secs(5);

/// An operation on its way to the core task.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What.
    pub(crate) operation: Operation,
    /// Who asks, for events and tables.
    pub(crate) who: String,
    /// The answer.
    pub(crate) reply: oneshot::Sender<Replied>,
}

/// What the core task answers.
#[derive(Debug)]
pub(crate) enum Replied {
    /// At once.
    Now(Result<Answer, Refusal>),
    /// It holds, and is on its way to the disk.
    Keeping(Answer, oneshot::Receiver<Result<(), String>>),
    /// Somebody else answers: a file has to be read.
    Later(oneshot::Receiver<Result<Answer, Refusal>>),
}

/// Who asked for a reload, and hears what came of it.
pub type ReloadReply = oneshot::Sender<Result<Answer, Refusal>>;

/// The core task's end.
#[derive(Debug)]
pub struct Inbox(pub(crate) mpsc::Receiver<Asked>);

/// How everybody operates the hub. Clones are the same hub's.
#[derive(Debug, Clone)]
pub struct Operations(mpsc::Sender<Asked>);

/// A way to operate a hub that is about to be started with the other end.
#[must_use]
pub fn operations() -> (Operations, Inbox) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Operations(sender), Inbox(receiver))
}

impl Operations {
    /// Has the hub do something, and waits until it is done and on disk. `who` is written beside what is changed.
    pub async fn ask(&self, operation: Operation, who: &str) -> Response {
        let changes = operation.changes().then(|| format!("{operation:?}"));
        let result = self.carry_out(operation, who).await;
        if let Some(what) = changes {
            let outcome = result.as_ref().map_or_else(|refusal| refusal.text.as_str(), |_| "done");
            info!(who, what, outcome, "the hub was operated");
        }
        result.into()
    }

    async fn carry_out(&self, operation: Operation, who: &str) -> Result<Answer, Refusal> {
        let ends = || Refusal::new(Why::Busy, "the hub ends");
        let (reply, replied) = oneshot::channel();
        let asked = Asked { operation, who: who.into(), reply };
        self.0.send(asked).await.map_err(|_| ends())?;
        match replied.await.map_err(|_| ends())? {
            Replied::Now(result) => result,
            Replied::Keeping(answer, kept) => Ok(match timeout(KEPT_TIME, kept).await {
                Ok(Ok(Ok(()))) => answer,
                Ok(Ok(Err(why))) => but(answer, &why),
                Ok(Err(_)) => but(answer, "the hub ends"),
                Err(_) => but(answer, "the disk does not answer"),
            }),
            Replied::Later(result) => result.await.unwrap_or_else(|_| Err(ends())),
        }
    }
}

/// It holds, but not over a restart.
fn but(answer: Answer, why: &str) -> Answer {
    match answer {
        Answer::Did(mut did) => {
            did.text = format!("{}; it is not on disk and would not outlive a restart: {why}", did.text);
            Answer::Did(did)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
