//! The most samples a second that are stored: acknowledged by the journal, carried to an archive until it has the last.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use lamon_store::archive::BATCH_ROWS;
use lamon_store::testing::{DATABASE, Mariadb};
use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::usage::cpu;
use tempfile::TempDir;

use crate::Options;
use crate::child::Child;
use crate::load::{Done, METRICS, acknowledged};
use crate::rates::{NOWHERE, Rate, costs, rates};
use crate::report::{Asked, Table, number, progress};

/// How long an archive may take to have the last sample.
const PATIENCE: Duration = Duration::from_secs(180);

/// Starts what sends so many samples to a hub.
fn sender(hub: &Hub, samples: u64) -> anyhow::Result<Child> {
    let arguments = [("hub", hub.address().to_string()), ("samples", samples.to_string())];
    let mut load = Child::start("acknowledged", &arguments)?;
    load.hear::<bool>()?;
    Ok(load)
}

/// On the hub's disk.
pub(crate) fn journal(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let samples = if options.quick { 60_000 } else { 200_000 };
    table.section(format!(
        "most samples of {METRICS} metrics a second to the journal, acknowledged (synchronous=FULL)"
    ));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 1..=options.runs() {
        progress(&format!("to the journal, run {run}"));
        let hub = Hub::collector().archiving_to(NOWHERE).quietly().try_start()?;
        let mut load = sender(&hub, samples)?;
        ours.push(Rate::of(&mut load, hub.id())?);
        hub.terminate()?;
        bare.push(raw_sqlite(samples)?);
    }
    let raw = rates(&bare);
    table.rate(
        "lamon-collector / bare SQLite appends, 1,000 a commit",
        &rates(&ours),
        &raw,
        Some(0.5),
        Asked::AtLeast(50_000.0, "50,000"),
    );
    costs(&ours, &bare, table);
    table.note(format!(
        "100 agents with a backlog, {} samples a frame; bus on, archive away; until the last is acknowledged",
        acknowledged::FRAME
    ));
    Ok(())
}

fn raw_sqlite(samples: u64) -> anyhow::Result<Rate> {
    let folder = TempDir::with_prefix("lamon-bench")?;
    let arguments = [("folder", folder.path().display().to_string()), ("samples", samples.to_string())];
    let mut raw = Child::start("raw-sqlite", &arguments)?;
    raw.hear::<bool>()?;
    let id = raw.id();
    Rate::of(&mut raw, id)
}

/// To the archive in SQLite.
pub(crate) fn sqlite(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let samples = if options.quick { 50_000 } else { 200_000 };
    table.section(format!(
        "most samples of {METRICS} metrics a second to the SQLite archive, through the journal"
    ));
    let mut ours = Vec::new();
    for run in 1..=options.runs() {
        progress(&format!("to the SQLite archive, run {run}"));
        ours.push(archived(Hub::collector(), samples, |hub| {
            let path = hub.data_dir().join("archive.sqlite");
            let mut archive = SqliteConnection::establish(&format!("file:{}?mode=ro", path.display()))?;
            let count: Count =
                diesel::sql_query("SELECT COUNT(*) AS count FROM samples").get_result(&mut archive)?;
            Ok(u64::try_from(count.count)?)
        })?);
    }
    table.rate("lamon-collector", &rates(&ours), &rates(&[]), None, Asked::Nothing);
    costs(&ours, &[], table);
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// To the archive in a MariaDB of its own.
pub(crate) fn mariadb(options: &Options, table: &mut Table) -> anyhow::Result<()> {
    let samples = if options.quick { 50_000 } else { 300_000 };
    table.section(format!("most samples of {METRICS} metrics a second to MariaDB, through the journal"));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 1..=options.runs() {
        progress(&format!("to MariaDB, run {run}"));
        let server = Mariadb::start()?;
        for setting in ["innodb_buffer_pool_size = 268435456", "innodb_log_file_size = 268435456"] {
            server.execute(&format!("SET GLOBAL {setting}"))?;
        }
        ours.push(archived(Hub::collector().archiving_to(&server.url_text(DATABASE)), samples, |_| {
            let rows = server.execute("SELECT COUNT(*) FROM samples")?;
            Ok(rows.first().and_then(|row| row.first()).and_then(|count| count.parse().ok()).unwrap_or(0))
        })?);
        server.database("raw")?;
        let arguments = [("url", server.url_text("raw")), ("samples", samples.to_string())];
        let mut raw = Child::start("raw-mariadb", &arguments)?;
        raw.hear::<bool>()?;
        let id = raw.id();
        bare.push(Rate::of(&mut raw, id)?);
    }
    let raw = rates(&bare);
    table.rate(
        "lamon-collector / bare inserts of 1,000 rows",
        &rates(&ours),
        &raw,
        Some(0.5),
        Asked::Nothing,
    );
    costs(&ours, &bare, table);
    table.note("the same server and table, 256 MB of buffers, flushed at each commit; statements of the bare loop made beforehand");
    Ok(())
}

/// Sends samples, takes the time until the archive has them, and counts what is there.
///
/// The last of them, less than a batch, wait for company for some seconds, as few samples always do: the time ends before.
fn archived(
    hub: HubBuilder,
    samples: u64,
    count: impl Fn(&Hub) -> anyhow::Result<u64>,
) -> anyhow::Result<Rate> {
    /// Counting costs what is counted, too.
    const LOOK_EVERY: Duration = Duration::from_millis(250);
    let hub = hub.quietly().try_start()?;
    hub.line("the archive takes samples")?;
    let mut load = sender(&hub, samples)?;
    let (before, began) = (cpu(hub.id())?, Instant::now());
    load.tell("go")?;
    let done: Done = load.hear()?;
    let has = |least: u64| {
        loop {
            let stored = count(&hub)?;
            if stored >= least {
                return anyhow::Ok(stored);
            }
            anyhow::ensure!(
                began.elapsed() < PATIENCE,
                "the archive has {stored} of {} samples",
                done.samples
            );
            std::thread::sleep(LOOK_EVERY);
        }
    };
    let taken = has(done.samples.saturating_sub(BATCH_ROWS as u64))?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu_us = cpu(hub.id())?.saturating_sub(before).as_secs_f64() * 1e6 / number(taken);
    let stored = has(done.samples)?;
    anyhow::ensure!(stored == done.samples, "{stored} rows of {} samples", done.samples);
    hub.terminate()?;
    Ok(Rate { done: Done { samples: taken, seconds, ..done }, cpu_us })
}
