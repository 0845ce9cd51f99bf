//! One archive copied into another, of either kind, with a hub that already writes to the new one: nothing lacks, nothing
//! counts twice, and again is the same.

use std::time::Duration;

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Rollup, Sample, Tier,
    archive::DeadLetter,
    copying::Copying,
    registers::{Event, NodeRecord, Setting, StoredEvent},
    testing::Mariadb,
    upkeep::Retention,
};

use crate::common::{DAY, FOR_EVER, PAST, at, upkeep};

/// When all of it happens: samples of the first two days are deleted by then.
const NOW: i64 = PAST + 4 * DAY;

/// Samples are kept for two days.
const TWO_DAYS: Retention = Retention { samples: Some(Duration::from_secs(2 * 86_400)), ..FOR_EVER };

/// Two nodes with a sample each 100 s: six in a while of ten minutes.
fn samples(range: std::ops::Range<u64>) -> Vec<Sample> {
    let one = |number: u64| {
        let value = number as f64;
        let after_ms = i64::try_from(number).unwrap() * 100_000;
        let metrics = [("cpu_percent", value / 7.0), ("temp_a", value.sin())];
        ["a", "b"].map(|node| at(node, PAST + after_ms, number, &metrics))
    };
    range.flat_map(one).collect()
}

fn setting(name: &str, value: &str, changed_ms: i64) -> Setting {
    Setting { name: name.into(), value: value.into(), who: "somebody".into(), changed_ms }
}

fn event(number: i64, text: &str) -> Event {
    let (kind, level) = ("silent".into(), "good".into());
    let metric = (number % 2 == 0).then(|| "load1".into());
    Event {
        time_ms: PAST + number % 2,
        number,
        node: Some("a".into()),
        metric,
        kind,
        level,
        text: text.into(),
    }
}

fn node(last_heard_ms: i64, os: Option<&str>) -> NodeRecord {
    let (first_heard_ms, os) = (last_heard_ms - 5, os.map(str::to_owned));
    NodeRecord { node: "a".into(), first_heard_ms, last_heard_ms, os, agent_version: None }
}

/// All that there is to be read of an archive.
type Everything =
    (Vec<Sample>, Vec<Rollup>, Vec<DeadLetter>, Vec<StoredEvent>, Vec<NodeRecord>, Vec<Setting>, u64);

async fn everything(url: &ArchiveUrl) -> Everything {
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let (mut samples, mut rollups) = (Vec::new(), Vec::new());
    for node in reader.nodes().await.unwrap() {
        samples.extend(reader.range(&node, i64::MIN, i64::MAX, usize::MAX).await.unwrap());
        for tier in Tier::ROLLUPS {
            rollups.extend(reader.rollups(tier, &node, i64::MIN, i64::MAX, usize::MAX).await.unwrap());
        }
    }
    let dead = reader.dead_letters(100).await.unwrap();
    let events = reader.events(i64::MIN, i64::MAX, 5_000).await.unwrap();
    let nodes = reader.node_records().await.unwrap();
    let due = reader.rollups_due().await.unwrap();
    let settings = Archive::connect(url, "hub1").await.unwrap().settings("").await.unwrap();
    (samples, rollups, dead, events, nodes, settings, due)
}

/// Copies so many pages at most.
async fn copy(from: &ArchiveUrl, to: &ArchiveUrl, pages: usize) -> usize {
    let mut copying = Copying::begin(from, to, "hub1").await.unwrap();
    let mut written = 0;
    for _ in 0..pages {
        let Some(copied) = copying.step().await.unwrap() else { return written };
        written += copied.written;
    }
    written
}

/// Fills `from`, moves to `to`, and compares with an archive that had it all from the beginning.
async fn check(from: &ArchiveUrl, to: &ArchiveUrl, whole: &ArchiveUrl) {
    // The hub goes over within ten minutes: the sample before number 3,003 is the last for the old one.
    let (before, after) = (samples(0..3_003), samples(3_003..3_200));
    let mut bad = at("x", PAST, 1, &[]);
    bad.node = "a name that is much too long for a node".into();
    let (mut source, mut target) =
        (Archive::connect(from, "hub1").await.unwrap(), Archive::connect(to, "hub1").await.unwrap());
    let mut all = Archive::connect(whole, "hub1").await.unwrap();
    for archive in [&mut source, &mut all] {
        for batch in before.chunks(1_000) {
            archive.append(batch).await.unwrap();
        }
        archive.append(std::slice::from_ref(&bad)).await.unwrap();
        upkeep(archive, &TWO_DAYS, NOW).await;
    }
    for archive in [&mut target, &mut all] {
        archive.append(&after).await.unwrap();
        upkeep(archive, &FOR_EVER, NOW).await;
    }
    // More than a page, several at one instant.
    let events: Vec<Event> = (1..=1_500).map(|number| event(number, "old")).collect();
    for archive in [&mut source, &mut all] {
        archive.append_events(&events).await.unwrap();
        archive.set(&setting("threshold", "80", 10)).await.unwrap();
        archive.set(&setting("mute", "yes", 10)).await.unwrap();
        archive.upsert_nodes(&[node(1_000, Some("Debian 11"))]).await.unwrap();
    }
    for archive in [&mut target, &mut all] {
        archive.append_events(&[event(2_000, "new")]).await.unwrap();
        archive.set(&setting("threshold", "85", 20)).await.unwrap();
        archive.upsert_nodes(&[node(2_000, Some("Debian 12"))]).await.unwrap();
    }
    drop((source, target));

    // Interrupted, then from the beginning, while the hub goes on with its upkeep.
    assert!(copy(from, to, 6).await > 0);
    assert!(copy(from, to, usize::MAX).await > 0);
    let mut target = Archive::connect(to, "hub1").await.unwrap();
    upkeep(&mut target, &FOR_EVER, NOW).await;
    let expected = everything(whole).await;
    assert_eq!(expected.0.len(), 2 * (3_200 - 1_728), "two of four days of samples are left");
    assert!(expected.1.len() > 2 * 500 && expected.2.len() == 1 && expected.3.len() == 1_501);
    compare(&everything(to).await, &expected);

    // Twice is the same, and a sample that comes late is added to what is known only by its rollup.
    copy(from, to, usize::MAX).await;
    for archive in [&mut target, &mut all] {
        archive.append(&[at("a", PAST + 1_000, 9_999, &[("cpu_percent", 99.0)])]).await.unwrap();
        upkeep(archive, &TWO_DAYS, NOW).await;
    }
    compare(&everything(to).await, &everything(whole).await);
}

/// Says which differs, not all of both.
fn compare(found: &Everything, expected: &Everything) {
    for (place, (found, expected)) in found.0.iter().zip(&expected.0).enumerate() {
        assert_eq!(found, expected, "sample {place}");
    }
    for (found, expected) in found.1.iter().zip(&expected.1) {
        assert_eq!(found, expected);
    }
    assert_eq!((found.0.len(), found.1.len()), (expected.0.len(), expected.1.len()));
    assert_eq!(
        (&found.2, &found.3, &found.4, &found.5, found.6),
        (&expected.2, &expected.3, &expected.4, &expected.5, expected.6)
    );
}

#[tokio::test]
async fn from_sqlite_to_mysql_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let server = Mariadb::start().unwrap();
    let sqlite = |name: &str| ArchiveUrl::sqlite(folder.path().join(name));
    let mysql = server.url();
    check(&sqlite("a.db"), &mysql, &sqlite("whole.db")).await;

    let back = sqlite("back.db");
    copy(&mysql, &back, usize::MAX).await;
    compare(&everything(&back).await, &everything(&mysql).await);
}

#[tokio::test]
async fn from_sqlite_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| ArchiveUrl::sqlite(folder.path().join(name));
    check(&sqlite("a.db"), &sqlite("b.db"), &sqlite("whole.db")).await;
    let error = Copying::begin(&sqlite("a.db"), &sqlite("a.db"), "hub1").await.unwrap_err();
    assert!(error.to_string().contains("into itself"), "{error}");
}

#[tokio::test]
async fn what_the_target_has_deleted_is_not_counted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = |name: &str| ArchiveUrl::sqlite(folder.path().join(name));
    let (from, to) = (sqlite("from.db"), sqlite("to.db"));
    // Both had the same samples; the target keeps them for two days only.
    for (url, retention) in [(&from, &FOR_EVER), (&to, &TWO_DAYS)] {
        let mut archive = Archive::connect(url, "hub1").await.unwrap();
        for batch in samples(0..3_000).chunks(1_000) {
            archive.append(batch).await.unwrap();
        }
        upkeep(&mut archive, retention, NOW).await;
    }
    let before = everything(&to).await;
    copy(&from, &to, usize::MAX).await;
    let mut archive = Archive::connect(&to, "hub1").await.unwrap();
    upkeep(&mut archive, &TWO_DAYS, NOW).await;
    compare(&everything(&to).await, &before);
}
