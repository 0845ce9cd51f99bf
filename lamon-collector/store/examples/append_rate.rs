//! How many samples of ten metrics the journal takes a second, beside the raw limit of the same machine: rows that
//! SQLite makes by itself for the same table, in transactions of the same size, with the same settings.
//!
//! `cargo run --release -p lamon-store --example append_rate [FOLDER]`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people; what fails ends it")]

use std::{path::Path, sync::Arc, time::Instant};

use diesel::{Connection, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
use lamon_store::{CORE_METRICS, Journal, JournalOptions, Sample, journal::Durability};

const NODES: u64 = 100;
const BATCH: u64 = 500;
const BATCHES: u64 = 400;
const ROUNDS: usize = 3;

fn main() {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    println!("{} samples of ten metrics, {BATCH} a transaction, medians of {ROUNDS}:", BATCH * BATCHES);
    for durability in [Durability::Full, Durability::Normal] {
        let journal =
            median(|round| journal(&folder.path().join(format!("j{durability:?}{round}")), durability));
        let raw = median(|round| raw(&folder.path().join(format!("r{durability:?}{round}")), durability));
        println!(
            "  {durability:?}: journal {journal:.0} rows/s, SQLite alone {raw:.0} rows/s, {:.0} %",
            100.0 * journal / raw
        );
    }
}

/// The median of some rounds.
fn median(mut measure: impl FnMut(usize) -> f64) -> f64 {
    let mut rates: Vec<f64> = (0..ROUNDS).map(&mut measure).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(ROUNDS / 2).copied().unwrap_or_default()
}

/// One batch of samples, five of each node.
fn batch(number: u64) -> Vec<Sample> {
    let names = CORE_METRICS.map(Arc::<str>::from);
    let nodes: Vec<Arc<str>> = (0..NODES).map(|node| format!("node{node:03}").into()).collect();
    let per_node = BATCH / NODES;
    let mut samples = Vec::new();
    for sequence in number * per_node..(number + 1) * per_node {
        for node in &nodes {
            let metrics = names
                .iter()
                .cloned()
                .zip([0.1, 41.5, 3.25, 82.7, 12_345.6, 99.0, 0.75, 312.0, 86_400.0, 0.001]);
            samples.push(Sample {
                node: Arc::clone(node),
                epoch: 7,
                sequence,
                time_ms: 1_795_305_600_000 + i64::try_from(sequence).unwrap() * 10_000,
                metrics: metrics.collect(),
            });
        }
    }
    samples
}

fn journal(path: &Path, durability: Durability) -> f64 {
    let options = JournalOptions { durability, ..JournalOptions::default() };
    let (mut journal, _) = Journal::open(path, options).unwrap();
    let batches: Vec<Vec<Sample>> = (0..BATCHES).map(batch).collect();
    let begin = Instant::now();
    for batch in &batches {
        assert_eq!(journal.append(batch).unwrap().stored, batch.len());
    }
    rate(begin)
}

fn raw(path: &Path, durability: Durability) -> f64 {
    let (mut made, _) =
        Journal::open(path, JournalOptions { durability, ..JournalOptions::default() }).unwrap();
    made.append(&batch(0)).unwrap();
    drop(made);
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let synchronous = format!("{durability:?}").to_uppercase();
    connection
        .batch_execute(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA wal_autocheckpoint=1024; DELETE FROM entries;"
        ))
        .unwrap();
    let begin = Instant::now();
    for number in 0..BATCHES {
        let first = number * BATCH;
        // One statement is one transaction.
        sql_query(format!(
            "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n LIMIT {BATCH}) \
             INSERT INTO entries (position, node, epoch, sequence, time_ms, cpu_percent, memory_percent, \
             swap_percent, disk_percent, nic_in, nic_out, load1, processes, uptime, clock_offset) \
             SELECT 1795305600000000 + i, 'node042', 7, i, 1795305600000 + i, 0.1, 41.5, 3.25, 82.7, 12345.6, 99.0, \
             0.75, 312.0, 86400.0, 0.001 FROM n"
        ))
        .execute(&mut connection)
        .unwrap();
    }
    rate(begin)
}

fn rate(begin: Instant) -> f64 {
    f64::from(u32::try_from(BATCH * BATCHES).unwrap()) / begin.elapsed().as_secs_f64()
}
