//! `lamon`: asks the hub how the observatory's computers are, and operates it.
//!
//! It speaks with the hub over its control socket (`lamon-operator`), and needs nothing else of it.
//!
//! | file | what it does |
//! |---|---|
//! | `args` | the command line |
//! | `ask` | what each command asks, page by page where there are several |
//! | `show` | answers for people; `--json` is the answer itself |
//! | `gates` | the same of gates |
//! | `keys` | the same of keys |
//! | `table` | columns and colours |
//! | `times` | times as people write and read them |
//! | `exit` | exit codes |

mod args;
mod ask;
mod events;
mod exit;
mod gates;
mod keys;
mod show;
mod table;
mod times;

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use lamon_curve::KeyPair;
use lamon_operator::Client;

use self::args::{Args, Task};

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Task::Completion { shell }) = args.task {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "lamon", &mut script);
        return print(&script);
    }
    if let Some(Task::BusKey { file }) = &args.task {
        return bus_key(file);
    }
    let done = Client::connect(&args.socket, args.who.clone()).and_then(|client| ask::perform(client, &args));
    match done {
        Ok(code) => code,
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(exit::code(&error))
        }
    }
}

/// Prints what was asked for; a reader that went away (`| head`) is no error.
fn print(answer: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(answer) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            say(&format!("the answer cannot be written: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Needs no hub.
fn bus_key(file: &Path) -> ExitCode {
    match KeyPair::load_or_make(file) {
        Ok(key) => print(format!("{}\n", key.public()).as_bytes()),
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(exit::REFUSED)
        }
    }
}

#[expect(clippy::print_stderr, reason = "to the person at the terminal, not to who reads the answer")]
pub(crate) fn say(text: &str) {
    eprintln!("lamon: {text}");
}
