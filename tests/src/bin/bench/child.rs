//! This program again, as a process of its own that loads a hub or shows a raw limit.
//!
//! It is told what to do by its arguments and by lines on its standard input, and answers with a line of JSON on its
//! standard output for each. It ends with its standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{load, raw};

/// What a child does.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// Nodes as they are every day.
    #[command(hide = true)]
    Calm(load::calm::Options),
    /// Live samples as fast as a subscriber gets them.
    #[command(hide = true)]
    Flood(load::flood::Options),
    /// Samples as fast as they are acknowledged.
    #[command(hide = true)]
    Acknowledged(load::acknowledged::Options),
    /// Lines of text as fast as they are answered.
    #[command(hide = true)]
    Lines(load::lines::Options),
    /// Nodes that come back when their hub does.
    #[command(hide = true)]
    Storm(load::storm::Options),
    /// Nodes whose samples are timed.
    #[command(hide = true)]
    Timed(load::timed::Options),
    /// The bare publisher.
    #[command(hide = true)]
    RawBus,
    /// The bare reader of lines.
    #[command(hide = true)]
    RawLines,
    /// The bare relay.
    #[command(hide = true)]
    RawRelay,
    /// The bare appender to the journal's table.
    #[command(hide = true)]
    RawSqlite(raw::sqlite::Options),
    /// The bare inserter into the archive's table.
    #[command(hide = true)]
    RawMariadb(raw::mariadb::Options),
}

/// Does what a child does.
pub(crate) fn run(role: Role) -> anyhow::Result<()> {
    match role {
        Role::Calm(options) => load::calm::run(&options),
        Role::Flood(options) => load::flood::run(&options),
        Role::Acknowledged(options) => load::acknowledged::run(&options),
        Role::Lines(options) => load::lines::run(&options),
        Role::Storm(options) => load::storm::run(&options),
        Role::Timed(options) => load::timed::run(options),
        Role::RawBus => raw::bus::run(),
        Role::RawLines => raw::lines::run(),
        Role::RawRelay => raw::relay::run(),
        Role::RawSqlite(options) => raw::sqlite::run(&options),
        Role::RawMariadb(options) => raw::mariadb::run(&options),
    }
}

/// A running child. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Child {
    role: String,
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Starts one.
    pub(crate) fn start(role: &str, arguments: &[(&str, String)]) -> anyhow::Result<Self> {
        let mut command =
            Command::new(std::env::current_exe().context("cannot find this program's own file")?);
        command.arg(role);
        for (name, value) in arguments {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {role}"))?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?);
        Ok(Self { role: role.into(), process, input, output })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Tells it to do the next thing.
    pub(crate) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{line}").with_context(|| format!("{} does not listen", self.role))
    }

    /// Its next answer, however long it takes.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("{} answered \"{}\"", self.role, line.trim()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The child's side: answers the parent.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
pub(crate) fn answer(answer: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(std::io::stdout().flush()?)
}

/// The child's side: waits for the next line of the parent; `None` at its end. Blocks.
pub(crate) fn next_line() -> Option<String> {
    std::io::stdin().lock().lines().next()?.ok()
}
