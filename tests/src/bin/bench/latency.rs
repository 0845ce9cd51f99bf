//! From an agent's send to the bus and to an RTS2 client: in peace, while MariaDB is stopped, while a day's backlog of
//! 100 agents comes in. One hub and its nodes go through all three.

use std::time::Duration;

use lamon_store::testing::{DATABASE, Mariadb};
use lamon_tests::hub::Hub;
use lamon_tests::usage::{cpu, memory, peak};
use rts2dev::testing::Centrald;
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Handle;

use crate::Options;
use crate::child::Child;
use crate::load::timed::{Backlog, Latencies, Report};
use crate::load::{INTERVAL, groups};
use crate::report::{Asked, Runs, Table, megabytes, number, progress};

/// Nodes of the hub.
const NODES: u32 = 1_000;

/// Nodes of them that were cut off.
const CUT_OFF: u32 = 100;

/// What one run told.
struct Run {
    peace: Report,
    stopped: Report,
    backlog: Backlog,
    /// Memory before the backlog, at its peak, after it, bytes.
    resident: [u64; 3],
    /// CPU of the hub while the backlog came, for each of its samples, microseconds.
    backlog_cpu_us: f64,
}

/// Adds the rows.
pub(crate) fn measure(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    for run in 1..=options.runs() {
        progress(&format!("latencies, run {run}"));
        runs.push(one(options)?);
    }
    table.section(format!(
        "from the agent's send, {NODES} nodes every {} s; lamon-sensord, MariaDB, RTS2 devices of 100 nodes",
        INTERVAL.as_secs()
    ));
    table.note("raw limit: a bare relay from a TCP connection to a PUB socket, a message every 10 ms of the same span");
    rows("in peace", runs.iter().map(|run| &run.peace), table);
    rows("MariaDB stopped", runs.iter().map(|run| &run.stopped), table);
    rows("a backlog comes in", runs.iter().map(|run| &run.backlog.report), table);
    let samples = runs.first().map_or(0, |run| run.backlog.samples);
    table.section(format!(
        "the backlog: {CUT_OFF} of these agents, {} samples each",
        samples / u64::from(CUT_OFF)
    ));
    let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Runs>();
    let day = !options.quick;
    let asked = |limit, text| if day { Asked::AtMost(limit, text) } else { Asked::Nothing };
    table.row(
        "until the live picture is back",
        &of(|run| run.backlog.live_seconds.unwrap_or(f64::NAN)),
        2,
        "s",
        Asked::AtMost(20.0, "20 s"),
    );
    table.row(
        "until the last is acknowledged",
        &of(|run| run.backlog.drained_seconds),
        1,
        "s",
        asked(30.0, "30 s"),
    );
    let rate = of(|run| number(run.backlog.samples) / run.backlog.drained_seconds);
    table.row("  samples a second", &rate, 0, "/s", Asked::Nothing);
    table.row("  CPU of the hub a sample", &of(|run| run.backlog_cpu_us), 1, "µs", Asked::Nothing);
    table.row(
        "  (load generator, busiest thread)",
        &of(|run| run.backlog.busiest_percent),
        0,
        "%",
        Asked::Nothing,
    );
    table.row("memory of the hub before", &of(|run| megabytes(run.resident[0])), 1, "MB", Asked::Nothing);
    table.row("  at its peak", &of(|run| megabytes(run.resident[1])), 1, "MB", Asked::Nothing);
    table.row("  after", &of(|run| megabytes(run.resident[2])), 1, "MB", Asked::Nothing);
    let growth = of(|run| megabytes(run.resident[2]) - megabytes(run.resident[0]));
    table.row("  growth by these samples", &growth, 1, "MB", Asked::AtMost(1.0, "1 MB (flat)"));
    Ok(())
}

fn one(options: &Options) -> anyhow::Result<Run> {
    let mut server = Mariadb::start()?;
    let centrald = Handle::current().block_on(Centrald::start())?;
    let hub = Hub::sensord()
        .under(centrald.address())
        .with(&groups(NODES))
        .archiving_to(&server.url_text(DATABASE))
        .quietly()
        .try_start()?;
    hub.line("the archive takes samples")?;
    let mut relay = Child::start("raw-relay", &[])?;
    let (relay_bus, relay_address): (String, String) = relay.hear()?;
    let mut load = Child::start(
        "timed",
        &[
            ("hub", hub.address().to_string()),
            ("bus", hub.publish().into()),
            ("centrald", centrald.address().to_string()),
            ("relay", relay_address),
            ("relay-bus", relay_bus),
            ("nodes", NODES.to_string()),
        ],
    )?;
    load.hear::<bool>()?;
    let span = options.span(20, 6).as_secs();
    load.tell(&format!("measure {span}"))?;
    let peace: Report = load.hear()?;
    let pid = server.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| anyhow::anyhow!("MariaDB does not run"))?;
    kill_process(pid, Signal::STOP)?;
    load.tell(&format!("measure {span}"))?;
    let stopped: Report = load.hear()?;
    kill_process(pid, Signal::CONT)?;
    std::thread::sleep(Duration::from_secs(2));
    let before = memory(hub.id())?.resident;
    let cpu_before = cpu(hub.id())?;
    let samples = if options.quick { 360 } else { 8_640 };
    load.tell(&format!("backlog {samples}"))?;
    let backlog: Backlog = load.hear()?;
    let spent = cpu(hub.id())?.saturating_sub(cpu_before);
    let resident = [before, peak(hub.id())?, memory(hub.id())?.resident];
    drop(load);
    // What is not archived yet stays in the journal, which goes with the hub's folder.
    drop(hub);
    server.kill()?;
    let backlog_cpu_us = spent.as_secs_f64() * 1e6 / number(backlog.samples);
    Ok(Run { peace, stopped, backlog, resident, backlog_cpu_us })
}

fn rows<'a>(when: &str, reports: impl Iterator<Item = &'a Report>, table: &mut Table) {
    let reports: Vec<&Report> = reports.collect();
    for (to, of) in [
        ("the bus", (|report| &report.bus) as fn(&Report) -> &Latencies),
        ("an RTS2 client", |report| &report.rts2),
    ] {
        let each = |of: fn(&Report) -> &Latencies, what: fn(&Latencies) -> Option<f64>| {
            reports.iter().map(|report| what(of(report)).unwrap_or(f64::NAN)).collect::<Runs>()
        };
        for (name, decimals, what, asked) in [
            (
                format!("{when}, to {to}: p50"),
                2,
                (|seen| seen.p50_ms) as fn(&Latencies) -> Option<f64>,
                Asked::Nothing,
            ),
            ("  p99".into(), 2, |seen| seen.p99_ms, Asked::AtMost(5.0, "5 ms")),
            ("  max".into(), 1, |seen| seen.max_ms, Asked::Nothing),
        ] {
            let bare = each(|report| &report.relay, what);
            table.beside(&name, &each(of, what), &bare, decimals, "ms", asked);
        }
        let (sent, seen) =
            reports.iter().fold((0, 0), |(sent, seen), report| (sent + report.sent, seen + of(report).count));
        table.note(format!("{seen} of {sent} samples seen"));
    }
}
