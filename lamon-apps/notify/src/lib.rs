//! `lamon-notify`: tells people what the hub tells the bus.
//!
//! | file | what it does |
//! |---|---|
//! | `args` | the command line |
//! | `config` | channels and routes, with the place of each mistake |
//! | `dispatch` | who is told what and when; pure |
//! | `notice` | one message to one channel |
//! | `queue` | notices on disk until they are delivered |
//! | `channel` | each way to tell somebody |
//! | `crew` | the channels as they are configured now, and a thread for each |
//! | `deliver` | what such a thread does: it takes its notices from the queue |
//! | `bus` | the thread that follows the bus |
//! | `run` | news, the clock, and what becomes of both |
//! | `check` | what the configuration means, and one message by hand |

mod args;
mod bus;
mod channel;
mod check;
mod config;
mod crew;
mod deliver;
mod dispatch;
mod notice;
mod queue;
mod run;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use lamon_daemon::logging::{self, LogTarget};

use self::args::{Args, Task};
use self::config::Config;

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(lamon_daemon::exit::CONFIG);
        }
    };
    // Whoever checks or tests waits at the terminal.
    let target = if args.task.is_some() { LogTarget::Stderr } else { args.log_to };
    let logs = logging::start("lamon-notify", args.log, target);
    let code = match args.task.unwrap_or(Task::Run) {
        Task::Run => match run::run(&args.config, config) {
            Ok(()) => lamon_daemon::exit::OK,
            Err(error) => {
                tracing::error!("{error:#}");
                if logs.go_to_syslog() {
                    say(&format!("{error:#}"));
                }
                lamon_daemon::exit::UNAVAILABLE
            }
        },
        Task::Check => check::check(&config),
        Task::Test { channel, text } => check::test(&config, &channel, text),
    };
    drop(logs);
    ExitCode::from(code)
}

#[expect(clippy::print_stderr, reason = "to the person at the terminal")]
pub(crate) fn say(text: &str) {
    eprintln!("lamon-notify: {text}");
}
