//! Operating the hub from RTS2: commands, limits, and devices without what was forgotten; also under the real rts2-centrald where
//! `RTS2_BINDIR` names the folder of its program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;

use lamon_tests::hub::Hub;
use lamon_tests::lamon::lamon;
use lamon_tests::rts2::{self, RealCentrald, real_programs};
use lamon_tests::text::say;
use lamon_tests::wait::{eventually, patiently};
use rts2dev::client::RemoteDevice;
use rts2dev::proto::Level;
use rts2dev::testing::Centrald;

async fn tell(hub: &Hub, lines: &[&str]) {
    for line in lines {
        assert_eq!(say(hub.address(), line).await.unwrap(), "ok", "{line}");
    }
}

/// Sends a command, which must be refused, and returns why.
async fn refused(device: &RemoteDevice, line: &str) -> String {
    let end = device.command(line).await.unwrap();
    assert!(end.code < 0, "{line}: {end:?}");
    end.text
}

async fn done(device: &RemoteDevice, line: &str) -> String {
    let end = device.command(line).await.unwrap();
    assert!(end.code >= 0, "{line}: {end:?}");
    end.text
}

/// An operator at an RTS2 client mutes, acknowledges, changes limits and has the configuration read again.
async fn operators_at_rts2(centrald: SocketAddr) {
    let hub = Hub::sensord().under(centrald).start();
    tell(&hub, &["node=ccd-01 disk_percent=85 interval=60", "node=door disk_percent=97 interval=60"]).await;
    let mut nodes = rts2::device(centrald, "NODES").await;
    rts2::value(&mut nodes, "level", |value| value.text() == "error").await;

    let muted = done(&nodes, "mute door 3600 \"new disk\" wang").await;
    assert!(muted.contains("new disk (mute 1, by wang (RTS2 lamon-tests of test at 127.0.0.1))"), "{muted}");
    rts2::value(&mut nodes, "level", |value| value.text() == "warning").await;
    rts2::value(&mut nodes, "nodes_muted", |value| value.number() == Some(1.0)).await;
    rts2::value(&mut nodes, "door_remarks", |value| value.text().starts_with("muted: new disk (mute 1"))
        .await;
    done(&nodes, "ack ccd-01 disk_percent \"Li moves data\"").await;
    let remark = "disk_percent acknowledged: Li moves data (by test (RTS2 lamon-tests at 127.0.0.1))";
    rts2::value(&mut nodes, "ccd_01_remarks", |value| value.text() == remark).await;
    done(&nodes, "unmute 1").await;
    rts2::value(&mut nodes, "door_remarks", |value| value.text().is_empty()).await;
    for (line, why) in [
        ("mute door -1 x", "a mute lasts 1 second or more"),
        ("mute @dome 60 x", "there is no group \"dome\""),
        ("unmute 7", "there is no mute \"7\""),
        ("ack nobody all x", "the hub knows no node \"nobody\""),
        ("forget door", "door is heard: stop its agent first"),
        ("set_limits door disk_percent \"1\"", "is no pair of limits"),
        ("reset_limits swap", "no operator set limits of swap"),
        ("mute door", "number of parameters - mute <nodes> <seconds> \"<reason>\" [who]"),
    ] {
        let said = refused(&nodes, line).await;
        assert!(said.contains(why), "{line}: {said}");
    }

    // Limits are a pair, set as one.
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "80 90").await;
    let end = nodes.set_to("disk_limits", "88 100").await.unwrap();
    assert_eq!(end.code, 0, "{end:?}");
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "88 100").await;
    rts2::value(&mut nodes, "ccd_01_disk_percent", |value| value.level() == Level::Good).await;
    rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Warning).await;
    rts2::value(&mut nodes, "limits", |value| value.text().starts_with("disk 88 100 (by test (RTS2 ")).await;
    for (pair, why) in [
        ("nan 90", "\"nan\" is no limit"),
        ("95 90", "error must lie beyond warning"),
        ("95", "is no pair of limits"),
        ("1GB 2GB", "is not measured in the unit"),
    ] {
        let end = nodes.set_to("disk_limits", pair).await.unwrap();
        assert!(end.code < 0 && end.text.contains(why), "{pair}: {end:?}");
    }
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "88 100").await;
    done(&nodes, "set_limits door disk_percent \"99.5 none\"").await;
    rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Good).await;
    done(&nodes, "reset_limits door disk_percent").await;
    done(&nodes, "reset_limits disk").await;
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "80 90").await;
    rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Error).await;
    // What the command line sets is shown, and what RTS2 set the command line shows.
    assert_eq!(lamon(hub.control(), "set disk --warning 10 --error 20").code, Some(0));
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "10 20").await;
    assert!(done(&nodes, "reload li").await.contains("were read again"));
}

/// A node that was forgotten is gone from the clients, and everything else is back.
async fn a_forgotten_node_is_gone(centrald: SocketAddr) {
    let group = "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]";
    let hub = Hub::sensord().under(centrald).with(group).start();
    tell(
        &hub,
        &[
            "node=ccd01 disk_percent=1 interval=1",
            "node=ccd02 disk_percent=85 interval=60",
            "node=door disk_percent=97 interval=60",
        ],
    )
    .await;
    let mut ccd = rts2::device(centrald, "NODES_CCD").await;
    rts2::value(&mut ccd, "ccd01_level", |value| value.text() == "silent").await;
    let nodes = rts2::device(centrald, "NODES").await;
    done(&nodes, "mute ccd02 600 works").await;
    assert_eq!(nodes.set_to("memory_limits", "50 60").await.unwrap().code, 0);
    // A group's device takes commands as well, and the answer comes before the device goes.
    assert_eq!(done(&ccd, "forget ccd01").await, "ccd01 is forgotten");

    eventually("the device without the node", || async {
        // Devices register anew a moment later, when something comes.
        tell(&hub, &["node=door disk_percent=97 interval=60"]).await;
        let ccd = rts2::device(centrald, "NODES_CCD").await;
        let there = ccd.value("ccd02_remarks").is_some_and(|remarks| remarks.text().contains("works"));
        (there && ccd.value("ccd01_level").is_none()).then_some(())
    })
    .await;
    let mut ccd = rts2::device(centrald, "NODES_CCD").await;
    rts2::value(&mut ccd, "ccd02_disk_percent", |value| value.level() == Level::Warning).await;
    rts2::value(&mut ccd, "nodes", |value| value.number() == Some(1.0)).await;
    let mut nodes = rts2::device(centrald, "NODES").await;
    rts2::value(&mut nodes, "nodes", |value| value.number() == Some(2.0)).await;
    rts2::value(&mut nodes, "worst", |value| value.text().contains("door disk_percent 97")).await;
    rts2::value(&mut nodes, "memory_limits", |value| value.text() == "50 60").await;
    // It goes on as before, also for a node of the same name.
    tell(&hub, &["node=ccd01 disk_percent=95 interval=60"]).await;
    rts2::value(&mut ccd, "ccd01_disk_percent", |value| value.level() == Level::Error).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_and_limits_of_operators() {
    let centrald = Centrald::start().await.unwrap();
    operators_at_rts2(centrald.address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_register_anew_without_a_forgotten_node() {
    let centrald = Centrald::start().await.unwrap();
    a_forgotten_node_is_gone(centrald.address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_under_the_real_centrald() {
    let Some(programs) = real_programs() else {
        println!("RTS2_BINDIR is not set: nothing is tested with the real rts2-centrald");
        return;
    };
    let centrald = RealCentrald::start(&programs).await.unwrap();
    operators_at_rts2(centrald.address()).await;
    let centrald = RealCentrald::start(&programs).await.unwrap();
    a_forgotten_node_is_gone(centrald.address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_taken_from_listed_addresses_and_everybody_reads() {
    let centrald = Centrald::start().await.unwrap();
    // The section stands last in the configuration, so that its keys can go on.
    let hub = Hub::sensord().under(centrald.address()).with("allow = [\"192.0.2.0/24\"]").start();
    tell(&hub, &["node=door disk_percent=97 interval=60"]).await;
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "level", |value| value.text() == "error").await;
    let why = "operators are not taken from 127.0.0.1: [rts2] allow does not list it";
    for line in ["mute door 60 x", "unmute 1", "ack door all x", "forget door", "reset_limits disk", "reload"]
    {
        assert_eq!(refused(&nodes, line).await, why, "{line}");
    }
    let end = nodes.set_to("disk_limits", "98 99").await.unwrap();
    assert_eq!((end.code, end.text.as_str()), (-5, why));
    rts2::value(&mut nodes, "disk_limits", |value| value.text() == "80 90").await;
    hub.says("a client of RTS2 may not operate the hub");
    let told = centrald.wait_for(|centrald| centrald.messages().iter().any(|line| line.contains(why)));
    patiently("centrald's log", told).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_fails_is_a_message_and_rules_that_go_take_their_limits_with_them() {
    let centrald = Centrald::start().await.unwrap();
    // The rule stands before the section's own key, so that both can be taken away.
    let rule = "[[rule]]\nname = \"busy\"\nmetrics = [\"load1\"]\nwarning = 2\n";
    let mut hub = Hub::sensord().under(centrald.address()).with(rule).start();
    tell(&hub, &["node=door load1=3 interval=60"]).await;
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "busy_limits", |value| value.text() == "2 none").await;
    hub.configure("[[rule]]\nmetrics = [\"load1\"]\nwarnig = 2").unwrap();
    assert!(refused(&nodes, "reload").await.contains("did you mean \"warning\"?"));
    let told = centrald.wait_for(|centrald| {
        centrald.messages().iter().any(|line| line.contains("the configuration stays as it was"))
    });
    patiently("a message of it", told).await;
    rts2::value(&mut nodes, "door_load1", |value| value.level() == Level::Warning).await;
    hub.configure("").unwrap();
    done(&nodes, "reload").await;
    rts2::value(&mut nodes, "door_load1", |value| value.level() == Level::Good).await;
    eventually("the device without the rule", || async {
        tell(&hub, &["node=door load1=3 interval=60"]).await;
        let nodes = rts2::device(centrald.address(), "NODES").await;
        (nodes.value("door_load1").is_some() && nodes.value("busy_limits").is_none()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_holds_something_up_does_not_go_away_to_register_anew() {
    let centrald = Centrald::start().await.unwrap();
    let gate = "[[gate]]\nname = \"door\"\nnodes = [\"door\"]\nmetrics = [\"disk_percent\"]\nblock = [\"exposure\"]\n";
    let hub = Hub::sensord().under(centrald.address()).with(gate).start();
    tell(&hub, &["node=door disk_percent=97 interval=60", "node=old load1=1 interval=1"]).await;
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "door_gate", |value| value.text() == "closed").await;
    rts2::value(&mut nodes, "old_level", |value| value.text() == "silent").await;
    done(&nodes, "forget old").await;
    // Three seconds later something happens: time enough to have registered anew.
    tell(&hub, &["node=clock load1=1 interval=1"]).await;
    rts2::value(&mut nodes, "clock_level", |value| value.text() == "silent").await;
    tell(&hub, &["node=door disk_percent=97 interval=60"]).await;
    assert!(nodes.value("old_level").is_some(), "it is there as long as the gate is closed");
    tell(&hub, &["node=door disk_percent=1 interval=60"]).await;
    eventually("the device without the node", || async {
        tell(&hub, &["node=door disk_percent=1 interval=60"]).await;
        let nodes = rts2::device(centrald.address(), "NODES").await;
        (nodes.value("door_gate").is_some_and(|gate| gate.text() == "open")
            && nodes.value("old_level").is_none())
        .then_some(())
    })
    .await;
    let log = hub.log();
    let place = |words: &str| log.iter().position(|line| line.contains(words)).unwrap();
    assert!(place("register anew") > place("disk_percent 1 %"), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_flaps_or_does_not_come_any_more_is_remarked() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).start();
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    for _ in 0..5 {
        tell(
            &hub,
            &["node=door disk_percent=97 load1=1 interval=1", "node=door disk_percent=1 load1=1 interval=1"],
        )
        .await;
    }
    rts2::value(&mut nodes, "door_remarks", |value| value.text() == "disk_percent flaps").await;
    eventually("a metric that is unknown", || async {
        tell(&hub, &["node=door disk_percent=1 interval=1"]).await;
        let remarks = nodes.value("door_remarks")?;
        (remarks.text() == "disk_percent flaps; load1 does not come any more").then_some(())
    })
    .await;
}
