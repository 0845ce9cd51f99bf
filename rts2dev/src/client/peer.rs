//! A connection of a client, kept by a task: reads what the peer says into a picture, sends commands one at a time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rts2_proto::{CommandReturn, KeepAlive, KeepAliveAction, Line, Rest, Technical};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Duration, Instant};

use super::ClientError;
use super::picture::Picture;
use crate::wire::Wire;

/// Commands that may wait for one peer; more is a caller that does not wait for answers.
const MAX_WAITING: usize = 64;
/// Longest wait for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the end of a command. A camera may take long to answer, a network a while to fail.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

struct Order {
    line: Vec<u8>,
    answer: oneshot::Sender<CommandReturn>,
}

/// What the task and its owner share.
#[derive(Debug, Default)]
struct Common {
    picture: Mutex<Picture>,
    /// Why the connection ended.
    why: Mutex<Option<String>>,
}

/// A peer and its task; dropping it ends both.
pub(super) struct Peer {
    name: String,
    orders: mpsc::Sender<Order>,
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
    /// Connects.
    pub(super) async fn connect(name: &str, address: &str) -> Result<Self, ClientError> {
        let failed = |source| ClientError::Connect { address: address.to_owned(), source };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        let (orders, receiver) = mpsc::channel(MAX_WAITING);
        let (told, changes) = watch::channel(0);
        let common = Arc::new(Common::default());
        let task = tokio::spawn(keep(Wire::new(stream), receiver, Arc::clone(&common), told)).abort_handle();
        Ok(Self { name: name.to_owned(), orders, common, changes, task })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The picture as it is. Held only to copy from it.
    pub(super) fn picture(&self) -> MutexGuard<'_, Picture> {
        self.common.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change of the picture.
    pub(super) async fn changed(&mut self) -> Result<(), ClientError> {
        match self.changes.changed().await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.lost()),
        }
    }

    /// Sends a command and waits for its end.
    pub(super) async fn command(&self, line: Line<'_>) -> Result<CommandReturn, ClientError> {
        self.order(line.to_bytes()).await
    }

    /// Sends a line that a person wrote.
    pub(super) async fn command_text(&self, line: &str) -> Result<CommandReturn, ClientError> {
        let mut line = Rest::new(line.as_bytes())?.as_bytes().to_vec();
        line.push(b'\n');
        self.order(line).await
    }

    /// Sends a command that has to succeed.
    pub(super) async fn must(&self, line: Line<'_>) -> Result<(), ClientError> {
        let answer = self.command(line).await?;
        if answer.is_error() {
            return Err(ClientError::Refused { peer: self.name.clone(), answer });
        }
        Ok(())
    }

    async fn order(&self, line: Vec<u8>) -> Result<CommandReturn, ClientError> {
        let (answer, receiver) = oneshot::channel();
        self.orders.try_send(Order { line, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ClientError::Busy { peer: self.name.clone() },
            mpsc::error::TrySendError::Closed(_) => self.lost(),
        })?;
        match tokio::time::timeout(COMMAND_TIMEOUT, receiver).await {
            Ok(Ok(end)) => Ok(end),
            Ok(Err(_)) => Err(self.lost()),
            Err(_) => Err(ClientError::Timeout { peer: self.name.clone() }),
        }
    }

    fn lost(&self) -> ClientError {
        let why = self.common.why.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ClientError::Lost { peer: self.name.clone(), why: why.unwrap_or_else(|| "closed".to_owned()) }
    }
}

/// Keeps the connection to its end. Waits on the socket, on commands to send while none is under way, and on time.
async fn keep(
    mut wire: Wire,
    mut orders: mpsc::Receiver<Order>,
    common: Arc<Common>,
    told: watch::Sender<u64>,
) {
    let mut keep_alive = KeepAlive::new(Instant::now().into_std());
    let mut under_way: Option<oneshot::Sender<CommandReturn>> = None;
    let mut line = Vec::new();
    let why = loop {
        wire.give_way().await;
        let mut changed = false;
        while wire.has_room()
            && let Some(whole) = wire.next_line(&mut line)
        {
            if !whole {
                continue;
            }
            // A line that cannot be read costs that line.
            let Ok(parsed) = Line::parse(&line) else { continue };
            match parsed {
                Line::Technical(Technical::Ready) => Line::Technical(Technical::Ok).write_to(&mut wire.out),
                Line::Return(end) => {
                    if let Some(answer) = under_way.take() {
                        // Whoever asked may have given up.
                        let _ = answer.send(end);
                    }
                }
                parsed => {
                    let mut picture = common.picture.lock().unwrap_or_else(PoisonError::into_inner);
                    if picture.handle_line(&parsed) {
                        changed = true;
                    } else if let Line::Command(command) = parsed {
                        drop(picture);
                        CommandReturn::unknown_command(command.word()).write_to(&mut wire.out);
                    }
                }
            }
        }
        if changed {
            told.send_modify(|count| *count = count.wrapping_add(1));
        }
        let read = wire.has_room();
        tokio::select! {
            turned = wire.turn(read) => match turned {
                Ok(()) => keep_alive.handle_heard(Instant::now().into_std()),
                Err(error) => break error.to_string(),
            },
            order = orders.recv(), if under_way.is_none() => match order {
                Some(order) => {
                    wire.out.extend_from_slice(&order.line);
                    under_way = Some(order.answer);
                }
                None => break "closed".to_owned(),
            },
            () = tokio::time::sleep_until(Instant::from_std(keep_alive.next_timeout())) => {
                match keep_alive.handle_timeout(Instant::now().into_std()) {
                    KeepAliveAction::Wait => {}
                    KeepAliveAction::AskReady => Line::Technical(Technical::Ready).write_to(&mut wire.out),
                    KeepAliveAction::Close => break "silent".to_owned(),
                }
            }
        }
    };
    *common.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
}
