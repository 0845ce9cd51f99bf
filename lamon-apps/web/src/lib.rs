//! `lamon-web`: how the observatory's computers are, live in a browser, as JSON and for Prometheus.
//!
//! It follows the hub's bus like any other application, and reads the past from the archive.
//!
//! | file | what it does |
//! |---|---|
//! | `config` | `/etc/lamon/web.toml` |
//! | `watcher` | the thread that follows the bus and sends what changed |
//! | `picture` | the newest of everything, immutable, for whoever asks |
//! | `answers` | the JSON |
//! | `api` | the paths, who may ask, the live stream |
//! | `history` | the past, from the archive |
//! | `login` | users, passwords, sessions |
//! | `operate` | changes at the hub, through its control socket |
//! | `serve` | connections and their limits |
//! | `tls` | the certificate |

mod answers;
mod api;
mod config;
mod crowd;
mod history;
mod login;
mod operate;
mod picture;
mod serve;
mod tls;
mod watcher;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};
use lamon_bus::Follower;
use lamon_daemon::logging::{self, LogLevel, LogTarget};
use lamon_daemon::signals::{self, Reloads};
use lamon_daemon::{answer, exit, systemd};
use tokio::net::TcpListener;
use tracing::{error, info};

use self::api::guard::Access;
use self::config::WebConfig;
use self::history::Past;
use self::login::{Lobby, users};
use self::operate::Operator;
use self::tls::Certificate;
use self::watcher::Shared;

const EXAMPLES: &str = "Try it:
  lamon-web                                     then open http://localhost:8617/
  lamon-web check -c web.toml
  lamon-web user add ann --role operate         who may do more than look
  curl http://localhost:8617/api/v1/nodes       every node as JSON
  curl http://localhost:8617/metrics            for Prometheus
  ssh -L 8617:localhost:8617 HUB                from another computer";

/// Shows how the observatory's computers are, live in a browser.
///
/// It follows a hub's bus (ZeroMQ) and serves a page, JSON and Prometheus's text format: on loopback, or by TLS to
/// whoever logs in.
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
    /// Who may log in, and what each may do.
    #[command(subcommand)]
    User(users::command::Task),
}

/// Its command line, for the manual page and for shells that complete it.
#[must_use]
pub fn command() -> clap::Command {
    Args::command()
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let config = match WebConfig::load(args.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(exit::CONFIG);
        }
    };
    if let Some(Task::User(task)) = args.task {
        return match users::command::perform(task, &config.login.users) {
            Ok(said) if said.is_empty() => ExitCode::SUCCESS,
            Ok(said) => {
                answer::line(said);
                ExitCode::SUCCESS
            }
            Err(error) => {
                say(&error);
                ExitCode::FAILURE
            }
        };
    }
    // A mistake in an address is one of the configuration.
    let follower = match Follower::connect(&config.addresses()) {
        Ok(follower) => follower,
        Err(error) => {
            say(&error.to_string());
            return ExitCode::from(exit::CONFIG);
        }
    };
    let (lobby, certificate) = match prepare(&config) {
        Ok(prepared) => prepared,
        Err(error) => {
            say(&error);
            return ExitCode::from(exit::CONFIG);
        }
    };
    if let Some(Task::Check) = args.task {
        let reach = if config.listen.ip().is_loopback() {
            "this computer alone"
        } else {
            "every computer that reaches it"
        };
        answer::line(format_args!(
            "the page is at {}, for {reach}",
            url(certificate.is_some(), config.listen)
        ));
        answer::line(format_args!(
            "the hub is followed at {} and {}",
            config.bus.publish, config.bus.snapshot
        ));
        answer::line(config.database.as_ref().map_or_else(
            || "no [database] is configured: nothing of the past is shown".into(),
            |url| format!("the past is read from {url}"),
        ));
        answer::line(format_args!("the hub is operated through {}", config.control.socket.display()));
        let required = if config.login_is_required() { "; nothing is shown to others" } else { "" };
        answer::line(format_args!(
            "{} may log in, by {}{required}",
            lobby.users(),
            config.login.users.display()
        ));
        return ExitCode::SUCCESS;
    }
    let logs =
        logging::start("lamon-web", args.log.unwrap_or(config.log), args.log_to.unwrap_or(config.log_to));
    let Err(failure) = run(&config, follower, lobby, certificate) else { return ExitCode::SUCCESS };
    error!("{failure:#}");
    if logs.go_to_syslog() {
        say(&format!("{failure:#}"));
    }
    ExitCode::from(exit::UNAVAILABLE)
}

/// Reads the files that the configuration names.
///
/// # Errors
///
/// A sentence, when they cannot be used, or nobody could ever see the page.
fn prepare(config: &WebConfig) -> Result<(Arc<Lobby>, Option<Arc<Certificate>>), String> {
    let lobby = Lobby::open(config.login.users.clone())?;
    if config.login_is_required() && lobby.users() == 0 {
        return Err(
            "nothing is shown without a login, and nobody may log in: lamon-web user add NAME first".into()
        );
    }
    let certificate = config.tls.as_ref().map(Certificate::load).transpose()?;
    Ok((lobby.into(), certificate.map(Arc::new)))
}

fn url(tls: bool, at: SocketAddr) -> String {
    format!("{}://{at}/", if tls { "https" } else { "http" })
}

/// Reads the certificate again whenever it is asked for.
async fn reload(mut asked: Reloads, certificate: Option<Arc<Certificate>>) {
    loop {
        asked.next().await;
        match certificate.as_ref().map(|certificate| certificate.reload()) {
            None => info!("asked to read again: without [tls] there is nothing"),
            Some(Ok(())) => info!("the certificate was read again"),
            Some(Err(why)) => error!("{why}; the certificate of before stays in use"),
        }
    }
}

/// Serves until SIGTERM or SIGINT.
fn run(
    config: &WebConfig,
    follower: Follower,
    lobby: Arc<Lobby>,
    certificate: Option<Arc<Certificate>>,
) -> anyhow::Result<()> {
    // Two: one page that is being written must not keep another waiting.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let ended = signals::shutdown()?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}: is another lamon-web running?", config.listen))?;
        let at = listener.local_addr()?;
        let shared = Shared::new();
        let hosts = config.answered().map_err(anyhow::Error::msg)?;
        let access = Access {
            hosts,
            lobby: lobby.clone(),
            tls: certificate.is_some(),
            required: config.login_is_required(),
        };
        let past = Past::new(config.database.clone(), config.site);
        let router = api::router(shared.clone(), past, access.into(), Operator::new(&config.control));
        tokio::spawn(lobby.watch(ended.clone()));
        let token = ended.clone();
        let watcher = std::thread::Builder::new()
            .name("bus".into())
            .spawn(move || watcher::follow(follower, &shared, &token))?;
        tokio::spawn(reload(Reloads::listen()?, certificate.clone()));
        info!("the page is at {}", url(certificate.is_some(), at));
        systemd::ready();
        serve::serve(listener, certificate, router, ended).await;
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
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
