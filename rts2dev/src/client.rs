//! The other side: log in to centrald, list devices, and keep a live picture of one.
//!
//! ```no_run
//! use rts2dev::client::Client;
//!
//! # async fn run() -> Result<(), rts2dev::client::ClientError> {
//! let client = Client::login("localhost:617", "observer", "example").await?;
//! let mut nodes = client.device("NODES").await?;
//! loop {
//!     for value in nodes.values() {
//!         println!("{} {} {:?}", value.name, value.text(), value.level());
//!     }
//!     nodes.changed().await?;
//! }
//! # }
//! ```
//!
//! # Following
//!
//! [`RemoteDevice::watch`] gives every [`Change`] one by one; who is slow gets the latest of each value and never a
//! queue. [`RemoteDevice::wait`] waits until a [`Condition`] holds.
//!
//! A connection that breaks is reported by every call; making a new one is the caller's decision. [`Follower`] makes it:
//! it follows one device across restarts, its own and centrald's.
//!
//! # Bounds
//!
//! What a peer says is kept within limits: 50,000 values and 64 MiB of text for each, 10,000 devices and clients. A
//! line that cannot be read costs that line; a peer that sends rubbish only its own connection.

mod changes;
pub mod condition;
mod device;
mod error;
mod follow;
mod image;
mod log;
mod news;
mod peer;
mod picture;
mod text;
mod utc;

use std::sync::Arc;

use rts2_proto::{Command, CommandReturn, DeviceState, Line, MessageType, Text};
use tokio::time::Duration;

use crate::options::with_port;
pub use changes::{Change, Changes, Progress, RemoteMessage};
pub use condition::{Condition, ConditionError, MismatchError, View};
pub use device::{Operand, RemoteDevice, WaitError};
pub use error::ClientError;
pub use follow::{Followed, Follower, Login};
pub use image::{ImageNews, Images};
pub use news::{ClientInfo, DeviceInfo, RemoteValue};
use peer::{COMMAND_TIMEOUT, Opening, Peer};
pub use utc::{format_utc, parse_utc};

/// Name under which centrald itself can be asked for like a device.
pub const CENTRALD: &str = "centrald";

/// A client of centrald, logged in. Dropping it closes the connection, unless a [`Client::centrald`] is kept.
#[derive(Debug)]
pub struct Client {
    peer: Arc<Peer>,
    id: i32,
    /// Number of the last change that [`Client::changed`] told of.
    seen: u64,
}

impl Client {
    /// Connects to a centrald (`host` or `host:port`) and logs in. RTS2's password is the login name again.
    ///
    /// # Errors
    /// When centrald cannot be reached, or refuses.
    pub async fn login(centrald: &str, user: &str, program: &str) -> Result<Self, ClientError> {
        let login = Text::new(user.as_bytes())?;
        let program = Text::new(program.as_bytes())?;
        let opening = Opening::Login { login, program };
        let (peer, id) = Peer::connect(CENTRALD, &with_port(centrald), opening).await?;
        Ok(Self { peer: Arc::new(peer), id: id.unwrap_or_default(), seen: 0 })
    }

    /// Number under which centrald knows this client.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// The connection has not ended, as far as is known.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.peer.is_connected()
    }

    /// The devices, as they come and go.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceInfo> {
        self.peer.picture().devices.clone()
    }

    /// The clients, as they come and go.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.peer.picture().clients.clone()
    }

    /// centrald's state.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.peer.picture().state
    }

    /// centrald's own values, in the order of their declaration.
    #[must_use]
    pub fn values(&self) -> Vec<RemoteValue> {
        self.peer.picture().values.clone()
    }

    /// One of centrald's own values, its name compared without case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<RemoteValue> {
        self.peer.picture().value(name).cloned()
    }

    /// centrald itself, to be asked like a device: its values, its state, its changes.
    #[must_use]
    pub fn centrald(&self) -> RemoteDevice {
        RemoteDevice::new(Arc::clone(&self.peer))
    }

    /// Waits until anything changed since the last call.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn changed(&mut self) -> Result<(), ClientError> {
        self.peer.changed(&mut self.seen).await
    }

    /// Follows centrald: first everything as it is (values, state, devices, clients), then every change.
    #[must_use]
    pub fn watch(&self) -> Changes {
        self.peer.watch(0)
    }

    /// Follows centrald from now on: its values, its state, devices and clients that come and go, messages.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.peer.watch_from_now()
    }

    /// Has centrald send messages of these kinds from now on; they come as [`Change::Message`].
    ///
    /// # Errors
    /// When the connection ended, or centrald refuses.
    pub async fn message_mask(&self, mask: MessageType) -> Result<(), ClientError> {
        self.peer.must(&Line::Command(Command::MessageMask { mask })).await
    }

    /// Sends a command line and waits for its end, for a minute at most.
    ///
    /// # Errors
    /// When the connection ended, or no end came in time. An answer that says no is no error here.
    pub async fn command(&self, line: &str) -> Result<CommandReturn, ClientError> {
        self.command_within(line, COMMAND_TIMEOUT).await
    }

    /// Sends a command line and waits for its end as long as that.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn command_within(&self, line: &str, within: Duration) -> Result<CommandReturn, ClientError> {
        self.peer.command_text(line, within).await
    }

    /// Connects to a device and is authorized by it; [`CENTRALD`] gives centrald itself.
    ///
    /// # Errors
    /// When centrald does not know it, it cannot be reached, or it refuses.
    pub async fn device(&self, name: &str) -> Result<RemoteDevice, ClientError> {
        if name.eq_ignore_ascii_case(CENTRALD) {
            return Ok(self.centrald());
        }
        let listed = || self.peer.picture().device(name).cloned();
        let unknown = || ClientError::NoSuchDevice { name: name.to_owned() };
        let device = match listed() {
            Some(device) => device,
            None => {
                // A device that registered a moment ago: `info` lists it.
                self.peer.must(&Line::Command(Command::Info)).await?;
                listed().ok_or_else(unknown)?
            }
        };
        let key_for = Text::new(device.name.as_bytes())?;
        self.peer.must(&Line::Command(Command::Key { device: key_for })).await?;
        let key = self.peer.picture().key(&device.name).ok_or_else(unknown)?;
        let opening = Opening::Authorize { id: self.id, centrald_num: device.centrald_num, key };
        let address = format!("{}:{}", device.host, device.port);
        let (peer, _) = Peer::connect(&device.name, &address, opening).await?;
        Ok(RemoteDevice::new(Arc::new(peer)))
    }
}
