//! Why a client could not do what it was asked to.

use rts2_proto::{CommandReturn, TextError};

/// Why a client could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection to that address.
    #[error("cannot connect to {peer} at {address}: {source}")]
    Connect {
        /// Device or centrald.
        peer: String,
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
    #[error("centrald has no device {name}")]
    NoSuchDevice {
        /// The name.
        name: String,
    },
    /// The device has no value of that name, or not yet.
    #[error("{device} has no value {value}")]
    NoSuchValue {
        /// The device.
        device: String,
        /// The name.
        value: String,
    },
    /// A line that is no command: nothing would answer it.
    #[error("\"{line}\" is no command")]
    NoCommand {
        /// The line.
        line: String,
    },
    /// A text that cannot stand in a line.
    #[error(transparent)]
    Text(#[from] TextError),
}
