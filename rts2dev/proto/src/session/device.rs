//! A device's conversations: [`CentraldSession`] with a centrald, [`ClientSession`] with a client.

mod centrald;
mod client;

pub use centrald::{CentraldEvent, CentraldSession, MAX_QUEUED_COMMANDS, QueueFull};
pub use client::{ClientAction, ClientSession};
