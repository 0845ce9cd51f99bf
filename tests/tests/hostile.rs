//! Peers that mean harm, at the real hub: what each of them gets, and that a good node beside them loses nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use lamon_control::Operation;
use lamon_control::answer::Answer;
use lamon_keys::{Believed, Key, client};
use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::{self, Operator};
use lamon_tests::simulated::{Identity, InTls, SimulatedAgent, hello, readings};
use lamon_tests::wait::{eventually, patiently};
use lamon_tests::wiretap::Wiretap;
use lamon_tests::witness::{WITNESS, Witness};
use lamon_wire::MAGIC;
use lamon_wire::framing::{FrameBuffer, LENGTH_BYTES, MAX_FRAME_BYTES};
use lamon_wire::hello::{self as said, Extra};
use tokio::net::TcpSocket;

/// A hub that believes nobody without a key.
fn strict() -> Hub {
    Hub::collector().believing("[]").start()
}

/// A key as none of the hub's nodes has it.
fn stranger(witness: &Witness, name: &str) -> InTls {
    keyed::key(witness.folder(), name, witness.hub_key()).unwrap().0
}

async fn refused(hub: SocketAddr, node: &str, tls: &InTls) -> String {
    SimulatedAgent::connect_tls(hub, &Identity::new(node, 7), tls).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_another_key_or_another_nodes_or_a_revoked_one_gets_nothing() {
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let ccd01 = operator.approved(witness.folder(), "ccd01").unwrap();
    let mut speaking =
        SimulatedAgent::connect_tls(hub.address(), &Identity::new("ccd01", 1), &ccd01).await.unwrap();
    speaking.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    speaking.send_samples(1, 1, vec![readings(&[1.0], 2)]).await.unwrap();
    speaking.acknowledged(1).await.unwrap();
    let thief = stranger(&witness, "thief");
    for _ in 0..50 {
        // An enrolled node that claims another's name; a stranger that claims either.
        let why = refused(hub.address(), WITNESS, &ccd01).await;
        assert!(why.contains("this key is that of ccd01"), "{why}");
        let why = refused(hub.address(), "ccd02", &ccd01).await;
        assert!(why.contains("this key is that of ccd01"), "{why}");
        for node in [WITNESS, "ccd01"] {
            let why = refused(hub.address(), node, &thief).await;
            assert!(why.contains("waits to be approved"), "{why}");
        }
    }
    hub.says("comes with the key of ccd01: is its disk a copy?");
    // The stranger's key is revoked while it waits: the good node's connection is not touched by that.
    operator.ask(Operation::Revoke { target: "ccd01".into(), reason: "stolen".into() }).unwrap();
    patiently("the end of who is revoked", speaking.closed()).await;
    let why = refused(hub.address(), "ccd01", &ccd01).await;
    assert!(why.contains("this key was revoked") && why.contains("stolen"), "{why}");
    let Answer::Keys(keys) = operator.ask(Operation::Keys {}).unwrap() else { panic!("no keys") };
    let waiting = keys.waiting.iter().find(|waiting| waiting.node == WITNESS).unwrap();
    let target = waiting.key.clone();
    operator.ask(Operation::Revoke { target, reason: "nobody knows it".into() }).unwrap();
    assert!(refused(hub.address(), WITNESS, &thief).await.contains("was revoked"));
    assert_eq!(archive::rows(&hub.archive(), "ccd01", 1).await.len(), 1, "nobody else spoke for it");
    // On the one connection that it had from the start.
    witness.lost_nothing(&hub).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_new_nodes_fills_no_list_and_makes_few_events() {
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    for number in 0..400 {
        // One key, four hundred names, and then each with a key of its own.
        let name = if number % 2 == 0 { "one".to_owned() } else { format!("key{number}") };
        let tls = stranger(&witness, &name);
        let why = refused(hub.address(), &format!("new{number:03}"), &tls).await;
        assert!(why.contains("to be approved"), "{why}");
    }
    let mut operator = Operator::connect(hub.control()).unwrap();
    let Answer::Keys(keys) = operator.ask(Operation::Keys {}).unwrap() else { panic!("no keys") };
    assert_eq!(keys.waiting.len(), 8, "of one address");
    let elsewhere = InTls { from: Some([127, 0, 0, 9].into()), ..stranger(&witness, "elsewhere") };
    let why = refused(hub.address(), "elsewhere", &elsewhere).await;
    assert!(why.contains("waits to be approved"), "another's places are free: {why}");
    let events = Operation::Events { node: None, before: None, limit: Some(1_000) };
    let Answer::Events(events) = operator.ask(events).unwrap() else { panic!("no events") };
    assert!(events.events.len() < 30, "{} events", events.events.len());
    let nodes = Operation::Nodes { after: None };
    let Answer::Nodes(nodes) = operator.ask(nodes).unwrap() else { panic!("no nodes") };
    assert_eq!(nodes.nodes.len(), 1, "nobody of them is a node");
    witness.lost_nothing(&hub).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_join_secret_lets_nobody_in_after_its_time_or_its_number() {
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let secret = |token: String| token.split('@').next().unwrap().to_owned();
    let with = |name: &str, secret: &str| InTls { join: Some(secret.into()), ..stranger(&witness, name) };
    // More than come in its second, so that its time ends it and not its number.
    let short = secret(operator.join(5_000, Duration::from_secs(1)).unwrap());
    let tries = std::cell::Cell::new(0);
    let why = eventually("the end of the secret", || async {
        // Who comes in time is let in: each time another.
        let node = format!("late{}", tries.replace(tries.get() + 1));
        SimulatedAgent::connect_tls(hub.address(), &Identity::new(&node, 1), &with(&node, &short)).await.err()
    })
    .await;
    assert!(why.to_string().contains("this join secret is over; it waits to be approved"), "{why}");
    // So does who guesses, and who is one too many; and in plain nobody is asked what he knows.
    let holds = secret(operator.join(5, Duration::from_secs(3_600)).unwrap());
    // The last, because what is used up is forgotten when the next is made.
    let once = secret(operator.join(1, Duration::from_secs(3_600)).unwrap());
    SimulatedAgent::connect_tls(hub.address(), &Identity::new("first", 1), &with("first", &once))
        .await
        .unwrap();
    let half = holds.split_at(holds.len() / 2).0;
    for (name, secret, reason) in [
        ("second", once.as_str(), "was used as often as it may be"),
        ("third", "guessed", "does not know this join secret"),
        ("fourth", "", "does not know this join secret"),
        ("sixth", half, "does not know this join secret"),
    ] {
        let why = refused(hub.address(), name, &with(name, secret)).await;
        assert!(why.contains(reason) && why.contains("waits to be approved"), "{why}");
    }
    let plain = SimulatedAgent::connect(hub.address(), &Identity::new("fifth", 1)).await.unwrap_err();
    assert!(plain.to_string().contains("plain connections are not taken"), "{plain}");
    // A node that has a key is given no other by a secret.
    let why = refused(hub.address(), WITNESS, &with("thief", &holds)).await;
    assert!(why.contains("waits to be approved"), "{why}");
    witness.lost_nothing(&hub).await;
}

/// Where plain is taken, too: whoever says one there is heard as who says none, and it is as good as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_secret_that_is_said_in_plain_is_not_listened_to() {
    let hub = Hub::collector().start();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let token = operator.join(5, Duration::from_secs(3_600)).unwrap();
    let join = Some(token.split('@').next().unwrap().to_owned());
    let mut words = MAGIC.to_vec();
    hello(&Identity::new("ccd01", 1)).unwrap().write_with(&Extra { join }, &mut words).unwrap();
    let mut stream = TcpStream::connect(hub.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&words).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    hub.says("agent connected");
    let Answer::Keys(keys) = operator.ask(Operation::Keys {}).unwrap() else { panic!("no keys") };
    assert!(keys.approved.is_empty() && keys.waiting.is_empty(), "{keys:?}");
    assert_eq!(keys.secrets.iter().map(|secret| secret.left).collect::<Vec<_>>(), [5]);
}

/// A place among strangers is for as long as somebody is one: many computers may be behind one address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_known_takes_no_strangers_place() {
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let mut agents = Vec::new();
    for number in 0..40 {
        let node = format!("ccd{number:02}");
        let tls = operator.approved(witness.folder(), &node).unwrap();
        let agent = SimulatedAgent::connect_tls(hub.address(), &Identity::new(&node, 1), &tls).await;
        agents.push(agent.unwrap());
    }
    witness.lost_nothing(&hub).await;
}

/// This program holds its ends of a thousand connections.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(4_096, |maximum| maximum.min(4_096));
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_that_stop_in_the_handshake_and_slow_writers_cost_nothing_and_go() {
    raise_descriptors();
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    let address = hub.address();
    let mut first_words = Vec::new();
    let config =
        client(&Key::load_or_make(&witness.folder().join("slow.key"), "slow").unwrap(), Believed::Anybody);
    let mut session = rustls::ClientConnection::new(config.unwrap(), "hub".try_into().unwrap()).unwrap();
    session.write_tls(&mut first_words).unwrap();
    let mut stopped = Vec::new();
    for number in 0..1_000 {
        // From as many computers as fill all places that there are.
        let from = SocketAddr::from(([127, 0, 1, u8::try_from(1 + number % 60).unwrap()], 0));
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(from).unwrap();
        let stream = patiently("a connection", socket.connect(address)).await.unwrap();
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
        // Nothing; a byte; half a hello of TLS; a whole one, whose answer nobody reads.
        let words: &[u8] = match number % 4 {
            0 => &[],
            1 => &first_words[..1],
            2 => &first_words[..first_words.len() / 2],
            _ => &first_words,
        };
        // The hub closes who finds no place.
        let _ = stream.write_all(words);
        stopped.push(stream);
    }
    hub.says("too many wait to say who they are");
    // Those of them that have a place write on, a byte at a time: their time is over all the same.
    let slow = std::thread::spawn(move || {
        let rest = first_words[first_words.len() / 2..].to_vec();
        for byte in rest {
            let mut alive = 0;
            for (number, stream) in stopped.iter_mut().enumerate() {
                if number % 4 == 2 && stream.write_all(&[byte]).is_ok() {
                    alive += 1;
                }
            }
            if alive == 0 {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        for mut stream in stopped {
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            // The hub's close, or its reset; a time-out would be an error of another kind.
            let end = stream.read_to_end(&mut Vec::new());
            let kind = end.as_ref().err().map(std::io::Error::kind);
            assert!(kind != Some(std::io::ErrorKind::WouldBlock), "it keeps its place: {end:?}");
        }
    });
    tokio::task::spawn_blocking(move || slow.join().unwrap()).await.unwrap();
    // Who comes then is served.
    let mut operator = Operator::connect(hub.control()).unwrap();
    let tls = operator.approved(witness.folder(), "ccd01").unwrap();
    SimulatedAgent::connect_tls(hub.address(), &Identity::new("ccd01", 1), &tls).await.unwrap();
    witness.lost_nothing(&hub).await;
}

/// Whoever recorded a connection can send its bytes again as often as he likes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_in_tls_says_nothing_when_it_is_said_again() {
    let hub = strict();
    let witness = Witness::start(&hub).await.unwrap();
    let mut operator = Operator::connect(hub.control()).unwrap();
    let tls = operator.approved(witness.folder(), "ccd01").unwrap();
    let recorder = Wiretap::start(hub.address()).await.unwrap();
    let mut agent =
        SimulatedAgent::connect_tls(recorder.address(), &Identity::new("ccd01", 1), &tls).await.unwrap();
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[1.0], 2); 3]).await.unwrap();
    agent.acknowledged(3).await.unwrap();
    drop(agent);
    let recorded = recorder.recorded();
    assert!(recorded.len() > 500, "{}", recorded.len());
    for _ in 0..20 {
        let mut stream = TcpStream::connect(hub.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(&recorded);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let rows = archive::rows(&hub.archive(), "ccd01", 3).await;
    assert_eq!(rows.len(), 3, "each once");
    let connected =
        hub.log().into_iter().filter(|line| line.contains("agent connected") && line.contains("ccd01"));
    assert_eq!(connected.count(), 1);
    witness.lost_nothing(&hub).await;
}

/// In plain, from an address that may speak so, what is said again is taken for an agent that came again: counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_frames_that_are_said_again_are_counted_once() {
    let hub = Hub::collector().start();
    let witness = Witness::start(&hub).await.unwrap();
    let recorder = Wiretap::start(hub.address()).await.unwrap();
    let mut agent = SimulatedAgent::connect(recorder.address(), &Identity::new("ccd01", 1)).await.unwrap();
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(1, 1, vec![readings(&[1.0], 2); 3]).await.unwrap();
    agent.acknowledged(3).await.unwrap();
    drop(agent);
    let recorded = recorder.recorded();
    assert!(recorded.starts_with(&MAGIC));
    for round in 0..30 {
        let mut stream = TcpStream::connect(hub.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&recorded).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(!said.is_empty(), "round {round}: it is taken for the agent");
    }
    // Of another epoch it would be another start of the agent, which counts from 1 again.
    let mut agent = SimulatedAgent::connect(hub.address(), &Identity::new("ccd01", 1)).await.unwrap();
    assert_eq!(agent.welcome().committed, Some(3));
    agent.send_table(1, &[("cpu_percent", 2)]).await.unwrap();
    agent.send_samples(1, 4, vec![readings(&[4.0], 2)]).await.unwrap();
    agent.acknowledged(4).await.unwrap();
    let rows = archive::rows(&hub.archive(), "ccd01", 4).await;
    let numbers: Vec<_> = rows.iter().map(|row| row.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "each once");
    witness.lost_nothing(&hub).await;
}

/// The longest frame there is, which is no hello, is all that is read: what follows is not waited for, and the connection ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_said_before_the_hello_is_bounded() {
    let hub = Hub::collector().start();
    let witness = Witness::start(&hub).await.unwrap();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(hub.address()).unwrap();
        // Less than the time that a hello may take.
        stream.set_read_timeout(Some(Duration::from_secs(8))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&MAGIC).unwrap();
        // As much more on its way as a hub takes from who is refused, so that its answer arrives.
        stream.write_all(&[0xff; MAX_FRAME_BYTES + LENGTH_BYTES + 30_000]).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let mut frames = FrameBuffer::new();
        frames.extend(&said);
        let said = said::Answer::parse(frames.next_frame().unwrap()).unwrap();
        assert!(matches!(&said, said::Answer::Refused { why } if why.contains("not a hello")), "{said:?}");
    }
    witness.lost_nothing(&hub).await;
}
