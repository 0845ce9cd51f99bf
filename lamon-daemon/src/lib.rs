//! What every lamon daemon does the same way: configuration file, answers, logs, signals, systemd, exit codes.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | reads a TOML file and points at the mistakes in it |
//! | [`seconds`] | durations as people write them: `10s`, `5m`, `1.5` |
//! | [`answer`] | prints what was asked for, into a pipe too |
//! | [`logging`] | to the terminal when a person watches, else to syslog |
//! | [`limit`] | keeps a peer from filling the log |
//! | [`backoff`] | how long to wait before trying again |
//! | [`signals`] | SIGTERM and SIGINT end the daemon, SIGHUP reloads it |
//! | [`systemd`] | readiness and watchdog of a `Type=notify` unit |
//! | [`exit`] | exit codes |

pub mod answer;
pub mod backoff;
pub mod config;
pub mod exit;
pub mod limit;
pub mod logging;
pub mod seconds;
pub mod signals;
pub mod systemd;

/// Version, commit and its date of this build: `0.1.0 (1a2b3c4 2026-11-22)`.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LAMON_COMMIT"), ")");
