//! Who is at the other end, and what he may do: users, passwords, sessions.
//!
//! | file | what it does |
//! |---|---|
//! | `config` | where users are, and the names that this page answers to |
//! | `users` | the password file, and the command that changes it |
//! | `attempts` | how often may be guessed |
//! | `compare` | the thread that compares passwords |
//! | `sessions` | who is logged in |
//! | `lobby` | all of that together, for whoever asks |
//! | `caller` | the cookie, the token, and what a handler asks of its caller |
//! | `answers` | the paths `login`, `logout`, `me` |

pub(crate) mod answers;
#[cfg(test)]
mod any_header;
mod attempts;
pub(crate) mod caller;
mod compare;
pub(crate) mod config;
pub(crate) mod lobby;
mod sessions;
pub(crate) mod users;

pub(crate) use self::attempts::network;
pub(crate) use self::caller::{Caller, Peer};
pub(crate) use self::config::{Hosts, LoginConfig};
pub(crate) use self::lobby::Lobby;
