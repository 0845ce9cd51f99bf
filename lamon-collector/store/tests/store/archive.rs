//! Archives against a real SQLite file and a real MariaDB server: the same cases for both, then what only a server
//! can do. One server for all cases of a test, since each takes seconds to start.

use std::{sync::Arc, time::Duration};

use crate::common::{T0, bits, sample, samples, with_metrics};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use lamon_store::{
    Appended, Archive, ArchiveError, ArchiveReader, ArchiveUrl, CORE_METRICS, Sample, testing::Mariadb,
};

/// Where a case runs: a database of its own, and a way to run a statement in it.
struct Place<'a> {
    url: ArchiveUrl,
    run: Box<dyn Fn(&str) + 'a>,
    mysql: bool,
}

impl Place<'_> {
    async fn archive(&self) -> Archive {
        Archive::connect(&self.url, "hub1").await.unwrap()
    }

    async fn reader(&self) -> ArchiveReader {
        ArchiveReader::open(&self.url).await.unwrap()
    }
}

pub(crate) fn stored(stored: usize) -> Appended {
    Appended { stored, ..Appended::default() }
}

fn there(already_there: usize) -> Appended {
    Appended { already_there, ..Appended::default() }
}

pub(crate) async fn all_of(reader: &mut ArchiveReader, node: &str) -> Vec<Sample> {
    reader.range(node, i64::MIN, i64::MAX, usize::MAX).await.unwrap()
}

pub(crate) fn all_bits(samples: &[Sample]) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    samples.iter().map(bits).collect()
}

/// Numbers that a database or a text form might spoil.
fn awkward() -> Vec<Sample> {
    let mut numbers = vec![
        0.1 + 0.2,
        1.0 / 3.0,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        f64::EPSILON,
        86_400.0,
        -1.0,
        0.0,
        9_007_199_254_740_993.0,
        123_456_789_012_345_680.0,
        140_737_488_355_328.0,
        1e22,
        1e23,
        -2.225_073_858_507_201e-308,
    ];
    // And any others, from a fixed sequence.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while numbers.len() < 400 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = f64::from_bits(state ^ (state >> 29));
        if number.is_finite() {
            numbers.push(number);
        }
    }
    numbers
        .chunks(20)
        .zip(1..)
        .map(|(chunk, sequence)| {
            let name = |index: usize| {
                CORE_METRICS.get(index).map_or_else(|| format!("temp_{index}"), |n| (*n).into())
            };
            let metrics =
                chunk.iter().enumerate().map(|(index, number)| (name(index).into(), *number)).collect();
            Sample { metrics, ..sample("awkward", 3, sequence) }
        })
        .collect()
}

async fn every_bit_comes_back(place: &Place<'_>) {
    let mut archive = place.archive().await;
    let written = awkward();
    assert_eq!(archive.append(&written).await.unwrap(), stored(written.len()));
    let mut reader = place.reader().await;
    assert_eq!(all_bits(&all_of(&mut reader, "awkward").await), all_bits(&written));

    // The edges of every other field, and samples with nothing in them.
    let edge =
        |epoch, sequence, time_ms| Sample { epoch, sequence, time_ms, ..with_metrics("edge", 0, 0, &[]) };
    let written = [edge(0, 0, i64::MIN), edge(u32::MAX, u64::MAX, 0), edge(1, 1 << 63, i64::MAX - 1)];
    assert_eq!(archive.append(&written).await.unwrap(), stored(3));
    assert_eq!(all_of(&mut reader, "edge").await, written);

    // What no database holds alike.
    let odd = [("cpu_percent", f64::NAN), ("uptime", -0.0), ("temp_a", f64::INFINITY), ("temp_b", -0.0)];
    archive.append(&[with_metrics("odd", 1, 1, &odd)]).await.unwrap();
    let read = reader.latest("odd").await.unwrap().unwrap();
    assert_eq!(bits(&read), bits(&with_metrics("odd", 1, 1, &[("uptime", 0.0), ("temp_b", 0.0)])));

    // Names that look like SQL or JSON.
    let names = [("a'b\"c\\d", 1.0), ("ä%_`", 2.0), ("\u{1}\n", 3.0)];
    archive.append(&[with_metrics("n'x\"y\\", 1, 1, &names)]).await.unwrap();
    assert_eq!(reader.latest("n'x\"y\\").await.unwrap().unwrap(), with_metrics("n'x\"y\\", 1, 1, &names));
}

async fn twice_appended_is_once_stored_and_the_first_wins(place: &Place<'_>) {
    let mut archive = place.archive().await;
    let batch: Vec<Sample> = (0..2_500).map(|number| sample("ccd01", 1, number)).collect();
    assert_eq!(archive.append(&batch[..1_700]).await.unwrap(), stored(1_700));
    assert_eq!(
        archive.append(&batch).await.unwrap(),
        Appended { stored: 800, already_there: 1_700, ..Appended::default() }
    );
    let mut reader = place.reader().await;
    assert_eq!(all_bits(&all_of(&mut reader, "ccd01").await), all_bits(&batch));

    let mut second = Archive::connect(&place.url, "hub2").await.unwrap();
    let mut changed = batch[..10].to_vec();
    for sample in &mut changed {
        sample.metrics = vec![(Arc::from("cpu_percent"), 99.0)];
    }
    assert_eq!(second.append(&changed).await.unwrap(), there(10));
    assert_eq!(second.append(&[batch[0].clone(), batch[0].clone()]).await.unwrap(), there(2));
    assert_eq!(all_bits(&all_of(&mut reader, "ccd01").await), all_bits(&batch));
    // Each part of the key counts.
    let first = &batch[0];
    let others = [
        Sample { node: "ccd02".into(), ..first.clone() },
        Sample { epoch: 2, ..first.clone() },
        Sample { sequence: 77_777, ..first.clone() },
        Sample { time_ms: first.time_ms + 1, ..first.clone() },
    ];
    assert_eq!(second.append(&others).await.unwrap(), stored(4));
    assert_eq!(reader.count().await.unwrap(), 2_504);
    assert_eq!(second.append(&[]).await.unwrap(), stored(0));
}

async fn ranges_are_read(place: &Place<'_>) {
    let mut archive = place.archive().await;
    assert_eq!(place.reader().await.latest("range1").await.unwrap(), None);
    let mut batch = samples("range1", 0..100);
    batch.extend(samples("range2", 0..5));
    batch.reverse();
    archive.append(&batch).await.unwrap();
    let mut reader = place.reader().await;
    let some = reader.range("range1", T0 + 100_000, T0 + 200_000, 1_000).await.unwrap();
    assert_eq!(all_bits(&some), all_bits(&samples("range1", 10..20)));
    assert_eq!(reader.range("range1", T0, T0 + 1_000_000, 7).await.unwrap(), samples("range1", 0..7));
    assert_eq!(reader.latest("range2").await.unwrap(), Some(sample("range2", 1, 4)));
    assert_eq!(reader.latest("range").await.unwrap(), None);
}

async fn bad_rows_go_to_dead_letter_and_the_others_are_stored(place: &Place<'_>) {
    let mut archive = place.archive().await;
    let long = "x".repeat(40);
    let mut batch = samples("good", 0..300);
    batch.insert(7, sample(&long, 1, 1));
    batch.insert(150, sample("", 1, 2));
    batch.insert(200, sample("kälte", 1, 3));
    let name = "m".repeat(600_000);
    batch.insert(250, with_metrics("large", 1, 4, &[(&name, 1.0)]));
    let appended = archive.append(&batch).await.unwrap();
    assert_eq!((appended.stored, appended.already_there, appended.dead), (300, 0, 4));
    assert_eq!(appended.reasons.len(), 4);
    assert!(appended.reasons[0].contains("name"), "{:?}", appended.reasons);

    let mut reader = place.reader().await;
    assert_eq!(all_of(&mut reader, "good").await, samples("good", 0..300));
    let dead = reader.dead_letters(100).await.unwrap();
    assert_eq!(dead.iter().map(|letter| letter.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((dead[0].node.as_str(), dead[0].hub.as_str()), (long.as_str(), "hub1"));
    assert!(dead[0].sample.contains("\"temp_cpu\":"), "{}", dead[0].sample);
    assert_eq!(dead[2].node, "kälte");
    assert!(dead[3].sample.len() <= 64 << 10);

    // Handed over again, nothing is doubled.
    let again = archive.append(&batch).await.unwrap();
    assert_eq!((again.stored, again.already_there, again.dead), (0, 300, 4));
    assert_eq!(reader.dead_letters(100).await.unwrap().len(), 4);
    let only_bad = archive.append(&batch[7..8]).await.unwrap();
    assert_eq!((only_bad.stored, only_bad.dead), (0, 1));
}

async fn rows_that_the_database_refuses_go_to_dead_letter(place: &Place<'_>) {
    let mut archive = place.archive().await;
    if place.mysql {
        // A unique key of a partitioned table has to hold the time.
        (place.run)("ALTER TABLE samples REMOVE PARTITIONING");
    }
    (place.run)("CREATE UNIQUE INDEX one_of_each ON samples (load1)");
    let mut batch = samples("unique", 0..100);
    batch[10].metrics.push(("load1".into(), 5.0));
    batch[90].metrics.push(("load1".into(), 5.0));
    let appended = archive.append(&batch).await.unwrap();
    if place.mysql {
        // MySQL has no way to name the key that may be there already: any unique key counts.
        assert_eq!((appended.stored, appended.already_there), (99, 1));
        (place.run)(
            "ALTER TABLE samples ADD CONSTRAINT CHECK (cpu_percent < 1000), MODIFY processes TINYINT",
        );
        let mut batch = samples("strict", 0..1_000);
        batch[3].metrics.push(("processes".into(), 1_000.0));
        batch[500].metrics[0].1 = 2_000.0;
        let appended = archive.append(&batch).await.unwrap();
        assert_eq!((appended.stored, appended.dead), (998, 2), "{appended:?}");
        assert!(appended.reasons[0].contains("Out of range"), "never cut silently: {appended:?}");
        assert!(appended.reasons[1].contains("CONSTRAINT"), "{appended:?}");

        // An error that says nothing: a row's own when others pass, else the server's.
        (place.run)(
            "CREATE TRIGGER whim BEFORE INSERT ON samples FOR EACH ROW \
             IF NEW.epoch = 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'; END IF",
        );
        let mut batch = samples("whim", 0..50);
        batch[20].epoch = 13;
        let error = archive.append(&batch[20..21]).await.unwrap_err();
        assert!(matches!(&error, ArchiveError::Other(text) if text.contains("not today")), "{error:?}");
        let appended = archive.append(&batch).await.unwrap();
        assert_eq!((appended.stored, appended.dead), (49, 1), "{appended:?}");
    } else {
        assert_eq!((appended.stored, appended.dead), (99, 1), "{appended:?}");
        assert!(appended.reasons[0].contains("load1"), "{appended:?}");
    }
}

async fn a_newer_database_is_refused(place: &Place<'_>) {
    drop(place.archive().await);
    (place.run)("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')");
    let error = Archive::connect(&place.url, "hub1").await.unwrap_err();
    assert!(matches!(error, ArchiveError::Newer(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("newer") && text.contains("20991231000000"), "{text}");
}

async fn every_case(place: &Place<'_>) {
    every_bit_comes_back(place).await;
    (place.run)("DELETE FROM samples");
    twice_appended_is_once_stored_and_the_first_wins(place).await;
    ranges_are_read(place).await;
    bad_rows_go_to_dead_letter_and_the_others_are_stored(place).await;
    rows_that_the_database_refuses_go_to_dead_letter(place).await;
    a_newer_database_is_refused(place).await;
}

pub(crate) fn run_sqlite(path: &std::path::Path, sql: &str) {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    sql_query(sql).execute(&mut connection).unwrap();
}

#[tokio::test]
async fn the_archive_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    let run = |sql: &str| run_sqlite(&path, sql);
    every_case(&Place { url: ArchiveUrl::sqlite(&path), run: Box::new(run), mysql: false }).await;
}

#[tokio::test]
async fn the_archive_in_mariadb() {
    let server = Mariadb::start().unwrap();
    let run = |sql: &str| drop(server.execute(sql).unwrap());
    every_case(&Place { url: server.url(), run: Box::new(run), mysql: true }).await;

    // On a fresh database, since the one above is now newer than the program.
    let url = server.database("other").unwrap();
    let (one, two) = tokio::join!(Archive::connect(&url, "hub1"), Archive::connect(&url, "hub2"));
    let (mut one, mut two) = (one.unwrap(), two.unwrap());

    // Two hubs write the same samples at once: each is stored once.
    let batch = samples("both", 0..3_000);
    let (first, second) = tokio::join!(one.append(&batch), two.append(&batch));
    assert_eq!(first.unwrap().stored + second.unwrap().stored, 3_000);

    // A call that is dropped half-way does no harm.
    let batch = samples("dropped", 0..3_000);
    for milliseconds in [0, 1, 3, 10, 30] {
        let _maybe = tokio::time::timeout(Duration::from_millis(milliseconds), one.append(&batch)).await;
    }
    let appended = one.append(&batch).await.unwrap();
    assert_eq!(appended.stored + appended.already_there, 3_000);
    let mut reader = ArchiveReader::open(&url).await.unwrap();
    assert_eq!(all_of(&mut reader, "dropped").await, batch);
    assert_eq!(all_of(&mut reader, "both").await.len(), 3_000);
}
