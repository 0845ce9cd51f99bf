//! A bare loop that appends the rows of samples to the journal's table: each row bound to a prepared statement, 1,000 a
//! transaction, with the settings of the journal (write-ahead log, `synchronous=FULL`).

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use lamon_store::{Journal, JournalOptions};

use super::{Row, row};
use crate::child::{answer, next_line};
use crate::load::{Busy, Done};

/// Where, and how many.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// A folder.
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    samples: u64,
}

/// Rows of a transaction.
const BATCH: usize = 1_000;

diesel::table! {
    entries (position) {
        position -> BigInt,
        node -> Text,
        epoch -> BigInt,
        sequence -> BigInt,
        time_ms -> BigInt,
        cpu_percent -> Double,
        memory_percent -> Double,
        swap_percent -> Double,
        disk_percent -> Double,
        nic_in -> Double,
        nic_out -> Double,
        load1 -> Double,
        processes -> Double,
        uptime -> Double,
        clock_offset -> Double,
    }
}

/// Answers `true` when all is set up; on the next line does it, and answers [`Done`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let path = options.folder.join("raw.sqlite");
    // The journal makes its tables.
    drop(Journal::open(&path, JournalOptions::default())?);
    let mut connection = SqliteConnection::establish(path.to_str().context("a path that is no text")?)?;
    connection.batch_execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512; PRAGMA wal_autocheckpoint=1024; \
         PRAGMA journal_size_limit=16777216;",
    )?;
    let mut random = fastrand::Rng::with_seed(1);
    let rows: Vec<Row> = (0..options.samples).map(|number| row(number, &mut random)).collect();
    answer(&true)?;
    next_line();
    let (busy, began) = (Busy::watch(), Instant::now());
    let mut position = 1_795_305_600_000_000;
    for batch in rows.chunks(BATCH) {
        connection.batch_execute("BEGIN IMMEDIATE")?;
        for row in batch {
            position += 1;
            insert(&mut connection, position, row)?;
        }
        connection.batch_execute("COMMIT")?;
    }
    answer(&Done {
        samples: options.samples,
        seconds: began.elapsed().as_secs_f64(),
        busiest_percent: busy.busiest_percent(),
    })
}

fn insert(connection: &mut SqliteConnection, position: i64, row: &Row) -> QueryResult<usize> {
    let [cpu, memory, swap, disk, nic_in, nic_out, load1, processes, uptime, clock] = row.values;
    diesel::insert_into(entries::table)
        .values((
            entries::position.eq(position),
            entries::node.eq(&row.node),
            entries::epoch.eq(7),
            entries::sequence.eq(row.sequence),
            entries::time_ms.eq(1_795_305_600_000 + row.sequence),
            entries::cpu_percent.eq(cpu),
            entries::memory_percent.eq(memory),
            entries::swap_percent.eq(swap),
            entries::disk_percent.eq(disk),
            entries::nic_in.eq(nic_in),
            entries::nic_out.eq(nic_out),
            entries::load1.eq(load1),
            entries::processes.eq(processes),
            entries::uptime.eq(uptime),
            entries::clock_offset.eq(clock),
        ))
        .execute(connection)
}
