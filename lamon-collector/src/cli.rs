//! The command line.

use std::process::ExitCode;

use crate::config::{HubConfig, NoFace};
use crate::control::Operations;
use crate::program::{self, Extras, HubArgs, HubCommand, Started};
use clap::{CommandFactory, Parser};
use tokio_util::sync::CancellationToken;

/// Watches the computers of an observatory: takes the samples of lamon-agents and of text senders, judges them, publishes
/// them on ZeroMQ and keeps them in a database.
///
/// This is the hub without RTS2; lamon-sensord is the hub that is an RTS2 device.
#[derive(Debug, Parser)]
#[command(name = "lamon-collector", version = lamon_daemon::VERSION, after_help = "Try it:\n  \
    lamon-collector -c hub.toml\n  \
    printf 'node=door disk_percent=97\\n' | nc localhost 7617\n  \
    lamon-collector check -c hub.toml")]
struct Cli {
    #[command(flatten)]
    hub: HubArgs,
    #[command(subcommand)]
    command: Option<HubCommand>,
}

/// The collector alone: no face but the bus.
struct Alone;

impl Extras for Alone {
    type Section = NoFace;

    fn consequences(&self, _hub: &HubConfig, _section: &NoFace) -> Vec<String> {
        vec!["there is no RTS2 device: that is lamon-sensord's".into()]
    }

    fn start(
        &self,
        _hub: &HubConfig,
        _section: NoFace,
        _operations: &Operations,
        _ended: &CancellationToken,
    ) -> anyhow::Result<Started> {
        Ok(Started::default())
    }
}

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    program::main("lamon-collector", &cli.hub, cli.command, &Alone)
}
