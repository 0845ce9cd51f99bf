//! Retention: what is old goes, nothing before it is rolled up; MySQL's partitions are made ahead and dropped.

use std::time::Duration;

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Tier,
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
};
    dead_letters: Some(MIN_KEEP),

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
