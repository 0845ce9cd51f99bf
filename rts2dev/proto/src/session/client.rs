//! A client's conversations: [`CentraldSession`] with a centrald, [`DeviceSession`] with a device.
//!
//! Both say what they hear as events that borrow from the line, and keep no values: what is remembered, and how much of
//! it, is the caller's choice. Commands wait in a bounded queue, one is under way, and each has a deadline.

mod centrald;
mod commands;
mod device;
mod image;

pub use centrald::{CentraldEvent, CentraldSession};
pub use commands::{CommandId, MAX_WAITING_COMMANDS, TooManyCommands};
pub use device::{DeviceEvent, DeviceSession};
pub use image::MAX_OPEN_IMAGES;

/// What the passing of time brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum TimeoutEvent {
    /// Nothing more: come back at `next_timeout`.
    None,
    /// No end of this command came before its deadline. When it is under way, the next one still waits for its end: a
    /// peer answers in order.
    CommandTimedOut(CommandId),
    /// The peer said nothing for [`crate::CLOSE_AFTER`], or did not let us in before the deadline: close.
    Close(CloseReason),
}

/// Why a connection is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// Nothing was heard for [`crate::CLOSE_AFTER`].
    #[error("silent for {} s", crate::CLOSE_AFTER.as_secs())]
    Silent,
    /// The login, or the authorization, did not end before its deadline.
    #[error("no answer to the login in time")]
    NotLetIn,
}
