//! A small centrald in this process, for tests and demonstrations (feature `testing`).
//!
//! [`Centrald`] says what the real rts2-centrald says, byte for byte where programs look at it: login and keys, lists of
//! devices and clients and their coming and going, refused names, authorization, states merged into weather, stop and
//! blocked operations, `blocked_by` and `required_devices`, rounds of `status_info`, messages by mask, `on`, `standby`,
//! `soft_off` and `off`, keep-alive, and all of centrald's own values. It knows no Sun: a test sets the part of the day.
//!
//! ```
//! use rts2dev::testing::{Centrald, CentraldOptions, Log, PartOfDay};
//! use rts2dev::{Device, DeviceOptions};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let centrald = Centrald::start_with(CentraldOptions {
//!     required_devices: vec!["NODES".to_owned()],
//!     part_of_day: PartOfDay::Night,
//!     log: Log::new(|line| println!("centrald: {line}")),
//!     ..CentraldOptions::default()
//! })
//! .await?;
//! let options = DeviceOptions { centralds: vec![centrald.address().to_string()], ..DeviceOptions::new("NODES") };
//! let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
//! tokio::spawn(Device::new(options)?.run(listener, CancellationToken::new()));
//! centrald.registered("NODES").await;
//! # Ok(())
//! # }
//! ```
//!
//! # Otherwise than the real one, on purpose
//!
//! - `status_info` is not asked of strangers: under the real one, a connection that says nothing at all holds up every
//!   exposure. Of two rounds of one asker each gets its end; the real one forgets one.
//! - A wrong password is answered at once; the real one sleeps for five seconds, and everybody with it.
//! - There are limits: connections, strangers among them, lines that wait for a peer that does not read.
//! - `open` and `close` find nothing to open: `open_sequence` can be set and is not used.
//! - The values that come from the Sun and the Moon stay `nan`.

mod action;
mod commands;
mod connection;
mod core;
mod hub;
mod merge;
mod options;
mod own_values;
mod peer;
mod server;
mod status_info;
mod switches;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rts2_proto::DeviceState;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use hub::Hub;
pub use options::{CentraldOptions, Log, OnOff, PartOfDay};

/// A running centrald; it ends when this is dropped.
#[derive(Debug)]
pub struct Centrald {
    address: SocketAddr,
    hub: Arc<Hub>,
    shutdown: CancellationToken,
    _end: DropGuard,
}

impl Centrald {
    /// Starts one with the default options, on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(CentraldOptions::default()).await
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen at the address of the options.
    pub async fn start_with(options: CentraldOptions) -> io::Result<Self> {
        Self::serve(TcpListener::bind(options.listen).await?, &options)
    }

    /// Starts one on a listening socket; `log` gets a line for a person whenever something happens.
    ///
    /// # Errors
    /// When the socket has no address.
    pub fn start_on(listener: TcpListener, log: impl Fn(&str) + Send + Sync + 'static) -> io::Result<Self> {
        Self::serve(listener, &CentraldOptions { log: Log::new(log), ..CentraldOptions::default() })
    }

    /// Runs one on a listening socket until `shutdown`; `options.listen` does not count.
    ///
    /// # Errors
    /// When the socket has no address.
    pub async fn run(
        listener: TcpListener,
        options: CentraldOptions,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        options.log.say(&format!("centrald listens on {}", listener.local_addr()?));
        server::serve(listener, Arc::new(Hub::new(&options)), shutdown).await;
        Ok(())
    }

    fn serve(listener: TcpListener, options: &CentraldOptions) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let hub = Arc::new(Hub::new(options));
        let shutdown = CancellationToken::new();
        options.log.say(&format!("centrald listens on {address}"));
        tokio::spawn(server::serve(listener, Arc::clone(&hub), shutdown.clone()));
        Ok(Self { address, hub, _end: shutdown.clone().drop_guard(), shutdown })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names of the registered devices, in the order of their connections.
    #[must_use]
    pub fn devices(&self) -> Vec<String> {
        self.hub.devices()
    }

    /// Its own state.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.hub.state()
    }

    /// The last state that a device sent; `None` before it sent one, and for a device that is not registered.
    #[must_use]
    pub fn device_state(&self, name: &str) -> Option<DeviceState> {
        self.hub.device_state(name)
    }

    /// The `M` lines that came last from devices, at most a thousand.
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

    /// Switches it, as the command of a client would; `user` is named as the reason.
    pub fn switch(&self, on_off: OnOff, user: &str) {
        self.hub.switch(on_off, user);
    }

    /// Moves the Sun.
    pub fn set_part_of_day(&self, part: PartOfDay) {
        self.hub.set_part_of_day(part);
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
