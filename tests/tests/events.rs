//! What happened, asked by the real command: from the hub's memory, and from the archive what was before it.

use lamon_store::ArchiveReader;
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::text::say;
use lamon_tests::wait::eventually;

#[tokio::test]
async fn what_an_earlier_run_of_the_hub_saw_comes_from_the_archive() {
    let hub = Hub::collector().start();
    for line in ["node=door disk_percent=97", "node=ccd01 disk_percent=85", "node=door disk_percent=50"] {
        assert_eq!(say(hub.address(), line).await.unwrap(), "ok");
    }
    let archive = hub.archive();
    eventually("the events in the archive", || async {
        let mut reader = ArchiveReader::open(&archive).await.ok()?;
        let events = reader.events(0, i64::MAX, 100).await.ok()?;
        (events.iter().filter(|stored| stored.event.kind == "level").count() == 3).then_some(())
    })
    .await;
    let before = lamon(hub.control(), "events");
    assert_eq!(
        before.out.matches("door disk_percent 97 % over 90: error").count(),
        1,
        "each once: {before:?}"
    );

    let hub = hub.crash().start();
    assert_eq!(say(hub.address(), "node=lamp disk_percent=91").await.unwrap(), "ok");
    let all = lamon(hub.control(), "events --since 1h").out;
    let texts: Vec<_> = all.lines().filter(|line| line.contains("disk_percent")).collect();
    assert_eq!(texts.len(), 4, "{all}");
    assert!(texts[0].contains("door disk_percent 97") && texts[3].contains("lamp disk_percent 91"), "{all}");
    let grave = lamon(hub.control(), "events --level error").out;
    assert_eq!(grave.lines().count(), 2, "{grave}");
    let of_door = lamon(hub.control(), "events --node door --since 1d -n 2").out;
    assert!(of_door.contains("door disk_percent 50 % is good again after"), "{of_door}");
    assert_eq!(of_door.lines().count(), 2, "{of_door}");
    let json: serde_json::Value =
        serde_json::from_str(&lamon(hub.control(), "--json events --level error").out).unwrap();
    assert_eq!(json["events"]["events"][0]["hub"], "testhub", "{json}");
    for event in json["events"]["events"].as_array().unwrap() {
        assert_eq!(event["metric"], "disk_percent", "of the archive and of the memory: {json}");
    }
    assert!(lamon(hub.control(), "events --since 2099-01-01T00:00Z").out.contains("nothing happened"));
}

#[tokio::test]
async fn an_archive_that_is_away_hides_nothing_that_the_hub_knows() {
    // Nobody listens there.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub =
        Hub::collector().archiving_to(&format!("mysql://lamon@127.0.0.1:{}/lamon", address.port())).start();
    assert_eq!(say(hub.address(), "node=door disk_percent=97").await.unwrap(), "ok");
    let events = lamon(hub.control(), "events");
    assert!(events.out.contains("door disk_percent 97 % over 90: error"), "{events:?}");
    assert!(events.err.contains("older events: the archive cannot be read"), "{events:?}");
    assert_eq!(events.code, Some(0));
}
