//! The archive past one machine: a Galera cluster whose nodes are killed under a hub that writes, and two hubs that write
//! into one database.

use std::fs;
use std::net::SocketAddr;

use lamon_store::testing::{DATABASE, Galera, Mariadb, PASSWORD};
use lamon_tests::archive;
use lamon_tests::bus::snapshot;
use lamon_tests::hub::Hub;
use lamon_tests::simulated::{Identity, SimulatedAgent, readings};
use lamon_tests::wait::eventually;
use lamon_wire::frames::{AgentFrame, Row, Samples};
use tokio_util::sync::CancellationToken;

/// The agents, each with an epoch of its own.
const AGENTS: [(&str, u32); 4] = [("ccd01", 1), ("ccd02", 2), ("door", 3), ("tcs", 4)];

/// Samples between two acknowledgements that a simulated agent waits for.
const BATCH: u64 = 10;

/// Sends samples until it is told to stop; how many were acknowledged, which is all that were sent.
async fn send_until(hub: SocketAddr, identity: Identity, stop: CancellationToken) -> anyhow::Result<u64> {
    let mut agent = SimulatedAgent::connect(hub, &identity).await?;
    agent.send_table(1, &[("cpu_percent", 2)]).await?;
    let mut acknowledged = 0;
    while !stop.is_cancelled() {
        let rows = (0..BATCH).map(|_| readings(&[1.5], 2)).collect();
        agent.send_samples(1, acknowledged + 1, rows).await?;
        acknowledged += BATCH;
        agent.acknowledged(acknowledged).await?;
    }
    Ok(acknowledged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_loses_a_node_and_then_the_one_in_use_and_every_sample_is_on_every_node_once() {
    if let Some(why) = Galera::missing() {
        eprintln!("not run: {why}");
        return;
    }
    let mut cluster = Galera::start().unwrap();
    let hub = Hub::sensord().archiving_to_one_of(&cluster.url_texts(DATABASE)).start();
    let in_use = async |place: &str| {
        eventually(&format!("the hub to write to {place}"), || async {
            let (_, messages) = snapshot(hub.snapshot(), &["hub"]).ok()?;
            messages.first().filter(|hub| hub.text("database_server").contains(place)).map(drop)
        })
        .await;
    };
    let place = |cluster: &Galera, node: usize| format!("127.0.0.1:{}/", cluster.node(node).port());
    let stop = CancellationToken::new();
    let sending = AGENTS.map(|(node, epoch)| {
        tokio::spawn(send_until(hub.address(), Identity::new(node, epoch), stop.clone()))
    });
    let more_rows =
        async |cluster: &Galera, than: usize| archive::rows(&cluster.url(), "ccd01", than + 1).await.len();
    in_use(&place(&cluster, 0)).await;
    let rows = more_rows(&cluster, 0).await;

    cluster.kill(2).unwrap();
    let rows = more_rows(&cluster, rows).await;
    cluster.rejoin(2).unwrap();
    cluster.kill(0).unwrap();
    in_use(&place(&cluster, 1)).await;
    let rows = more_rows(&cluster, rows).await;
    cluster.rejoin(0).unwrap();
    more_rows(&cluster, rows).await;

    stop.cancel();
    let mut sent = Vec::new();
    for ((node, epoch), sending) in AGENTS.into_iter().zip(sending) {
        let acknowledged = sending.await.unwrap().unwrap();
        archive::rows(&cluster.url(), node, usize::try_from(acknowledged).unwrap()).await;
        sent.extend((1..=acknowledged).map(|number| [node.into(), epoch.to_string(), number.to_string()]));
    }
    for node in 0..3 {
        let sql = "SELECT node, epoch, sequence FROM samples ORDER BY node, epoch, sequence";
        let stored = cluster.execute(node, sql).unwrap();
        assert!(stored == sent, "{} rows on node {node}, {} samples sent", stored.len(), sent.len());
        assert_eq!(cluster.execute(node, "SELECT COUNT(*) FROM dead_letter").unwrap(), [["0"]]);
    }

    // Nothing that anybody can see has the password.
    let command_line = fs::read(format!("/proc/{}/cmdline", hub.id())).unwrap();
    let seen = hub.log().join("\n") + &String::from_utf8_lossy(&command_line);
    let in_url =
        &cluster.node(0).url_text("x")["mysql://lamon:".len()..].split('@').next().unwrap().to_owned();
    assert!(!seen.contains(PASSWORD) && !seen.contains(in_url), "a password is shown");
}

/// Two hours ago by the node's monotonic clock, which a simulated agent begins a day after the boot; milliseconds.
const TWO_HOURS_AGO: u64 = (24 - 2) * 3_600_000;

/// Sends what an agent kept for an hour, from two hours ago on: a sample each ten seconds. Each is worth its number.
async fn send_an_old_hour(hub: SocketAddr, node: &str, epoch: u32) -> anyhow::Result<()> {
    let mut agent = SimulatedAgent::connect(hub, &Identity::new(node, epoch)).await?;
    agent.send_table(1, &[("cpu_percent", 2)]).await?;
    for begin in (0..360).step_by(60) {
        let row =
            |place: u32| Row { after_ms: if place == 0 { 0 } else { 10_000 }, readings: readings(&[1.0], 2) };
        let monotonic_ms = TWO_HOURS_AGO + begin * 10_000;
        let samples = Samples { table: 1, first: begin + 1, monotonic_ms, rows: (0..60).map(row).collect() };
        agent.send(&AgentFrame::Samples(samples)).await?;
        agent.acknowledged(begin + 60).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_write_into_one_database() {
    let server = Mariadb::start().unwrap();
    let hub =
        |name| Hub::collector().named(name).archiving_to(&server.url_text(DATABASE)).try_start().unwrap();
    // Both find the database empty.
    let (south, north) = std::thread::scope(|scope| {
        let north = scope.spawn(|| hub("north"));
        (hub("south"), north.join().unwrap())
    });
    // A node of its own each, and one that went from one to the other and left half of each hour here and there.
    let (a, b) = tokio::join!(
        async {
            send_an_old_hour(north.address(), "ccd01", 1).await?;
            send_an_old_hour(north.address(), "moved", 3).await
        },
        async {
            send_an_old_hour(south.address(), "moved", 4).await?;
            send_an_old_hour(south.address(), "door", 2).await
        },
    );
    a.and(b).unwrap();
    let rolled = eventually("every rollup", || async {
        let sql = "SELECT node, CAST(SUM(cpu_percent_count) AS SIGNED) FROM samples_10m GROUP BY node ORDER BY node";
        let rolled = server.execute(sql).ok()?;
        (rolled == [["ccd01", "360"], ["door", "360"], ["moved", "720"]]).then_some(rolled)
    })
    .await;
    assert_eq!(rolled.len(), 3);
    let stored = server
        .execute("SELECT hub, node, COUNT(*), COUNT(DISTINCT epoch, sequence) FROM samples GROUP BY hub, node ORDER BY hub, node")
        .unwrap();
    let (ccd01, door, moved) = ("ccd01", "door", "moved");
    assert_eq!(
        stored,
        [
            ["north", ccd01, "360", "360"],
            ["north", moved, "360", "360"],
            ["south", door, "360", "360"],
            ["south", moved, "360", "360"]
        ]
    );
    for hub in [north, south] {
        assert!(hub.log().iter().all(|line| !line.contains("cannot be brought")), "{:?}", hub.log());
    }
}
