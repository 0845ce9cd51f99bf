//! The word that samples are on disk, passed on by a task on the connections' own thread: told from the journal's thread,
//! each connection would be woken by a system call of its own.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::GivenBack;

/// How many commits' words wait to be passed on; the task that does it has nothing else to do.
const COMMITS: usize = 8;

/// Who is to hear of one commit.
type Commit = Vec<oneshot::Sender<Result<(), GivenBack>>>;

/// The way to the task.
#[derive(Debug)]
pub(super) struct Words(mpsc::Sender<Commit>);

impl Words {
    /// Starts the task, on the runtime that this is called from. It ends with the last of these.
    pub(super) fn spawn() -> Self {
        let (commits, mut commits_in) = mpsc::channel(COMMITS);
        tokio::spawn(async move {
            while let Some(commit) = commits_in.recv().await {
                tell(commit);
            }
        });
        Self(commits)
    }

    /// Tells that these samples are on disk.
    pub(super) fn on_disk(&self, commit: Commit) {
        if let Err(TrySendError::Full(commit) | TrySendError::Closed(commit)) = self.0.try_send(commit) {
            tell(commit);
        }
    }
}

fn tell(commit: Commit) {
    for done in commit {
        // Whoever asked may be gone.
        let _ = done.send(Ok(()));
    }
}
