//! The most samples a second on the live path, and by lines of text, each beside a bare loop of the same machine.

use std::time::Duration;

use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::usage::cpu;
use rts2dev::testing::Centrald;
use tokio::runtime::Handle;

use crate::Options;
use crate::child::Child;
use crate::load::{Done, METRICS, flood, groups, lines};
use crate::report::{Asked, Runs, Table, number, progress};

/// A rate, and what it cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// What the load generator told.
    pub(crate) done: Done,
    /// CPU time of the hub, or of the bare loop, for each sample, microseconds.
    pub(crate) cpu_us: f64,
}

impl Rate {
    /// Lets a child do what it is there for, and looks at the CPU of the other meanwhile.
    pub(crate) fn of(load: &mut Child, other: u32) -> anyhow::Result<Self> {
        let before = cpu(other)?;
        load.tell("go")?;
        let done: Done = load.hear()?;
        // What ended by itself has no CPU any more.
        let spent = cpu(other).unwrap_or(before).saturating_sub(before);
        Ok(Self { done, cpu_us: micros(spent) / number(done.samples) })
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The rates of many runs.
pub(crate) fn rates(runs: &[Rate]) -> Runs {
    runs.iter().map(|run| run.done.rate()).collect()
}

/// What it cost, and whether the load generator was the limit.
pub(crate) fn costs(runs: &[Rate], raw: &[Rate], table: &mut Table) {
    let of = |runs: &[Rate], what: fn(&Rate) -> f64| runs.iter().map(what).collect::<Runs>();
    let cost = |runs| of(runs, |run: &Rate| run.cpu_us).text(1, "µs");
    let busiest = of(runs, |run| run.done.busiest_percent).median();
    let limit = if busiest > 90.0 { ": it was the limit" } else { "" };
    let raw = if raw.is_empty() { String::new() } else { format!("; of the bare loop {}", cost(raw)) };
    table.note(format!(
        "CPU of the hub a sample {}{raw}; load generator {busiest:.0} % of a core{limit}",
        cost(runs)
    ));
}

/// To one subscriber of the bus.
pub(crate) fn bus(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    table.section(format!(
        "most samples of {METRICS} metrics a second to the bus alone, all of them counted by one subscriber"
    ));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 1..=options.runs() {
        progress(&format!("to the bus alone, run {run}"));
        ours.push(flood_hub(options, Hub::collector())?);
        bare.push(flood_raw(options)?);
    }
    let raw = rates(&bare);
    table.rate(
        "lamon-collector / bare PUB loop of the same JSON",
        &rates(&ours),
        &raw,
        Some(0.5),
        Asked::AtLeast(100_000.0, "100,000"),
    );
    costs(&ours, &bare, table);
    table.note(format!(
        "{} agents, Live frames, 10 written at once; no more under way than the bus lets wait, so none is dropped",
        flood::NODES
    ));
    Ok(())
}

/// The same with the RTS2 face on, and a centrald that hears every value.
pub(crate) fn rts2(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    table.section("the same with RTS2 devices under a centrald");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 1..=options.runs() {
        progress(&format!("to bus and RTS2, run {run}"));
        let centrald = Handle::current().block_on(Centrald::start())?;
        let hub = Hub::sensord().under(centrald.address()).with(&groups(flood::NODES));
        ours.push(flood_hub(options, hub)?);
        bare.push(flood_raw(options)?);
    }
    table.rate(
        "lamon-sensord / bare PUB loop of the same JSON",
        &rates(&ours),
        &rates(&bare),
        None,
        Asked::Nothing,
    );
    costs(&ours, &bare, table);
    Ok(())
}

fn flood_hub(options: &Options, hub: HubBuilder) -> anyhow::Result<Rate> {
    let hub = hub.quietly().try_start()?;
    let mut load = Child::start(
        "flood",
        &[
            ("hub", hub.address().to_string()),
            ("bus", hub.publish().into()),
            ("seconds", options.span(5, 3).as_secs().to_string()),
        ],
    )?;
    load.hear::<bool>()?;
    let rate = Rate::of(&mut load, hub.id())?;
    drop(load);
    hub.terminate()?;
    Ok(rate)
}

fn flood_raw(options: &Options) -> anyhow::Result<Rate> {
    let mut publisher = Child::start("raw-bus", &[])?;
    let (bus, leave): (String, String) = publisher.hear()?;
    let seconds = options.span(4, 2).as_secs().to_string();
    let mut load = Child::start("flood", &[("publisher", leave), ("bus", bus), ("seconds", seconds)])?;
    load.hear::<bool>()?;
    Rate::of(&mut load, publisher.id())
}

/// Lines of text, each answered when it is on disk.
pub(crate) fn text(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    table.section(format!("most lines of text a second, {METRICS} metrics each, answered `ok` when on disk"));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let seconds = options.span(4, 2).as_secs().to_string();
    for run in 1..=options.runs() {
        progress(&format!("lines of text, run {run}"));
        let hub = Hub::collector().archiving_to(NOWHERE).quietly().try_start()?;
        let arguments = [("hub", hub.address().to_string()), ("seconds", seconds.clone())];
        let mut load = Child::start("lines", &arguments)?;
        load.hear::<bool>()?;
        ours.push(Rate::of(&mut load, hub.id())?);
        hub.terminate()?;
        let mut reader = Child::start("raw-lines", &[])?;
        let arguments =
            [("hub", reader.hear::<String>()?), ("seconds", seconds.clone()), ("raw", "true".into())];
        let mut load = Child::start("lines", &arguments)?;
        load.hear::<bool>()?;
        let rate = Rate::of(&mut load, reader.id())?;
        let read: u64 = reader.hear()?;
        anyhow::ensure!(read == rate.done.samples, "{read} of {} lines were read", rate.done.samples);
        bare.push(rate);
    }
    table.rate(
        "lamon-collector / bare reader of lines, TCP",
        &rates(&ours),
        &rates(&bare),
        None,
        Asked::Nothing,
    );
    costs(&ours, &[], table);
    table.note(format!("{} connections, 64 lines ahead of their answers; the archive away", lines::NODES));
    Ok(())
}

/// An archive that is not there: port 1 of this machine answers nobody.
pub(crate) const NOWHERE: &str = "mysql://lamon:none@127.0.0.1:1/lamon";
