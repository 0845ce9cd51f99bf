//! A week of an agent's life at speed: does its memory stay flat?
//!
//! It is the agent's own readers, ring, session and connection, against a real hub; only the wait between samples is left
//! out. Samples come as fast as they are read, and wait only while many are not acknowledged. Each simulated day prints
//! a line.
//!
//! `cargo run --release -p lamon-agent --example week -- localhost:7617`

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use lamon_agent::clock::Now;
use lamon_agent::config::{Config, HubAddress};
use lamon_agent::sampler::Sampler;
use lamon_agent::uplink::Uplink;
use lamon_wire::names::NodeName;

/// Samples of a day, at one each 10 s.
const DAY: u32 = 24 * 60 * 60 / 10;

const DAYS: u32 = 7;

/// So many samples may wait for their acknowledgement: a hub that has as many writes them at once. An agent at work has
/// one or none.
const UNACKNOWLEDGED: u32 = 500;

/// How long the hub may stay away.
const PATIENCE: Duration = Duration::from_secs(30);

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement for people")]
fn main() -> ExitCode {
    let hub = std::env::args().nth(1).unwrap_or_else(|| "localhost:7617".into());
    let result = hub.parse().and_then(|hub| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(live(hub))
    });
    match result {
        Ok(days) => {
            println!("day    resident kB");
            for (day, resident) in days.iter().enumerate() {
                println!("{day:>3}    {resident:>11}");
            }
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("week: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Resident memory in kB, after a hundred samples and after each day.
async fn live(hub: HubAddress) -> Result<Vec<u64>, String> {
    let config = Config { hubs: Some(vec![hub]), ..Config::default() };
    let node = NodeName::new("week").map_err(|error| error.to_string())?;
    let mut sampler = Sampler::new(&config.selection());
    let mut uplink = Uplink::new(config, node).map_err(|error| error.to_string())?;
    let mut days = Vec::new();
    let mut waiting = 0;
    let mut acknowledged = Instant::now();
    for count in 0..=DAYS * DAY {
        if count == 100 || (count > 0 && count % DAY == 0) {
            days.push(resident()?);
        }
        uplink.handle_sample(sampler.take(Now::read()).await);
        waiting += 1;
        while waiting >= UNACKNOWLEDGED {
            wait(&mut uplink).await;
            if uplink.is_flushed() {
                waiting = 0;
                acknowledged = Instant::now();
            }
            if acknowledged.elapsed() > PATIENCE {
                return Err("the hub acknowledges nothing".into());
            }
        }
    }
    Ok(days)
}

/// Lets the uplink do what it does next.
async fn wait(uplink: &mut Uplink) {
    let now = Now::read().monotonic_us;
    let due = uplink.deadline().map(|due| Duration::from_micros(due.saturating_sub(now)));
    let progress = tokio::time::timeout(due.unwrap_or(PATIENCE).min(PATIENCE), uplink.progress()).await;
    match progress {
        Ok(progress) => drop(uplink.handle_progress(progress)),
        Err(_) => uplink.handle_timeout(),
    }
}

fn resident() -> Result<u64, String> {
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| "/proc/self/status has no VmRSS".into())
}
