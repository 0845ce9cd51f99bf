//! How many samples of ten metrics the archive in a MariaDB takes a second, handed over in whole batches by one task.
//!
//! `cargo run --release -p lamon-store --example archive_rate`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people; what fails ends it")]

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use lamon_store::{
    Archive, CORE_METRICS, Sample,
    archive::BATCH_ROWS,
    testing::{DATABASE, Mariadb},
};

const NODES: usize = 100;
const BATCHES: usize = 100;
/// Samples of a node that come together, as agents send a backlog.
const TOGETHER: u32 = 32;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let server = Mariadb::start().unwrap();
    for setting in ["innodb_buffer_pool_size = 268435456", "innodb_log_file_size = 268435456"] {
        server.execute(&format!("SET GLOBAL {setting}")).unwrap();
    }
    let url = lamon_store::ArchiveUrl::parse(&server.url_text(DATABASE)).unwrap();
    let mut archive = Archive::connect(&url, "hub").await.unwrap();
    let samples = samples();
    for _ in 0..3 {
        let began = Instant::now();
        for batch in samples.chunks(BATCH_ROWS) {
            archive.append(batch).await.unwrap();
        }
        let rate = samples.len() as f64 / began.elapsed().as_secs_f64();
        println!("{} samples: {rate:.0} rows/s", samples.len());
        server.execute("TRUNCATE samples").unwrap();
    }
}

fn samples() -> Vec<Sample> {
    let now_ms = i64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let names = CORE_METRICS.map(Arc::<str>::from);
    let nodes: Vec<Arc<str>> = (0..NODES).map(|node| format!("node{node:03}").into()).collect();
    let mut samples = Vec::new();
    let mut first = 0;
    while samples.len() < BATCHES * BATCH_ROWS {
        for node in &nodes {
            for sequence in first..first + TOGETHER {
                let metrics = names
                    .iter()
                    .cloned()
                    .zip([0.1, 41.5, 3.25, 82.7, 12_345.6, 99.0, 0.75, 312.0, 86_400.0, 0.001]);
                samples.push(Sample {
                    node: Arc::clone(node),
                    epoch: 7,
                    sequence: sequence.into(),
                    time_ms: now_ms + i64::from(sequence),
                    metrics: metrics.collect(),
                });
            }
        }
        first += TOGETHER;
    }
    samples.truncate(BATCHES * BATCH_ROWS);
    samples
}
