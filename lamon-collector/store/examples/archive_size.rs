//! How large journal and archive grow, how fast an archive takes them, and what its rollups cost: 100 nodes with 40 metrics each ten seconds, for some days, in
//! SQLite and in MariaDB, each tier scaled to the time that it is kept by default.
//!
//! `cargo run --release -p lamon-store --example archive_size [DAYS] [FOLDER]`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for people; what fails ends it")]
#![expect(clippy::indexing_slicing, reason = "one row of one column")]

use std::{path::Path, sync::Arc, time::Instant};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::BigInt};
use lamon_store::{
    Archive, ArchiveUrl, CORE_METRICS, Journal, JournalOptions, Sample, Tier, archive::BATCH_ROWS,
    testing::Mariadb, upkeep::Retention,
};

const NODES: usize = 100;
const INTERVAL_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
/// 2020-01-01 00:00 UTC: over by any clock.
const BEGIN_MS: i64 = 1_577_836_800_000;

/// The metrics of a usual computer besides the core, with their decimals: four disks, two interfaces, eight sensors, four
/// watched processes.
fn others() -> Vec<(Arc<str>, i32)> {
    let disks = ["root", "data", "home", "var_log"];
    let disks = disks.iter().flat_map(|disk| {
        [
            (format!("disk_{disk}_percent"), 2),
            (format!("disk_{disk}_free"), 0),
            (format!("disk_{disk}_inodes_percent"), 2),
        ]
    });
    let interfaces = ["eno1", "eno2"].iter().flat_map(|nic| {
        [(format!("nic_{nic}_in"), 0), (format!("nic_{nic}_out"), 0), (format!("nic_{nic}_errors"), 0)]
    });
    let sensors = (0..8).map(|core| (format!("temp_coretemp_core_{core}"), 1));
    let processes = ["camd", "focusd", "filterd", "sshd"].iter().map(|name| (format!("proc_rts2_{name}"), 0));
    disks
        .chain(interfaces)
        .chain(sensors)
        .chain(processes)
        .map(|(name, decimals)| (name.into(), decimals))
        .collect()
}

/// A number that wanders as such a metric does.
struct Walk {
    state: u64,
}

impl Walk {
    fn unit(&mut self) -> f64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.state >> 33).unwrap()) / f64::from(u32::MAX >> 1)
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let days: i64 = arguments.next().map_or(1, |days| days.parse().unwrap());
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("archive.db");
    println!("{NODES} nodes, {} metrics each 10 s, {days} days", CORE_METRICS.len() + others().len());
    journal(folder.path(), days);
    fill(&ArchiveUrl::sqlite(&path), days).await;
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let sizes = Tier::ALL.map(|tier| {
        let table = tier.table();
        number(
            &mut connection,
            &format!(
                "SELECT SUM(pgsize) AS n FROM dbstat WHERE name IN ('{table}', 'sqlite_autoindex_{table}_1')"
            ),
        )
    });
    report("SQLite", days, sizes);

    let server = Mariadb::start().unwrap();
    fill(&server.url(), days).await;
    let sizes = Tier::ALL.map(|tier| {
        server.execute(&format!("ANALYZE TABLE {tier}")).unwrap();
        let sql = "SELECT data_length + index_length FROM information_schema.tables WHERE table_schema = 'lamon' AND table_name =";
        server.execute(&format!("{sql} '{tier}'")).unwrap()[0][0].parse().unwrap()
    });
    report("MariaDB", days, sizes);
}

/// Makes the samples and hands them over in whole batches.
struct Batches {
    others: Vec<(Arc<str>, i32)>,
    nodes: Vec<Arc<str>>,
    walk: Walk,
    sequences: std::ops::Range<i64>,
}

impl Batches {
    fn of(days: i64) -> Self {
        Self {
            others: others(),
            nodes: (0..NODES).map(|node| format!("node{node:03}").into()).collect(),
            walk: Walk { state: 42 },
            sequences: 0..days * DAY_MS / INTERVAL_MS,
        }
    }

    fn sample(&mut self, node: usize, sequence: i64) -> Sample {
        let walk = &mut self.walk;
        let core = CORE_METRICS.iter().zip([2, 2, 2, 2, 0, 0, 2, 0, 0, 3]).map(|(name, decimals)| {
            let scale = if decimals == 0 { 100_000.0 } else { 100.0 };
            (Arc::from(*name), rounded(walk.unit() * scale, decimals))
        });
        let mut metrics: Vec<(Arc<str>, f64)> = core.collect();
        metrics.extend(self.others.iter().map(|(name, decimals)| {
            // Most of these hardly move: bytes that are free, errors, processes, sensors.
            let value = match (&**name, decimals) {
                (name, _) if name.starts_with("proc") || name.ends_with("errors") => 1.0,
                (name, _) if name.ends_with("free") => {
                    412_345_678_848.0 + (walk.unit() * 1e6).round() * 4_096.0
                }
                (_, 0) => rounded(walk.unit() * 100_000.0, 0),
                (_, decimals) => rounded(40.0 + walk.unit() * 10.0, *decimals),
            };
            (Arc::clone(name), value)
        }));
        Sample {
            node: Arc::clone(&self.nodes[node]),
            epoch: 7,
            sequence: sequence.unsigned_abs(),
            time_ms: BEGIN_MS + sequence * INTERVAL_MS,
            metrics,
        }
    }
}

impl Iterator for Batches {
    type Item = Vec<Sample>;

    fn next(&mut self) -> Option<Vec<Sample>> {
        let rounds = BATCH_ROWS / NODES;
        let sequences: Vec<i64> = self.sequences.by_ref().take(rounds).collect();
        let batch: Vec<Sample> = sequences
            .into_iter()
            .flat_map(|sequence| (0..NODES).map(move |node| (node, sequence)))
            .map(|(node, sequence)| self.sample(node, sequence))
            .collect();
        (!batch.is_empty()).then_some(batch)
    }
}

/// Appends the samples to a journal; tells how large it is then.
fn journal(folder: &Path, days: i64) {
    let path = folder.join("journal.db");
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    let (mut samples, mut seconds) = (0, 0.0);
    for batch in Batches::of(days) {
        let begin = Instant::now();
        samples += batch.len();
        journal.append(&batch).unwrap();
        seconds += begin.elapsed().as_secs_f64();
    }
    drop(journal);
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!(
        "journal: {samples} samples, {:.0} a second; {} bytes each, {:.1} MB a day",
        samples as f64 / seconds,
        bytes / samples as u64,
        bytes as f64 / 1e6 / days as f64
    );
}

/// Appends the samples, then does all upkeep; tells how long each took.
async fn fill(url: &ArchiveUrl, days: i64) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let (mut samples, mut appending) = (0, 0.0);
    for batch in Batches::of(days) {
        let begin = Instant::now();
        samples += batch.len();
        archive.append(&batch).await.unwrap();
        appending += begin.elapsed().as_secs_f64();
    }
    println!(
        "{url}: {samples} samples appended in {appending:.0} s, {:.0} a second",
        samples as f64 / appending
    );
    let keep = Retention { samples: None, ten_minutes: None, hour: None, events: None, dead_letters: None };
    let begin = Instant::now();
    let (mut rolled, mut steps, mut longest) = (0, 0_u32, 0.0_f64);
    loop {
        let step = Instant::now();
        let done = archive.upkeep(&keep, BEGIN_MS + (days + 1) * DAY_MS).await.unwrap();
        longest = longest.max(step.elapsed().as_secs_f64());
        rolled += done.rolled;
        steps += 1;
        if !done.more {
            break;
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "  {rolled} rollups in {seconds:.1} s, {:.2} s for each hour of data, {:.1} ms a step, the longest {:.0} ms",
        seconds / (days * 24) as f64,
        1e3 * seconds / f64::from(steps),
        1e3 * longest
    );
}

fn report(name: &str, days: i64, sizes: [i64; 3]) {
    println!("{name}:");
    for (tier, bytes) in Tier::ALL.into_iter().zip(sizes) {
        let rows = match tier.width_ms() {
            0 => days * DAY_MS / INTERVAL_MS,
            width => days * DAY_MS / width,
        };
        let rows = rows * i64::try_from(NODES).unwrap();
        let a_day = bytes as f64 / days as f64;
        println!(
            "  {tier:12} {rows:9} rows, {:5} bytes a row, {:7.1} MB a day, {:6.2} GB in 30 days, {:6.1} GB a year",
            bytes / rows,
            a_day / 1e6,
            a_day * 30.0 / 1e9,
            a_day * 365.0 / 1e9
        );
    }
}

fn number(connection: &mut SqliteConnection, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    sql_query(sql).get_result::<Number>(connection).unwrap().n
}
