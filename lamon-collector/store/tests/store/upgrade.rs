//! What earlier versions wrote is read: journals and archives from before events told their metric.

use std::{fs, path::Path};

use crate::journal::{everything, folder, open};
use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, JournalReader, archive_migrations, journal::Opened, registers::Event,
    testing::Mariadb,
};

/// The last version of the archive's tables in which events had no metric.
const VERSION_BEFORE: &str = "20261122200000";

fn event(number: i64, metric: Option<&str>) -> Event {
    Event {
        time_ms: 10 + number,
        number,
        node: Some("ccd01".into()),
        metric: metric.map(Into::into),
        kind: "level".into(),
        level: "error".into(),
        text: "ccd01 disk_percent 97 % over 90: error".into(),
    }
}

#[test]
fn a_journal_of_before_keeps_its_events_and_samples() {
    let (_folder, path) = folder();
    let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    file.batch_execute(include_str!("frozen/journal_before_metrics.sql")).unwrap();
    drop(file);

    let (mut journal, opened) = open(&path);
    assert_eq!(opened, Opened::Existing);
    assert_eq!(journal.committed("ccd01", 4_008_936_781), Some(2));
    assert_eq!(everything(&path).len(), 2);
    let mut reader = JournalReader::open(&path).unwrap();
    let before = reader.events(10).unwrap();
    assert_eq!(before.len(), 4);
    assert!(before.iter().all(|event| event.metric.is_none()), "{before:?}");
    assert_eq!(
        before[1],
        Event { time_ms: 1_795_943_566_462, number: 1_795_943_566_569_251, ..event(0, None) }
    );
    // New ones stand behind them.
    journal.append_events(&[event(0, Some("disk_percent"))]).unwrap();
    let last = reader.events(10).unwrap().pop().unwrap();
    assert_eq!(last.metric.as_deref(), Some("disk_percent"));
    assert!(last.number > before[3].number);
}

/// Makes an archive what it was before, by `step_back`; reads it as an application does that is newer than the hub; and lets
/// the newer hub come.
async fn every_case(url: &ArchiveUrl, step_back: impl Fn(&str)) {
    Archive::connect(url, "hub1").await.unwrap();
    let folder = if url.sqlite_path().is_some() { "sqlite" } else { "mysql" };
    let newer = archive_migrations().0.into_iter().rev();
    for name in newer.take_while(|name| !name.replace('-', "").starts_with(VERSION_BEFORE)) {
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        step_back(&fs::read_to_string(migrations.join(folder).join(name).join("down.sql")).unwrap());
    }
    step_back(&format!("DELETE FROM __diesel_schema_migrations WHERE version > '{VERSION_BEFORE}'"));
    step_back(
        "INSERT INTO events (time_ms, hub, number, node, kind, level, text) VALUES \
         (11, 'hub1', 1, 'ccd01', 'level', 'error', 'ccd01 disk_percent 97 % over 90: error')",
    );
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let events = async |reader: &mut ArchiveReader| -> Vec<Event> {
        let rows = reader.events(0, 100, 10).await.unwrap();
        let place = lamon_store::reading::EventPlace { time_ms: 100, hub: String::new(), number: 0 };
        assert_eq!(reader.events_before(&place, 0).await.unwrap(), rows);
        rows.into_iter().map(|row| row.event).collect()
    };
    assert_eq!(events(&mut reader).await, [event(1, None)]);

    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    archive.append_events(&[event(2, Some("disk_percent"))]).await.unwrap();
    // The same reader sees that the archive is of this version now.
    assert_eq!(events(&mut reader).await, [event(2, Some("disk_percent")), event(1, None)]);
    // An upgrade that was cut short between the change and its note is run again.
    if url.sqlite_path().is_none() {
        step_back(&format!("DELETE FROM __diesel_schema_migrations WHERE version > '{VERSION_BEFORE}'"));
        Archive::connect(url, "hub1").await.unwrap();
        assert_eq!(events(&mut reader).await.len(), 2);
    }
}

#[tokio::test]
async fn an_archive_of_before_keeps_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive.db");
    every_case(&ArchiveUrl::sqlite(&path), |sql| {
        let mut file = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        file.batch_execute(sql).unwrap();
    })
    .await;
    let server = Mariadb::start().unwrap();
    every_case(&server.url(), |sql| drop(server.execute(sql.trim().trim_end_matches(';')).unwrap())).await;
}
