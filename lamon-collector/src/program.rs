//! What the programs built on the collector do the same way: command line, configuration, logs, signals, the run.

mod backup;
mod copy;
mod export;
mod operated;
mod replay;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::JoinHandle;

use anyhow::Context;
use clap::{Args, Subcommand};
use lamon_daemon::config::ConfigError;
use lamon_daemon::logging::{self, LogLevel, LogTarget};
use lamon_daemon::signals::{Reloads, shutdown};
use lamon_daemon::{answer, exit};
use lamon_store::archive::Archive;
use lamon_wire::names::{MetricName, NodeName};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::operated::Operated;
use crate::bus;
use crate::config::{ControlConfig, DEFAULT_PATH, HubConfig};
use crate::control::{self, ControlSocket, Operations, ReloadReply};
use crate::face::Face;
use crate::hub::{self, Listeners, Reloaded, Wires};
use crate::sample::Now;
use crate::watch::Phase;

/// Options that every program of the hub has.
#[derive(Debug, Clone, Default, Args)]
pub struct HubArgs {
    /// The configuration file. Without it /etc/lamon/hub.toml is read, or, where that is missing, every default is taken.
    #[arg(short, long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// How much is logged, over what the configuration says.
    #[arg(long, value_name = "LEVEL", value_enum, global = true)]
    pub log: Option<LogLevel>,

    /// Where logs go, over what the configuration says.
    #[arg(long, value_name = "TARGET", value_enum, global = true)]
    pub log_to: Option<LogTarget>,
}

/// What else than running the hub a program can be asked for.
#[derive(Debug, Clone, Subcommand)]
pub enum HubCommand {
    /// Check the configuration, say what follows from it, and end: 0 when it is good, 78 when not.
    Check,
    /// Say which rule holds for a value, and why: from the configuration and what operators set over it, whatever runs.
    Explain(ExplainArgs),
    /// Bring the archive's tables to this version, and end. The hub does it by itself when it starts.
    Migrate,
    /// Look after the database: how large it is, backups, moving it.
    #[command(subcommand)]
    Db(DbCommand),
    /// Write what the archive has of some nodes to standard output or a file.
    #[command(after_help = export::EXAMPLES)]
    Export(export::ExportArgs),
    /// Say what other limits would have made of stored samples: how many alarms, beside the present ones. Changes nothing.
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::ReplayArgs),
}

/// A value that is asked about.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The node, such as ccd01.
    #[arg(value_parser = NodeName::new)]
    node: NodeName,
    /// The metric, such as disk_percent.
    #[arg(value_parser = MetricName::new)]
    metric: MetricName,
}

/// What is done with the database.
#[derive(Debug, Clone, Subcommand)]
pub enum DbCommand {
    /// Show how large the archive is, tier by tier, and what waits for it. Reads only, also beside a hub that runs.
    Status,
    /// Copy the journal, and the archive when it is a SQLite file, into a folder, also beside a hub that runs.
    Backup(backup::BackupArgs),
    /// Copy one database into another: samples, rollups, events, settings, everything; also beside hubs that run.
    #[command(after_help = copy::EXAMPLES)]
    Copy(Box<copy::CopyArgs>),
}

/// What a program adds to the collector.
pub trait Extras {
    /// Its section of the configuration file, `[rts2]`.
    type Section: DeserializeOwned + Default + PartialEq + Send + 'static;

    /// What the section has the program do, a sentence a line, for `check`.
    fn consequences(&self, hub: &HubConfig, section: &Self::Section) -> Vec<String>;

    /// Starts its faces, by which the hub may be operated too. `ended` is cancelled when a peer asks the whole program to end.
    ///
    /// # Errors
    ///
    /// A sentence that ends the program: a port in use, mostly.
    fn start(
        &self,
        hub: &HubConfig,
        section: Self::Section,
        operations: &Operations,
        ended: &CancellationToken,
    ) -> anyhow::Result<Started>;

    /// Told when every socket is bound, so that nothing is left that ends the program at its start.
    fn serving(&self) {}
}

/// Faces that were started, and their threads, which end when the faces are dropped or the token is cancelled.
#[derive(Default)]
pub struct Started {
    /// What the core task shows the picture to.
    pub faces: Vec<Box<dyn Face>>,
    /// What is waited for at the end.
    pub threads: Vec<JoinHandle<()>>,
    /// Night or day, when one of the faces knows; the Sun tells while it does not.
    pub sky: Option<watch::Receiver<Option<Phase>>>,
}

/// Does what the command line asks for; without a command it runs the hub until SIGTERM or SIGINT.
pub fn main<E: Extras>(program: &str, args: &HubArgs, command: Option<HubCommand>, extras: &E) -> ExitCode {
    let (config, section) = match HubConfig::load::<E::Section>(args.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(error) => return config_failure(program, &error),
    };
    let level = args.log.unwrap_or(config.log);
    let target = match command {
        Some(_) => LogTarget::Stderr,
        None => args.log_to.unwrap_or(config.log_to),
    };
    let logs = logging::start(program, level, target);
    let result = match command {
        Some(HubCommand::Check) => {
            check(args, &config, &extras.consequences(&config, &section));
            Ok(())
        }
        Some(HubCommand::Explain(asked)) => {
            explain(&config, &asked);
            Ok(())
        }
        Some(HubCommand::Migrate) => runtime().and_then(|runtime| runtime.block_on(migrate(&config))),
        Some(HubCommand::Db(DbCommand::Status)) => {
            runtime().and_then(|runtime| runtime.block_on(status::show(&config)))
        }
        Some(HubCommand::Db(DbCommand::Backup(args))) => {
            runtime().and_then(|runtime| runtime.block_on(backup::run(&config, &args)))
        }
        Some(HubCommand::Db(DbCommand::Copy(args))) => {
            runtime().and_then(|runtime| runtime.block_on(copy::run(&config, &args)))
        }
        Some(HubCommand::Export(args)) => {
            runtime().and_then(|runtime| runtime.block_on(export::run(&config, &args)))
        }
        Some(HubCommand::Replay(asked)) => {
            runtime().and_then(|runtime| runtime.block_on(replay::run(&config, args, &asked)))
        }
        None => runtime().and_then(|runtime| runtime.block_on(run(args, config, section, extras))),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if logs.go_to_syslog() {
        error!("{failure:#}");
    }
    say(program, &format!("{failure:#}"));
    ExitCode::from(exit::UNAVAILABLE)
}

async fn run<E: Extras>(
    args: &HubArgs,
    config: HubConfig,
    section: E::Section,
    extras: &E,
) -> anyhow::Result<()> {
    // Before anybody is told that the program serves: a signal that comes early must not kill it.
    let ended = shutdown().context("cannot listen for signals")?;
    let hangups = Reloads::listen().context("cannot listen for signals")?;
    let listeners = Listeners::bind(&config).await?;
    let control = bind_control(&config.control)?;
    let (operations, inbox) = control::operations();
    let mut started = extras.start(&config, section, &operations, &ended)?;
    let bus_thread = if config.bus.enabled {
        let (face, thread) =
            bus::start(&config.bus, &config.bus_key_path(), config.name.as_str(), Now::read().unix_ms)?;
        info!(publish = thread.publish, snapshot = thread.snapshot, "the bus publishes");
        started.faces.push(Box::new(face));
        Some(thread)
    } else {
        None
    };
    extras.serving();
    let (reloads_out, reloads_in) = mpsc::channel(1);
    let (reload_asks, asks) = mpsc::channel(1);
    tokio::spawn(reload_when_asked::<E::Section>(args.clone(), hangups, asks, reloads_out));
    let sky = started.sky.unwrap_or_else(|| watch::channel(None).1);
    let wires = Wires { reloads: reloads_in, reload_asks, inbox, operations, control, sky };
    let result = hub::run(config, listeners, started.faces, wires, ended.clone()).await;
    ended.cancel();
    if let Some(thread) = bus_thread {
        thread.join();
    }
    for thread in started.threads {
        // A panic was printed where it happened; the program ends either way.
        let _ = thread.join();
    }
    result
}

/// A socket that somebody named has to be there; without the usual one the hub runs all the same.
fn bind_control(config: &ControlConfig) -> anyhow::Result<Option<ControlSocket>> {
    if !config.enabled {
        return Ok(None);
    }
    match ControlSocket::bind(config) {
        Ok(socket) => Ok(Some(socket)),
        Err(error) if *config == ControlConfig::default() => {
            warn!("the command lamon cannot reach this hub: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// On SIGHUP, or when an operator asks, reads the file again; a file with a mistake changes nothing.
async fn reload_when_asked<S: DeserializeOwned + Default + PartialEq + Send + 'static>(
    args: HubArgs,
    mut hangups: Reloads,
    mut asks: mpsc::Receiver<ReloadReply>,
    reloads: mpsc::Sender<Reloaded>,
) {
    let read = || HubConfig::load::<S>(args.config.as_deref());
    // The section of the face, which the hub does not know, as it was at the start.
    let at_start = read().map(|(_, section)| section).unwrap_or_default();
    loop {
        let reply = tokio::select! {
            () = hangups.next() => None,
            Some(reply) = asks.recv() => Some(reply),
        };
        let (config, face_waits) = match read() {
            Ok((config, section)) => (Ok(config), section != at_start),
            Err(error) => (Err(error.to_string()), false),
        };
        if reloads.send(Reloaded { config, face_waits, reply }).await.is_err() {
            return;
        }
    }
}

fn explain(config: &HubConfig, asked: &ExplainArgs) {
    let operated = Operated::read(config);
    let explanation = operated.rules.explain(&config.groups, None, &asked.node, &asked.metric);
    answer::line(explanation.with_thresholds(&operated.limits));
    for line in operated.complaints {
        answer::line(format_args!("  {line}"));
    }
}

async fn migrate(config: &HubConfig) -> anyhow::Result<()> {
    let url = &config.database.url;
    Archive::connect(url, config.name.as_str()).await.with_context(|| format!("cannot migrate {url}"))?;
    info!(archive = %url, "the archive's tables are those of this version");
    Ok(())
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}

fn check(args: &HubArgs, config: &HubConfig, more: &[String]) {
    match &args.config {
        Some(path) => answer::line(format_args!("{}: good", path.display())),
        None if Path::new(DEFAULT_PATH).exists() => answer::line(format_args!("{DEFAULT_PATH}: good")),
        None => answer::line(format_args!("there is no {DEFAULT_PATH}: every default is taken")),
    }
    for line in config.consequences().iter().chain(&Operated::read(config).consequences()).chain(more) {
        answer::line(format_args!("  {line}"));
    }
}

fn config_failure(program: &str, error: &ConfigError) -> ExitCode {
    say(program, &error.to_string());
    ExitCode::from(exit::CONFIG)
}

/// Tells the person, or the script, that started the program. Logs may go to syslog, and may not have begun.
#[expect(clippy::print_stderr, reason = "the last words of a program that cannot start")]
fn say(program: &str, text: &str) {
    eprintln!("{program}: {text}");
}
