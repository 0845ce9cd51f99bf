//! Logs: to the terminal when a person watches, else to syslog (on Windows to the event log); to standard error where there is
//! none.
//!
//! Lines are written by a thread of their own, from a bounded queue: a log daemon that hangs, or a terminal that somebody
//! stopped, must not stop a daemon. What the queue cannot take is counted, and the count is written.

#[cfg(windows)]
pub mod eventlog;
mod queue;
#[cfg(unix)]
mod syslogd;

use std::io::{self, IsTerminal};

use serde::Deserialize;
use tracing::level_filters::LevelFilter;

use self::queue::{Queue, Sink};

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
    /// To syslog, on Windows to the event log; to standard error where there is none.
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

/// The logs of the process. Dropped at its end, it waits a moment for the last lines.
#[derive(Debug)]
#[must_use = "dropped, it waits for the last lines: keep it to the end"]
pub struct Logs {
    queue: Queue,
    to_syslog: bool,
}

impl Logs {
    /// Whether they go to syslog, where nobody who waits at a terminal sees them.
    #[must_use]
    pub const fn go_to_syslog(&self) -> bool {
        self.to_syslog
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.queue.flush();
    }
}

/// Starts the logs of this process, `program` by name. Only the first call in a process has an effect on what is logged.
pub fn start(program: &str, level: LogLevel, target: LogTarget) -> Logs {
    let terminal = io::stderr().is_terminal();
    let wanted = match target {
        LogTarget::Stderr => false,
        LogTarget::Syslog => true,
        LogTarget::Auto => !terminal,
    };
    let syslog = if wanted { syslog(program) } else { None };
    let to_syslog = syslog.is_some();
    let queue = Queue::start(syslog.unwrap_or_else(|| Box::new(io::stderr())));
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false);
    let builder = builder.with_writer(queue.clone());
    let _ = if to_syslog {
        // syslog adds the time and the level by itself.
        builder.without_time().with_level(false).with_ansi(false).try_init()
    } else {
        builder.with_ansi(terminal).try_init()
    };
    Logs { queue, to_syslog }
}

#[cfg(unix)]
fn syslog(program: &str) -> Option<Box<dyn Sink>> {
    syslogd::Syslog::connect(program).map(|syslog| Box::new(syslog) as Box<dyn Sink>)
}

#[cfg(windows)]
fn syslog(program: &str) -> Option<Box<dyn Sink>> {
    eventlog::EventLog::open(program).map(|log| Box::new(log) as Box<dyn Sink>)
}

#[cfg(not(any(unix, windows)))]
fn syslog(_program: &str) -> Option<Box<dyn Sink>> {
    None
}
