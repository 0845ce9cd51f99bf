//! The hub among RTS2's programs: centrald goes and comes, devices by group, and, where `RTS2_BINDIR` names the folder of
//! the real RTS2's programs, the main stories under the real rts2-centrald.
//!
//! `RTS2_PRELOAD` may name a library that is preloaded to the real centrald, which otherwise listens on every interface.

use lamon_tests::hub::Hub;
use lamon_tests::rts2::{self, RealCentrald, real_programs};
use lamon_tests::simulated::{Identity, SimulatedAgent, readings};
use lamon_tests::story::{DISK_RULE, Sender, a_threshold_is_crossed, this_machine_is_followed};
use lamon_tests::text::say;
use lamon_tests::wait::eventually;
use lamon_wire::frames::{AgentFrame, Tally};
use rts2dev::proto::Level;
use rts2dev::testing::Centrald;
use tokio::net::TcpListener;

const GROUPS: &str =
    "[[group]]\nname = \"ccd\"\nnodes = [\"ccd*\"]\n[[group]]\nname = \"dome\"\nnodes = [\"door\"]\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_centrald_that_was_restarted_has_the_device_and_its_values_again() {
    let centrald = Centrald::start().await.unwrap();
    let address = centrald.address();
    let hub = Hub::sensord().under(address).start();
    assert_eq!(say(hub.address(), "node=door disk_percent=97 interval=60").await.unwrap(), "ok");
    let mut nodes = rts2::device(address, "NODES").await;
    rts2::value(&mut nodes, "door_disk_percent", |value| value.number() == Some(97.0)).await;

    centrald.stop();
    drop(centrald);
    // Its clients stay: RTS2 devices serve those that they have.
    assert_eq!(say(hub.address(), "node=door disk_percent=85 interval=60").await.unwrap(), "ok");
    rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Warning).await;

    let listener = eventually("the port again", || async { TcpListener::bind(address).await.ok() }).await;
    let centrald = Centrald::start_on(listener, |_| {}).unwrap();
    let mut nodes = rts2::device(address, "NODES").await;
    let disk = rts2::value(&mut nodes, "door_disk_percent", |_| true).await;
    assert_eq!((disk.number(), disk.level()), (Some(85.0), Level::Warning), "{disk:?}");
    rts2::value(&mut nodes, "nodes_warning", |value| value.number() == Some(1.0)).await;
    assert_eq!(centrald.devices(), ["NODES"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_starts_before_centrald_is_registered_when_it_comes() {
    // A port that was free a moment ago, and where nobody listens.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = Hub::sensord().under(address).start();
    assert_eq!(say(hub.address(), "node=door disk_percent=97").await.unwrap(), "ok");
    let _centrald = Centrald::start_on(TcpListener::bind(address).await.unwrap(), |_| {}).unwrap();
    let mut nodes = rts2::device(address, "NODES").await;
    rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Error).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_stored_yet_is_seen_in_rts2() {
    let centrald = Centrald::start().await.unwrap();
    // Nobody listens there: the database is away.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = Hub::sensord()
        .under(centrald.address())
        .archiving_to(&format!("mysql://lamon@127.0.0.1:{}/lamon", address.port()))
        .start();
    let mut agent = SimulatedAgent::connect(hub.address(), &Identity::new("ccd-01", 1)).await.unwrap();
    agent.send_table(1, &[("load1", 2)]).await.unwrap();
    agent.send(&AgentFrame::Tally(Tally { taken: 4, acknowledged: 1, lost: 1 })).await.unwrap();
    agent.send_samples(1, 3, vec![readings(&[1.0], 2); 2]).await.unwrap();
    agent.acknowledged(4).await.unwrap();
    agent.send_samples(1, 5, vec![readings(&[1.0], 2)]).await.unwrap();
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut nodes, "ccd_01_completeness", |value| value.number() == Some(75.0)).await;
    rts2::value(&mut nodes, "journal_backlog", |value| value.number() == Some(3.0)).await;
    rts2::value(&mut nodes, "journal_backlog_age", |value| value.number() > Some(0.0)).await;
    rts2::value(&mut nodes, "database", |value| value.level() == Level::Warning).await;
    rts2::value(&mut nodes, "journal", |value| value.level() == Level::Good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_on_one_device() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).layout("single").with(GROUPS).start();
    for node in ["ccd01", "door", "lamp"] {
        assert_eq!(say(hub.address(), &format!("node={node} disk_percent=85")).await.unwrap(), "ok");
    }
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    for name in ["ccd01_disk_percent", "door_disk_percent", "lamp_disk_percent"] {
        rts2::value(&mut nodes, name, |value| value.level() == Level::Warning).await;
    }
    rts2::value(&mut nodes, "nodes", |value| value.number() == Some(3.0)).await;
    assert_eq!(centrald.devices(), ["NODES"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_for_each_group() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(GROUPS).start();
    for (node, disk_percent) in [("ccd01", 50), ("ccd02", 85), ("door", 97), ("lamp", 1)] {
        assert_eq!(
            say(hub.address(), &format!("node={node} disk_percent={disk_percent}")).await.unwrap(),
            "ok"
        );
    }
    for (device, own, strange, level, nodes) in [
        ("NODES_CCD", "ccd02_disk_percent", "door_disk_percent", "warning", 2.0),
        ("NODES_DOME", "door_disk_percent", "ccd01_disk_percent", "error", 1.0),
        ("NODES_OTHER", "lamp_disk_percent", "door_disk_percent", "good", 1.0),
    ] {
        let mut group = rts2::device(centrald.address(), device).await;
        rts2::value(&mut group, own, |_| true).await;
        rts2::value(&mut group, "level", |value| value.text() == level).await;
        rts2::value(&mut group, "nodes", |value| value.number() == Some(nodes)).await;
        assert_eq!(group.value(strange), None, "{device}");
    }
    let mut summary = rts2::device(centrald.address(), "NODES").await;
    rts2::value(&mut summary, "nodes", |value| value.number() == Some(4.0)).await;
    rts2::value(&mut summary, "worst", |value| value.text().contains("door disk_percent 97")).await;
    assert_eq!(summary.value("door_disk_percent"), None);
    let mut devices = centrald.devices();
    devices.sort();
    assert_eq!(devices, ["NODES", "NODES_CCD", "NODES_DOME", "NODES_OTHER"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn levels_become_messages_of_rts2() {
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).start();
    centrald.registered("NODES").await;
    assert_eq!(say(hub.address(), "node=door disk_percent=97").await.unwrap(), "ok");
    let said = centrald.wait_for(|centrald| {
        centrald.messages().iter().any(|line| line.contains("NODES") && line.contains("door disk_percent 97"))
    });
    lamon_tests::wait::patiently("a message of the level", said).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_for_images_carry_their_level_and_time() {
    use rts2dev::proto::ValueFlags;

    let centrald = Centrald::start().await.unwrap();
    // The section stands last in the configuration, so that its keys can go on.
    let hub = Hub::sensord().under(centrald.address()).with("fits = [\"disk_percent\"]").start();
    assert_eq!(say(hub.address(), "node=door disk_percent=50 cpu_percent=1").await.unwrap(), "ok");
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    for (name, in_fits) in
        [("door_disk_percent", true), ("door_level", true), ("door_heard", true), ("door_cpu_percent", false)]
    {
        let value = rts2::value(&mut nodes, name, |_| true).await;
        assert_eq!(value.flags.contains(ValueFlags::FITS), in_fits, "{value:?}");
    }
}

/// The real centrald, or a line that says that there is none.
#[expect(clippy::print_stdout, reason = "what is not tested is said")]
async fn real_centrald() -> anyhow::Result<Option<RealCentrald>> {
    match real_programs() {
        Some(programs) => RealCentrald::start(&programs).await.map(Some),
        None => {
            println!("RTS2_BINDIR is not set: nothing is tested with the real rts2-centrald");
            Ok(None)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_machine_under_the_real_centrald() {
    if let Some(centrald) = real_centrald().await.unwrap() {
        this_machine_is_followed(centrald.address(), None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_crossed_under_the_real_centrald() {
    if let Some(centrald) = real_centrald().await.unwrap() {
        let hub = Hub::sensord().under(centrald.address()).with(DISK_RULE).start();
        a_threshold_is_crossed(centrald.address(), &hub, Sender::Text).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_centrald_is_restarted() {
    let Some(centrald) = real_centrald().await.unwrap() else { return };
    let hub = Hub::sensord().under(centrald.address()).start();
    assert_eq!(say(hub.address(), "node=door disk_percent=85 interval=60").await.unwrap(), "ok");
    let nodes = rts2::device(centrald.address(), "NODES").await;
    drop(nodes);
    let centrald = centrald.restart().await.unwrap();
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    let disk = rts2::value(&mut nodes, "door_disk_percent", |_| true).await;
    assert_eq!((disk.number(), disk.level()), (Some(85.0), Level::Warning), "{disk:?}");
}
