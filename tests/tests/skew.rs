//! Agents and hubs of earlier and later releases, by bytes that are frozen in `tests/skew/`: what an agent of then said is said to
//! the present hub, and what a hub of then said to the present agent. Both are read as the releases of then would read them.
//!
//! If one of these fails, the code is wrong, not the bytes: agents of every release are in the field.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

#[path = "skew/frozen.rs"]
mod frozen;
#[path = "skew/peer.rs"]
mod peer;
#[path = "skew/recorder.rs"]
mod recorder;
#[path = "skew/wire.rs"]
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::fs;

use lamon_tests::agent::Agent;
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_wire::frames::{AgentFrame, HubFrame};
use tokio::net::TcpListener;

use self::frozen::{Conversation, Who};
use self::peer::Peer;
use self::recorder::{NODE, SETTINGS, now_ms};
use self::wire::Said;

/// How long a hello may be on its way on a busy machine, milliseconds.
const TRAVEL_MS: i64 = 5_000;

#[test]
fn a_frozen_file_means_what_it_meant() {
    assert!(frozen::all().len() >= 3);
    for name in frozen::all() {
        let conversation = frozen::read(&name);
        let said: Vec<_> = conversation.said().iter().map(|said| format!("{said:?}")).collect();
        assert_eq!(said, conversation.meanings(), "{name}");
        let stored: BTreeMap<_, _> =
            conversation.stored.iter().map(|(sequence, (_, values))| (*sequence, values.clone())).collect();
        assert_eq!(stored, conversation.sent(), "{name}");
        // The present release reads the same bytes, and would write them.
        let (mut hello, mut answer) = (true, true);
        for (who, payload) in &conversation.frames {
            let mut out = Vec::new();
            match who {
                Who::Agent if std::mem::take(&mut hello) => continue,
                Who::Hub if std::mem::take(&mut answer) => continue,
                Who::Agent => AgentFrame::parse(payload).unwrap().write(&mut out).unwrap(),
                Who::Hub => HubFrame::parse(payload).unwrap().write(&mut out).unwrap(),
            }
            assert_eq!(out[2..], payload[..], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_of_each_release_is_heard_by_this_hub() {
    for name in frozen::all() {
        let conversation = frozen::read(&name);
        let hub = Hub::collector().with(SETTINGS).start();
        let hello_ms = now_ms();
        speak_as_agent(&hub, &conversation).await;
        let rows = archive::rows(&hub.archive(), NODE, conversation.stored.len()).await;
        assert_eq!(rows.len(), conversation.stored.len(), "{name}");
        for row in rows {
            let (after_ms, expected) = &conversation.stored[&row.sequence];
            let mut values: BTreeMap<_, _> =
                row.metrics.iter().map(|(name, value)| (name.to_string(), *value)).collect();
            values.remove("clock_offset");
            assert_eq!(values, *expected, "{name}, sample {}", row.sequence);
            // What was taken behind the hello comes sooner here than it did then, and is not of the future.
            let (least, most) = (*after_ms.min(&0), *after_ms + TRAVEL_MS);
            let after = row.time_ms - hello_ms;
            // Clocks of milliseconds on both sides.
            assert!((least - 2..=most).contains(&after), "{name}, sample {}: {after} ms", row.sequence);
        }
        let complaint = |line: &&String| {
            ["protocol", "refused", " ERROR "].iter().any(|word| line.contains(word))
                && !line.contains("clock")
        };
        assert_eq!(hub.log().iter().find(complaint), None, "{name}");
    }
}

/// Says what the agent said, and reads the hub's words as a release of then does.
async fn speak_as_agent(hub: &Hub, conversation: &Conversation) {
    let mut peer = Peer::to_hub(hub.address()).await;
    let (version, last) = (conversation.version(), *conversation.stored.keys().last().unwrap());
    let mut frames: VecDeque<_> = conversation.frames.iter().filter(|(who, _)| *who == Who::Agent).collect();
    let (_, hello) = frames.pop_front().unwrap();
    peer.send(hello).await;
    let answer = wire::answer(&peer.next().await).unwrap();
    let welcomed =
        matches!(answer, Said::Welcome { version: agreed, committed: None, .. } if agreed == version);
    assert!(welcomed, "{answer:?}");
    // Right behind it a hub always asks for the time.
    let ping = peer.next().await;
    assert!(matches!(wire::from_hub(&ping, version), Ok(Said::Ping { .. })));
    let mut ponged = false;
    for (_, payload) in frames {
        let is_pong = matches!(wire::from_agent(payload, version), Ok(Said::Pong { .. }));
        if !is_pong {
            peer.send(payload).await;
        } else if !std::mem::replace(&mut ponged, true) {
            peer.send(&wire::pong_to(&ping, payload).unwrap()).await;
        }
    }
    let mut settings = None;
    loop {
        match wire::from_hub(&peer.next().await, version).unwrap() {
            Said::Ack { upto } if upto >= last => break,
            Said::Settings { interval_ms, watch } => settings = Some((interval_ms, watch)),
            _ => {}
        }
    }
    assert_eq!(settings, Some((Some(2_000), vec!["sshd".to_owned()])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_agent_is_served_by_a_hub_of_each_release() {
    for name in frozen::all() {
        let conversation = frozen::read(&name);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agent = Agent::named(NODE).sending_to(listener.local_addr().unwrap()).start();
        let mut peer = Peer::from_agent(listener.accept().await.unwrap().0).await;
        let first_epoch = greeted(&mut peer, &conversation).await;
        let last = speak_as_hub(&mut peer, &conversation).await;
        drop(peer);
        // What was acknowledged is gone; the next is the first of the next connection.
        let mut peer = Peer::from_agent(listener.accept().await.unwrap().0).await;
        assert_eq!(greeted(&mut peer, &conversation).await, first_epoch, "{name}");
        peer.send(&conversation.frames.iter().find(|(who, _)| *who == Who::Hub).unwrap().1).await;
        let again = loop {
            if let Said::Samples { first, .. } =
                wire::from_agent(&peer.next().await, conversation.version()).unwrap()
            {
                break first;
            }
        };
        assert_eq!(again, last + 1, "{name}");
        drop(agent);
    }
}

/// The epoch of the present agent's hello, which offers all that the hub of then knows.
async fn greeted(peer: &mut Peer, conversation: &Conversation) -> u64 {
    let hello = wire::hello(&peer.next().await).unwrap();
    let Said::Hello { version, node, epoch, interval_ms, .. } = hello else { unreachable!("{hello:?}") };
    assert_eq!((node.as_str(), interval_ms), (NODE, 1_000));
    assert!(version >= conversation.version());
    epoch
}

/// Says what the hub said, each acknowledgement when its samples have come; gives the last of these.
async fn speak_as_hub(peer: &mut Peer, conversation: &Conversation) -> u64 {
    let version = conversation.version();
    let (mut table, mut taken, mut watches) = (Vec::new(), VecDeque::new(), false);
    let (mut came, mut ponged, mut acknowledged) = (0, false, 0);
    for ((who, payload), said) in conversation.frames.iter().zip(conversation.said()) {
        if *who == Who::Agent {
            continue;
        }
        // What the hub knew then, it must have been told now.
        while matches!(said, Said::Ack { upto } if upto > came) {
            match wire::from_agent(&peer.next().await, version).unwrap() {
                Said::Table { metrics, .. } => table = metrics,
                Said::Samples { first, rows, .. } => {
                    assert_eq!(first, came + 1);
                    came += u64::try_from(rows.len()).unwrap();
                    assert!(rows.iter().all(|(_, readings)| readings.len() == table.len()));
                    taken.extend(rows.iter().map(|(clock, _)| *clock));
                    watches |= table.iter().any(|(name, _)| name == "proc_sshd");
                }
                Said::Pong { .. } => ponged = true,
                _ => {}
            }
        }
        peer.send(payload).await;
        if let Said::Ack { upto } = said {
            acknowledged = upto;
        }
    }
    assert!(ponged && watches, "pinged and told to watch: {ponged}, {watches}");
    // The first samples may have been taken before the hub told the interval.
    let last: Vec<_> = taken.iter().rev().take(2).collect();
    assert!(last[0] - last[1] >= 1_500, "every two seconds: {taken:?}");
    // What was sent and not acknowledged comes again.
    acknowledged
}

/// Writes a new file: CONTRIBUTING.md says when.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it freezes a release"]
async fn freeze() {
    let release = env!("CARGO_PKG_VERSION");
    let path = frozen::path(&format!("release-{release}.txt"));
    assert!(!path.exists(), "release {release} is frozen already");
    let about = format!(
        "lamon {release}, agent and hub, as recorded between them. Frozen: if a test fails, the code is wrong."
    );
    fs::write(path, recorder::record(about).await.write()).unwrap();
}
