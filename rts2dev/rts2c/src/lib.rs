//! A client of RTS2 for the command line and for scripts.
//!
//! One file for each thing that it does: `list` for `ls`, `get`, `set`, `watch`, `messages`, `wait`;
//! `args` is its command line, `path` how a person names values, `exit` what its exit codes mean, `output` how it writes.

mod args;
mod exit;
mod get;
mod list;
mod messages;
mod output;
mod path;
mod set;
mod wait;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use rts2dev::client::Login;

use args::{Args, Task};
use exit::{Failure, INTERRUPTED};

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return told(&Failure::Output(error)),
    };
    let ended = runtime.block_on(async {
        tokio::select! {
            done = run(args) => Some(done),
            _ = tokio::signal::ctrl_c() => None,
        }
    });
    match ended {
        None => ExitCode::from(INTERRUPTED),
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(failure)) => told(&failure),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let user = args.login.or_else(|| std::env::var("USER").ok()).or_else(|| std::env::var("LOGNAME").ok());
    let login = Login {
        centrald: args.server,
        user: user.filter(|user| !user.is_empty()).unwrap_or_else(|| "rts2c".to_owned()),
        program: "rts2c".to_owned(),
    };
    match args.task {
        Task::Ls { json } => list::run(&login, json).await,
        Task::Get { paths, json } => get::run(&login, &paths, json).await,
        Task::Set { path, words, timeout } => set::set(&login, &path, &words, timeout).await,
        Task::Cmd { device, words, timeout } => set::command(&login, &device, &words, timeout).await,
        Task::Watch { paths, json, count } => watch::run(&login, &paths, json, count).await,
        Task::Messages { mask, count } => messages::run(&login, &mask, count).await,
        Task::Wait { condition, timeout, quiet } => wait::run(login, &condition, timeout, quiet).await,
    }
}

/// Says what failed, unless nobody is there to read it.
fn told(failure: &Failure) -> ExitCode {
    if failure.is_broken_pipe() {
        return ExitCode::SUCCESS;
    }
    // With the terminal gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "rts2c: {failure}");
    ExitCode::from(failure.code())
}
