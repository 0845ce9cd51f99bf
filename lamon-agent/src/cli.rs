//! The command line.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use lamon_daemon::logging::{self, LogLevel, LogTarget};
use lamon_daemon::{answer, exit, signals};
use lamon_wire::names::NodeName;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, HubAddress, Interval};
use crate::{check, daemon, enroll, identity, once, sampler, trust};

/// The stack of the thread that looks up host names, in bytes: resolvers are built for small ones.
const LOOKUP_STACK_BYTES: usize = 256 * 1_024;

/// Takes this computer's metrics and sends them to the hub, losing none.
///
/// Without a command it runs in the foreground until SIGTERM or Ctrl-C, as systemd wants it. Samples are kept in memory
/// until the hub has them on its disk, and with a spool on this computer's disk too.
#[derive(Debug, Parser)]
#[command(name = "lamon-agent", version = lamon_daemon::VERSION, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
    /// Print one sample and end. Rates need two looks: they are taken one second apart
    #[arg(long)]
    once: bool,
    /// With --once: print the sample as a line of the text protocol, ready for nc
    #[arg(long, requires = "once")]
    text: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the configuration and say what follows from it on this node
    Check,
    /// Make this node known to a hub, and the hub to this node: their connection is then in TLS
    ///
    /// Shows the hub's key to be compared with what `lamon keys` prints there, unless --hub-key or --join says it. Then an
    /// operator approves this node on the hub, `lamon approve NODE`, or the secret of --join lets it in.
    Enroll(enroll::Wanted),
    /// Print the fingerprint of this node's key, to be compared with what `lamon keys` shows on the hub
    Key,
    /// The agent as a service of Windows, which runs whether anybody is logged in or not
    #[cfg(windows)]
    #[command(subcommand)]
    Service(crate::service::Action),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The configuration
    #[cfg_attr(windows, doc = r"[default: C:\ProgramData\lamon\agent.toml where it exists]")]
    #[cfg_attr(
        target_os = "macos",
        doc = "[default: /Library/Application Support/lamon/agent.toml where it exists]"
    )]
    #[cfg_attr(
        not(any(windows, target_os = "macos")),
        doc = "[default: /etc/lamon/agent.toml where it exists]"
    )]
    #[arg(short, long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A hub; give it several times for several, in the order in which they are tried
    #[arg(long = "hub", global = true, value_name = "HOST:PORT")]
    hubs: Vec<HubAddress>,
    /// The name of this node
    #[arg(long, global = true, value_parser = NodeName::new)]
    node: Option<NodeName>,
    /// Time between samples: 1s to 1d
    #[arg(long, global = true, value_name = "TIME")]
    interval: Option<Interval>,
    /// How much is logged
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<LogLevel>,
    /// Where logs go
    #[arg(long, global = true, value_name = "TARGET")]
    log_to: Option<LogTarget>,
}

const EXAMPLES: &str = "\
Examples:
  lamon-agent --once                          what this computer looks like
  lamon-agent --once --text | nc hub 7617     send it once, without a daemon
  lamon-agent check -c /etc/lamon/agent.toml  what will be watched, and how long the buffer lasts
  lamon-agent enroll hub                      make this node and the hub known to each other
  lamon-agent --hub hub1 --hub hub2:7617      run; use hub1, and hub2 while hub1 is away
  lamon-agent --interval 1s --log debug       run against a hub on this computer, and see all of it

Exit codes: 0 ended as asked, 2 wrong command line, 69 spool in use by another agent, 78 wrong configuration (file:line:column says where).";

/// Clap's own code for it.
const WRONG_COMMAND_LINE: u8 = 2;

/// What is to be done.
enum Task {
    Run,
    Once,
    Check,
    Key,
    Enroll(enroll::Wanted),
}

/// What went wrong, as a sentence, and the exit code for it.
pub(crate) struct Failure(pub(crate) u8, pub(crate) String);

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::from(exit::OK),
        Err(Failure(code, message)) => {
            let _ = writeln!(io::stderr(), "lamon-agent: {message}");
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let options = cli.options;
    let task = match cli.command {
        Some(_) if cli.once => {
            return Err(Failure(WRONG_COMMAND_LINE, "--once goes with no command".into()));
        }
        #[cfg(windows)]
        Some(Command::Service(action)) => {
            return crate::service::act(action, options).map(answer::print);
        }
        Some(Command::Check) => Task::Check,
        Some(Command::Enroll(wanted)) => Task::Enroll(wanted),
        Some(Command::Key) => Task::Key,
        None if cli.once => Task::Once,
        None => Task::Run,
    };
    let path = options.config.clone();
    let (config, node) = options.apply()?;
    let runtime = runtime()?;
    let look = || runtime.block_on(once::take(&config.selection()));
    match task {
        Task::Key => {
            let key = trust::own_key(&config.key, &node);
            let key = key.map_err(|error| Failure(exit::UNAVAILABLE, error.to_string()))?;
            answer::line(key.fingerprint());
        }
        Task::Enroll(wanted) => {
            let say = |text: &str| drop(writeln!(io::stderr(), "lamon-agent: {text}"));
            let enrolled = runtime.block_on(enroll::run(&config, &node, &wanted, say));
            enrolled.map_err(|error| Failure(exit::UNAVAILABLE, error.to_string()))?;
        }
        Task::Check => {
            let (sample, found) = look();
            answer::print(check::report(path.as_deref(), &config, &node, &sample, &found));
        }
        Task::Once if cli.text => {
            let (line, left_out) = once::line(&node, &look().0);
            if left_out > 0 {
                let _ = writeln!(
                    io::stderr(),
                    "lamon-agent: {left_out} metrics do not fit the line and are left out"
                );
            }
            answer::line(line);
        }
        Task::Once => {
            let seconds = sampler::BETWEEN_LOOKS.as_secs();
            answer::print(format_args!("{}(rates over {seconds} s)\n", once::table(&look().0)));
        }
        Task::Run => {
            let _logs = logging::start("lamon-agent", config.log, config.log_to);
            return serve(runtime, config, node, || {
                signals::shutdown()
                    .map_err(|error| Failure(exit::SOFTWARE, format!("cannot watch for signals: {error}")))
            });
        }
    }
    Ok(())
}

/// Runs the daemon until the token is cancelled that `shutdown` makes, within the runtime.
pub(crate) fn serve(
    runtime: Runtime,
    config: Config,
    node: NodeName,
    shutdown: impl FnOnce() -> Result<CancellationToken, Failure>,
) -> Result<(), Failure> {
    let served = runtime.block_on(async {
        let served = daemon::run(config, node, shutdown()?).await;
        served.map_err(|error| Failure(exit::UNAVAILABLE, error.to_string()))
    });
    // A look-up of a name that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::ZERO);
    served
}

impl Options {
    /// The configuration's file that was named.
    #[cfg(windows)]
    pub(crate) fn config(&self) -> Option<&std::path::Path> {
        self.config.as_deref()
    }

    /// Whether anything else was said.
    #[cfg(windows)]
    pub(crate) fn says_more(&self) -> bool {
        let Self { config: _, hubs, node, interval, log, log_to } = self;
        !hubs.is_empty() || node.is_some() || interval.is_some() || log.is_some() || log_to.is_some()
    }

    /// The configuration of the file with what the command line says over it, and the node's name.
    pub(crate) fn apply(self) -> Result<(Config, NodeName), Failure> {
        let loaded = Config::load(self.config.as_deref());
        let mut config = loaded.map_err(|error| Failure(exit::CONFIG, error.to_string()))?;
        if !self.hubs.is_empty() {
            config.hubs = Some(self.hubs);
        }
        config.node = self.node.or(config.node);
        config.interval = self.interval.unwrap_or(config.interval);
        config.log = self.log.unwrap_or(config.log);
        config.log_to = self.log_to.unwrap_or(config.log_to);
        let node = config.node.clone().map_or_else(identity::host_node, Ok).map_err(|error| {
            Failure(
                exit::CONFIG,
                format!("the host name makes no node name ({error}): set node in the configuration"),
            )
        })?;
        Ok((config, node))
    }
}

/// Everything runs on this one thread, but for look-ups of names and questions that may hang.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_stack_size(LOOKUP_STACK_BYTES)
        .thread_keep_alive(Duration::from_secs(1))
        .build();
    built.map_err(|error| Failure(exit::SOFTWARE, format!("cannot start: {error}")))
}
