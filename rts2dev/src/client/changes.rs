//! Following a device or centrald, change by change.

use std::sync::Arc;

use rts2_proto::{DeviceState, MessageType};
use tokio::sync::watch;

use super::peer::Common;
use super::{ClientError, ClientInfo, DeviceInfo, RemoteValue};

/// Expected times of what a device does, unix seconds; nan where it does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// When it began.
    pub start: f64,
    /// When it is expected to end.
    pub end: f64,
}

/// A log message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMessage {
    /// When it was made, unix seconds.
    pub seconds: i64,
    /// Microseconds of it.
    pub micros: u32,
    /// Device that made it, or `centrald`.
    pub origin: String,
    /// Kind.
    pub kind: MessageType,
    /// Text; line ends stand in it as `\n`, two characters.
    pub text: String,
}

/// Something changed. Everything is told as it is now: of several changes of one value that were not taken in between,
/// only the last is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A value was declared, or declared anew with another type.
    Declared(RemoteValue),
    /// A value's level changed, or its other flags, its description or its names; maybe also what it holds.
    Level(RemoteValue),
    /// What a value holds changed, or was sent again.
    Value(RemoteValue),
    /// The state, and why.
    State {
        /// The state word.
        state: DeviceState,
        /// Why it changed; empty when the device did not say.
        text: String,
    },
    /// The mask of operations that others block for this device.
    Blocked(DeviceState),
    /// When what the device does began and will end.
    Progress(Progress),
    /// A device registered at centrald, or did so anew.
    Device(DeviceInfo),
    /// A device is gone from centrald.
    DeviceGone {
        /// Its name.
        name: String,
    },
    /// A client logged in at centrald.
    Client(ClientInfo),
    /// A client is gone from centrald.
    ClientGone {
        /// Its number.
        id: i32,
    },
    /// A message; see [`super::Client::message_mask`].
    Message(RemoteMessage),
    /// So many messages came faster than they were taken, and are lost.
    MessagesLost(u64),
}

/// Follows one device, or centrald. It holds no changes, only its place among them: a watcher that is slow gets the
/// latest of each value when it comes, and costs nothing until then.
#[derive(Debug)]
pub struct Changes {
    name: String,
    common: Arc<Common>,
    told: watch::Receiver<u64>,
    seen: u64,
    messages_seen: u64,
}

impl Changes {
    pub(super) fn new(name: &str, common: Arc<Common>, mut told: watch::Receiver<u64>, seen: u64) -> Self {
        told.mark_changed();
        let messages_seen = common.picture().messages_before(seen);
        Self { name: name.to_owned(), common, told, seen, messages_seen }
    }

    /// The next change. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the connection ended, after everything before has been told.
    pub async fn next(&mut self) -> Result<Change, ClientError> {
        loop {
            if let Some(change) = self.try_next() {
                return Ok(change);
            }
            if self.told.changed().await.is_err() {
                return self.try_next().ok_or_else(|| self.common.lost(&self.name));
            }
        }
    }

    /// The next change, when there is one already.
    pub fn try_next(&mut self) -> Option<Change> {
        let picture = self.common.picture();
        picture.change_after(&mut self.seen, &mut self.messages_seen)
    }
}
