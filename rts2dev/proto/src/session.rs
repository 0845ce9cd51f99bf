//! Conversations as state machines without I/O: lines and instants go in, bytes and actions come out.
//!
//! [`device`] is a device's side: its connection to a centrald, and one from a client. [`client`] is a client's side: its
//! connection to a centrald, and one to a device. All append what is to be sent to a buffer of the caller and return
//! what the caller has to do.

pub mod client;
pub mod device;
