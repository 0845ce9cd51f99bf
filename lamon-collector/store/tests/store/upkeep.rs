//! Retention: what is old goes, nothing before it is rolled up; MySQL's partitions are made ahead and dropped.

use std::time::Duration;

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Tier,
    age::Present,
    registers::Event,
    testing::Mariadb,
    upkeep::{MIN_KEEP, Retention},
};

use crate::common::{DAY, HOUR, PAST, at, upkeep};

const KEEP: Retention = Retention {
    samples: Some(Duration::from_secs(30 * 86_400)),
    ten_minutes: Some(Duration::from_secs(100 * 86_400)),
    hour: None,
    events: Some(MIN_KEEP),
    dead_letters: Some(MIN_KEEP),
};

/// A sample every six hours.
fn six_hourly(node: &str, from_ms: i64, days: i64) -> Vec<lamon_store::Sample> {
    (0..4 * days)
        .map(|number| {
            at(node, from_ms + number * 6 * HOUR, u64::try_from(number).unwrap(), &[("load1", number as f64)])
        })
        .collect()
}

#[tokio::test]
async fn sqlite_deletes_what_is_older_than_its_tier_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    for node in ["a", "b"] {
        archive.append(&six_hourly(node, PAST, 150)).await.unwrap();
    }
    let event = |number, time_ms| Event {
        time_ms,
        number,
        node: None,
        metric: None,
        kind: "reload".into(),
        level: "good".into(),
        text: "again".into(),
    };
    let now = PAST + 150 * DAY;
    let events: Vec<Event> = (0..1_200).map(|number| event(number, PAST + number)).collect();
    archive.append_events(&events).await.unwrap();
    archive.append_events(&[event(1, now - DAY)]).await.unwrap();

    // Nothing goes before it is rolled up, however old it is: each step that deletes comes after those that roll up.
    let mut reader = ArchiveReader::open(&url).await.unwrap();
    let mut rolled = 0;
    while rolled < 1_200 {
        let step = archive.upkeep(&KEEP, now).await.unwrap();
        assert!(step.more);
        rolled += step.rolled;
        assert_eq!(step.deleted, 0);
    }
    assert_eq!(reader.count().await.unwrap(), 1_200);

    upkeep(&mut archive, &KEEP, now).await;
    let size = reader.size().await.unwrap();
    let oldest: Vec<i64> = size.tiers.iter().map(|tier| (now - tier.oldest_ms.unwrap()) / DAY).collect();
    assert_eq!(oldest, [30, 100, 150]);
    assert_eq!(reader.count().await.unwrap(), 2 * 30 * 4);
    assert_eq!(reader.rollups(Tier::Hour, "a", 0, i64::MAX, 10_000).await.unwrap().len(), 150 * 4);
    assert_eq!(reader.events(0, i64::MAX, 10).await.unwrap().len(), 1);
    assert!(size.free_bytes > 0, "the room is there for rows to come");
    assert_eq!(size.rollups_due, 0);
    let before = size.bytes;
    archive.append(&six_hourly("c", now - 20 * DAY, 20)).await.unwrap();
    assert_eq!(reader.size().await.unwrap().bytes, before, "and is used by them");
}

/// Refused samples go by age, and when there are too many: those of the future first, then the oldest.
async fn refused_samples_go(url: &ArchiveUrl, run: &dyn Fn(&str)) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let now = PAST + 150 * DAY;
    let add = |node: &str, count: i64, from_ms: i64| {
        for begin in (0..count).step_by(500) {
            let rows = (begin..count.min(begin + 500)).map(|number| {
                format!("('{node}', {}, 1, {number}, 'hub1', 'why', '{{}}')", from_ms + number)
            });
            let rows = rows.collect::<Vec<_>>().join(", ");
            run(&format!(
                "INSERT INTO dead_letter (node, time_ms, epoch, sequence, hub, reason, sample) VALUES {rows}"
            ));
        }
    };
    add("old", 1_200, now - 3 * DAY);
    add("new", 300, now - DAY);
    upkeep(&mut archive, &KEEP, now).await;
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let left = async |reader: &mut ArchiveReader, node: &str| {
        let letters = reader.dead_letters(100_000).await.unwrap();
        letters.iter().filter(|letter| letter.node == node).map(|letter| letter.time_ms).min()
    };
    assert_eq!(reader.dead_letters(100_000).await.unwrap().len(), 300);

    add("many", 9_000, now - DAY / 2);
    add("future", 900, now + 500 * DAY);
    upkeep(&mut archive, &KEEP, now).await;
    assert!(left(&mut reader, "future").await.is_some(), "ten thousand may stay");
    add("more", 3_000, now - DAY / 4);
    upkeep(&mut archive, &KEEP, now + 1).await;
    // A search was over a moment ago; the next is due ten minutes later.
    upkeep(&mut archive, &KEEP, now + 600_001).await;
    assert_eq!(left(&mut reader, "future").await, None);
    assert_eq!(left(&mut reader, "new").await, None);
    assert!(left(&mut reader, "many").await > Some(now - DAY / 2));
    assert_eq!(left(&mut reader, "more").await, Some(now - DAY / 4));
    let count = reader.dead_letters(100_000).await.unwrap().len();
    assert!((9_000..=10_000).contains(&count), "{count}");
}

#[tokio::test]
async fn refused_samples_do_not_pile_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    refused_samples_go(&ArchiveUrl::sqlite(&path), &|sql| crate::archive::run_sqlite(&path, sql)).await;
    let server = Mariadb::start().unwrap();
    refused_samples_go(&server.url(), &|sql| drop(server.execute(sql).unwrap())).await;
}

#[tokio::test]
async fn nothing_is_deleted_by_a_clock_that_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    archive.append(&six_hourly("a", PAST, 20)).await.unwrap();
    let ahead = Present { now_ms: PAST + 3_650 * DAY, age_ms: PAST + 20 * DAY };
    let mut rolled = 0;
    // One search for old rows, to its end.
    loop {
        let step = archive.upkeep(&KEEP, ahead).await.unwrap();
        rolled += step.rolled;
        assert_eq!(step.deleted, 0);
        if !step.more {
            break;
        }
    }
    assert_eq!(rolled, 80 + 80, "what is over is rolled up");
    assert_eq!(ArchiveReader::open(&url).await.unwrap().count().await.unwrap(), 80);
}

#[tokio::test]
async fn mysql_drops_months() {
    let server = Mariadb::start().unwrap();
    let names = |table: &str| -> Vec<String> {
        let rows = server.execute(&format!(
            "SELECT partition_name FROM information_schema.partitions WHERE table_schema = 'lamon' \
             AND table_name = '{table}' ORDER BY partition_ordinal_position"
        ));
        rows.unwrap().into_iter().map(|row| row[0].clone()).collect()
    };
    let url = server.url();
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    // As a hub finds it that was begun in January 2020.
    for table in ["samples", "samples_10m", "samples_1h"] {
        assert_eq!(names(table).len(), 1 + 3 + 1, "past, three months, rest");
        server
            .execute(&format!(
                "ALTER TABLE {table} PARTITION BY RANGE (time_ms) (PARTITION past VALUES LESS THAN ({PAST}), \
                 PARTITION rest VALUES LESS THAN MAXVALUE)"
            ))
            .unwrap();
    }
    let january = PAST + 10 * DAY;
    archive.upkeep(&KEEP, january).await.unwrap();
    let mut archive = Archive::connect(&url, "hub1").await.unwrap();
    upkeep(&mut archive, &KEEP, january).await;
    archive.append(&six_hourly("a", PAST - 5 * DAY, 65)).await.unwrap();
    let count = |table: &str| server.execute(&format!("SELECT COUNT(*) FROM {table}")).unwrap()[0][0].clone();
    assert_eq!(count("samples"), (4 * 65).to_string());

    // Another hub, which does not hear of what this one drops.
    let mut second = Archive::connect(&url, "hub2").await.unwrap();
    // In the middle of March, January and what was before it is older than thirty days; a rollup is due in the first.
    let march = PAST + 75 * DAY;
    let step = archive.upkeep(&KEEP, march).await.unwrap();
    assert!(step.rolled > 0 && step.deleted == 0);
    upkeep(&mut archive, &KEEP, march).await;
    assert_eq!(names("samples")[0], "p202002");
    assert_eq!(count("samples"), (4 * 29).to_string());
    assert_eq!(names("samples_10m")[0], "past");
    assert_eq!(count("samples_10m"), (4 * 65).to_string());
    assert_eq!(count("samples_1h"), (4 * 65).to_string());

    // Later than its samples were kept: added to what is known, never in its place.
    let mut reader = ArchiveReader::open(&url).await.unwrap();
    second.append(&[at("a", PAST, 77_777, &[("load1", 1_000.0)])]).await.unwrap();
    upkeep(&mut second, &KEEP, march).await;
    for tier in Tier::ROLLUPS {
        let row = reader.rollups(tier, "a", PAST, PAST + 1, 1).await.unwrap().remove(0);
        let stat = row.metric("load1").unwrap();
        assert_eq!((stat.min, stat.max, stat.count), (20.0, 1_000.0, 2), "{tier}");
    }
    assert_eq!(count("samples"), (4 * 29).to_string());

    // Months are made ahead, in the order of time, with the catch-all behind them.
    let made = names("samples");
    assert!(made.contains(&"p202006".to_owned()) || made.len() > 4, "{made:?}");
    assert_eq!(made.last().map(String::as_str), Some("rest"));
    // What lies far ahead is taken all the same.
    archive.append(&[at("a", 9_000_000_000_000, 1, &[("load1", 1.0)])]).await.unwrap();
    assert_eq!(reader.latest("a").await.unwrap().unwrap().time_ms, 9_000_000_000_000);
}

#[tokio::test]
async fn an_older_database_gets_its_rollups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let url = ArchiveUrl::sqlite(&path);
    let server = Mariadb::start().unwrap();
    for url in [&url, &server.url()] {
        let mut archive = Archive::connect(url, "hub1").await.unwrap();
        archive.append(&six_hourly("a", PAST, 12)).await.unwrap();
    }
    // As the version before left it.
    let newer = [
        "DROP TABLE samples_10m",
        "DROP TABLE samples_1h",
        "DROP TABLE rollups_due",
        "DROP TABLE retained",
        "DROP TABLE nodes",
        "DROP TABLE events",
        "DROP TABLE settings",
        "DELETE FROM __diesel_schema_migrations WHERE version > '20261122110001'",
    ];
    for sql in newer {
        server.execute(sql).unwrap();
        crate::archive::run_sqlite(&path, sql);
    }
    server.execute("ALTER TABLE samples REMOVE PARTITIONING").unwrap();
    for url in [&url, &server.url()] {
        let mut archive = Archive::connect(url, "hub1").await.unwrap();
        upkeep(&mut archive, &crate::common::FOR_EVER, PAST + 13 * DAY).await;
        let mut reader = ArchiveReader::open(url).await.unwrap();
        assert_eq!(reader.count().await.unwrap(), 48);
        for tier in Tier::ROLLUPS {
            assert_eq!(reader.rollups(tier, "a", 0, i64::MAX, 100).await.unwrap().len(), 48, "{url} {tier}");
        }
    }
}
