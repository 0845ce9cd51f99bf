//! Peers that break the protocol, say nothing, or do not read: each costs itself only.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lamon_control::Operation;
use lamon_control::answer::Answer;
use lamon_tests::bus::{Subscriber, snapshot};
use lamon_tests::hub::Hub;
use lamon_tests::keyed::Operator;
use lamon_tests::simulated::{Identity, SimulatedAgent, hello, readings};
use lamon_tests::text::{TextSender, say};
use lamon_tests::wait::patiently;
use lamon_wire::MAGIC;
use lamon_wire::framing::FrameBuffer;
use lamon_wire::hello::Answer as Word;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An agent of a node that is well, with its table sent.
async fn good_agent(hub: SocketAddr) -> anyhow::Result<SimulatedAgent> {
    let mut agent = SimulatedAgent::connect(hub, &Identity::new("good", 1)).await?;
    agent.send_table(1, &[("cpu_percent", 2)]).await?;
    Ok(agent)
}

/// Its sample goes all the way.
async fn is_served(agent: &mut SimulatedAgent, sequence: u64) -> anyhow::Result<()> {
    agent.send_samples(1, sequence, vec![readings(&[3.5], 2)]).await?;
    agent.acknowledged(sequence).await
}

/// Sends bytes behind the magic, and gives what the hub answers before it closes.
async fn first_words(hub: SocketAddr, bytes: &[u8]) -> anyhow::Result<Option<Word>> {
    let mut stream = TcpStream::connect(hub).await?;
    stream.write_all(&MAGIC).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut said = Vec::new();
    patiently("the hub's close", stream.read_to_end(&mut said)).await?;
    let mut frames = FrameBuffer::new();
    frames.extend(&said);
    Ok(frames.next_frame().map(Word::parse).transpose()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hello_that_is_none_is_refused_with_the_reason() {
    let hub = Hub::collector().start();
    let mut good = good_agent(hub.address()).await.unwrap();
    let mut long = hello(&Identity::new("a", 1)).unwrap();
    long.os = "x".repeat(65);
    let mut never = hello(&Identity::new("a", 1)).unwrap();
    never.interval_ms = 0;
    let frame = |hello: &lamon_wire::hello::Hello| {
        let mut out = Vec::new();
        hello.write(&mut out).unwrap();
        out
    };
    // A name that is none, where a program of ours could not write one.
    let mut named = frame(&hello(&Identity::new("abcd", 1)).unwrap());
    let at = named.windows(4).position(|word| word == b"abcd").unwrap();
    let mut called = |name: &[u8; 4]| {
        named[at..at + 4].copy_from_slice(name);
        named.clone()
    };
    for (bytes, reason) in [
        (called(b"a/b\n"), "not a hello"),
        (called(b"../a"), "not a hello"),
        (called(b"_hub"), "not a hello"),
        (called(b"\x1b[2J"), "not a hello"),
        (vec![0, 3, 0xff, 0xff, 0xff], "not a hello"),
        (vec![0, 0], "not a hello"),
        (frame(&long), "os of 65 bytes"),
        (frame(&never), "interval of 0 ms"),
        (vec![0xff, 0xff, 1, 2, 3], "the connection ended within the hello"),
    ] {
        match first_words(hub.address(), &bytes).await.unwrap() {
            Some(Word::Refused { why }) => assert!(why.contains(reason), "{bytes:?}: {why}"),
            other => panic!("{bytes:?}: {other:?}"),
        }
    }
    is_served(&mut good, 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_frame_costs_its_connection_and_is_an_event() {
    let hub = Hub::collector().start();
    let mut bus = Subscriber::join(&hub, &["event/", "sample/"]).await.unwrap();
    let mut good = good_agent(hub.address()).await.unwrap();
    is_served(&mut good, 1).await.unwrap();
    let bad = |epoch| Identity::new("bad", epoch);

    let mut agent = SimulatedAgent::connect(hub.address(), &bad(1)).await.unwrap();
    agent.send_bytes(&[0, 2, 0x7f, 0x7f]).await.unwrap();
    agent.closed().await;

    let mut agent = SimulatedAgent::connect(hub.address(), &bad(2)).await.unwrap();
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(2, 1, vec![readings(&[1.0], 2)]).await.unwrap();
    agent.closed().await;

    let mut agent = SimulatedAgent::connect(hub.address(), &bad(3)).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[1.0], 2)]).await.unwrap();
    agent.closed().await;

    let mut agent = SimulatedAgent::connect(hub.address(), &bad(4)).await.unwrap();
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[1.0, 2.0], 2)]).await.unwrap();
    agent.closed().await;

    let mut agent = SimulatedAgent::connect(hub.address(), &bad(5)).await.unwrap();
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(1, 5, vec![readings(&[1.0], 2)]).await.unwrap();
    agent.send_samples(1, 5, vec![readings(&[1.0], 2)]).await.unwrap();
    agent.closed().await;

    for reason in [
        "does not decode",
        "samples of table 2, but the last table sent is Some(1)",
        "samples of table 1, but the last table sent is None",
        "2 readings for a table of 1 metrics",
        "sample 5 came after sample 5",
    ] {
        bus.until(reason, |message| {
            let text = message.text("text");
            message.text("kind") == "protocol" && text.contains("bad at 127.0.0.1") && text.contains(reason)
        });
    }
    // Only what made sense was shown.
    is_served(&mut good, 2).await.unwrap();
    bus.until("the good node", |message| message.text("sequence") == "2" && message.text("node") == "good");
    let shown = bus.seen().iter().filter(|message| message.topic == "sample/bad").count();
    assert_eq!(shown, 1, "the first sample of the last connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_connection_replaces_the_first_and_is_an_event() {
    let hub = Hub::collector().start();
    let mut bus = Subscriber::join(&hub, &["event/", "node/"]).await.unwrap();
    let mut first = good_agent(hub.address()).await.unwrap();
    is_served(&mut first, 1).await.unwrap();
    // The same agent comes again, because its old connection is half open: it continues where it was.
    let mut second = good_agent(hub.address()).await.unwrap();
    assert_eq!(second.welcome().committed, Some(1));
    first.closed().await;
    is_served(&mut second, 2).await.unwrap();
    let event = bus.until("the event", |message| message.text("kind") == "replaced");
    assert_eq!(event.topic, "event/good");
    bus.until("the node's message", |message| {
        message.topic == "node/good" && message.text("what") == "replaced"
    });
    // The end of the first is not the end of the node.
    drop(first);
    is_served(&mut second, 3).await.unwrap();
    // Two that do it to each other again and again are told of once.
    let mark = bus.mark().unwrap();
    for _ in 0..5 {
        second = good_agent(hub.address()).await.unwrap();
    }
    is_served(&mut second, 4).await.unwrap();
    assert_eq!(say(hub.address(), "x").await.unwrap().split(':').next(), Some("error"));
    let next = bus.after(mark, "an event", |message| message.topic.starts_with("event/"));
    assert_eq!(next.text("kind"), "protocol", "no other before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_hello_locks_nobody_out_and_is_closed_upon() {
    let hub = Hub::collector().start();
    let mut whole = Vec::new();
    hello(&Identity::new("good", 1)).unwrap().write(&mut whole).unwrap();
    let mut half_open = TcpStream::connect(hub.address()).await.unwrap();
    half_open.write_all(&MAGIC).await.unwrap();
    half_open.write_all(&whole[..whole.len() / 2]).await.unwrap();
    let mut mute = TcpStream::connect(hub.address()).await.unwrap();
    mute.write_all(&MAGIC[..2]).await.unwrap();
    let mut good = good_agent(hub.address()).await.unwrap();
    is_served(&mut good, 1).await.unwrap();
    for stream in [&mut half_open, &mut mute] {
        // A close with unread bytes is a reset: both are the end.
        let end = patiently("the hub's close", stream.read(&mut [0; 16])).await;
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    is_served(&mut good, 2).await.unwrap();
}

/// Whom the hub refuses it gives a second to read why, and not the ten of who says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_and_talks_on_is_closed_upon() {
    let hub = Hub::collector().start();
    let began = Instant::now();
    let mut stream = TcpStream::connect(hub.address()).await.unwrap();
    stream.write_all(&MAGIC).await.unwrap();
    stream.write_all(&[0, 0]).await.unwrap();
    let talking = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    patiently("the hub's close", talking).await;
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_idle_connections_do_not_stop_a_good_node() {
    let hub = Hub::collector().start();
    let mut idle = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(hub.address()).await.unwrap();
        match number % 3 {
            0 => {}
            1 => stream.write_all(b"node=idle cpu_per").await.unwrap(),
            _ => stream.write_all(&MAGIC).await.unwrap(),
        }
        idle.push(stream);
    }
    let mut good = good_agent(hub.address()).await.unwrap();
    is_served(&mut good, 1).await.unwrap();
    assert_eq!(say(hub.address(), "node=door cpu_percent=1").await.unwrap(), "ok");
    is_served(&mut good, 2).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_do_not_read_cost_themselves_only() {
    let mut hub = Hub::collector().start();
    // A text sender that sends for ever and reads no answer: its own connection fills, nothing else.
    let mut deaf = TextSender::connect(hub.address()).await.unwrap();
    // Until the hub, which waits ten seconds for its answers to be read, ends it.
    let flooding = async {
        // Each answer is short; the lines are wrong, so that none waits for the disk.
        let lines = "x\n".repeat(2_000);
        let flood = async { while deaf.send_bytes(lines.as_bytes()).await.is_ok() {} };
        patiently("the hub's close of who does not read", flood).await;
    };
    // A subscriber of the bus that never reads, and one that asks for snapshots and goes away.
    let context = zmq::Context::new();
    let mute = context.socket(zmq::SUB).unwrap();
    mute.set_rcvhwm(1).unwrap();
    mute.set_linger(0).unwrap();
    mute.set_subscribe(b"").unwrap();
    mute.connect(hub.publish()).unwrap();
    for _ in 0..20 {
        let gone = context.socket(zmq::DEALER).unwrap();
        gone.set_linger(100).unwrap();
        gone.connect(hub.snapshot()).unwrap();
        gone.send("snapshot", 0).unwrap();
    }
    let address = hub.address();
    let serving = async {
        let mut good = good_agent(address).await?;
        for sequence in 1..=4 {
            is_served(&mut good, sequence).await?;
        }
        anyhow::Ok(())
    };
    let (served, ()) = tokio::join!(serving, flooding);
    served.unwrap();
    assert!(hub.is_running());
    let (_, samples) = snapshot(hub.snapshot(), &["sample/good"]).unwrap();
    assert_eq!(samples.len(), 1);
}

/// What peers do is told of three hundred times at once and then twice a second: the alarms of others are not hidden by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_lines_without_end_are_told_of_so_often_and_hide_no_other_event() {
    let hub = Hub::collector().start();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    operator.approved(folder.path(), "vault").unwrap();
    let mut events = || {
        let Answer::Events(events) =
            operator.ask(Operation::Events { node: None, before: None, limit: Some(1_000) }).unwrap()
        else {
            panic!("no events")
        };
        events.events
    };
    let began = Instant::now();
    let mut bad = TextSender::connect(hub.address()).await.unwrap();
    assert_eq!(say(hub.address(), "node=door disk_percent=97").await.unwrap(), "ok");
    for _ in 0..40 {
        bad.send_bytes("x\n".repeat(50).as_bytes()).await.unwrap();
        for _ in 0..50 {
            assert!(bad.answer().await.unwrap().unwrap().starts_with("error: "));
        }
    }
    // Somebody without a key speaks for a node that has one; it is told once an hour, so it must not be missed.
    let refused = say(hub.address(), "node=vault disk_percent=1").await.unwrap();
    assert!(refused.starts_with("error: "), "{refused}");
    let most = 310 + 2 * usize::try_from(began.elapsed().as_secs()).unwrap();
    let events = events();
    let wrong = events.iter().filter(|event| event.text.contains("a text line from 127.0.0.1")).count();
    assert!((100..most).contains(&wrong), "{wrong} of 2,000");
    assert!(events.iter().any(|event| event.text.contains("door")), "the alarm of another");
    let told = events.iter().any(|event| event.kind == "key_refused" && event.text.contains("vault"));
    assert!(told, "{:?}", events.first());
}

/// Half of its files are for the disk, the bus, and who operates it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_when_half_of_the_hubs_files_are_connections_waits_until_one_ends() {
    const FILES: usize = 160;
    let hub = Hub::collector().opening_at_most(FILES).start();
    let mut inside = Vec::new();
    for number in 0..FILES / 2 {
        let mut sender = TextSender::connect(hub.address()).await.unwrap();
        sender.send(&format!("node=n{number} cpu_percent=1")).await.unwrap();
        assert_eq!(sender.answer().await.unwrap().unwrap(), "ok");
        inside.push(sender);
    }
    let mut late = Vec::new();
    for number in 0..FILES / 2 {
        let mut sender = TextSender::connect(hub.address()).await.unwrap();
        sender.send(&format!("node=late{number} cpu_percent=1")).await.unwrap();
        late.push(sender);
    }
    let told = tokio::time::timeout(Duration::from_millis(300), late[0].answer()).await;
    assert!(told.is_err(), "there is no room for it: {told:?}");
    let mut operator = Operator::connect(hub.control()).unwrap();
    let Answer::Nodes(nodes) = operator.ask(Operation::Nodes { after: None }).unwrap() else {
        panic!("no nodes")
    };
    assert_eq!(nodes.nodes.len(), FILES / 2);
    let files = std::fs::read_dir(format!("/proc/{}/fd", hub.id())).unwrap().count();
    assert!(files < FILES, "{files}");
    for (goes, comes) in inside.into_iter().zip(&mut late) {
        drop(goes);
        assert_eq!(comes.answer().await.unwrap().unwrap(), "ok");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_for_snapshots_are_answered_with_how_to_ask() {
    let hub = Hub::collector().start();
    let context = zmq::Context::new();
    for request in [vec!["what".to_owned()], vec![String::new()], {
        let mut many = vec!["snapshot".to_owned()];
        many.extend((0..65).map(|number| format!("sample/{number}")));
        many
    }] {
        let socket = context.socket(zmq::REQ).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_rcvtimeo(20_000).unwrap();
        socket.connect(hub.snapshot()).unwrap();
        socket.send_multipart(&request, 0).unwrap();
        let answer = socket.recv_multipart(0).unwrap();
        assert_eq!(answer[0], b"error", "{request:?}");
        assert!(String::from_utf8_lossy(&answer[1]).contains("snapshot"), "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_would_collide_in_rts2_are_refused() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=ccd-01 cpu_percent=1").await.unwrap(), "ok");
    let answer = say(hub.address(), "node=ccd_01 cpu_percent=1").await.unwrap();
    assert!(answer.starts_with("error: ") && answer.contains("ccd-01"), "{answer}");
    let refused = SimulatedAgent::connect(hub.address(), &Identity::new("ccd_01", 1)).await.unwrap_err();
    assert!(refused.to_string().contains("ccd-01"), "{refused}");
}
