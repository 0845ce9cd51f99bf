//! The daemon on each node: takes its metrics and sends them to the hub, losing none.
//!
//! # Layout
//!
//! | module | what it does |
//! |---|---|
//! | [`readers`] | look at the system, one file for each thing that is read |
//! | [`sheet`] | what the readers saw at one look |
//! | [`sampler`] | makes a sample of a sheet: a table that rarely changes, and readings |
//! | [`ring`] | the samples that the hub has not acknowledged; pure |
//! | [`spool`] | the same samples on disk, so that a reboot loses none |
//! | [`session`] | the protocol on one connection; pure |
//! | [`connection`] | bytes of one connection |
//! | [`uplink`] | the list of hubs, connections one after the other |
//! | [`daemon`] | the two tasks, their loops and the end |
//! | [`trust`], [`enroll`] | whom the agent believes, and how it comes to |
//! | [`config`], [`cli`] | what the agent is told |
//! | `service` | on Windows: the daemon as a service |
//! | [`clock`], [`identity`] | the node's time, and who it is |

mod check;
mod once;
#[cfg(windows)]
mod service;

pub mod cli;
pub mod clock;
pub mod config;
pub mod connection;
pub mod daemon;
pub mod enroll;
pub mod identity;
pub mod readers;
pub mod ring;
pub mod sampler;
pub mod session;
pub mod sheet;
pub mod spool;
pub mod trust;
pub mod uplink;
