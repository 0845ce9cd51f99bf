//! The hub as a native RTS2 sensor device.
//!
//! A [collector](lamon_collector) with one more face: every metric of every node is an RTS2 value with warning and error
//! flags, so rts2-mon shows it in colour, scripts can wait for it, and images carry it in their headers. This crate adds
//! the RTS2 face and nothing else; RTS2 itself is spoken by [`rts2dev`].
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`config`] | the section `[rts2]`, and RTS2's own command line |
//! | [`face`] | the picture as RTS2 devices |
//! | [`devices`] | the thread that runs the devices |
//! | [`sky`] | night and day as centrald has them |

#[cfg(unix)]
pub mod cli;
pub mod config;
#[cfg(unix)]
pub mod devices;
pub mod face;
pub mod sky;
