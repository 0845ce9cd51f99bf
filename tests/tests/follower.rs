//! Applications' way to the bus, `lamon-bus`, against the real hub.

use std::process::Command;
use std::time::{Duration, Instant};

use lamon_bus::{Addresses, Follower, Keys, Level, News};
use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::process;
use lamon_tests::text::say;
use lamon_tests::wait::PATIENCE;

fn addresses(hub: &Hub) -> Addresses {
    Addresses { publish: hub.publish().into(), snapshot: hub.snapshot().into(), keys: None }
}

/// Waits until the picture is as wanted; what came meanwhile.
#[track_caller]
fn until(follower: &mut Follower, what: &str, wanted: impl Fn(&Follower) -> bool) -> Vec<News> {
    let end = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    while !wanted(follower) {
        assert!(Instant::now() < end, "in vain: {what}; came {all:?}");
        all.extend(follower.wait(Duration::from_millis(200)));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_follower_has_the_whole_picture_and_then_what_happens() {
    let hub = Hub::collector().start();
    say(hub.address(), "node=ccd01 cpu_percent=3.5 disk_percent=95").await.unwrap();
    let mut follower = Follower::connect(&addresses(&hub)).unwrap();
    until(&mut follower, "the node and the hub", |follower| {
        follower.picture().hub().is_some()
            && follower.picture().get("ccd01").is_some_and(|node| node.level == Level::Error)
    });
    let disk = &follower.picture().get("ccd01").unwrap().metrics["disk_percent"];
    assert_eq!((disk.value, disk.level), (Some(95.0), Level::Error));
    assert!(disk.rule.as_deref().unwrap().contains("error > 90"), "{disk:?}");
    say(hub.address(), "node=ccd01 disk_percent=12").await.unwrap();
    let news = until(&mut follower, "the node is well", |follower| {
        follower.picture().get("ccd01").is_some_and(|node| node.level == Level::Good)
    });
    let text = |news: &News| matches!(news, News::Event(event) if event.text.contains("disk_percent 12"));
    assert!(news.iter().any(text), "{news:?}");
    assert_eq!((follower.picture().lost(), follower.picture().senseless()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_restarted_is_followed_again() {
    let hub = Hub::collector().start();
    say(hub.address(), "node=before cpu_percent=1").await.unwrap();
    let mut follower = Follower::connect(&addresses(&hub)).unwrap();
    until(&mut follower, "the first hub", |follower| follower.picture().get("before").is_some());
    let hub = hub.crash().start();
    say(hub.address(), "node=after cpu_percent=2").await.unwrap();
    let news = until(&mut follower, "the second hub", |follower| follower.picture().get("after").is_some());
    assert!(news.contains(&News::Restarted), "{news:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_sees_limits_that_operators_set_and_nodes_that_they_forget() {
    let hub = Hub::collector().start();
    say(hub.address(), "node=ccd01 disk_percent=12 interval=1").await.unwrap();
    let mut follower = Follower::connect(&addresses(&hub)).unwrap();
    let limits = |follower: &Follower| {
        let limits = follower.picture().get("ccd01")?.metrics.get("disk_percent")?.limits.clone()?;
        Some((limits.name, limits.warning, limits.error, limits.clear))
    };
    let disk = |warning, error| Some(("disk".to_owned(), Some(warning), Some(error), 2.0));
    until(&mut follower, "the built-in limits", |follower| limits(follower) == disk(80.0, 90.0));
    assert_eq!(lamon(hub.control(), "set disk --warning 70 --error 75").code, Some(0));
    until(&mut follower, "those of an operator", |follower| limits(follower) == disk(70.0, 75.0));
    assert_eq!(lamon(hub.control(), "mute ccd01 --for 1h -m work").code, Some(0));
    until(&mut follower, "the mute", |follower| follower.picture().get("ccd01").unwrap().muted);
    // Only a node that is not heard can be forgotten.
    until(&mut follower, "silence", |follower| {
        follower.picture().get("ccd01").unwrap().level == Level::Silent
    });
    assert_eq!(lamon(hub.control(), "forget ccd01").code, Some(0));
    let news = until(&mut follower, "it is gone", |follower| follower.picture().get("ccd01").is_none());
    assert!(news.contains(&News::Gone("ccd01".into())), "{news:?}");
}

/// Where the hub lists keys, who has one of them follows as ever, and lamon-mon does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_keys_who_is_listed_follows_and_a_stranger_sees_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let public = |name: &str| {
        let mut command = Command::new(process::find("lamon").unwrap());
        let output = command.arg("bus-key").arg(file(name)).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let clients = format!("[bus.clients]\nme = '{}'\nmon = '{}'", public("me"), public("mon"));
    let hub = Hub::collector().with(&clients).start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=1").await.unwrap(), "ok");
    let line = hub.says("the bus speaks CURVE");
    let key = process::field(&line, "key").unwrap();
    let follower = |name: &str| {
        let keys = Keys { hub: key.parse().unwrap(), own: file(name) };
        Follower::connect(&Addresses { keys: Some(keys), ..addresses(&hub) }).unwrap()
    };
    let mut mine = follower("me");
    until(&mut mine, "the node", |follower| follower.picture().get("ccd01").is_some());
    let mon = |name: &str| {
        let mut command = Command::new(process::find("lamon-mon").unwrap());
        command.args(["--once", "--timeout", "5s", "--publish", hub.publish(), "--snapshot", hub.snapshot()]);
        command.args(["--hub-key", &key]).arg("--key").arg(file(name)).output().unwrap().status.code()
    };
    assert_eq!(mon("mon"), Some(0));
    assert_eq!(mon("stranger"), Some(3), "it hears nobody");
    hub.says("somebody may not follow the bus");
}
