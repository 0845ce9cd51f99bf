//! What programs of earlier releases left on their computers' disks is taken up by the present ones: a hub's data folder, with its
//! journal, archive, keys and what operators changed, and an agent's, with its key, the hub that it knows and samples that no hub had.
//! The folders are frozen in `tests/kept/`.
//!
//! If this fails, the code is wrong, not the folders: a hundred computers have their like.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

#[path = "upgrade/kept.rs"]
mod kept;
#[path = "upgrade/recorder.rs"]
mod recorder;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lamon_tests::archive;
use lamon_tests::foreign::Elsewhere;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::wait::eventually;

use self::kept::{Here, Kept, NODE, hub};

/// A sample as it is compared: when it was taken, and its values.
fn taken_as(sample: &lamon_store::Sample) -> (u32, u64, i64, Vec<(String, u64)>) {
    let values = sample.metrics.iter().map(|(name, value)| (name.to_string(), value.to_bits()));
    (sample.epoch, sample.sequence, sample.time_ms, values.collect())
}

/// What an operator's command says.
#[track_caller]
fn says(hub: &Hub, line: &str) -> String {
    let said = lamon(hub.control(), line);
    assert_eq!(said.code, Some(0), "{}", said.err);
    said.out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_release_left_on_disk_goes_on() {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let booted = SystemTime::now() - Duration::from_secs_f64(uptime);
    let booted_ms = i64::try_from(booted.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let releases = kept::releases();
    assert!(!releases.is_empty());
    for release in releases {
        let kept = Kept::copy_of(&release);
        let hub = hub(&kept.hub()).start();

        // The hub is who it was, and knows whom it believed.
        let keys = says(&hub, "keys");
        for word in &kept.story.keys {
            assert!(keys.contains(word), "{release}: {word} is not in\n{keys}");
        }
        // What operators changed holds.
        let settings = says(&hub, "settings");
        for word in &kept.story.settings {
            assert!(settings.contains(word), "{release}: {word} is not in\n{settings}");
        }
        let before = archive::rows(&hub.archive(), NODE, kept.story.stored).await;
        let before: Vec<_> = before.iter().map(taken_as).collect();

        // The agent is let in by its key of then, in TLS, and brings what its disk kept.
        let here = Here::at(&kept.agent());
        here.finds(hub.address());
        let agent = here.start();
        let rows = eventually("a sample of the agent's new life", || async {
            let rows = archive::rows(&hub.archive(), NODE, kept.story.stored).await;
            rows.last().is_some_and(|row| row.sequence > 1 << 32).then_some(rows)
        })
        .await;
        let mut old: Vec<_> = rows.iter().filter(|row| row.sequence < 1 << 32).map(taken_as).collect();
        old.sort_by_key(|(_, number, ..)| *number);
        assert!(before.iter().all(|row| old.contains(row)), "{release}: {before:?} were stored, now {old:?}");
        assert_eq!(old.len(), kept.story.stored + kept.story.spooled, "{release}: {old:?}");
        let epoch = old.first().map(|(epoch, ..)| *epoch);
        let whole = (1..).zip(&old).all(|(number, row)| row.1 == number && Some(row.0) == epoch);
        assert!(whole, "{release}: none is missing, none twice: {old:?}");
        // A sample's time is that of its taking, whenever it comes. The hub lays it on its own clock, within milliseconds; what was
        // taken in an earlier boot was before this one, and on a computer that runs since before that it is put there.
        for ((_, number, time_ms, _), was) in old.iter().zip(&kept.story.times_ms) {
            let at = (time_ms - was).abs() < 1_000 || *time_ms < *was && (time_ms - booted_ms).abs() < 1_000;
            assert!(at, "{release}: {number} was taken at {was}, not {time_ms}");
        }
        drop(agent);
    }
}

/// Writes a new folder: CONTRIBUTING.md says when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it freezes a release"]
async fn freeze() {
    let release = format!("release-{}", env!("CARGO_PKG_VERSION"));
    assert!(!kept::releases().contains(&release), "{release} is frozen already");
    recorder::record(&kept::place(&release)).await;
}
