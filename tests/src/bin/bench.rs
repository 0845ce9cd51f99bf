//! `make bench`: what agent and hub cost, as a table: memory, CPU, bytes on the wire. Nothing is asserted.
//!
//! The real programs run on this machine, release build: the agent against a hub that acknowledges at once, the hub with
//! simulated nodes that speak the real protocol. Each number is the median of several runs, each with processes of its
//! own.

use std::fmt::Display;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use lamon_tests::agent::Agent;
use lamon_tests::bus::snapshot;
use lamon_tests::hub::Hub;
use lamon_tests::simulated::{Identity, SimulatedAgent};
use lamon_tests::usage::{Memory, cpu, memory};
use lamon_tests::wiretap::Wiretap;
use lamon_wire::reading::Reading;
use rts2dev::testing::Centrald;
use tokio::task::JoinSet;
use tokio::time::{interval_at, sleep};

/// Measures what agent and hub cost on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench", version = lamon_daemon::VERSION)]
struct Options {
    /// A short look: spans of a few seconds instead of a minute.
    #[arg(long)]
    quick: bool,
    /// How many runs each number is the median of.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Simulated nodes of the hub.
    #[arg(long, default_value_t = 100)]
    nodes: u32,
}

/// How often nodes sample where nobody says otherwise.
const INTERVAL: Duration = Duration::from_secs(10);

/// The fastest that an agent samples.
const FAST: Duration = Duration::from_secs(1);

/// The core metrics that an agent sends.
const CORE: usize = 9;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let span = Duration::from_secs(if options.quick { 10 } else { 60 });
    machine(&options, span)?;
    let (mut agents, mut fast_agents, mut hubs) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=options.runs {
        let runs = options.runs;
        progress(&format!(
            "run {run} of {runs}: agents at {} s and {} s",
            INTERVAL.as_secs(),
            FAST.as_secs()
        ));
        // Each has a hub of its own, and neither is busy enough to be in the other's way.
        let (slow, fast) = tokio::try_join!(agent(INTERVAL, span), agent(FAST, span))?;
        agents.push(slow);
        fast_agents.push(fast);
        progress(&format!("run {run} of {runs}: the hub with {} nodes", options.nodes));
        hubs.push(hub(options.nodes, span).await?);
    }
    progress("");
    agent_rows(&agents, &fast_agents);
    hub_rows(options.nodes, &hubs);
    Ok(())
}

/// What one run told.
struct Run {
    memory: Memory,
    /// CPU time for each second, in percent of a core.
    cpu_percent: f64,
    /// Bytes to the hub and to the agent for each sample.
    bytes: (f64, f64),
    /// Metrics of a sample.
    metrics: usize,
    /// Bytes of a sample of the core metrics alone.
    core_bytes: usize,
}

async fn agent(interval: Duration, span: Duration) -> anyhow::Result<Run> {
    let hub = Hub::sensord().quietly().try_start()?;
    let wiretap = Wiretap::start(hub.address()).await?;
    let agent = Agent::named("bench")
        .sending_to(wiretap.address())
        .every(&format!("{}s", interval.as_secs()))
        .quietly()
        .try_start()?;
    // The start, with its look-ups and its first two samples, is not the daemon's daily life.
    sleep(interval * 2 + Duration::from_secs(2)).await;
    let (before, bytes_before, samples_before) = (cpu(agent.id())?, wiretap.bytes(), wiretap.count()?);
    sleep(span).await;
    let (after, bytes_after, samples_after) = (cpu(agent.id())?, wiretap.bytes(), wiretap.count()?);
    let samples = number(samples_after - samples_before).max(1.0);
    let sent = wiretap.sent()?;
    let last = sent.values().next_back().context("the agent sent nothing")?;
    let core: Vec<_> =
        last.iter().filter(|(name, _)| lamon_wire::metric::CORE.contains(&name.as_str())).collect();
    Ok(Run {
        memory: memory(agent.id())?,
        cpu_percent: percent(after.saturating_sub(before), span),
        bytes: (
            number(bytes_after.0 - bytes_before.0) / samples,
            number(bytes_after.1 - bytes_before.1) / samples,
        ),
        metrics: last.len(),
        core_bytes: frame_bytes(&core)?,
    })
}

/// How long the frame of one sample of these values is, as agents write it.
fn frame_bytes(values: &[&(String, f64)]) -> anyhow::Result<usize> {
    use lamon_wire::frames::{AgentFrame, Row, Samples};
    use lamon_wire::metric::Unit;
    use lamon_wire::names::MetricName;

    let readings = values.iter().map(|(name, value)| {
        let unit = Unit::of(&MetricName::new(name)?);
        anyhow::Ok(Reading::new(*value, unit.decimals()))
    });
    let rows = vec![Row { after_ms: 0, readings: readings.collect::<Result<_, _>>()? }];
    // Numbers as they are after a month: they are varints, and grow.
    let frame = Samples { table: 1, first: 260_000, monotonic_ms: 2_600_000_000, rows };
    let mut out = Vec::new();
    AgentFrame::Samples(frame).write(&mut out)?;
    Ok(out.len())
}

async fn hub(nodes: u32, span: Duration) -> anyhow::Result<Run> {
    let centrald = Centrald::start().await?;
    let hub = Hub::sensord().under(centrald.address()).quietly().try_start()?;
    let mut senders = JoinSet::new();
    for number in 0..nodes {
        // They come one after the other, so that their samples do too.
        let phase = INTERVAL.mul_f64(f64::from(number) / f64::from(nodes.max(1)));
        senders.spawn(node(hub.address(), number, phase));
    }
    // Every node has sent twice, and is in every table.
    sleep(INTERVAL * 2 + Duration::from_secs(2)).await;
    let before = cpu(hub.id())?;
    sleep(span).await;
    let after = cpu(hub.id())?;
    let (_, picture) = snapshot(hub.snapshot(), &["level/load"])?;
    anyhow::ensure!(picture.len() == usize::try_from(nodes)?, "{} of {nodes} nodes arrived", picture.len());
    let memory = memory(hub.id())?;
    senders.shutdown().await;
    Ok(Run {
        memory,
        cpu_percent: percent(after.saturating_sub(before), span),
        bytes: (0.0, 0.0),
        metrics: CORE + 6,
        core_bytes: 0,
    })
}

/// One simulated node, for ever.
async fn node(hub: std::net::SocketAddr, number: u32, phase: Duration) -> anyhow::Result<()> {
    let more =
        ["disk_root_percent", "disk_root_free", "nic_eth0_in", "nic_eth0_out", "nic_eth0_errors", "temp_cpu"];
    let names: Vec<_> = lamon_wire::metric::CORE
        .into_iter()
        .filter(|name| *name != "clock_offset")
        .chain(more)
        .map(|name| (name, 2))
        .collect();
    let identity =
        Identity { interval: INTERVAL, ..Identity::new(&format!("load{number:03}"), fastrand::u32(..)) };
    let mut agent = SimulatedAgent::connect(hub, &identity).await?;
    agent.send_table(1, &names).await?;
    let mut random = fastrand::Rng::with_seed(number.into());
    let mut ticks = interval_at(tokio::time::Instant::now() + phase, INTERVAL);
    let mut sequence = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                sequence += 1;
                let row = names.iter().map(|_| Reading::new(random.f64() * 45.0, 2)).collect();
                agent.send_samples(1, sequence, vec![row]).await?;
            }
            frame = agent.next() => if frame?.is_none() { return Ok(()) },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
fn number(count: u64) -> f64 {
    count as f64
}

fn percent(time: Duration, span: Duration) -> f64 {
    time.as_secs_f64() * 100.0 / span.as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
    if numbers.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

fn median_of(runs: &[Run], what: impl Fn(&Run) -> f64) -> f64 {
    median(runs.iter().map(what).collect())
}

fn megabytes(bytes: u64) -> f64 {
    number(bytes) / 1e6
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn row(what: &str, number: impl Display, wanted: &str) {
    println!("{}", format!("  {what:<52} {number:>12}   {wanted}").trim_end());
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn fact(what: &str, value: impl Display) {
    println!("  {what:<24} {value}");
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn title(text: &str) {
    println!("\n{text}");
}

#[expect(clippy::print_stderr, reason = "what takes minutes says where it is")]
fn progress(text: &str) {
    if !text.is_empty() {
        eprintln!("{text}");
    }
}

fn machine(options: &Options, span: Duration) -> anyhow::Result<()> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model = cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let system = read("/etc/os-release");
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("?");
    let version = Command::new(lamon_tests::process::find("lamon-agent")?).arg("--version").output()?;
    title("What agent and hub cost");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    fact("processor", model.unwrap_or("?"));
    fact("cores", cores);
    fact("system", system.trim_matches('"'));
    fact("kernel", read("/proc/sys/kernel/osrelease").trim());
    fact("version", String::from_utf8_lossy(&version.stdout).trim());
    fact("build", if cfg!(debug_assertions) { "debug: no numbers to keep" } else { "release" });
    fact("median of runs", options.runs);
    fact("measured span of each", format!("{} s", span.as_secs()));
    Ok(())
}

fn agent_rows(slow: &[Run], fast: &[Run]) {
    let metrics = slow.first().map_or(0, |run| run.metrics);
    title(&format!("lamon-agent, this machine, {metrics} metrics a sample, hub reachable"));
    row("resident memory (VmRSS)", mb(slow, |memory| memory.resident), "wanted: at most 6 MB");
    row("its share of shared pages counted once (Pss)", mb(slow, |memory| memory.proportional), "");
    let cpu = median_of(slow, |run| run.cpu_percent);
    row("CPU at 10 s, of a core", format!("{cpu:.4} %"), "wanted: at most 0.05 %");
    let cpu = median_of(fast, |run| run.cpu_percent);
    row("CPU at 1 s, of a core", format!("{cpu:.4} %"), "");
    let extrapolated = cpu * FAST.as_secs_f64() / INTERVAL.as_secs_f64();
    row("CPU at 10 s, extrapolated from 1 s", format!("{extrapolated:.4} %"), "");
    let core = slow.first().map_or(0, |run| run.core_bytes);
    row("TCP payload of a sample of the core metrics", format!("{core} B"), "wanted: at most 64 B");
    let [sent, received] =
        [|run: &Run| run.bytes.0, |run: &Run| run.bytes.1].map(|what| median_of(fast, what));
    row("TCP payload to the hub, each sample, all metrics", format!("{sent:.1} B"), "");
    row("TCP payload to the agent, each sample", format!("{received:.1} B"), "");
}

fn hub_rows(nodes: u32, runs: &[Run]) {
    let metrics = runs.first().map_or(0, |run| run.metrics);
    title(&format!(
        "lamon-sensord, {nodes} nodes at {} s, {metrics} metrics each, SQLite, bus, RTS2",
        INTERVAL.as_secs()
    ));
    row("resident memory (VmRSS)", mb(runs, |memory| memory.resident), "wanted: at most 20 MB");
    row("its share of shared pages counted once (Pss)", mb(runs, |memory| memory.proportional), "");
    let cpu = median_of(runs, |run| run.cpu_percent);
    row("CPU, of a core", format!("{cpu:.3} %"), "wanted: at most 0.5 %");
}

fn mb(runs: &[Run], what: impl Fn(Memory) -> u64) -> String {
    format!("{:.2} MB", median_of(runs, |run| megabytes(what(run.memory))))
}
