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
//! A connection that breaks is reported by `changed` and by every command; making a new one is the caller's decision.

mod peer;
mod picture;
mod text;

use rts2_proto::{Command, CommandReturn, DeviceState, Line, Rest, SetOp, Text, TextError};

use crate::options::with_port;
use peer::Peer;
pub use picture::{ClientInfo, DeviceInfo, RemoteValue};

/// Why a client could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection to that address.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where to.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The connection ended.
    #[error("connection to {peer} lost: {why}")]
    Lost {
        /// Device or centrald.
        peer: String,
        /// Why.
        why: String,
    },
    /// No end of the command came in time.
    #[error("{peer} did not answer in time")]
    Timeout {
        /// Device or centrald.
        peer: String,
    },
    /// Too many commands wait already.
    #[error("too many commands wait for {peer}")]
    Busy {
        /// Device or centrald.
        peer: String,
    },
    /// centrald or the device refused.
    #[error("{peer} refused: {answer}")]
    Refused {
        /// Device or centrald.
        peer: String,
        /// Its answer.
        answer: CommandReturn,
    },
    /// centrald knows no device of that name.
    #[error("no device {name}")]
    NoSuchDevice {
        /// The name.
        name: String,
    },
    /// A text that cannot stand in a line.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// A client of centrald, logged in. Dropping it closes the connection.
#[derive(Debug)]
pub struct Client {
    peer: Peer,
    id: i32,
}

impl Client {
    /// Connects to a centrald (`host` or `host:port`) and logs in. RTS2's password is the login name again.
    ///
    /// # Errors
    /// When centrald cannot be reached, or refuses.
    pub async fn login(centrald: &str, user: &str, program: &str) -> Result<Self, ClientError> {
        let peer = Peer::connect("centrald", &with_port(centrald)).await?;
        let user = Text::new(user.as_bytes())?;
        let program = Text::new(program.as_bytes())?;
        peer.must(Line::Command(Command::Login { login: user, program })).await?;
        peer.must(Line::Command(Command::Password { password: user })).await?;
        let Some(id) = peer.picture().logged_as else {
            return Err(ClientError::Lost { peer: "centrald".to_owned(), why: "no logged_as".to_owned() });
        };
        peer.must(Line::Command(Command::Info)).await?;
        Ok(Self { peer, id })
    }

    /// Number under which centrald knows this client.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
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

    /// Waits until anything changed since the last call.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn changed(&mut self) -> Result<(), ClientError> {
        self.peer.changed().await
    }

    /// Sends a command line and waits for its end.
    ///
    /// # Errors
    /// When the connection ended, or no end came in time. An answer that says no is no error here.
    pub async fn command(&self, line: &str) -> Result<CommandReturn, ClientError> {
        self.peer.command_text(line).await
    }

    /// Connects to a device and is authorized by it.
    ///
    /// # Errors
    /// When centrald does not know it, it cannot be reached, or it refuses.
    pub async fn device(&self, name: &str) -> Result<RemoteDevice, ClientError> {
        let known = self.devices().into_iter().find(|device| device.name.eq_ignore_ascii_case(name));
        let device = match known {
            Some(device) => device,
            None => {
                // A device that registered a moment ago: `info` lists it.
                self.peer.must(Line::Command(Command::Info)).await?;
                let mut devices = self.devices().into_iter();
                devices
                    .find(|device| device.name.eq_ignore_ascii_case(name))
                    .ok_or_else(|| ClientError::NoSuchDevice { name: name.to_owned() })?
            }
        };
        let key_for = Text::new(device.name.as_bytes())?;
        self.peer.must(Line::Command(Command::Key { device: key_for })).await?;
        let key = self.peer.picture().key(&device.name);
        let Some(key) = key else { return Err(ClientError::NoSuchDevice { name: name.to_owned() }) };
        let peer = Peer::connect(&device.name, &format!("{}:{}", device.host, device.port)).await?;
        peer.must(Line::Command(Command::Auth { id: self.id, centrald_num: device.centrald_num, key }))
            .await?;
        Ok(RemoteDevice { peer })
    }
}

/// A device to which this client is connected. Dropping it closes the connection.
#[derive(Debug)]
pub struct RemoteDevice {
    peer: Peer,
}

impl RemoteDevice {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.peer.name()
    }

    /// Its values, in the order of their declaration.
    #[must_use]
    pub fn values(&self) -> Vec<RemoteValue> {
        self.peer.picture().values.clone()
    }

    /// One value, its name compared without case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<RemoteValue> {
        self.peer.picture().value(name).cloned()
    }

    /// Its state.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.peer.picture().state
    }

    /// Why its state last changed; empty when it did not say.
    #[must_use]
    pub fn state_text(&self) -> String {
        self.peer.picture().state_text.clone()
    }

    /// The operations that are blocked for it.
    #[must_use]
    pub fn bop(&self) -> DeviceState {
        self.peer.picture().bop
    }

    /// Waits until anything changed since the last call.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn changed(&mut self) -> Result<(), ClientError> {
        self.peer.changed().await
    }

    /// Sets a value and waits for the end of the command. A text that is to be a string with blanks needs its quotes.
    ///
    /// # Errors
    /// When the connection ended, or no end came in time. An answer that says no is no error here.
    pub async fn set(&self, name: &str, op: SetOp, text: &str) -> Result<CommandReturn, ClientError> {
        let name = Text::new(name.as_bytes())?;
        let operand = Rest::new(text.as_bytes())?;
        self.peer.command(Line::SetValue { name, op, operand }).await
    }

    /// Sends a command line and waits for its end.
    ///
    /// # Errors
    /// As [`RemoteDevice::set`].
    pub async fn command(&self, line: &str) -> Result<CommandReturn, ClientError> {
        self.peer.command_text(line).await
    }
}
