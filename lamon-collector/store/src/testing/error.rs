//! Why a server of a test cannot be had.

use std::io;

/// Why a server cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum MariadbError {
    /// A program is missing.
    #[error("{program} is not installed: apt install {package} (or your system's package of it)")]
    Missing {
        /// Which.
        program: &'static str,
        /// Where Debian has it.
        package: &'static str,
    },
    /// A program failed.
    #[error("{what}; the end of its log: {log}")]
    Failed {
        /// Which, and how.
        what: String,
        /// The end of what it wrote.
        log: String,
    },
    /// A statement failed.
    #[error("the server refuses: {0}")]
    Refused(String),
    /// Files or processes.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The last lines of a log.
pub(super) fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(5)).copied().collect::<Vec<_>>().join(" | ")
}
