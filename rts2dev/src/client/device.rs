//! A device to which a client is connected.

use std::sync::Arc;

use rts2_proto::{CommandReturn, DeviceState, Line, Rest, SetOp, Text, TextError};
use tokio::time::Duration;

use super::changes::{Changes, Progress};
use super::condition::{Condition, MismatchError, View};
use super::image::Images;
use super::peer::{COMMAND_TIMEOUT, Peer};
use super::{ClientError, RemoteValue};

/// What a value is to become, written as RTS2 reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand(Result<String, TextError>);

impl From<f64> for Operand {
    fn from(number: f64) -> Self {
        Self(Ok(number.to_string().to_lowercase()))
    }
}

impl From<i32> for Operand {
    fn from(number: i32) -> Self {
        Self(Ok(number.to_string()))
    }
}

impl From<i64> for Operand {
    fn from(number: i64) -> Self {
        Self(Ok(number.to_string()))
    }
}

impl From<bool> for Operand {
    fn from(on: bool) -> Self {
        Self(Ok(if on { "1" } else { "0" }.to_owned()))
    }
}

impl From<&str> for Operand {
    /// Text, or a name of a selection: put between quotes, so that blanks are part of it.
    fn from(text: &str) -> Self {
        Self(Text::new(text.as_bytes()).map(|_| format!("\"{text}\"")))
    }
}

/// Why a wait for a condition ended without it.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It did not come to hold in time.
    #[error("not in time")]
    Timeout,
    /// It never can.
    #[error(transparent)]
    Mismatch(#[from] MismatchError),
    /// The connection ended.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// A device to which this client is connected. Dropping it closes the connection.
#[derive(Debug)]
pub struct RemoteDevice {
    peer: Arc<Peer>,
    /// Number of the last change that [`RemoteDevice::changed`] told of.
    seen: u64,
}

impl RemoteDevice {
    pub(super) fn new(peer: Arc<Peer>) -> Self {
        Self { peer, seen: 0 }
    }

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

    /// When what it does began and will end; `None` when it never said.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.peer.picture().progress
    }

    /// Waits until anything changed since the last call.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn changed(&mut self) -> Result<(), ClientError> {
        self.peer.changed(&mut self.seen).await
    }

    /// Follows it: first everything as it is, then every change.
    #[must_use]
    pub fn watch(&self) -> Changes {
        self.peer.watch(0)
    }

    /// Follows it from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.peer.watch_from_now()
    }

    /// Waits until a condition holds. `absent` never does while the connection lives.
    ///
    /// # Errors
    /// When it does not within `within`, when it never can, or when the connection ends.
    pub async fn wait(&self, condition: &Condition, within: Duration) -> Result<(), WaitError> {
        let mut changes = self.changes();
        let holding = async {
            while !condition.holds(View::Present(self))? {
                changes.next().await?;
            }
            Ok(())
        };
        tokio::time::timeout(within, holding).await.unwrap_or(Err(WaitError::Timeout))
    }

    /// Sets a value and waits for the end of the command. A text that is to be a string with blanks needs its quotes.
    ///
    /// # Errors
    /// When the connection ended, or no end came in time. An answer that says no is no error here.
    pub async fn set(&self, name: &str, op: SetOp, text: &str) -> Result<CommandReturn, ClientError> {
        let name = Text::new(name.as_bytes())?;
        let operand = Rest::new(text.as_bytes())?;
        self.peer.command(&Line::SetValue { name, op, operand }, COMMAND_TIMEOUT).await
    }

    /// Sets a value to a number, a bool or a text.
    ///
    /// # Errors
    /// As [`RemoteDevice::set`], and when a text cannot stand in a line.
    pub async fn set_to(&self, name: &str, value: impl Into<Operand>) -> Result<CommandReturn, ClientError> {
        let Operand(text) = value.into();
        self.set(name, SetOp::Set, &text?).await
    }

    /// Sends a command line and waits for its end, for a minute at most.
    ///
    /// # Errors
    /// As [`RemoteDevice::set`].
    pub async fn command(&self, line: &str) -> Result<CommandReturn, ClientError> {
        self.command_within(line, COMMAND_TIMEOUT).await
    }

    /// Sends a command line and waits for its end as long as that. Commands to one device are sent one after the other,
    /// and the wait for those before counts.
    ///
    /// # Errors
    /// As [`RemoteDevice::set`].
    pub async fn command_within(&self, line: &str, within: Duration) -> Result<CommandReturn, ClientError> {
        self.peer.command_text(line, within).await
    }

    /// Has the images of a camera handed on from now on; without it they are skipped. Of several calls the last one
    /// gets them.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn images(&self) -> Result<Images, ClientError> {
        let (sink, images) = Images::new();
        self.peer.images(sink).await?;
        Ok(images)
    }
}
