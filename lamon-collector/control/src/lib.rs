//! What the hub can be asked over its control socket, and what it answers.
//!
//! One JSON object a line each way, the answer to a request before the next request is read:
//!
//! ```text
//! {"v":1,"who":"li","ask":{"mute":{"target":"ccd01","when":{"for":{"seconds":3600}},"reason":"new disk"}}}
//! {"v":1,"done":{"did":{"text":"mute 3: ccd01 until 2026-11-22 21:00 UTC","id":3}}}
//! {"v":1,"refused":{"why":"not_found","text":"the hub knows no node ccd99"}}
//! ```
//!
//! Types only: the hub (`lamon-collector`) and those who ask it (the command `lamon`) both use them, and neither needs
//! the other. The bytes are stable: fields are added, never renamed; a request with a field that the hub does not know
//! is refused, because an option that is passed over would be another order than the one that was given.
//!
//! | module | what it holds |
//! |---|---|
//! | [`request`] | what is asked |
//! | [`answer`] | what is answered |
//! | [`gate`] | gates: how they stand, and who overrides them |
//! | [`key`] | keys of nodes, and secrets that let nodes in |
//! | [`mute`] | mutes and acknowledgements, as they are asked for, shown and kept |
//! | [`threshold`] | limits that operators set, as they are shown and kept |
//! | [`hours`] | hours of the week, for maintenance that recurs |

pub mod answer;
pub mod gate;
pub mod hours;
pub mod key;
pub mod mute;
pub mod request;
pub mod threshold;

pub use answer::{Answer, Outcome, Refusal, Response, Why};
pub use gate::GateOverride;
pub use hours::Hours;
pub use mute::{Ack, Mute, When, Window};
pub use request::{Operation, Place, Request, RequestError};
pub use threshold::Threshold;

/// The version of the language. A hub refuses another one with a sentence that names both.
pub const VERSION: u32 = 1;

/// Where the hub's socket is when nobody says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/lamon/control";

/// The longest request, in bytes with its line end: the longest names and reasons fill a tenth of it.
pub const MAX_REQUEST_BYTES: usize = 16 << 10;

/// The longest answer, in bytes with its line end: a page of nodes whose names and texts are as long as they may be.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// The most nodes or events of one answer; more are asked for with where the page before ended.
pub const MAX_PAGE: usize = 500;
