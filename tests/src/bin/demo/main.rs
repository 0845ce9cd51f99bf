//! `make demo`: the whole family on this computer, seen as RTS2's clients see it, and in a browser.
//!
//! A hub on its embedded SQLite, an agent for this computer, the web page, and a small centrald; then, as a client of RTS2, this
//! computer's values live in the terminal with their levels in colour, until Ctrl-C ends all of it.
//!
//! | variable | meaning |
//! |---|---|
//! | `CENTRALD` | `host:port` of a centrald to register with, as NODES_DEMO, instead of the built-in one |
//! | `DEMO_SECONDS` | ends by itself after so many seconds |
//! | `NO_COLOR` | no colour |

mod family;
mod screen;
mod view;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use rts2dev::client::{Client, RemoteDevice};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use family::Family;
use screen::Screen;
use view::View;

/// How often the terminal is drawn again; values come every two seconds.
const REDRAW: Duration = Duration::from_millis(500);

/// How often a block is printed where the output is no terminal.
const BLOCK_EVERY: Duration = Duration::from_secs(5);

/// How long the device may take to register and to answer.
const START_TIME: Duration = Duration::from_secs(20);

/// The whole family on this computer: a hub, an agent, the web page and a small centrald, and their values live in this terminal as
/// RTS2's clients see them. Ctrl-C ends all of it.
#[derive(Debug, Parser)]
#[command(name = "demo", version = lamon_daemon::VERSION, after_help = VARIABLES)]
struct Args {}

const VARIABLES: &str = "Environment:
  CENTRALD=HOST:PORT  register there, as NODES_DEMO, instead of with the small centrald
  DEMO_SECONDS=N      end after N seconds
  NO_COLOR            no colours";

#[tokio::main]
async fn main() -> ExitCode {
    let Args {} = Args::parse();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let stop = lamon_daemon::signals::shutdown().context("cannot listen for signals")?;
    hang_up_ends(&stop)?;
    let end = seconds()?.map(|seconds| Instant::now() + seconds);
    let mut family = Family::start().await?;
    let shown = tokio::select! {
        shown = show(&mut family) => shown,
        () = stop.cancelled() => Ok(()),
        () = until(end) => Ok(()),
    };
    // The terminal is given back before the family is, so that what comes now stays readable.
    screen::restore();
    say("ending…");
    let ended = family.end();
    say(&format!("all has ended; what was kept is in {}", family.folder().display()));
    shown.and(ended)
}

/// Shows the values for ever; an error when the family breaks.
async fn show(family: &mut Family) -> anyhow::Result<()> {
    let mut nodes = timeout(START_TIME, connect(family))
        .await
        .with_context(|| format!("no device {} at {}", family.device(), family.centrald()))?;
    let terminal = io::stdout().is_terminal();
    let mut screen = Screen::new(terminal);
    let pause = if terminal { REDRAW } else { BLOCK_EVERY };
    let mut draw_at = Instant::now();
    loop {
        let view = View::new(&nodes.values());
        // The first picture is worth waiting for: rates are known with the second sample.
        if view.is_complete() || terminal {
            screen.draw(&view, family).context("cannot write to the terminal")?;
            draw_at = Instant::now() + pause;
        } else {
            draw_at = draw_at.max(Instant::now()) + REDRAW;
        }
        loop {
            tokio::select! {
                changed = nodes.changed() => if changed.is_err() {
                    family.check()?;
                    nodes = timeout(START_TIME, connect(family)).await.context("the device is gone")?;
                },
                () = sleep_until(draw_at) => break,
            }
        }
        family.check()?;
    }
}

/// Connects to the device as soon as it is registered.
async fn connect(family: &Family) -> RemoteDevice {
    loop {
        if let Ok(client) = Client::login(family.centrald(), "demo", "lamon-demo").await
            && let Ok(device) = client.device(family.device()).await
        {
            return device;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// A terminal that is closed ends the demonstration too: the daemons must not outlive it.
fn hang_up_ends(stop: &CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    let stop = stop.clone();
    tokio::spawn(async move {
        hangup.recv().await;
        stop.cancel();
    });
    Ok(())
}

fn seconds() -> anyhow::Result<Option<Duration>> {
    let Some(text) = std::env::var_os("DEMO_SECONDS") else { return Ok(None) };
    let text = text.to_string_lossy();
    let seconds: u32 =
        text.parse().with_context(|| format!("DEMO_SECONDS={text} is no number of seconds"))?;
    Ok(Some(Duration::from_secs(seconds.into())))
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Tells the person in front of it; a terminal that went away is no error.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
