//! Everything the hub does that is not RTS2: intake, watch, bus, durable path, configuration.
//!
//! A program is built on it by loading a [`config::HubConfig`], making its [`face::Face`]s and calling [`hub::run`]:
//! `lamon-collector` has the bus alone, `lamon-sensord` adds RTS2.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | the file `hub.toml` |
//! | [`hub`] | sets up the tasks and lets them end in order |
//! | `core` | the task that owns the watch and tells the faces |
//! | [`intake`] | port 7617: agents and text |
//! | `address` | what of an address tells one stranger from another |
//! | `keys` | pure: keys of nodes, who may speak for which |
//! | [`watch`] | pure: nodes, rules, levels, silence |
//! | `durable` | journal thread and forwarder thread |
//! | [`control`] | operating the hub while it runs, and the socket for it |
//! | [`face`] | what shows the picture |
//! | [`bus`] | the face that publishes on ZeroMQ |
//! | `past` | reading the archive for who asks |
//! | [`per_node`] | a limit on what is told of one node |
//! | [`cli`] | the command line of `lamon-collector` |
//! | [`program`] | command line, configuration, signals: what the programs do the same way |
//! | [`replay`] | stored samples through other limits |
//! | [`sample`] | a sample on the hub's timeline |
//! | [`sun`] | how high the Sun stands: night and day |
//! | [`tonight`] | whether everything is ready for the night |

mod address;
pub mod bus;
pub mod cli;
pub mod config;
pub mod control;
mod core;
mod durable;
pub mod face;
pub mod hub;
pub mod intake;
mod keys;
mod past;
pub mod per_node;
pub mod program;
pub mod replay;
pub mod sample;
pub mod sun;
pub mod tonight;
pub mod watch;
