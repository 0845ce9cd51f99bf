//! A connection of a client, kept by a task: the session's events go into the picture that its owner looks at, commands
//! of its owner go into the session.

mod session;
mod task;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rts2_proto::{CommandReturn, Line, Rest};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant};

use super::ClientError;
use super::changes::Changes;
use super::image::Sink;
use super::picture::Picture;
use crate::wire::Wire;
pub(super) use session::Opening;
use session::Session;
use task::{Ended, Order, Request, Task};

/// Commands that may wait for the task; more is a caller that does not wait for answers.
const MAX_WAITING: usize = 64;
/// Longest wait for a connection to be made, and then for the peer to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the end of a command when the caller names none. A camera may take long to answer, a network a
/// while to fail.
pub(super) const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// What the task and its owner share.
#[derive(Debug, Default)]
pub(super) struct Common {
    picture: Mutex<Picture>,
    /// Why the connection ended.
    why: Mutex<Option<String>>,
}

impl Common {
    /// The picture as it is. Held only to copy from it.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lost(&self, peer: &str) -> ClientError {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ClientError::Lost { peer: peer.to_owned(), why: why.unwrap_or_else(|| "closed".to_owned()) }
    }
}

/// A peer and its task; dropping it ends both.
pub(super) struct Peer {
    name: String,
    requests: mpsc::Sender<Request>,
    common: Arc<Common>,
    changes: watch::Receiver<u64>,
    task: AbortHandle,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Connects, and is let in: by centrald under a number.
    pub(super) async fn connect(
        name: &str,
        address: &str,
        opening: Opening<'_>,
    ) -> Result<(Self, Option<i32>), ClientError> {
        let failed =
            |source| ClientError::Connect { peer: name.to_owned(), address: address.to_owned(), source };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        let mut wire = Wire::new(stream);
        let now = Instant::now();
        let session = Session::new(now, &opening, &mut wire.out);
        let (requests, receiver) = mpsc::channel(MAX_WAITING);
        let (told, changes) = watch::channel(0);
        let (let_in, answer) = oneshot::channel();
        let common = Arc::new(Common::default());
        let task = Task::new(wire, session, let_in, Arc::clone(&common), told);
        let task = tokio::spawn(task.run(receiver)).abort_handle();
        let peer = Self { name: name.to_owned(), requests, common, changes, task };
        match answer.await {
            Ok(Ok(id)) => Ok((peer, id)),
            Ok(Err(answer)) => Err(ClientError::Refused { peer: name.to_owned(), answer }),
            Err(_) => Err(peer.lost()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The picture as it is. Held only to copy from it.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.common.picture()
    }

    pub(super) fn is_connected(&self) -> bool {
        !self.requests.is_closed()
    }

    /// Follows the picture, from `seen` on.
    pub(super) fn watch(&self, seen: u64) -> Changes {
        Changes::new(&self.name, Arc::clone(&self.common), self.changes.clone(), seen)
    }

    /// Follows the picture from now on.
    pub(super) fn watch_from_now(&self) -> Changes {
        let seen = self.picture().log.last();
        self.watch(seen)
    }

    /// Waits until anything changed after `seen`, and moves it there.
    pub(super) async fn changed(&self, seen: &mut u64) -> Result<(), ClientError> {
        self.watch(*seen).next().await?;
        *seen = self.picture().log.last();
        Ok(())
    }

    /// Sends a command and waits for its end.
    pub(super) async fn command(
        &self,
        line: &Line<'_>,
        within: Duration,
    ) -> Result<CommandReturn, ClientError> {
        let mut text = line.to_bytes();
        text.pop();
        self.order(text, within).await
    }

    /// Sends a line that a person wrote.
    pub(super) async fn command_text(
        &self,
        line: &str,
        within: Duration,
    ) -> Result<CommandReturn, ClientError> {
        let text = Rest::new(line.as_bytes())?;
        if !Line::is_answered(text.as_bytes()) {
            return Err(ClientError::NoCommand { line: line.to_owned() });
        }
        self.order(text.as_bytes().to_vec(), within).await
    }

    /// Sends a command that has to succeed.
    pub(super) async fn must(&self, line: &Line<'_>) -> Result<(), ClientError> {
        let answer = self.command(line, COMMAND_TIMEOUT).await?;
        if answer.is_error() {
            return Err(ClientError::Refused { peer: self.name.clone(), answer });
        }
        Ok(())
    }

    /// Has images handed on.
    pub(super) async fn images(&self, sink: Sink) -> Result<(), ClientError> {
        self.requests.send(Request::Images(sink)).await.map_err(|_| self.lost())
    }

    async fn order(&self, text: Vec<u8>, within: Duration) -> Result<CommandReturn, ClientError> {
        let peer = || self.name.clone();
        let (answer, receiver) = oneshot::channel();
        let order = Order { text, deadline: Instant::now() + within, answer };
        self.requests.try_send(Request::Command(order)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ClientError::Busy { peer: peer() },
            mpsc::error::TrySendError::Closed(_) => self.lost(),
        })?;
        match receiver.await {
            Ok(Ended::End(end)) => Ok(end),
            Ok(Ended::TimedOut) => Err(ClientError::Timeout { peer: peer() }),
            Ok(Ended::Busy) => Err(ClientError::Busy { peer: peer() }),
            Err(_) => Err(self.lost()),
        }
    }

    fn lost(&self) -> ClientError {
        self.common.lost(&self.name)
    }
}
