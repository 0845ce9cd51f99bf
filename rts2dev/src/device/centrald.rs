//! The connection to one centrald. Waits on its socket, on changes of the values, on requests of clients, and on
//! time; sends centrald everything that changes, and clients its word about them.
//!
//! The connection is made again for ever: after 1 s, then doubling up to 60 s. A name that is taken is asked for again
//! when centrald says that its owner is gone, and in the same rhythm.

mod conversation;

use std::sync::Arc;

use rts2_proto::session::device::CentraldSession;
use rts2_proto::{DeviceState, DeviceType};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use self::conversation::Conversation;
use super::primary::Primary;
use crate::handlers::ClientLogin;
use crate::shared::Shared;
use crate::status::Registration;
use crate::wire::Wire;

/// First pause before a connection or a registration is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: classic RTS2 always waits that long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest wait for a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a client needs of centrald.
pub(super) enum Request {
    /// Is this key right? The answer is dropped when centrald cannot be asked.
    Authorize { client: i32, key: i32, answer: oneshot::Sender<Verdict> },
    /// Collect fresh states.
    StatusInfo { answer: oneshot::Sender<bool> },
}

/// What centrald says of a client's key.
pub(super) enum Verdict {
    /// It is right; with what centrald told of the client before.
    Right(Option<ClientLogin>),
    Wrong,
}

/// A pause that doubles.
struct BackOff(Duration);

impl BackOff {
    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// What the task of one centrald needs.
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) device_type: DeviceType,
    /// Its place in the device's list.
    pub(super) index: usize,
    pub(super) address: String,
    /// Where clients find us.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) requests: mpsc::Receiver<Request>,
    /// The device without which this one is not registered here.
    pub(super) primary: Option<Primary>,
}

impl Drop for Link {
    /// However the device ends, also when its future is dropped: who looks at its status must not see it registered.
    fn drop(&mut self) {
        self.shared.set_registration(self.index, Registration::Disconnected);
        self.shared.set_bop(self.index, DeviceState::empty());
    }
}

/// Marks that outlive a connection.
struct Memory {
    back_off: BackOff,
    /// Messages before this number were sent here.
    messages: u64,
}

impl Link {
    /// Keeps the device registered until `shutdown`.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let device = self.shared.name.clone();
        let mut memory = Memory { back_off: BackOff(FIRST_PAUSE), messages: 0 };
        // One line per outage in the log, not one per attempt.
        let mut told = false;
        loop {
            if self.follows() {
                self.wait_for_primary(&shutdown).await;
                memory.back_off = BackOff(FIRST_PAUSE);
            }
            let connected = tokio::select! {
                () = shutdown.cancelled() => return,
                () = Primary::lost(&mut self.primary) => continue,
                connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.address)) => connected,
            };
            let why = match connected {
                Ok(Ok(stream)) => {
                    let why = self.converse(stream, &mut memory, &shutdown).await;
                    if !matches!(self.shared.registration(self.index), Registration::Disconnected) {
                        told = false;
                    }
                    self.shared.set_registration(self.index, Registration::Disconnected);
                    self.shared.set_bop(self.index, DeviceState::empty());
                    why
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            if shutdown.is_cancelled() {
                return;
            }
            if self.follows() {
                continue;
            }
            if !told {
                tracing::warn!(%device, centrald = %self.address, why, "not connected to centrald, trying again");
                told = true;
            }
            let until = Instant::now() + memory.back_off.next();
            loop {
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = tokio::time::sleep_until(until) => break,
                    () = Primary::lost(&mut self.primary) => break,
                    // Dropping a request tells its client that centrald cannot be asked.
                    Some(_) = self.requests.recv() => {}
                }
            }
        }
    }

    /// Whether it has to stay away because its primary device is not registered here.
    fn follows(&self) -> bool {
        self.primary.as_ref().is_some_and(|primary| !primary.is_registered())
    }

    /// Stays away until the primary device is registered, or until `shutdown`; stands by while that does.
    async fn wait_for_primary(&mut self, shutdown: &CancellationToken) {
        while let Some(primary) = &mut self.primary {
            let registration = primary.registration();
            let registered = matches!(registration, Registration::Registered { .. });
            let shown = if registered { Registration::Disconnected } else { registration };
            self.shared.set_registration(self.index, shown);
            if registered {
                return;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = primary.changed() => {}
                // Dropping a request tells its client that centrald cannot be asked.
                Some(_) = self.requests.recv() => {}
            }
        }
    }

    /// One connection, to its end.
    async fn converse(
        &mut self,
        stream: TcpStream,
        memory: &mut Memory,
        shutdown: &CancellationToken,
    ) -> String {
        let mut wire = Wire::new(stream);
        let session = CentraldSession::new(
            Instant::now().into_std(),
            self.shared.name.clone(),
            self.device_type,
            i32::try_from(self.index).unwrap_or(i32::MAX),
            (&self.host, self.port),
            &mut wire.out,
        );
        Conversation::new(self, memory, wire, session).run(shutdown).await
    }
}
