//! The listening socket of the small centrald: a task for every connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::hub::Hub;

/// Pause after a connection could not be accepted: out of descriptors, usually, and those that end give some back.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then waits for the tasks of all connections.
pub(super) async fn serve(listener: TcpListener, hub: Arc<Hub>, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection::serve(stream, Arc::clone(&hub), shutdown.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
