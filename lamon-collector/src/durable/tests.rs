//! Journal and forwarder threads together, on real files: what reaches the archive besides samples.

use std::time::Duration;

use lamon_store::registers::{Event, NodeRecord};
use lamon_store::upkeep::Retention;
use lamon_store::{ArchiveReader, ArchiveUrl, JournalOptions, Sample, Tier};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::*;

/// Far more than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// 2020-01-01 00:00 UTC: all of it is over, so that it is rolled up at once.
const PAST: i64 = 1_577_836_800_000;

fn event(text: &str) -> Event {
    Event {
        time_ms: PAST,
        number: 0,
        node: None,
        metric: None,
        kind: "reload".into(),
        level: "good".into(),
        text: text.into(),
    }
}

/// Asks the archive until the answer is good.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap()
}

#[tokio::test]
async fn events_nodes_and_rollups_reach_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    // The archive cannot be opened at first: its folder is missing.
    let archive_folder = folder.path().join("archive");
    let url = ArchiveUrl::sqlite(archive_folder.join("a.db"));
    let (reports, mut reports_in) = mpsc::channel(100);
    let (events, events_in) = mpsc::channel(EVENTS);
    let (hellos, hellos_in) = mpsc::channel(HELLOS);
    let ends = CancellationToken::new();
    let settings = JournalSettings {
        path: folder.path().join("journal.db"),
        options: JournalOptions::default(),
        keep: lamon_store::journal::KEEP,
        archive: url.name(),
    };
    let (journal, journal_thread) =
        spawn_journal(settings.clone(), events_in, reports.clone(), ends.clone()).unwrap();
    let forwarder = ForwarderSettings {
        url: url.clone(),
        hub: "hub1".into(),
        retention: Retention {
            samples: None,
            ten_minutes: None,
            hour: None,
            events: None,
            dead_letters: None,
        },
        journal_path: settings.path.clone(),
        hellos: hellos_in,
        settings: watch::channel(Arc::default()).1,
        fresh: false,
    };
    let forwarder_thread = spawn_forwarder(forwarder, journal.clone(), reports, ends.clone()).unwrap();

    let sample = |sequence: u64| Sample {
        node: "ccd01".into(),
        epoch: 1,
        sequence,
        time_ms: PAST + i64::try_from(sequence).unwrap() * 60_000,
        metrics: vec![("load1".into(), 1.0)],
    };
    let (done, durable) = oneshot::channel();
    let samples = (0..90).map(sample).collect();
    journal.appends.send(Append { samples, urgent: true, line: Line::default(), done }).await.unwrap();
    assert_eq!(durable.await.unwrap(), Ok(()));
    events.send(event("while the archive is away")).await.unwrap();
    hellos
        .send(NodeRecord {
            node: "ccd01".into(),
            first_heard_ms: PAST + 7,
            last_heard_ms: PAST + 7,
            os: Some("Debian 12".into()),
            agent_version: Some("0.1.0".into()),
        })
        .await
        .unwrap();
    loop {
        if let Report::DatabaseFailed(_) = reports_in.recv().await.unwrap() {
            break;
        }
    }
    std::fs::create_dir(&archive_folder).unwrap();

    let events_there = until(async || {
        let mut reader = ArchiveReader::open(&url).await.ok()?;
        let events = reader.events(0, i64::MAX, 10).await.ok()?;
        (!events.is_empty()).then_some(events)
    });
    let found = events_there.await;
    assert_eq!((found.len(), found[0].event.text.as_str()), (1, "while the archive is away"));
    assert_eq!(found[0].hub, "hub1");
    let mut reader = ArchiveReader::open(&url).await.unwrap();
    let nodes = reader.node_records().await.unwrap();
    assert_eq!((nodes[0].first_heard_ms, nodes[0].last_heard_ms), (PAST, PAST + 89 * 60_000));
    assert_eq!(nodes[0].os.as_deref(), Some("Debian 12"));
    let hours = until(async || {
        let mut reader = ArchiveReader::open(&url).await.ok()?;
        let hours = reader.rollups(Tier::Hour, "ccd01", 0, i64::MAX, 10).await.ok()?;
        (hours.len() == 2).then_some(hours)
    });
    assert_eq!(hours.await[0].metric("load1").unwrap().count, 60);

    // What the archive has is gone from the journal, and events of the last moment are kept in it.
    let mut waiting = lamon_store::JournalReader::open(&settings.path).unwrap();
    until(async || waiting.events(10).unwrap().is_empty().then_some(())).await;
    // No more samples come, and all the same its file says how far the archive is.
    until(async || waiting.cursor(&url.name()).unwrap().filter(|cursor| *cursor > 0)).await;
    events.send(event("the hub ends")).await.unwrap();
    ends.cancel();
    drop((journal, events));
    tokio::task::spawn_blocking(move || (journal_thread.join(), forwarder_thread.join()))
        .await
        .unwrap()
        .1
        .unwrap();
    let kept = waiting.events(10).unwrap().len() + reader.events(0, i64::MAX, 10).await.unwrap().len() - 1;
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_hub_whose_clock_is_years_ahead_says_so_and_deletes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    {
        // The hub of 2020, which had just begun.
        let (mut journal, _) = lamon_store::Journal::open(&path, JournalOptions::default()).unwrap();
        journal.set_age_clock(lamon_store::age::AgeClock::new(PAST));
        journal.flush().unwrap();
    }
    let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
    let (reports, mut reports_in) = mpsc::channel(100);
    let (_events, events_in) = mpsc::channel(EVENTS);
    let (_hellos, hellos_in) = mpsc::channel(HELLOS);
    let ends = CancellationToken::new();
    let settings = JournalSettings {
        path: path.clone(),
        options: JournalOptions::default(),
        keep: Duration::ZERO,
        archive: url.name(),
    };
    let (journal, journal_thread) =
        spawn_journal(settings, events_in, reports.clone(), ends.clone()).unwrap();
    let day = Duration::from_secs(86_400);
    let forwarder = ForwarderSettings {
        url: url.clone(),
        hub: "hub1".into(),
        retention: Retention { samples: Some(30 * day), ..Retention::default() },
        journal_path: path.clone(),
        hellos: hellos_in,
        settings: watch::channel(Arc::default()).1,
        fresh: false,
    };
    let forwarder_thread = spawn_forwarder(forwarder, journal.clone(), reports, ends.clone()).unwrap();
    let ahead = loop {
        if let Report::ClockJumped(jump) = reports_in.recv().await.unwrap() {
            break jump.ahead_ms;
        }
    };
    assert!(ahead > 365 * 86_400_000);
    let samples = (0..10)
        .map(|sequence| Sample {
            node: "ccd01".into(),
            epoch: 1,
            sequence,
            time_ms: PAST + i64::try_from(sequence).unwrap() * 60_000,
            metrics: vec![("load1".into(), 1.0)],
        })
        .collect();
    let (done, durable) = oneshot::channel();
    journal.appends.send(Append { samples, urgent: true, line: Line::default(), done }).await.unwrap();
    assert_eq!(durable.await.unwrap(), Ok(()));
    // What is over is rolled up by the wall clock, in the same steps of upkeep that delete.
    let rolled = until(async || {
        let mut reader = ArchiveReader::open(&url).await.ok()?;
        let hours = reader.rollups(Tier::Hour, "ccd01", 0, i64::MAX, 10).await.ok()?;
        (!hours.is_empty()).then_some(hours)
    });
    assert_eq!(rolled.await.len(), 1);
    ends.cancel();
    drop(journal);
    tokio::task::spawn_blocking(move || (journal_thread.join(), forwarder_thread.join()))
        .await
        .unwrap()
        .0
        .unwrap();
    assert_eq!(ArchiveReader::open(&url).await.unwrap().count().await.unwrap(), 10);
    assert_eq!(lamon_store::JournalReader::open(&path).unwrap().read_after(0, 100).unwrap().len(), 10);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_is_told_as_that_and_carried_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
    let (reports, mut reports_in) = mpsc::channel(100);
    let (_events, events_in) = mpsc::channel(EVENTS);
    let (_hellos, hellos_in) = mpsc::channel(HELLOS);
    let ends = CancellationToken::new();
    let settings = JournalSettings {
        path: path.clone(),
        options: JournalOptions::default(),
        keep: lamon_store::journal::KEEP,
        archive: url.name(),
    };
    let (journal, journal_thread) =
        spawn_journal(settings, events_in, reports.clone(), ends.clone()).unwrap();
    let (done, durable) = oneshot::channel();
    let sample = Sample { node: "a".into(), epoch: 1, sequence: 1, time_ms: PAST, metrics: Vec::new() };
    journal
        .appends
        .send(Append { samples: vec![sample], urgent: true, line: Line::default(), done })
        .await
        .unwrap();
    assert_eq!(durable.await.unwrap(), Ok(()));
    // The writer has its file open and goes on; who opens it by its name finds none.
    let away = folder.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    let forwarder = ForwarderSettings {
        url: url.clone(),
        hub: "hub1".into(),
        retention: Retention::default(),
        journal_path: path.clone(),
        hellos: hellos_in,
        settings: watch::channel(Arc::default()).1,
        fresh: false,
    };
    let forwarder_thread = spawn_forwarder(forwarder, journal.clone(), reports, ends.clone()).unwrap();
    let mut next = async |wanted: fn(&Report) -> bool| {
        loop {
            let report = tokio::time::timeout(PATIENCE, reports_in.recv()).await.unwrap().unwrap();
            assert!(!matches!(report, Report::DatabaseFailed(_)), "{report:?}");
            if wanted(&report) {
                return;
            }
        }
    };
    next(|report| matches!(report, Report::JournalUnreadable(_))).await;
    std::fs::rename(&away, &path).unwrap();
    next(|report| matches!(report, Report::JournalReadable)).await;
    next(|report| matches!(report, Report::DatabaseWorks { .. })).await;
    ends.cancel();
    drop(journal);
    tokio::task::spawn_blocking(move || (journal_thread.join(), forwarder_thread.join()))
        .await
        .unwrap()
        .0
        .unwrap();
    assert_eq!(ArchiveReader::open(&url).await.unwrap().count().await.unwrap(), 1);
}
