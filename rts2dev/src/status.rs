//! What a device knows of its centralds.

use rts2_proto::DeviceState;

/// Every centrald of a device, in the order of its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CentraldStatus {
    /// One entry per centrald.
    pub links: Vec<LinkStatus>,
}

impl CentraldStatus {
    /// Registered with at least one centrald.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.links.iter().any(|link| matches!(link.registration, Registration::Registered { .. }))
    }
}

/// One centrald.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// Its address, `host:port`.
    pub address: String,
    /// Whether we are registered there.
    pub registration: Registration,
    /// Its state; empty before it was heard. While there is no connection, as it was last heard.
    pub state: DeviceState,
    /// Whether the state was heard on the connection that there is: an empty one means day, and on.
    pub state_heard: bool,
    /// The mask of operations that are blocked for us.
    pub bop: DeviceState,
}

/// Registration with a centrald.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// No connection, or not registered yet; tried again by itself.
    Disconnected,
    /// Another device has the name; tried again by itself.
    StandBy,
    /// Registered.
    Registered {
        /// Number at centrald.
        id: i32,
    },
}
