//! Logs: to the terminal when a person watches, else to syslog; to standard error where there is no syslog.

use std::io::{self, IsTerminal};

use serde::Deserialize;
use tracing::level_filters::LevelFilter;

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Only what ends the daemon or loses data.
    Error,
    /// Also what an operator should look at.
    Warning,
    /// Also connections, levels and what else changes.
    #[default]
    Info,
    /// Also what deviates from the usual path.
    Debug,
    /// Everything, each packet.
    Trace,
}

/// Where logs go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogTarget {
    /// To standard error when it is a terminal, else to syslog.
    #[default]
    Auto,
    /// To standard error.
    Stderr,
    /// To syslog; to standard error where there is none.
    Syslog,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warning => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Starts the logs of this process, `program` by name, and tells where they go: never [`LogTarget::Auto`]. A second call
/// changes nothing.
pub fn start(program: &str, level: LogLevel, target: LogTarget) -> LogTarget {
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false);
    #[cfg(unix)]
    {
        let to_syslog = match target {
            LogTarget::Stderr => false,
            LogTarget::Syslog => true,
            LogTarget::Auto => !io::stderr().is_terminal(),
        };
        if to_syslog && let Some(syslog) = syslogd::Syslog::connect(program) {
            // syslog adds the time and the level by itself.
            let builder = builder.without_time().with_level(false).with_ansi(false);
            let _ = builder.with_writer(syslog).try_init();
            return LogTarget::Syslog;
        }
    }
    #[cfg(not(unix))]
    let _ = (program, target);
    let _ = builder.with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).try_init();
    LogTarget::Stderr
}

#[cfg(unix)]
mod syslogd {
    use std::io::{self, Write};
    use std::sync::{Mutex, PoisonError};

    use syslog::{Facility, Formatter3164, Logger, LoggerBackend};
    use tracing::{Level, Metadata};
    use tracing_subscriber::fmt::MakeWriter;

    /// The system's log daemon. The connection is shared by all threads and held only while one line is written.
    pub(super) struct Syslog {
        logger: Mutex<Logger<LoggerBackend, Formatter3164>>,
    }

    /// One line on its way, sent when it is complete.
    pub(super) struct Line<'a> {
        syslog: &'a Syslog,
        level: Level,
        text: Vec<u8>,
    }

    impl Syslog {
        pub(super) fn connect(program: &str) -> Option<Self> {
            let formatter = Formatter3164 {
                facility: Facility::LOG_DAEMON,
                hostname: None,
                process: program.into(),
                pid: std::process::id(),
            };
            syslog::unix(formatter).ok().map(|logger| Self { logger: Mutex::new(logger) })
        }
    }

    impl<'a> MakeWriter<'a> for Syslog {
        type Writer = Line<'a>;

        fn make_writer(&'a self) -> Line<'a> {
            Line { syslog: self, level: Level::INFO, text: Vec::new() }
        }

        fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
            Line { syslog: self, level: *meta.level(), text: Vec::new() }
        }
    }

    impl Write for Line<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Drop for Line<'_> {
        fn drop(&mut self) {
            let text = String::from_utf8_lossy(&self.text);
            let text = text.trim_end();
            if text.is_empty() {
                return;
            }
            let mut logger = self.syslog.logger.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = match self.level {
                Level::ERROR => logger.err(text),
                Level::WARN => logger.warning(text),
                Level::INFO => logger.info(text),
                Level::DEBUG | Level::TRACE => logger.debug(text),
            };
            if sent.is_err() {
                // The log daemon went away; the line is worth more than its place.
                let _ = writeln!(io::stderr(), "{text}");
            }
        }
    }
}
