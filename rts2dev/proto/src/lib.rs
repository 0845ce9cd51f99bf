//! The line protocol of RTS2: lines, values, flags and states, without I/O, clock or runtime.
//!
//! RTS2 programs talk over TCP in lines of text. This crate cuts a byte stream into lines ([`LineSplitter`]), reads
//! and writes them ([`Line`], [`Command`]), knows the types, flags and values behind them ([`ValueFlags`],
//! [`ValueType`], [`ValueData`], [`DeviceState`]) and runs a conversation as a state machine ([`session`]).
//! Whoever uses it owns the sockets and the clock: bytes and instants go in, bytes and documented actions come out.
//!
//! # Text is bytes
//!
//! RTS2 passes text through without looking at its encoding. [`Text`] and [`Rest`] therefore hold bytes, and a line
//! with broken UTF-8 is read like any other. Where a text becomes a typed value ([`ValueData::String`]), broken
//! sequences turn into U+FFFD: a wrong letter in a text never costs a connection.
//!
//! # Sources
//!
//! Names are those of RTS2 0.9.5; each item says which of its files it follows. Where the sources and a running RTS2
//! disagree, what the running program sent decides (`tests/transcripts/`).

mod command;
mod data;
mod degrees;
mod device_type;
mod display_type;
mod error;
mod flags;
mod image;
mod keep_alive;
mod line;
mod message;
mod names;
mod number;
mod parameters;
pub mod session;
mod set;
mod splitter;
mod state;
mod text;
mod token;
mod value_type;

pub use command::Command;
pub use data::{
    AltAz, AnyMinMax, AnyRectangle, Array, ArrayError, ArrayItems, DataError, MAX_ARRAY_BYTES,
    MAX_ARRAY_ITEMS, MinMax, Pid, RaDec, Rectangle, Statistics, TimeSerie, ValueData,
};
pub use degrees::parse_degrees;
pub use device_type::DeviceType;
pub use display_type::DisplayType;
pub use error::{CommandReturn, ErrorCode, Expected, ParseError};
pub use flags::{Level, ValueFlags, WriteWhen};
pub use image::{ImageLine, MAX_CHANNELS};
pub use keep_alive::{CLOSE_AFTER, KeepAlive, KeepAliveAction, READY_AFTER, READY_AGAIN_AFTER};
pub use line::{Auth, Line, Technical};
pub use message::{MAX_MESSAGE_BYTES, Message, MessageType, escape_message};
pub use names::{
    DeviceName, FitsNameError, MAX_DEVICE_NAME_BYTES, MAX_FITS_NAME_BYTES, MAX_VALUE_NAME_BYTES, NameError,
    ValueName, check_fits_name,
};
pub use number::{Number, parse_f64, write_f64};
pub use parameters::Parameters;
pub use set::{IndexedName, SetError, SetOp, apply_indexed_set, apply_set};
pub use splitter::{Fragment, LineSplitter, MAX_LINE_BYTES};
pub use state::DeviceState;
pub use text::{MAX_TEXT_BYTES, QuotedString, Rest, Text, TextError};
pub use value_type::{BaseType, Composite, UnknownType, UnsupportedType, ValueType};

/// Name of the value that every device declares first: when its values were last refreshed, unix seconds
/// (RTS2 include/value.h, `RTS2_VALUE_INFOTIME`).
pub const INFOTIME: &str = "infotime";

/// Name of the value that every device declares second: when the daemon started, unix seconds
/// (RTS2 lib/rts2/daemon.cpp).
pub const UPTIME: &str = "uptime";

/// The TCP port on which rts2-centrald listens.
pub const CENTRALD_PORT: u16 = 617;
