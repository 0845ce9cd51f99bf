//! A hub that is killed and started anew under its nodes, plain and in TLS: until all are back and everything is acknowledged, and
//! how long RTS2 waits for an answer meanwhile. And what a connection costs the hub that is only there.

use std::time::{Duration, Instant};

use anyhow::Context;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::{self, Operator};
use lamon_tests::rts2;
use lamon_tests::usage::{cpu, memory};
use rts2dev::testing::Centrald;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::Options;
use crate::child::Child;
use crate::load::storm::Storm;
use crate::load::{groups, node_name};
use crate::report::{Asked, Runs, Table, number, progress};

/// Nodes of the hub.
const NODES: u32 = 1_000;

/// How often RTS2 asks.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How long the hub is away for a long time: agents wait up to a minute between tries then.
const LONG: Duration = Duration::from_secs(90);

/// What one run told.
struct Run {
    storm: Storm,
    /// Answers of RTS2 meanwhile, milliseconds, in order.
    answers: Vec<f64>,
    /// CPU of the hub for all of it, seconds.
    cpu_seconds: f64,
    /// Memory of the hub before, with all its nodes connected, bytes.
    resident: u64,
}

/// Adds the rows.
pub(crate) fn measure(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let (mut plain, mut tls, mut long) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=options.runs() {
        progress(&format!("{NODES} nodes come back, run {run}"));
        plain.push(one(false, Duration::ZERO)?);
        tls.push(one(true, Duration::ZERO)?);
    }
    if !options.quick {
        progress(&format!("{NODES} nodes come back after {} s", LONG.as_secs()));
        long.push(one(true, LONG)?);
    }
    rows("plain", &plain, table);
    rows("in TLS, each from an address of its own", &tls, table);
    if !long.is_empty() {
        rows(&format!("in TLS, after {} s without a hub", LONG.as_secs()), &long, table);
    }
    let resident = |runs: &[Run]| runs.iter().map(|run| number(run.resident)).collect::<Runs>().median();
    table.section("an idle connection in TLS");
    let more = (resident(&tls) - resident(&plain)) / f64::from(NODES) / 1e3;
    table.row(
        "memory of the hub, more than for a plain one",
        &std::iter::once(more).collect(),
        1,
        "kB",
        Asked::Nothing,
    );
    Ok(())
}

fn rows(how: &str, runs: &[Run], table: &mut Table) {
    let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Runs>();
    table.section(format!(
        "{NODES} nodes come back after the hub's restart, {how}; lamon-sensord with RTS2, SQLite"
    ));
    let asked = if how.contains("without") { Asked::Nothing } else { Asked::AtMost(20.0, "20 s") };
    table.row("until half are back and acknowledged", &of(|run| run.storm.half), 2, "s", Asked::Nothing);
    table.row("until all are", &of(|run| run.storm.all), 2, "s", asked);
    table.row("connections that came to nothing", &of(|run| number(run.storm.failed)), 0, "", Asked::Nothing);
    table.row(
        "CPU of the hub for a node",
        &of(|run| run.cpu_seconds * 1e3 / f64::from(NODES)),
        2,
        "ms",
        Asked::Nothing,
    );
    table.row("RTS2 waits for an answer: median", &of(|run| at(&run.answers, 0.5)), 2, "ms", Asked::Nothing);
    table.row("  the slowest", &of(|run| at(&run.answers, 1.0)), 1, "ms", Asked::AtMost(1_000.0, "1 s"));
    let missing: u32 = runs.iter().map(|run| run.storm.missing).sum();
    let answers: usize = runs.iter().map(|run| run.answers.len()).sum();
    table.note(format!("{missing} nodes did not come back; RTS2 was asked {answers} times"));
}

/// The value so far along the sorted list.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a short list"
)]
fn at(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share) as usize).copied().unwrap_or(f64::NAN)
}

fn one(tls: bool, away: Duration) -> anyhow::Result<Run> {
    let centrald = Handle::current().block_on(Centrald::start())?;
    // Where nobody may speak without a key, each address has the few places of strangers.
    let hub = Hub::sensord().under(centrald.address()).with(&groups(NODES)).quietly();
    let hub = if tls { hub.believing("[]") } else { hub };
    let hub = hub.try_start()?;
    let mut arguments = vec![("hub", hub.address().to_string()), ("nodes", NODES.to_string())];
    let folder = TempDir::new()?;
    if tls {
        let mut operator = Operator::connect(hub.control())?;
        let hub_key = operator.hub_key()?;
        for number in 0..NODES {
            let (_, key) = keyed::key(folder.path(), &node_name(number), hub_key)?;
            operator.approve(&node_name(number), key)?;
        }
        arguments.push(("keys", folder.path().display().to_string()));
        arguments.push(("hub-key", hub_key.to_string()));
    }
    let mut load = Child::start("storm", &arguments)?;
    load.hear::<bool>()?;
    std::thread::sleep(Duration::from_secs(3));
    let resident = memory(hub.id())?.resident;
    let builder = hub.crash();
    std::thread::sleep(away);
    load.tell("storm")?;
    let hub = builder.try_start()?;
    let (storm, answers) = std::thread::scope(|scope| {
        let heard = scope.spawn(|| load.hear::<Storm>());
        let answers = Handle::current().block_on(ask(&centrald, &heard));
        (heard.join(), answers)
    });
    let storm = storm.map_err(|_| anyhow::anyhow!("the load generator is gone"))??;
    let cpu_seconds = cpu(hub.id())?.as_secs_f64();
    drop(load);
    hub.terminate()?;
    Ok(Run { storm, answers: answers?, cpu_seconds, resident })
}

/// Asks the device for its values, again and again, as long as the storm goes on; how long each answer took, milliseconds, sorted.
async fn ask<T>(
    centrald: &Centrald,
    storm: &std::thread::ScopedJoinHandle<'_, T>,
) -> anyhow::Result<Vec<f64>> {
    let device = rts2::device(centrald.address(), "NODES").await;
    let mut answers = Vec::new();
    while !storm.is_finished() {
        let began = Instant::now();
        device.command_within("info", Duration::from_secs(60)).await.context("RTS2 does not answer")?;
        answers.push(began.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(ASK_EVERY).await;
    }
    answers.sort_by(f64::total_cmp);
    Ok(answers)
}
