//! The whole hub in daily life, by the number of its nodes: RTS2 devices under a centrald, bus, journal, SQLite archive.

use std::time::Duration;

use lamon_tests::bus::snapshot;
use lamon_tests::hub::Hub;
use lamon_tests::usage::{Memory, cpu, memory};
use rts2dev::testing::Centrald;
use tokio::runtime::Handle;

use crate::Options;
use crate::child::Child;
use crate::load::{INTERVAL, METRICS, groups};
use crate::report::{Asked, Runs, Table, megabytes, number, progress};

/// Many more nodes than a site has: does the cost grow with them, or faster?
pub(crate) const LARGE: u32 = 10_000;

/// A hub with its nodes.
pub(crate) struct Running {
    hub: Hub,
    load: Child,
    nodes: u32,
    _centrald: Centrald,
}

/// What one run told.
pub(crate) struct Run {
    memory: Memory,
    /// Of a core.
    cpu_percent: f64,
    /// Of the load generator, of a core.
    load_percent: f64,
}

/// Starts so many hubs, each with so many nodes, and waits until all nodes sample.
pub(crate) fn start(options: &Options, nodes: u32, count: u32) -> anyhow::Result<Vec<Running>> {
    progress(&format!("{count} hubs with {nodes} nodes"));
    let mut running = Vec::new();
    for _ in 0..count {
        let centrald = Handle::current().block_on(Centrald::start())?;
        let hub = Hub::sensord()
            .under(centrald.address())
            .with(&groups(nodes))
            .quietly()
            .from_a_copy()
            .try_start()?;
        let load = Child::start("calm", &[("hub", hub.address().to_string()), ("nodes", nodes.to_string())])?;
        running.push(Running { hub, load, nodes, _centrald: centrald });
    }
    for one in &mut running {
        // Every node has sent twice, and is in every table.
        one.load.hear::<bool>()?;
    }
    let _ = options;
    Ok(running)
}

/// Measures all of them over the same span.
pub(crate) fn finish(options: &Options, hubs: Vec<Running>) -> anyhow::Result<Vec<Run>> {
    let span = options.span(40, 10);
    let look = |one: &Running| anyhow::Ok((cpu(one.hub.id())?, cpu(one.load.id())?));
    let before = hubs.iter().map(look).collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::sleep(span);
    let mut runs = Vec::new();
    for (one, (hub_before, load_before)) in hubs.iter().zip(before) {
        let (hub_after, load_after) = look(one)?;
        let memory = memory(one.hub.id())?;
        let (_, picture) = snapshot(one.hub.snapshot(), &["level/load"])?;
        anyhow::ensure!(
            picture.len() == usize::try_from(one.nodes)?,
            "{} of {} nodes arrived",
            picture.len(),
            one.nodes
        );
        let percent = |time: Duration| time.as_secs_f64() * 100.0 / span.as_secs_f64();
        runs.push(Run {
            memory,
            cpu_percent: percent(hub_after.saturating_sub(hub_before)),
            load_percent: percent(load_after.saturating_sub(load_before)),
        });
    }
    for one in hubs {
        drop(one.load);
        one.hub.terminate()?;
    }
    Ok(runs)
}

/// The rows, with the cost of each node beside.
pub(crate) fn rows(all: &[(u32, Vec<Run>)], table: &mut Table) {
    table.section(format!(
        "lamon-sensord: the whole hub, {METRICS} metrics a node every {} s, no client of RTS2 or of the bus",
        INTERVAL.as_secs()
    ));
    for (nodes, runs) in all {
        let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Runs>();
        let (most, processor) = match nodes {
            100 => (Asked::AtMost(15.0, "15 MB"), Asked::AtMost(0.1, "0.1 %")),
            1_000 => (Asked::AtMost(40.0, "40 MB"), Asked::Nothing),
            _ => (Asked::Nothing, Asked::Nothing),
        };
        table.row(
            &format!("{nodes} nodes: resident memory"),
            &of(|run| megabytes(run.memory.resident)),
            1,
            "MB",
            most,
        );
        table.row(
            "  the same, shared pages divided",
            &of(|run| megabytes(run.memory.proportional)),
            1,
            "MB",
            Asked::Nothing,
        );
        table.row("  CPU, of a core", &of(|run| run.cpu_percent), 3, "%", processor);
        let each =
            runs.iter().map(|run| run.cpu_percent * 1e4 / number((*nodes).into()) * INTERVAL.as_secs_f64());
        table.row("  CPU for each sample", &each.collect(), 1, "µs", Asked::Nothing);
        table.row("  (load generator's CPU)", &of(|run| run.load_percent), 2, "%", Asked::Nothing);
    }
}
