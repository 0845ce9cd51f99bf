//! `make chaos`: kills, cuts, fills and tears the family again and again under load, and counts what is stored.
//!
//! Everything runs as in the tests, for longer: real programs on free loopback ports, with their files in a temporary folder.
//! It ends with a table, and with exit code 1 when anything that was acknowledged was lost or doubled.

mod table;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Parser;
use lamon_tests::chaos::faults::{self, ALL};
use lamon_tests::chaos::{Fault, Outcome};
use tokio::task::JoinSet;
use tokio::time::interval;

/// How often the terminal hears how far it is.
const PROGRESS: Duration = Duration::from_secs(1);

/// Kills, cuts, fills and tears the family again and again under load, and counts what is stored.
#[derive(Debug, Parser)]
#[command(name = "chaos", version = lamon_daemon::VERSION, after_help = "Examples:
  chaos                                       every fault, 50 times each
  chaos --only hub-killed --times 5 --seed 7  one fault, with the instants of an earlier run")]
struct Options {
    /// How often each fault happens.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    times: u32,
    /// Where the random instants come from; printed at the start when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults.
    #[arg(long, value_delimiter = ',', value_name = "FAULT", value_parser = fault)]
    only: Vec<Fault>,
    /// How many faults run side by side, each with its own hub and files.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=16))]
    jobs: u32,
    /// Say what faults there are.
    #[arg(long)]
    list: bool,
}

fn fault(name: &str) -> Result<Fault, String> {
    faults::named(name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|fault| fault.name).collect();
        format!("no fault; there are {}", names.join(", "))
    })
}

/// A fault on its way.
struct Progress {
    name: &'static str,
    done: Arc<AtomicU32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let mut out = io::stdout();
    if options.list {
        for fault in ALL {
            writeln!(out, "{:18} {}", fault.name, fault.what)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    writeln!(out, "seed {seed}: the same instants come again with --seed {seed}")?;
    let began = Instant::now();
    let stop = lamon_daemon::signals::shutdown().context("cannot listen for signals")?;
    let outcomes = tokio::select! {
        outcomes = run(&options, seed) => outcomes?,
        // What runs ends with this.
        () = stop.cancelled() => return Ok(ExitCode::FAILURE),
    };
    writeln!(out, "\n{}", table::table(&outcomes))?;
    let good = outcomes.iter().all(Outcome::is_good);
    let word = if good {
        "nothing that was acknowledged was lost or doubled"
    } else {
        "NOT EVERYTHING IS AS IT MUST BE"
    };
    writeln!(out, "{word} ({:.0} s, seed {seed})", began.elapsed().as_secs_f64())?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the faults, some side by side; the outcomes come in the order of the faults.
async fn run(options: &Options, seed: u64) -> anyhow::Result<Vec<Outcome>> {
    let wanted = if options.only.is_empty() { ALL.to_vec() } else { options.only.clone() };
    let folder = std::env::temp_dir();
    let mut waiting = wanted.iter().copied().enumerate();
    let mut running = JoinSet::new();
    let mut progress: Vec<Progress> = Vec::new();
    let mut outcomes = Vec::new();
    let mut ticks = interval(PROGRESS);
    let mut terminal = io::stderr();
    loop {
        while running.len() < usize::try_from(options.jobs)?
            && let Some((place, fault)) = waiting.next()
        {
            let (done, folder, times) = (Arc::new(AtomicU32::new(0)), folder.clone(), options.times);
            progress.push(Progress { name: fault.name, done: Arc::clone(&done) });
            running.spawn(async move { (place, fault.run(&folder, seed, times, done).await) });
        }
        tokio::select! {
            ended = running.join_next() => {
                let Some(ended) = ended else { break };
                let (place, outcome) = ended?;
                let outcome = outcome?;
                progress.retain(|progress| progress.name != outcome.fault.name);
                let word = if outcome.is_good() { "good" } else { "BAD" };
                let (name, seconds) = (outcome.fault.name, outcome.took.as_secs());
                let clear = if terminal.is_terminal() { "\r\x1b[K" } else { "" };
                writeln!(terminal, "{clear}{word:5} {name} in {seconds} s")?;
                outcomes.push((place, outcome));
            }
            _ = ticks.tick(), if terminal.is_terminal() => {
                let parts = progress.iter().map(|Progress { name, done }| {
                    format!("{name} {}/{}", done.load(Ordering::Relaxed), options.times)
                });
                write!(terminal, "\r\x1b[K{}", parts.collect::<Vec<_>>().join("  "))?;
                terminal.flush()?;
            }
        }
    }
    outcomes.sort_by_key(|(place, _)| *place);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}
