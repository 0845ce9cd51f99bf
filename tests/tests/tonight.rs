//! Whether the night finds everything ready: learnt from stored nights, told by every face.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lamon_store::reading::Site;
use lamon_store::{Archive, ArchiveUrl, Sample};
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::rts2;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;
use rts2dev::proto::Level;
use rts2dev::testing::Centrald;

/// Five nights in which the disk of ccd01 went from 40 to 50 %.
fn nights() -> Vec<Sample> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let yesterday_ms = i64::try_from(now_ms).unwrap_or_default() - 86_400_000;
    let nights = Site::at_longitude(117.6).last_nights(yesterday_ms, 5);
    let mut samples = Vec::new();
    for night in nights {
        for (hour, percent) in [(3, 40.0), (15, 50.0)] {
            samples.push(Sample {
                node: "ccd01".into(),
                epoch: 1,
                sequence: samples.len() as u64 + 1,
                time_ms: night.begin_ms + hour * 3_600_000,
                metrics: vec![(Arc::from("disk_home_percent"), percent)],
            });
        }
    }
    samples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_for_a_busy_night_is_named_before_it() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with("[site]\nlatitude = 40.4\nlongitude = 117.6");
    std::fs::create_dir_all(hub.data_dir()).unwrap();
    let archive = ArchiveUrl::sqlite(hub.data_dir().join("archive.sqlite"));
    Archive::connect(&archive, "testhub").await.unwrap().append(&nights()).await.unwrap();
    let hub = hub.start();
    centrald.registered("NODES").await;
    assert_eq!(say(hub.address(), "node=ccd01 disk_home_percent=60 interval=600").await.unwrap(), "ok");
    let status = || {
        let json: serde_json::Value =
            serde_json::from_str(&lamon(hub.control(), "--json status").out).unwrap();
        json["status"].clone()
    };
    eventually("everything is ready", || async { (status()["ready_tonight"] == true).then_some(()) }).await;
    // Ten percent a night fit four times.
    assert_eq!(status()["nights_left"], 4.0, "{}", status());
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "ready_tonight", |value| value.level() == Level::Good).await;

    let line = "node=ccd01 disk_home_percent=95 disk_home_free=50000000000 interval=600";
    assert_eq!(say(hub.address(), line).await.unwrap(), "ok");
    rts2::value(&mut nodes, "not_ready", |value| {
        value.text().contains("ccd01 disk_home_percent 95: a busy night adds 10")
    })
    .await;
    rts2::value(&mut nodes, "ready_tonight", |value| value.level() == Level::Warning).await;
    assert_eq!(status()["ready_tonight"], false);
    assert!(lamon(hub.control(), "status").out.contains("not ready for tonight: ccd01 disk_home_percent 95"));
    let events = lamon(hub.control(), "events --node ccd01").out;
    assert!(events.contains("over 90: error (free 50 GB, full within a night)"), "{events}");

    assert_eq!(lamon(hub.control(), "mute ccd01 --for 1h -m 'new disk'").code, Some(0));
    rts2::value(&mut nodes, "not_ready", |value| value.text() == "1 muted node is left out").await;
}
