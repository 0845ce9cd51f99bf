//! An agent: memory, CPU at its daily interval, bytes on the wire.

use std::time::Duration;

use anyhow::Context;
use lamon_tests::agent::Agent;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::Operator;
use lamon_tests::usage::{Memory, cpu, memory};
use lamon_tests::wiretap::Wiretap;
use lamon_wire::reading::Reading;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::Options;
use crate::report::{Asked, Runs, Table, megabytes, number, progress};

/// How often it samples.
const INTERVAL: Duration = Duration::from_secs(10);

/// An agent with a hub of its own that acknowledges at once.
pub(crate) struct Running {
    /// Its key, in TLS.
    tls: Option<TempDir>,
    hub: Hub,
    wiretap: Wiretap,
    agent: Agent,
    ready: Instant,
}

/// Starts one for each run.
pub(crate) fn start(options: &Options) -> anyhow::Result<Vec<Running>> {
    progress(&format!("{} agents at {} s, and as many in TLS", options.runs(), INTERVAL.as_secs()));
    (0..options.runs() * 2)
        .map(|run| {
            let hub = Hub::sensord().quietly().try_start()?;
            let wiretap = Handle::current().block_on(Wiretap::start(hub.address()))?;
            let mut agent = Agent::named("bench")
                .sending_to(wiretap.address())
                .every(&format!("{}s", INTERVAL.as_secs()))
                .quietly()
                .from_a_copy();
            let tls = (run % 2 == 1).then(TempDir::new).transpose()?;
            if let Some(folder) = &tls {
                let mut operator = Operator::connect(hub.control())?;
                let hub_key = operator.hub_key()?;
                operator.approved(folder.path(), "bench")?;
                agent = agent
                    .keyed(&folder.path().join("bench.key"))
                    .with(&format!("hub_keys = [\"{hub_key}\"]"));
            }
            let agent = agent.try_start()?;
            // The start, with its look-ups and its first two samples, is not the daemon's daily life.
            let ready = Instant::now() + INTERVAL * 2 + Duration::from_secs(2);
            Ok(Running { tls, hub, wiretap, agent, ready })
        })
        .collect()
}

/// Measures all of them over the same span.
pub(crate) fn finish(options: &Options, agents: Vec<Running>, table: &mut Table) -> anyhow::Result<()> {
    let Some(ready) = agents.iter().map(|running| running.ready).max() else { return Ok(()) };
    std::thread::sleep(ready.saturating_duration_since(Instant::now()));
    // A whole number of intervals.
    let span = options.span(60, 10);
    let look = |running: &Running| {
        // What goes over the wire in TLS is nobody's to count.
        let samples = if running.tls.is_some() { 0 } else { running.wiretap.count()? };
        anyhow::Ok((cpu(running.agent.id())?, running.wiretap.bytes(), samples))
    };
    let before = agents.iter().map(look).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::sleep(span);
    let (mut runs, mut in_tls) = (Vec::new(), Vec::new());
    for (running, (cpu_before, bytes_before, samples_before)) in agents.iter().zip(before) {
        let (cpu, bytes, samples) = look(running)?;
        let cpu_percent = cpu.saturating_sub(cpu_before).as_secs_f64() * 100.0 / span.as_secs_f64();
        if running.tls.is_some() {
            let samples = (span.as_secs_f64() / INTERVAL.as_secs_f64()).max(1.0);
            in_tls.push(Tls {
                memory: memory(running.agent.id())?,
                cpu_percent,
                to_hub: number(bytes.0 - bytes_before.0) / samples,
            });
            continue;
        }
        let samples = number(samples - samples_before).max(1.0);
        let sent = running.wiretap.sent()?;
        let last = sent.values().next_back().context("the agent sent nothing")?;
        let core: Vec<_> =
            last.iter().filter(|(name, _)| lamon_wire::metric::CORE.contains(&name.as_str())).collect();
        runs.push(Run {
            memory: memory(running.agent.id())?,
            cpu_percent,
            to_hub: number(bytes.0 - bytes_before.0) / samples,
            to_agent: number(bytes.1 - bytes_before.1) / samples,
            metrics: last.len(),
            core_bytes: number(u64::try_from(frame_bytes(&core)?)?),
        });
    }
    // The hubs end after their agents.
    for running in agents {
        running.agent.terminate()?;
        running.hub.terminate()?;
    }
    rows(&runs, table);
    rows_of_tls(&runs, &in_tls, table);
    Ok(())
}

struct Run {
    memory: Memory,
    /// Of a core.
    cpu_percent: f64,
    /// Bytes of TCP payload for each sample, all metrics.
    to_hub: f64,
    to_agent: f64,
    metrics: usize,
    /// Bytes of a frame of the core metrics alone.
    core_bytes: f64,
}

/// One run in TLS.
struct Tls {
    memory: Memory,
    /// Of a core.
    cpu_percent: f64,
    /// Bytes of TCP payload for each sample.
    to_hub: f64,
}

fn rows_of_tls(plain: &[Run], runs: &[Tls], table: &mut Table) {
    let of = |what: fn(&Tls) -> f64| runs.iter().map(what).collect::<Runs>();
    table.section("the same agent in TLS 1.3".to_owned());
    let resident = of(|run| megabytes(run.memory.resident));
    table.row("resident memory", &resident, 2, "MB", Asked::Nothing);
    let before = plain.iter().map(|run| megabytes(run.memory.resident)).collect::<Runs>().median();
    let more = std::iter::once(resident.median() - before).collect();
    table.row("  more than plain", &more, 2, "MB", Asked::AtMost(1.5, "1.5 MB"));
    table.row("CPU, of a core", &of(|run| run.cpu_percent), 4, "%", Asked::AtMost(0.005, "0.005 %"));
    table.row("TCP payload to the hub a sample, all metrics", &of(|run| run.to_hub), 1, "B", Asked::Nothing);
}

fn rows(runs: &[Run], table: &mut Table) {
    let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Runs>();
    let metrics = runs.first().map_or(0, |run| run.metrics);
    table.section(format!(
        "lamon-agent: this machine every {} s, {metrics} metrics, hub reachable, no TLS",
        INTERVAL.as_secs()
    ));
    let memory = [of(|run| megabytes(run.memory.resident)), of(|run| megabytes(run.memory.proportional))];
    let [resident, proportional] = &memory;
    table.row("resident memory", resident, 2, "MB", Asked::AtMost(3.5, "3.5 MB"));
    table.row("the same, shared pages divided", proportional, 2, "MB", Asked::AtMost(2.0, "2 MB"));
    table.row("CPU, of a core", &of(|run| run.cpu_percent), 4, "%", Asked::AtMost(0.005, "0.005 %"));
    table.row(
        "TCP payload of a sample of the core metrics",
        &of(|run| run.core_bytes),
        0,
        "B",
        Asked::AtMost(64.0, "64 B"),
    );
    table.row("TCP payload to the hub a sample, all metrics", &of(|run| run.to_hub), 1, "B", Asked::Nothing);
    table.row("TCP payload to the agent a sample", &of(|run| run.to_agent), 1, "B", Asked::Nothing);
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
