//! The bus against real ZeroMQ peers, good and bad.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::face::{Face, Health, Picture};
use crate::sample::Now;
use crate::watch::{Event, EventKind, Gates, Groups, Rules, Update, Watch};

fn config() -> BusConfig {
    toml::from_str("publish = 'tcp://127.0.0.1:*'\nsnapshot = 'tcp://127.0.0.1:*'").unwrap()
}

/// Publishes so many events of the hub with a text of this length.
fn publish(face: &mut BusFace, count: usize, length: usize) {
    let watch = Watch::new(Rules::default(), Groups::default());
    let (health, now) = (Health::default(), Now::read());
    let gates = Gates::default();
    let picture = Picture { watch: &watch, gates: &gates, health: &health, now };
    for _ in 0..count {
        let event = Event::new(None, EventKind::Reload, "x".repeat(length));
        face.update(&picture, &Update::Event(event));
    }
}

fn peer(context: &zmq::Context, kind: zmq::SocketType, endpoint: &str) -> zmq::Socket {
    let socket = context.socket(kind).unwrap();
    // A loaded machine takes its time for a thousand pictures.
    socket.set_rcvtimeo(60_000).unwrap();
    socket.set_linger(0).unwrap();
    socket.connect(endpoint).unwrap();
    socket
}

/// Asks until the picture has the topic: the face's messages reach the thread in their own time.
fn snapshot_with(socket: &zmq::Socket, topic: &str) -> BTreeMap<Vec<u8>, serde_json::Value> {
    loop {
        socket.send_multipart(["snapshot"], 0).unwrap();
        let answer = socket.recv_multipart(0).unwrap();
        assert_eq!(answer[0], b"snapshot");
        let header: serde_json::Value = serde_json::from_slice(&answer[1]).unwrap();
        let picture: BTreeMap<_, _> = answer[2..]
            .chunks(2)
            .map(|pair| (pair[0].clone(), serde_json::from_slice(&pair[1]).unwrap()))
            .collect();
        assert_eq!(header["topics"], picture.len());
        if picture.contains_key(topic.as_bytes()) {
            return picture;
        }
    }
}

#[test]
fn the_picture_has_the_last_of_each_topic_for_req_and_dealer() {
    let (mut face, thread) = start(&config(), Path::new("/nowhere"), "hub", 1_000).unwrap();
    let context = zmq::Context::new();
    publish(&mut face, 3, 5);
    for kind in [zmq::REQ, zmq::DEALER] {
        let socket = peer(&context, kind, &thread.snapshot);
        let mut picture = snapshot_with(&socket, "event/_hub");
        while picture[&b"event/_hub"[..]]["seq"] != 3 {
            picture = snapshot_with(&socket, "event/_hub");
        }
        assert_eq!(picture[&b"event/_hub"[..]]["started"], 1.0);
        socket.send_multipart(["snapshot", "sample/"], 0).unwrap();
        assert_eq!(socket.recv_multipart(0).unwrap().len(), 2, "no topic begins so");
        socket.send_multipart(["picture"], 0).unwrap();
        assert_eq!(socket.recv_multipart(0).unwrap()[0], b"error");
    }
    drop(face);
    thread.join();
}

#[test]
fn a_frame_that_is_too_long_ends_its_connection_and_nobody_elses() {
    let (mut face, thread) = start(&config(), Path::new("/nowhere"), "hub", 1_000).unwrap();
    let context = zmq::Context::new();
    publish(&mut face, 1, 5);
    for (kind, endpoint) in [(zmq::DEALER, &thread.snapshot), (zmq::SUB, &thread.publish)] {
        let bad = context.socket(kind).unwrap();
        bad.set_linger(0).unwrap();
        // A monitor tells what becomes of the connection.
        let name = format!("inproc://monitor-{kind:?}");
        bad.monitor(&name, i32::from(zmq::SocketEvent::DISCONNECTED.to_raw())).unwrap();
        let monitor = peer(&context, zmq::PAIR, &name);
        bad.connect(endpoint).unwrap();
        if kind == zmq::SUB {
            bad.set_subscribe(&[b'x'; 100_000]).unwrap();
        } else {
            bad.send(vec![b'x'; 100_000], 0).unwrap();
        }
        assert!(monitor.recv_bytes(0).is_ok(), "the connection to {endpoint} ends");
    }
    let good = peer(&context, zmq::REQ, &thread.snapshot);
    snapshot_with(&good, "event/_hub");
    drop(face);
    thread.join();
}

#[test]
fn one_who_asks_and_does_not_read_gets_no_more_than_he_can_hold() {
    let (mut face, thread) = start(&config(), Path::new("/nowhere"), "hub", 1_000).unwrap();
    let context = zmq::Context::new();
    publish(&mut face, 1, 100_000);
    let good = peer(&context, zmq::REQ, &thread.snapshot);
    snapshot_with(&good, "event/_hub");
    let bad = peer(&context, zmq::DEALER, &thread.snapshot);
    bad.set_rcvhwm(1).unwrap();
    for _ in 0..1_000 {
        bad.send("snapshot", 0).unwrap();
    }
    // Requests of several peers are taken in turn, so after as many of another one all of them were.
    for _ in 0..1_000 {
        good.send_multipart(["snapshot", "nothing/"], 0).unwrap();
        assert_eq!(good.recv_multipart(0).unwrap().len(), 2);
    }
    bad.set_rcvtimeo(500).unwrap();
    let pictures = std::iter::from_fn(|| bad.recv_multipart(0).ok()).count();
    assert!(pictures < 500, "{pictures} pictures of 1,000 were kept for one who did not read");
    drop(face);
    thread.join();
}

#[test]
fn a_question_about_who_has_no_key_names_none() {
    let key = [7; 32];
    let question = |at: usize, word: &[u8]| {
        let mut question: Vec<Vec<u8>> =
            [&b"1.0"[..], b"1", b"lamon", b"10.0.0.1", b"", b"CURVE", &key].map(Into::into).into();
        question[at] = word.into();
        question
    };
    let good = question(1, b"2");
    let (named, address) = asked_about(&good).unwrap();
    assert_eq!((named, &*address), (lamon_curve::PublicKey::of_bytes(&key).unwrap(), "10.0.0.1"));
    for (at, word) in
        [(0, &b"2.0"[..]), (2, b"other"), (2, b""), (5, b"NULL"), (5, b"PLAIN"), (6, b""), (6, &key[..31])]
    {
        assert!(asked_about(&question(at, word)).is_err(), "{at}: {word:?}");
    }
    assert!(asked_about(&good[..6]).is_err());
}

#[test]
fn where_keys_are_listed_nobody_else_follows() {
    let folder = tempfile::tempdir().unwrap();
    let pair = |name: &str| KeyPair::load_or_make(&folder.path().join(name)).unwrap();
    let (listed, stranger) = (pair("listed"), pair("stranger"));
    let clients = BTreeMap::from([("mon".to_owned(), listed.public())]);
    let config = BusConfig { clients, ..config() };
    let key = folder.path().join("data/bus.key");
    let (mut face, thread) = start(&config, &key, "hub", 1_000).unwrap();
    let hub = KeyPair::load(&key).unwrap().public();
    publish(&mut face, 1, 5);
    let context = zmq::Context::new();
    let ask = |by: Option<(&KeyPair, lamon_curve::PublicKey)>| {
        let socket = context.socket(zmq::DEALER).unwrap();
        socket.set_linger(0).unwrap();
        // Long enough for one that is let in, and one that is not is never answered.
        socket.set_rcvtimeo(1_000).unwrap();
        if let Some((own, hub)) = by {
            own.follow(&socket, hub).unwrap();
        }
        socket.connect(&thread.snapshot).unwrap();
        socket.send_multipart(["snapshot"], 0).unwrap();
        socket.recv_multipart(0).is_ok()
    };
    assert!(!ask(None), "without a key");
    assert!(!ask(Some((&stranger, hub))), "with one that is not listed");
    assert!(!ask(Some((&listed, stranger.public()))), "who takes another for the hub");
    assert!(ask(Some((&listed, hub))));
    drop(face);
    thread.join();
}

#[test]
fn strangers_cost_those_who_are_listed_nothing_and_are_sent_away() {
    let folder = tempfile::tempdir().unwrap();
    let pair = |name: &str| KeyPair::load_or_make(&folder.path().join(name)).unwrap();
    let (listed, stranger) = (pair("listed"), pair("stranger"));
    let config = BusConfig { clients: BTreeMap::from([("mon".to_owned(), listed.public())]), ..config() };
    let key = folder.path().join("bus.key");
    let (mut face, thread) = start(&config, &key, "hub", 1_000).unwrap();
    let hub = KeyPair::load(&key).unwrap().public();
    publish(&mut face, 1, 5);
    let began = std::time::Instant::now();
    // Some say nothing; others try keys that are not listed, again and again, as fast as they can.
    let address = thread.snapshot.trim_start_matches("tcp://");
    let mut mute: Vec<_> = (0..200).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let context = zmq::Context::new();
    let connect = |own: &KeyPair| {
        let socket = context.socket(zmq::DEALER).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_rcvtimeo(5_000).unwrap();
        socket.set_reconnect_ivl(1).unwrap();
        own.follow(&socket, hub).unwrap();
        socket.connect(&thread.snapshot).unwrap();
        socket
    };
    let _strangers: Vec<_> = (0..50).map(|_| connect(&stranger)).collect();
    let good = connect(&listed);
    for _ in 0..200 {
        good.send_multipart(["snapshot"], 0).unwrap();
        assert_eq!(good.recv_multipart(0).unwrap()[0], b"snapshot");
    }
    for stream in &mut mute {
        stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
        // What ZeroMQ says first, then the end.
        io::copy(stream, &mut io::sink()).unwrap();
    }
    assert!(began.elapsed().as_secs() < 25, "{:?}", began.elapsed());
    drop(face);
    thread.join();
}
