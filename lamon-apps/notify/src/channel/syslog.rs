//! The system's log daemon, or one that listens on another socket: each line of a message is one of the log.

use std::path::PathBuf;

use lamon_bus::Level;
use syslog::{Facility, Formatter3164};

use crate::notice::Message;

/// The log daemon.
#[derive(Debug, Clone)]
pub(crate) struct Syslog {
    /// Its socket.
    pub(crate) socket: PathBuf,
}

impl Syslog {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), String> {
        let formatter = Formatter3164 {
            facility: Facility::LOG_DAEMON,
            hostname: None,
            process: "lamon-notify".into(),
            pid: std::process::id(),
        };
        let failed = |error: syslog::Error| format!("the log daemon at {}: {error}", self.socket.display());
        let mut log = syslog::unix_custom(formatter, &self.socket).map_err(failed)?;
        for line in message.text.lines() {
            let line = format!("{}: {line}", message.title);
            match message.level {
                Level::Good => log.notice(line),
                Level::Warning => log.warning(line),
                Level::Error | Level::Silent => log.err(line),
            }
            .map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let there = std::fs::metadata(&self.socket);
        there.map(drop).map_err(|error| format!("the log daemon at {}: {error}", self.socket.display()))
    }
}
