//! The thread that compares passwords: one, because each comparison takes 19 MiB, which it keeps for the next.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::users::password::{Hash, Memory, verify};

/// How long a comparison waits for its turn, some tens of milliseconds each; a flood of them has the others wait no longer.
const TURN_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Job {
    hash: Option<Hash>,
    password: String,
    same: oneshot::Sender<bool>,
}

/// Compares passwords, one after the other. Its thread ends with it.
#[derive(Debug)]
pub(super) struct Comparer {
    jobs: SyncSender<Job>,
    turn: Semaphore,
}

impl Comparer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// When the system gives none.
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, given) = sync_channel::<Job>(1);
        std::thread::Builder::new().name("passwords".into()).spawn(move || {
            let mut memory = Memory::default();
            for Job { hash, password, same } in given {
                // Nobody may wait for it any more.
                let _ = same.send(verify(hash.as_ref(), &password, &mut memory));
            }
        })?;
        Ok(Self { jobs, turn: Semaphore::new(1) })
    }

    /// Whether the password is that of the hash; no hash is nobody's, and takes as long. `None` when too many others wait.
    pub(super) async fn compare(&self, hash: Option<Hash>, password: String) -> Option<bool> {
        let _turn = timeout(TURN_WITHIN, self.turn.acquire()).await.ok()?.ok()?;
        let (same, told) = oneshot::channel();
        // There is room, but for one whose asker went away.
        self.jobs.try_send(Job { hash, password, same }).ok()?;
        told.await.ok()
    }
}
