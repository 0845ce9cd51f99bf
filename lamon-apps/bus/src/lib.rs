//! Follows a lamon hub: what the bus says, without a gap, and the newest state of all nodes.
//!
//! This is what lamon's own applications stand on, and what a program of yours can. The messages are those of
//! `docs/bus.md`.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use lamon_bus::{Addresses, Follower, News};
//!
//! fn main() -> Result<(), lamon_bus::ConnectError> {
//!     let mut follower = Follower::connect(&Addresses::default())?;
//!     loop {
//!         for news in follower.wait(Duration::from_secs(10)) {
//!             if let News::Event(event) = news {
//!                 println!("{}", event.text);
//!             }
//!         }
//!         for node in follower.picture().nodes() {
//!             println!("{} is {}", node.name, node.level);
//!         }
//!     }
//! }
//! ```
//!
//! | module | what it does |
//! |---|---|
//! | [`message`] | the JSON of each topic |
//! | [`picture`] | the newest of everything, from messages; pure |
//! | [`keeper`] | when the whole picture must be asked for: at the start, after a gap, after silence; pure |
//! | [`follower`] | the sockets around both |
//! | `line` | a socket that comes back, whatever ends its connection |
//!
//! Nothing that a follower does can slow the hub down, and nothing that comes from the bus can make a follower fail:
//! what makes no sense is counted and left out.

pub mod follower;
pub mod keeper;
mod line;
pub mod message;
pub mod picture;

pub use follower::{Addresses, ConnectError, Follower, Keys};
pub use lamon_curve::PublicKey;
pub use message::{Change, Direction, Event, Hold, Hub, Level, Limits};
pub use picture::{Metric, News, Node, Picture};
