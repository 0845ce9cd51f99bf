//! The command `lamon`, as a person or a script calls it.
#![expect(clippy::panic, reason = "a test whose command cannot be started ends here")]

use std::path::Path;
use std::process::{Command, Output};

use crate::process;

/// What the command wrote, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Runs `lamon` against the socket, with the words of the line; a word may stand in single quotes.
///
/// # Panics
///
/// When it is not built, or cannot be started.
pub fn lamon(socket: &Path, line: &str) -> Said {
    let program = process::find("lamon").unwrap_or_else(|error| panic!("{error:#}"));
    let mut command = Command::new(program);
    command.arg("--socket").arg(socket).args(words(line)).env_remove("LAMON_WHO").env("TZ", "UTC");
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("lamon cannot be started: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
    Said { code: status.code(), out: text(stdout), err: text(stderr) }
}

fn words(line: &str) -> Vec<&str> {
    let quoted = line.split('\'').enumerate();
    quoted
        .flat_map(|(place, part)| if place % 2 == 1 { vec![part] } else { part.split_whitespace().collect() })
        .collect()
}
