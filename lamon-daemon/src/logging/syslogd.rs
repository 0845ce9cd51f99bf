//! The system's log daemon.

use std::io::{self, Write};

use syslog::{Facility, Formatter3164, Logger, LoggerBackend};
use tracing::Level;

use super::queue::Sink;

/// A connection to the log daemon by its socket.
pub(super) struct Syslog(Logger<LoggerBackend, Formatter3164>);

impl Syslog {
    /// Connects; `None` where there is no log daemon.
    pub(super) fn connect(program: &str) -> Option<Self> {
        let formatter = Formatter3164 {
            facility: Facility::LOG_DAEMON,
            hostname: None,
            process: program.into(),
            pid: std::process::id(),
        };
        syslog::unix(formatter).ok().map(Self)
    }
}

impl Sink for Syslog {
    fn write_line(&mut self, level: Level, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        let sent = match level {
            Level::ERROR => self.0.err(text),
            Level::WARN => self.0.warning(text),
            Level::INFO => self.0.info(text),
            Level::DEBUG | Level::TRACE => self.0.debug(text),
        };
        if sent.is_err() {
            // The log daemon went away; the line is worth more than its place.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}
