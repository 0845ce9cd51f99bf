//! The command line.

#[cfg(unix)]
use std::path::Path;
use std::process::ExitCode;

use crate::config::{DEFAULT_DEVICE, Rts2Args, Rts2Config};
use crate::devices::{self, Bound};
use crate::face::Rts2Face;
use crate::sky::Sky;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use lamon_collector::config::HubConfig;
use lamon_collector::control::Operations;
use lamon_collector::program::{self, Extras, HubArgs, HubCommand, Started};
use lamon_daemon::logging::{LogLevel, LogTarget};
use tokio_util::sync::CancellationToken;

/// Watches the computers of an observatory and shows them in RTS2.
///
/// Takes the samples of lamon-agents and of text senders, judges them, shows every metric as a value of an RTS2 sensor
/// device with warning and error flags, publishes them on ZeroMQ and keeps them in a database.
///
/// As rts2-sensor-lamon, and without -i, it goes to the background; by any other name it stays in the foreground.
#[derive(Debug, Parser)]
#[command(name = "lamon-sensord", version = lamon_daemon::VERSION, after_help = "Try it:\n  \
    lamon-sensord -c hub.toml --server localhost\n  \
    printf 'node=door disk_percent=97\\n' | nc localhost 7617\n  \
    rts2-mon              (NODES shows door_disk_percent in red)\n  \
    lamon-sensord check -c hub.toml")]
struct Cli {
    #[command(flatten)]
    hub: HubArgs,
    #[command(flatten)]
    rts2: Rts2Args,
    #[command(subcommand)]
    command: Option<HubCommand>,
}

/// The RTS2 face, as the command line wants it.
struct WithRts2(Rts2Args);

impl Extras for WithRts2 {
    type Section = Rts2Config;

    fn consequences(&self, hub: &HubConfig, section: &Rts2Config) -> Vec<String> {
        self.0.over(section.clone()).consequences(hub)
    }

    fn start(
        &self,
        hub: &HubConfig,
        section: Rts2Config,
        operations: &Operations,
        ended: &CancellationToken,
    ) -> anyhow::Result<Started> {
        let section = self.0.over(section);
        let (mut face, devices) = Rts2Face::new(&section, hub, operations)?;
        let sky = devices.first().map(|summary| {
            let (followed, sky) = Sky::follow(summary.handle().centrald_status());
            face.keep_sky(followed);
            sky
        });
        // The summary device is the first, and the one whose port somebody may want to know.
        let ports = std::iter::once(section.port).chain(std::iter::repeat(0));
        let bound =
            devices.into_iter().zip(ports).map(|(device, port)| Bound::new(device, section.listen, port));
        let (thread, anew) = devices::spawn(bound.collect::<Result<_, _>>()?, ended.clone())?;
        face.replace_by(anew);
        Ok(Started { faces: vec![Box::new(face)], threads: vec![thread], sky })
    }

    fn serving(&self) {
        #[cfg(unix)]
        if let Err(error) = rts2dev::cli::serving() {
            tracing::warn!(%error, "the start script was not told that the daemon serves");
        }
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
    let mut cli = Cli::parse();
    if let Err(why) = cli.rts2.check() {
        Cli::command().error(ErrorKind::ValueValidation, why).exit();
    }
    if cli.rts2.device.debug {
        cli.hub.log = cli.hub.log.or(Some(LogLevel::Debug));
    }
    #[cfg(unix)]
    let _lock = if cli.command.is_none() {
        cli.rts2.background_only_as(Path::new(&std::env::args_os().next().unwrap_or_default()));
        match cli.rts2.device.daemonize(DEFAULT_DEVICE) {
            Ok(lock) => lock,
            Err(code) => return code,
        }
    } else {
        None
    };
    #[cfg(unix)]
    if rts2dev::cli::is_daemon() {
        // Its terminal goes away.
        cli.hub.log_to = cli.hub.log_to.or(Some(LogTarget::Syslog));
    }
    program::main("lamon-sensord", &cli.hub, cli.command, &WithRts2(cli.rts2))
}
