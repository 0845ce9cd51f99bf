//! A small centrald, for tests and demonstrations (feature `testing`).
//!
//! It says what the real one says: login and keys, lists of devices and clients, refused names, authorization, states
//! merged into weather, stop and blocked operations, `status_info` passed round, messages by mask. It knows no Sun and
//! no configuration: it is on, it is day, and everybody blocks everybody.

mod commands;
mod connection;
mod hub;
mod merge;
mod own_values;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rts2_proto::DeviceState;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use hub::Hub;

/// Connections served at the same time; more are closed at once. A hundred devices and their clients fit.
const MAX_CONNECTIONS: usize = 1024;

/// A running centrald; it ends when this is dropped.
#[derive(Debug)]
pub struct Centrald {
    address: SocketAddr,
    hub: Arc<Hub>,
    shutdown: CancellationToken,
    _end: DropGuard,
}

impl Centrald {
    /// Starts one on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(listener, |_| {})
    }

    /// Starts one on a listening socket; `log` gets a line for a person whenever something happens.
    ///
    /// # Errors
    /// When the socket has no address.
    pub fn start_on(listener: TcpListener, log: impl Fn(&str) + Send + Sync + 'static) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let hub = Arc::new(Hub::new(Box::new(log)));
        let shutdown = CancellationToken::new();
        tokio::spawn(serve(listener, Arc::clone(&hub), shutdown.clone()));
        Ok(Self { address, hub, _end: shutdown.clone().drop_guard(), shutdown })
    }

    /// Runs one until `shutdown`, as `make demo` does.
    ///
    /// # Errors
    /// When the socket has no address.
    pub async fn run(
        listener: TcpListener,
        shutdown: CancellationToken,
        log: impl Fn(&str) + Send + Sync + 'static,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        log(&format!("centrald listens on {address}"));
        serve(listener, Arc::new(Hub::new(Box::new(log))), shutdown).await;
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names of the registered devices, in the order of their registration.
    #[must_use]
    pub fn devices(&self) -> Vec<String> {
        self.hub.devices()
    }

    /// Its own state.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.hub.state()
    }

    /// The last state that a device sent.
    #[must_use]
    pub fn device_state(&self, name: &str) -> Option<DeviceState> {
        self.hub.device_state(name)
    }

    /// The `M` lines that came last, at most a thousand.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.hub.messages()
    }

    /// Waits until what it knows (devices, states, messages) satisfies a condition.
    pub async fn wait_for(&self, condition: impl Fn(&Self) -> bool) {
        let mut changes = self.hub.subscribe();
        loop {
            changes.mark_unchanged();
            if condition(self) {
                return;
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until a device is registered.
    pub async fn registered(&self, name: &str) {
        self.wait_for(|centrald| centrald.devices().iter().any(|device| device == name)).await;
    }

    /// Closes every connection and goes on listening.
    pub fn drop_connections(&self) {
        self.hub.drop_connections();
    }

    /// Ends it: closes every connection and the listening socket.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }
}

async fn serve(listener: TcpListener, hub: Arc<Hub>, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, usually; connections that end give some back.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                };
                if connections.len() < MAX_CONNECTIONS {
                    connections.spawn(connection::serve(stream, Arc::clone(&hub), shutdown.clone()));
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
