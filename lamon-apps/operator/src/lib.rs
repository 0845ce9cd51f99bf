//! The hub's control socket from the other end: a connection, a question, its answer.
//!
//! The words are `lamon_control`'s; `lamon` and `lamon-web` both operate the hub by [`Client`]. It blocks, each wait for
//! [`ANSWER_TIME`] at most: who must not be held up asks on a thread.

mod client;

pub use self::client::{ANSWER_TIME, AskError, Client};
