//! `make bench`: what agent and hub cost and what the hub takes, as one table: memory, CPU, bytes on the wire, the most
//! samples a second beside the raw limits of the same machine, latencies. Nothing is asserted.
//!
//! The real programs run on this machine, release build. What loads them, and each raw limit, is a process of its own
//! (`child.rs`: this program again), so that CPU and memory are told apart. Each number is the median of several runs
//! with processes of their own, the smallest and the largest behind it.
//!
//! | file | what it measures |
//! |---|---|
//! | `agents.rs` | memory and CPU of an agent, bytes of a sample |
//! | `hubs.rs` | memory and CPU of the whole hub, by the number of its nodes |
//! | `rates.rs`, `stores.rs` | the most samples a second, to the bus, the journal, the archives |
//! | `latency.rs` | from the agent's send to the bus and to an RTS2 client; a day's backlog |
//! | `storm.rs` | a hub that is started anew under its nodes, in TLS and plain |
//! | `load/` | what loads a hub: the children |
//! | `raw/` | bare loops: what this machine can do at most |

mod agents;
mod child;
mod hubs;
mod latency;
mod load;
mod machine;
mod rates;
mod raw;
mod report;
mod stores;
mod storm;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::report::Table;

/// Measures what agent and hub cost on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench", version = lamon_daemon::VERSION)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    child: Option<child::Role>,
}

/// How it is measured.
#[derive(Debug, Clone, clap::Args)]
struct Options {
    /// A short look of a minute and a half: one run, spans of seconds, at most 1,000 nodes, an hour of backlog.
    #[arg(long)]
    quick: bool,
    /// How many runs each number is the median of; 3 when not said, 1 with --quick.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: Option<u32>,
    /// One measurement alone.
    #[arg(long, value_name = "NAME", value_parser = MEASUREMENTS)]
    only: Option<String>,
}

/// What can be asked for by name.
const MEASUREMENTS: [&str; 10] =
    ["agent", "hub", "bus", "rts2", "journal", "sqlite", "mariadb", "text", "latency", "storm"];

impl Options {
    fn runs(&self) -> u32 {
        self.runs.unwrap_or(if self.quick { 1 } else { 3 })
    }

    fn wants(&self, measurement: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == measurement)
    }

    /// A span in seconds, and what it is in a short look.
    fn span(&self, full: u64, quick: u64) -> Duration {
        Duration::from_secs(if self.quick { quick } else { full })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.child {
        Some(role) => child::run(role),
        None => measure(&arguments.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::progress(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> anyhow::Result<()> {
    // The agents' proxies and testing::Centrald live in this process.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _within = runtime.enter();
    let mut table = Table::default();
    machine::describe(&mut table, options)?;
    if options.wants("agent") || options.wants("hub") {
        let done = calm(options, &mut table);
        table.unless_failed("agent and hub", done);
    }
    for (name, measure) in [
        ("bus", rates::bus as fn(&Options, &mut Table) -> anyhow::Result<()>),
        ("rts2", rates::rts2),
        ("text", rates::text),
        ("journal", stores::journal),
        ("sqlite", stores::sqlite),
        ("mariadb", stores::mariadb),
        ("latency", latency::measure),
        ("storm", storm::measure),
    ] {
        if options.wants(name) {
            let done = measure(options, &mut table);
            table.unless_failed(name, done);
        }
    }
    table.print();
    Ok(())
}

/// Agents and hubs that have next to nothing to do, all runs side by side: none is busy enough to be in another's way.
fn calm(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let agents = if options.wants("agent") { agents::start(options)? } else { Vec::new() };
    let small = if options.wants("hub") { hubs::start(options, 100, options.runs())? } else { Vec::new() };
    let short =
        if options.wants("hub") && options.quick { hubs::start(options, 1_000, 1)? } else { Vec::new() };
    if options.wants("agent") {
        agents::finish(options, agents, table)?;
    }
    if options.wants("hub") {
        let mut all = vec![(100, hubs::finish(options, small)?)];
        if options.quick {
            all.push((1_000, hubs::finish(options, short)?));
        } else {
            all.push((1_000, hubs::finish(options, hubs::start(options, 1_000, options.runs())?)?));
            let mut large = Vec::new();
            for _ in 0..options.runs() {
                // One after the other: each takes a good part of a core.
                large.extend(hubs::finish(options, hubs::start(options, hubs::LARGE, 1)?)?);
            }
            all.push((hubs::LARGE, large));
        }
        hubs::rows(&all, table);
    }
    Ok(())
}
