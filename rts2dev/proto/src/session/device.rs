//! A device's conversations: [`CentraldSession`] with a centrald, [`ClientSession`] with a client.

mod centrald;
mod client;
mod commands;

pub use centrald::{CentraldEvent, CentraldSession};
pub use client::{ClientAction, ClientSession};
pub use commands::{MAX_QUEUED_COMMANDS, QueueFull};
