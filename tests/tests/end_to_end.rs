//! One node followed through the whole family: from this machine's /proc, or a sender's numbers, to the flags of RTS2,
//! the messages of the bus, and the rows of the archive.

use std::time::Duration;

use anyhow::Context;
use lamon_store::ArchiveUrl;
use lamon_store::testing::Mariadb;
use lamon_tests::archive;
use lamon_tests::bus::Subscriber;
use lamon_tests::hub::Hub;
use lamon_tests::simulated::{Identity, SimulatedAgent};
use lamon_tests::story::{DISK_RULE, Sender, a_threshold_is_crossed, this_machine_is_followed};
use lamon_tests::text;
use lamon_wire::reading::Reading;
use rts2dev::testing::Centrald;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_with_sqlite() {
    let centrald = Centrald::start().await.unwrap();
    this_machine_is_followed(centrald.address(), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_with_mariadb() {
    let centrald = Centrald::start().await.unwrap();
    let server = Mariadb::start().unwrap();
    let database = (server.url_text("lamon"), server.url());
    this_machine_is_followed(centrald.address(), Some(database)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_crossed_by_an_agent() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(DISK_RULE).start();
    let sender = Sender::agent(&hub).await.unwrap();
    a_threshold_is_crossed(centrald.address(), &hub, sender).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_crossed_by_lines_of_text() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(DISK_RULE).start();
    a_threshold_is_crossed(centrald.address(), &hub, Sender::Text).await.unwrap();
}

/// Numbers that a careless path through text, floats or decimals would change.
const ODD_NUMBERS: [f64; 10] = [
    0.1,
    -0.25,
    1.0 / 3.0,
    100.0,
    1e-300,
    1.797_693_134_862_315_7e308,
    9_007_199_254_740_993.0,
    5e-324,
    123_456_789.123_456_79,
    2.2250738585072014e-308,
];

/// Sends odd numbers as core metrics, which have columns of their own, and as others, and compares the rows.
async fn odd_numbers_are_kept(hub: &Hub, archive: &ArchiveUrl) -> anyhow::Result<()> {
    for number in ODD_NUMBERS {
        let line = format!("node=odd cpu_percent={number:e} queue_depth={number:e} interval=60");
        assert_eq!(text::say(hub.address(), &line).await?, "ok", "{line}");
    }
    let rows = archive::rows(archive, "odd", ODD_NUMBERS.len()).await;
    for (row, number) in rows.iter().zip(ODD_NUMBERS) {
        for metric in ["cpu_percent", "queue_depth"] {
            let kept = row.metric(metric).with_context(|| format!("no {metric} in {row:?}"))?;
            assert_eq!(kept.to_bits(), number.to_bits(), "{metric}: {kept:e} is not {number:e}");
        }
    }
    assert_eq!(rows.len(), ODD_NUMBERS.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_numbers_in_sqlite() {
    let hub = Hub::collector().start();
    odd_numbers_are_kept(&hub, &hub.archive()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_numbers_in_mariadb() {
    let server = Mariadb::start().unwrap();
    let hub = Hub::collector().archiving_to(&server.url_text("lamon")).start();
    odd_numbers_are_kept(&hub, &server.url()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_comes_whole_and_raises_no_alarm() {
    const SAMPLES: u64 = 2_000;
    let hub = Hub::collector().start();
    let mut bus = Subscriber::join(&hub, &["sample/", "event/ccd02", "hub"]).await.unwrap();
    let identity = Identity { interval: Duration::from_secs(10), ..Identity::new("ccd02", 9) };
    let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    assert_eq!(agent.welcome().committed, None);
    agent.send_table(3, &[("disk_percent", 2), ("proc_camd", 0)]).await.unwrap();
    // Twice as much as may be under way is never sent; within it, frame by frame.
    let rows = u64::from(agent.welcome().window) / 2;
    let mut next = 1;
    while next <= SAMPLES {
        let last = (next + rows - 1).min(SAMPLES);
        let values = (next..=last)
            .map(|n| vec![Reading::new(f64::from(u32::try_from(n % 70).unwrap()), 2), Reading::new(1.0, 0)]);
        agent.send_samples(3, next, values.collect()).await.unwrap();
        agent.acknowledged(last).await.unwrap();
        next = last + 1;
    }
    let rows = archive::rows(&hub.archive(), "ccd02", usize::try_from(SAMPLES).unwrap()).await;
    let mut sequences: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=SAMPLES).collect::<Vec<_>>());
    bus.until("the last sample", |message| message.text("sequence") == SAMPLES.to_string());
    assert_eq!(bus.gap(), None);
    // An agent that starts anew with the same epoch learns what the hub has.
    drop(agent);
    let agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    assert_eq!(agent.welcome().committed, Some(SAMPLES));
}
