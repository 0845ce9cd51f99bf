//! `lamon-web`: how the observatory's computers are, live in a browser, as JSON and for Prometheus.
//!
//! It follows the hub's bus like any other application, reads the past from the archive, and changes nothing.
//!
//! | file | what it does |
//! |---|---|
//! | `config` | `/etc/lamon/web.toml` |
//! | `watcher` | the thread that follows the bus and sends what changed |
//! | `picture` | the newest of everything, immutable, for whoever asks |
//! | `answers` | the JSON |
//! | `api` | the paths, who may ask, the live stream |
//! | `history` | the past, from the archive |
//! | `serve` | connections and their limits |

mod answers;
mod api;
mod config;
mod history;
mod picture;
mod serve;
mod watcher;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use lamon_bus::Follower;
use lamon_daemon::logging::{self, LogLevel, LogTarget};
use lamon_daemon::{exit, signals, systemd};
use tokio::net::TcpListener;
use tracing::{error, info};

use self::config::WebConfig;
use self::history::Past;
use self::watcher::Shared;

const EXAMPLES: &str = "Try it:
  lamon-web                                     then open http://localhost:8617/
  lamon-web check -c web.toml
  curl http://localhost:8617/api/v1/nodes       every node as JSON
  curl http://localhost:8617/metrics            for Prometheus
  ssh -L 8617:localhost:8617 HUB                from another computer";

/// Shows how the observatory's computers are, live in a browser on this computer.
///
/// It follows a hub's bus (ZeroMQ) and serves a page, JSON and Prometheus's text format on loopback alone. Everything is
/// read, nothing is changed.
#[derive(Debug, Parser)]
#[command(name = "lamon-web", version = lamon_daemon::VERSION, after_help = EXAMPLES)]
struct Args {
    /// The configuration file. Without it /etc/lamon/web.toml is read, or, where that is missing, every default is taken.
    #[arg(short, long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// How much is logged, over what the configuration says.
    #[arg(long, value_name = "LEVEL", value_enum, global = true)]
    log: Option<LogLevel>,
    /// Where logs go, over what the configuration says.
    #[arg(long, value_name = "TARGET", value_enum, global = true)]
    log_to: Option<LogTarget>,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check the configuration, say what follows from it, and end: 0 when it is good, 78 when not.
    Check,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let config = match WebConfig::load(args.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(exit::CONFIG);
        }
    };
    // A mistake in an address is one of the configuration.
    let follower = match Follower::connect(&config.addresses()) {
        Ok(follower) => follower,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(exit::CONFIG);
        }
    };
    if let Some(Task::Check) = args.task {
        say(&format!("the page is at http://{}/, for this computer alone", config.listen));
        say(&format!("the hub is followed at {} and {}", config.bus.publish, config.bus.snapshot));
        say(&config.database.as_ref().map_or_else(
            || "no [database] is configured: nothing of the past is shown".into(),
            |url| format!("the past is read from {url}"),
        ));
        return ExitCode::SUCCESS;
    }
    let logs =
        logging::start("lamon-web", args.log.unwrap_or(config.log), args.log_to.unwrap_or(config.log_to));
    let Err(failure) = run(&config, follower) else { return ExitCode::SUCCESS };
    error!("{failure:#}");
    if logs.go_to_syslog() {
        say(&format!("{failure:#}"));
    }
    ExitCode::from(exit::UNAVAILABLE)
}

/// Serves until SIGTERM or SIGINT.
fn run(config: &WebConfig, follower: Follower) -> anyhow::Result<()> {
    // Two: one page that is being written must not keep another waiting.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let ended = signals::shutdown()?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}: is another lamon-web running?", config.listen))?;
        let at = listener.local_addr()?;
        let shared = Shared::new();
        let router = api::router(shared.clone(), Past::new(config.database.clone(), config.site));
        let token = ended.clone();
        let watcher = std::thread::Builder::new()
            .name("bus".into())
            .spawn(move || watcher::follow(follower, &shared, &token))?;
        info!("the page is at http://{at}/");
        systemd::ready();
        serve::serve(listener, router, ended).await;
        systemd::stopping();
        tokio::task::spawn_blocking(move || watcher.join()).await?.ok().context("the bus thread failed")
    })
}

#[expect(clippy::print_stderr, reason = "to the person at the terminal")]
fn say(text: &str) {
    eprintln!("lamon-web: {text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
