//! `kill -9` in the middle of upkeep: whatever step it hits, rollups and deletions come out as if nothing had been.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Rollup, Tier, archive::BATCH_ROWS, testing::Mariadb,
    upkeep::Retention,
};

use crate::common::{DAY, PAST, at, upkeep};

/// Tells the child which archive.
const URL: &str = "LAMON_TEST_UPKEEP_URL";

/// How often it is killed.
const KILLS: u64 = 8;

/// By the time that upkeep is done samples and rows of ten minutes are old.
const KEEP: Retention = Retention {
    samples: Some(Duration::from_secs(2 * 86_400)),
    ten_minutes: Some(Duration::from_secs(3 * 86_400)),
    hour: None,
    events: None,
    dead_letters: None,
};

/// Two days of four nodes, two samples each ten minutes.
async fn fill(url: &ArchiveUrl) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let samples: Vec<_> = (0..2 * 288_u64)
        .flat_map(|number| ["a", "b", "c", "d"].map(|node| (node, number)))
        .map(|(node, number)| {
            let time_ms = PAST + i64::try_from(number).unwrap() * 300_000;
            at(node, time_ms, number, &[("load1", number as f64 / 7.0), ("temp_a", 40.0)])
        })
        .collect();
    for batch in samples.chunks(BATCH_ROWS) {
        archive.append(batch).await.unwrap();
    }
}

/// What is left in the end.
async fn rest(url: &ArchiveUrl) -> (u64, Vec<Rollup>) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    upkeep(&mut archive, &KEEP, PAST + 30 * DAY).await;
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let mut hours = Vec::new();
    for node in ["a", "b", "c", "d"] {
        hours.extend(reader.rollups(Tier::Hour, node, 0, i64::MAX, 1_000).await.unwrap());
    }
    assert_eq!(reader.size().await.unwrap().rollups_due, 0);
    (reader.count().await.unwrap(), hours)
}

/// Does upkeep until it is killed.
#[tokio::test]
#[ignore = "a process that the test below starts and kills"]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    let mut archive = Archive::connect(&ArchiveUrl::parse(&url).unwrap(), "hub1").await.unwrap();
    println!("\nupkeep begins");
    loop {
        archive.upkeep(&KEEP, PAST + 30 * DAY).await.unwrap();
    }
}

fn killed_again_and_again(url: &str) {
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["killed::child", "--exact", "--ignored", "--nocapture"])
            .env(URL, url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("upkeep begins")));
        // At another place of the work each time.
        thread::sleep(Duration::from_millis(7 * kill * kill % 50 + kill));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[tokio::test]
async fn upkeep_that_is_killed_is_done_right_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let undisturbed = ArchiveUrl::sqlite(folder.path().join("undisturbed.db"));
    fill(&undisturbed).await;
    let expected = rest(&undisturbed).await;
    assert_eq!((expected.0, expected.1.len()), (0, 4 * 48));

    let server = Mariadb::start().unwrap();
    let sqlite = format!("sqlite:{}", folder.path().join("killed.db").display());
    for text in [sqlite, server.url_text(lamon_store::testing::DATABASE)] {
        let url = ArchiveUrl::parse(&text).unwrap();
        fill(&url).await;
        killed_again_and_again(&text);
        let (samples, hours) = rest(&url).await;
        // The server drops whole months, and has none so old.
        let kept = if text.starts_with("mysql") { 4 * 2 * 288 } else { 0 };
        assert_eq!((samples, hours.len()), (kept, expected.1.len()), "{url}");
        assert_eq!(hours, expected.1, "{url}");
    }
}
