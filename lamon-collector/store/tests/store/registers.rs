//! Nodes, events and settings, in both databases.

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl,
    reading::EventPlace,
    registers::{Event, NodeRecord, Setting},
    testing::Mariadb,
};

fn event(time_ms: i64, number: i64, text: &str) -> Event {
    Event {
        time_ms,
        number,
        node: Some("ccd01".into()),
        metric: (number == 2).then(|| "load1".into()),
        kind: "silent".into(),
        level: "error".into(),
        text: text.into(),
    }
}

fn node(first_heard_ms: i64, last_heard_ms: i64, os: Option<&str>) -> NodeRecord {
    NodeRecord {
        node: "ccd01".into(),
        first_heard_ms,
        last_heard_ms,
        os: os.map(str::to_owned),
        agent_version: os.map(|_| "0.1.0".into()),
    }
}

fn setting(name: &str, value: &str, who: &str) -> Setting {
    Setting { name: name.into(), value: value.into(), who: who.into(), changed_ms: 7 }
}

async fn every_case(url: &ArchiveUrl) {
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let mut reader = ArchiveReader::open(url).await.unwrap();

    // Events: once each, the newest first, the hub's name beside them.
    let events =
        [event(1, 1, "nothing heard: \u{e4} 'x'"), event(1, 2, "b"), event(5, 1, &"c".repeat(5_000))];
    archive.append_events(&events).await.unwrap();
    archive.append_events(&[event(1, 1, "another text")]).await.unwrap();
    archive.append_events(&[]).await.unwrap();
    let mut second = Archive::connect(url, "hub2").await.unwrap();
    second.append_events(&[event(1, 1, "of the other hub")]).await.unwrap();
    let read = reader.events(0, 10, 10).await.unwrap();
    let keys: Vec<_> =
        read.iter().map(|row| (row.event.time_ms, row.hub.as_str(), row.event.number)).collect();
    assert_eq!(keys, [(5, "hub1", 1), (1, "hub2", 1), (1, "hub1", 2), (1, "hub1", 1)]);
    assert_eq!(read[3].event, events[0]);
    assert_eq!((&read[2].event, read[2].event.metric.as_deref()), (&events[1], Some("load1")));
    // From place to place each comes once, and none that is too old.
    let mut place = EventPlace { time_ms: i64::MAX, hub: String::new(), number: 0 };
    let mut walked = Vec::new();
    for _ in 0..4 {
        let rows = reader.events_before(&place, 0).await.unwrap();
        walked.push(rows[0].clone());
        place = (&rows[0]).into();
    }
    assert_eq!(walked, read);
    assert_eq!(reader.events_before(&place, 0).await.unwrap(), []);
    place.time_ms = 5;
    assert_eq!(reader.events_before(&place, 2).await.unwrap(), []);
    assert_eq!(read[0].event.text.len(), 4_096);
    assert_eq!(reader.events(1, 5, 2).await.unwrap().len(), 2);

    // Nodes: what is not known does not hide what was.
    archive.upsert_nodes(&[node(100, 200, Some("Debian 12"))]).await.unwrap();
    archive.upsert_nodes(&[node(150, 180, None)]).await.unwrap();
    assert_eq!(reader.node_records().await.unwrap(), [node(100, 200, Some("Debian 12"))]);
    archive.upsert_nodes(&[node(50, 300, Some("Debian 13"))]).await.unwrap();
    assert_eq!(reader.node_records().await.unwrap(), [node(50, 300, Some("Debian 13"))]);

    // Settings.
    for (name, value, who) in
        [("rule/a", "1", "eve"), ("rule/b", "2", "eve"), ("mute/a", "x", "bob"), ("rule/a", "3", "ann")]
    {
        archive.set(&setting(name, value, who)).await.unwrap();
    }
    assert_eq!(archive.setting("rule/a").await.unwrap(), Some(setting("rule/a", "3", "ann")));
    assert_eq!(archive.setting("rule/").await.unwrap(), None);
    let rules = archive.settings("rule/").await.unwrap();
    assert_eq!(rules, [setting("rule/a", "3", "ann"), setting("rule/b", "2", "eve")]);
    assert!(archive.reset("rule/a").await.unwrap() && !archive.reset("rule/a").await.unwrap());
    assert_eq!(archive.settings("").await.unwrap().len(), 2);
    assert!(archive.set(&setting("", "x", "eve")).await.is_err());
    assert!(archive.set(&setting(&"n".repeat(191), "x", "eve")).await.is_err());
}

#[tokio::test]
async fn nodes_events_and_settings() {
    let folder = tempfile::tempdir().unwrap();
    every_case(&ArchiveUrl::sqlite(folder.path().join("a.db"))).await;
    let server = Mariadb::start().unwrap();
    every_case(&server.url()).await;
}
