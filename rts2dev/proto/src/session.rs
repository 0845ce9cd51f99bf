//! Conversations as state machines without I/O: lines and instants go in, bytes and actions come out.
//!
//! [`CentraldSession`] is a device's connection to a centrald, [`ClientSession`] a device's connection from a client.
//! Both append what is to be sent to a buffer of the caller and return what the caller has to do.

mod centrald;
mod client;

pub use centrald::{CentraldEvent, CentraldSession, MAX_QUEUED_COMMANDS, QueueFull};
pub use client::{ClientAction, ClientSession};
