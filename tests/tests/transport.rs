//! The acknowledged transport where it is put to the test: a journal that refuses one node's samples, and what is known of
//! samples that are missing.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::bus::{Subscriber, snapshot};
use lamon_tests::hub::Hub;
use lamon_tests::simulated::{Identity, SimulatedAgent, readings};
use lamon_tests::text::say;
use lamon_tests::wait::{eventually, patiently};
use lamon_wire::frames::{AgentFrame, HubFrame, Tally};

/// Has the hub's journal refuse every sample of ccd01, or take them again.
fn refuse(data_dir: &Path, refuse: bool) -> anyhow::Result<()> {
    let path = data_dir.join("journal.sqlite");
    let mut journal = SqliteConnection::establish(&path.to_string_lossy())?;
    journal.batch_execute("PRAGMA busy_timeout = 10000")?;
    journal.batch_execute(if refuse {
        "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.node = 'ccd01'
         BEGIN SELECT RAISE(ABORT, 'no room for this one'); END"
    } else {
        "DROP TRIGGER refuse"
    })?;
    Ok(())
}

/// Sends lines of another node until one is on disk: that can take a few commits, while they are tried together.
async fn another_node_is_served(hub: &Hub) {
    eventually("a line on disk", || async {
        (say(hub.address(), "node=door cpu_percent=1").await.ok()? == "ok").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn samples_that_the_journal_refuses_stop_nobody_else_and_come_again_in_order() {
    let hub = Hub::collector().start();
    another_node_is_served(&hub).await;
    refuse(hub.data_dir(), true).unwrap();
    let mut bus = Subscriber::join(&hub, &["sample/ccd01"]).await.unwrap();
    let identity = Identity::new("ccd01", 1);
    let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    agent.send_table(1, &[("load1", 2)]).await.unwrap();
    let rows = |range: std::ops::Range<u32>| range.map(|value| readings(&[f64::from(value)], 2)).collect();
    agent.send_samples(1, 1, rows(1..4)).await.unwrap();
    agent.send_samples(1, 4, rows(4..6)).await.unwrap();
    another_node_is_served(&hub).await;
    hub.says("the journal refuses samples of ccd01, which are sent again");
    let asked = patiently("a rewind", agent.next()).await.unwrap();
    assert_eq!(asked, Some(HubFrame::Rewind(1)));
    // This one crossed the rewind: it is shown, and not taken for what comes after 5.
    agent.send_samples(1, 6, rows(6..7)).await.unwrap();
    bus.until("the newest sample", |message| message.text("sequence") == "6");
    refuse(hub.data_dir(), false).unwrap();
    agent.send(&AgentFrame::Rewound(1)).await.unwrap();
    agent.send_samples(1, 1, rows(1..7)).await.unwrap();
    agent.acknowledged(6).await.unwrap();
    let rows = archive::rows(&hub.archive(), "ccd01", 6).await;
    let stored: Vec<_> = rows.iter().map(|row| (row.sequence, row.metric("load1"))).collect();
    let expected: Vec<_> = (1..7_u32).map(|value| (value.into(), Some(f64::from(value)))).collect();
    assert_eq!(stored, expected, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_agent_whose_samples_were_refused_loses_none() {
    let hub = Hub::collector().start();
    another_node_is_served(&hub).await;
    refuse(hub.data_dir(), true).unwrap();
    let agent = Agent::named("ccd01").sending_to(hub.address()).start();
    eventually("a refusal", || async {
        another_node_is_served(&hub).await;
        hub.log().iter().any(|line| line.contains("the journal refuses samples of ccd01")).then_some(())
    })
    .await;
    refuse(hub.data_dir(), false).unwrap();
    let rows = archive::rows(&hub.archive(), "ccd01", 4).await;
    let sequences: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(sequences, (1..).take(sequences.len()).collect::<Vec<_>>(), "all, each once");
    let connected = hub.log().iter().filter(|line| line.contains("agent connected")).count();
    assert_eq!(connected, 1, "on one connection");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_of_a_node_is_told_until_it_came_also_after_a_restart_of_the_hub() {
    let hub = Hub::collector().start();
    let identity = Identity::new("ccd01", 1);
    let mut agent = SimulatedAgent::connect(hub.address(), &identity).await.unwrap();
    agent.send_table(1, &[("load1", 2)]).await.unwrap();
    let tally = |taken, acknowledged, lost| AgentFrame::Tally(Tally { taken, acknowledged, lost });
    agent.send(&tally(10, 4, 2)).await.unwrap();
    agent.send_samples(1, 7, vec![readings(&[1.0], 2); 2]).await.unwrap();
    told(&hub, 0.6, r#"[{"completeness":0.6,"lost":2,"node":"ccd01","waiting":2}]"#).await;
    agent.send_samples(1, 9, vec![readings(&[1.0], 2); 2]).await.unwrap();
    agent.acknowledged(10).await.unwrap();
    told(&hub, 0.8, r#"[{"completeness":0.8,"lost":2,"node":"ccd01","waiting":0}]"#).await;
    // The agent starts anew with nothing kept: what was lost before stays told.
    let anew = Identity::new("ccd01", 2);
    let mut agent = SimulatedAgent::connect(hub.address(), &anew).await.unwrap();
    agent.send(&tally(10, 10, 0)).await.unwrap();
    told(&hub, 0.9, r#"[{"completeness":0.9,"lost":2,"node":"ccd01","waiting":0}]"#).await;
    // Nobody tells of those epochs any more; the hub wrote them down.
    drop(agent);
    let hub = hub.terminate().unwrap().start();
    let third = Identity::new("ccd01", 3);
    let mut agent = SimulatedAgent::connect(hub.address(), &third).await.unwrap();
    agent.send(&tally(20, 20, 0)).await.unwrap();
    told(&hub, 0.95, r#"[{"completeness":0.95,"lost":2,"node":"ccd01","waiting":0}]"#).await;
}

/// Waits until the hub says that so much is stored.
async fn told(hub: &Hub, completeness: f64, incomplete: &str) {
    eventually("the hub's word", || async {
        let (_, messages) = snapshot(hub.snapshot(), &["hub"]).ok()?;
        let message = messages.into_iter().next()?;
        let same = (message.json.get("completeness")?.as_f64()? - completeness).abs() < 1e-9;
        let named = message.json.get("incomplete")?.to_string();
        same.then(|| assert_eq!(named, incomplete))
    })
    .await;
}
