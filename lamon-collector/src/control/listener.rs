//! The control listener: accepts connections of those whom the socket's file lets in, a bounded number at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{ControlSocket, Operations, connection};

/// The most connections at once: a command takes milliseconds, and a web page needs one. More are told so and closed.
const MAX_CONNECTIONS: usize = 32;

/// How long to wait after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves the socket until `shutdown`.
pub(crate) async fn run(socket: ControlSocket, operations: Operations, shutdown: CancellationToken) {
    let listener = match socket.listener() {
        Ok(listener) => listener,
        Err(error) => return warn!(%error, "the control socket cannot be served"),
    };
    info!(path = %socket.path().display(), "the control socket listens");
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => serve(stream, &room, &tasks, &operations, &shutdown),
            Err(error) => {
                warn!(%error, "the control socket cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(socket);
    tasks.close();
    tasks.wait().await;
}

fn serve(
    stream: UnixStream,
    room: &Arc<Semaphore>,
    tasks: &TaskTracker,
    operations: &Operations,
    shutdown: &CancellationToken,
) {
    let Ok(place) = Arc::clone(room).try_acquire_owned() else {
        connection::turn_away(&stream);
        return;
    };
    let (operations, shutdown) = (operations.clone(), shutdown.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = connection::serve(stream, operations) => {}
            () = shutdown.cancelled() => {}
        }
        drop(place);
    });
}
