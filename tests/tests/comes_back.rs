//! A hub that is killed under two hundred nodes in TLS: all of them come back, and what was acknowledged and what was not is stored once.
//! Whom it had sent away stays away.
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lamon_control::Operation;
use lamon_control::answer::Answer;
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::{self, Operator};
use lamon_tests::simulated::{Identity, InTls, SimulatedAgent, readings};
use lamon_tests::wait::eventually;
use lamon_wire::frames::HubFrame;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const NODES: u8 = 200;

/// How many samples each takes.
const SAMPLES: u64 = 12;

/// Up to which number each node is acknowledged.
type Acknowledged = Arc<Vec<AtomicU64>>;

/// Takes samples whether it is connected or not, and sends until all are acknowledged.
async fn node(number: u8, hub: SocketAddr, tls: InTls, all: Acknowledged) {
    let identity = Identity::new(&format!("n{number:03}"), 1);
    let acknowledged = &all[usize::from(number)];
    let (mut taken, mut ticks) = (0, interval(Duration::from_millis(500)));
    while acknowledged.load(Ordering::Relaxed) < SAMPLES {
        if let Ok(agent) = SimulatedAgent::connect_tls(hub, &identity, &tls).await {
            let _ = serve(agent, &mut taken, &mut ticks, acknowledged).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn serve(
    mut agent: SimulatedAgent,
    taken: &mut u64,
    ticks: &mut tokio::time::Interval,
    acknowledged: &AtomicU64,
) -> anyhow::Result<()> {
    agent.send_table(1, &[("load1", 2)]).await?;
    if let Some(committed) = agent.welcome().committed {
        acknowledged.fetch_max(committed, Ordering::Relaxed);
    }
    let mut sent = acknowledged.load(Ordering::Relaxed);
    while acknowledged.load(Ordering::Relaxed) < SAMPLES {
        while sent < *taken {
            sent += 1;
            let value = f64::from(u32::try_from(sent)?);
            agent.send_samples(1, sent, vec![readings(&[value], 2)]).await?;
        }
        tokio::select! {
            _ = ticks.tick(), if *taken < SAMPLES => *taken += 1,
            frame = agent.next() => match frame? {
                Some(HubFrame::Ack(upto)) => drop(acknowledged.fetch_max(upto, Ordering::Relaxed)),
                Some(_) => {}
                None => anyhow::bail!("the hub is gone"),
            },
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_nodes_in_tls_come_back_after_a_kill_of_the_hub_and_lose_nothing() {
    let hub = Hub::collector().believing("[]").quietly().start();
    let folder = TempDir::new().unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let all: Acknowledged = Arc::new((0..NODES).map(|_| AtomicU64::new(0)).collect());
    let mut nodes = JoinSet::new();
    for number in 0..NODES {
        let tls = operator.approved(folder.path(), &format!("n{number:03}")).unwrap();
        let tls = InTls { from: Some(IpAddr::from([127, 2, 0, number.max(1)])), ..tls };
        nodes.spawn(node(number, hub.address(), tls, Arc::clone(&all)));
    }
    let least = || all.iter().map(|upto| upto.load(Ordering::Relaxed)).min().unwrap_or_default();
    eventually("a sample of each node", || async { (least() >= 1).then_some(()) }).await;
    let hub = hub.crash().start();
    eventually("all samples of all nodes", || async { (least() >= SAMPLES).then_some(()) }).await;
    while let Some(ended) = nodes.join_next().await {
        ended.unwrap();
    }
    for number in 0..NODES {
        let samples = usize::try_from(SAMPLES).unwrap();
        let mut rows = archive::rows(&hub.archive(), &format!("n{number:03}"), samples).await;
        rows.sort_by_key(|row| row.sequence);
        let stored: Vec<_> = rows.iter().map(|row| (row.sequence, row.metric("load1"))).collect();
        let expected: Vec<_> = (1..=SAMPLES)
            .map(|sequence| (sequence, Some(f64::from(u32::try_from(sequence).unwrap()))))
            .collect();
        assert_eq!(stored, expected, "node {number}: each once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_and_a_used_secret_are_worth_nothing_after_a_kill_of_the_hub() {
    let hub = Hub::collector().believing("[]").start();
    let folder = TempDir::new().unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let hub_key = operator.hub_key().unwrap();
    let new_key = |name: &str| keyed::key(folder.path(), name, hub_key).unwrap().0;
    let mut secret = |uses| {
        let token = operator.join(uses, Duration::from_secs(3_600)).unwrap();
        token.split('@').next().unwrap().to_owned()
    };
    let (two, one) = (secret(2), secret(1));
    let joining = |name: &str, secret: &str| InTls { join: Some(secret.to_owned()), ..new_key(name) };
    let come = async |hub: &Hub, name: &str, tls: InTls| {
        let came = SimulatedAgent::connect_tls(hub.address(), &Identity::new(name, 1), &tls).await;
        came.err().map(|why| why.to_string()).unwrap_or_default()
    };
    let stolen = operator.approved(folder.path(), "stolen").unwrap();
    assert_eq!(come(&hub, "first", joining("first", &one)).await, "");
    assert_eq!(come(&hub, "second", joining("second", &two)).await, "");
    // Its answer comes when it is on disk, and with it what was before it.
    operator.ask(Operation::Revoke { target: "stolen".into(), reason: "stolen".into() }).unwrap();
    let hub = hub.crash().start();
    let why = come(&hub, "stolen", stolen).await;
    assert!(why.contains("this key was revoked"), "{why}");
    let why = come(&hub, "third", joining("third", &one)).await;
    assert!(why.contains("used as often as it may be"), "{why}");
    assert_eq!(come(&hub, "third", joining("third", &two)).await, "", "it lets one more in");
    let why = come(&hub, "fourth", joining("fourth", &two)).await;
    assert!(why.contains("used as often as it may be"), "{why}");
    assert_eq!(come(&hub, "first", new_key("first")).await, "", "who was let in stays so");
    let Answer::Keys(keys) = Operator::connect(hub.control()).unwrap().ask(Operation::Keys {}).unwrap()
    else {
        panic!("no keys")
    };
    let nodes: Vec<_> = keys.approved.iter().map(|key| key.node.as_str()).collect();
    assert_eq!(nodes, ["first", "second", "third"]);
}
