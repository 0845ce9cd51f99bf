//! Freezes what the present agent and the present hub say to each other: CONTRIBUTING.md says when.

use std::time::{SystemTime, UNIX_EPOCH};

use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::wait::patiently;
use tokio::net::TcpListener;

use super::frozen::{Conversation, Who};
use super::peer::Peer;
use super::wire::{self, Said};

/// How often the agent finds no hub at first, a second or more apart: then it has a backlog.
const REFUSED: usize = 3;

/// How many samples are sent, at least; all are acknowledged at the end.
const SAMPLES: u64 = 8;

/// What the hub tells the agent to do, and the name of the agent's node.
pub(crate) const SETTINGS: &str = "[[agents]]\ninterval = \"2s\"\nwatch = [\"sshd\"]";
pub(crate) const NODE: &str = "ccd01";

/// An agent with a backlog, its hub between them, until that has acknowledged some samples.
pub(crate) async fn record(about: String) -> Conversation {
    let hub = Hub::collector().with(SETTINGS).start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let agent = Agent::named(NODE).sending_to(listener.local_addr().unwrap()).start();
    for _ in 0..REFUSED {
        drop(patiently("the agent", listener.accept()).await.unwrap());
    }
    let (stream, _) = patiently("the agent", listener.accept()).await.unwrap();
    let (mut from_agent, mut from_hub) = (Peer::from_agent(stream).await, Peer::to_hub(hub.address()).await);
    let mut conversation = Conversation::new(about);
    let hello = from_agent.next().await;
    let hello_ms = now_ms();
    from_hub.send(&hello).await;
    conversation.frames.push((Who::Agent, hello));
    // Before its answer a hub says nothing.
    let answer = from_hub.next().await;
    from_agent.send(&answer).await;
    conversation.frames.push((Who::Hub, answer));
    let version = conversation.version();
    let (mut sent, mut acknowledged) = (0, 0);
    while sent < SAMPLES || acknowledged < sent {
        // A frame is whole before the next of the other side is looked for: `ready` reads nothing.
        tokio::select! {
            () = from_agent.ready(), if sent < SAMPLES => {
                let frame = from_agent.next().await;
                from_hub.send(&frame).await;
                if let Said::Samples { first, rows, .. } = wire::from_agent(&frame, version).unwrap() {
                    sent = first - 1 + u64::try_from(rows.len()).unwrap();
                }
                conversation.frames.push((Who::Agent, frame));
            }
            () = from_hub.ready() => {
                let frame = from_hub.next().await;
                from_agent.send(&frame).await;
                if let Said::Ack { upto } = wire::from_hub(&frame, version).unwrap() {
                    acknowledged = upto;
                }
                conversation.frames.push((Who::Hub, frame));
            }
        }
    }
    drop((agent, from_agent));
    let stored = usize::try_from(sent).unwrap();
    for row in archive::rows(&hub.archive(), NODE, stored).await {
        let values = row.metrics.iter().map(|(name, value)| (name.to_string(), *value));
        // The hub reckons that itself, by the clocks of the day.
        let values = values.filter(|(name, _)| name != "clock_offset").collect();
        conversation.stored.insert(row.sequence, (row.time_ms - hello_ms, values));
    }
    conversation
}

/// The time, unix milliseconds.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}
