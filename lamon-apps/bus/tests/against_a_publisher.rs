//! A follower against a publisher that the test speaks for: garbage, floods, answers that never come.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what the tests share fails them where it goes wrong"
)]

use std::time::{Duration, Instant};

use lamon_bus::follower::HIGH_WATER_MARK;
use lamon_bus::{Addresses, Follower, News};

/// No wait of these tests lasts longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Both sockets of a bus, on free ports.
struct Publisher {
    publish: zmq::Socket,
    answer: zmq::Socket,
}

impl Publisher {
    fn start() -> (Self, Addresses) {
        let context = zmq::Context::new();
        let bound = |kind| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            socket.set_rcvtimeo(20_000).unwrap();
            socket.bind("tcp://127.0.0.1:*").unwrap();
            let address = socket.get_last_endpoint().unwrap().unwrap();
            (socket, address)
        };
        let (publish, at) = bound(zmq::PUB);
        let (answer, answers_at) = bound(zmq::ROUTER);
        (Self { publish, answer }, Addresses { publish: at, snapshot: answers_at, keys: None })
    }

    fn send(&self, topic: &str, json: &str) {
        self.publish.send_multipart([topic, json], 0).unwrap();
    }

    /// Waits for a question, and answers it with these messages.
    fn answer(&self, messages: &[(&str, &str)]) {
        let question = self.answer.recv_multipart(0).expect("a question");
        assert_eq!(question[1], b"snapshot");
        let mut frames = vec![question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
        frames.extend(
            messages.iter().flat_map(|(topic, json)| [topic.as_bytes().to_vec(), json.as_bytes().to_vec()]),
        );
        self.answer.send_multipart(frames, 0).unwrap();
    }
}

/// Sends a message again and again, until the subscription has come through and it arrives; the last one's number.
fn until_subscribed(publisher: &Publisher, follower: &mut Follower) -> u64 {
    let end = Instant::now() + PATIENCE;
    let mut seq = 0;
    while Instant::now() < end {
        seq += 1;
        publisher.send("sample/probe", &sample("probe", seq));
        if follower.wait(Duration::from_millis(50)).contains(&News::Sampled("probe".into())) {
            return seq;
        }
    }
    panic!("nothing comes through");
}

fn sample(node: &str, seq: u64) -> String {
    format!(
        r#"{{"seq":{seq},"started":1.0,"time":{seq},"node":"{node}","taken":{seq},"interval":10,"metrics":{{"cpu_percent":{seq}}}}}"#
    )
}

fn wait_for(follower: &mut Follower, wanted: impl Fn(&Follower, &News) -> bool) {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if follower.wait(Duration::from_secs(1)).iter().any(|news| wanted(follower, news)) {
            return;
        }
    }
    panic!("it did not come");
}

#[test]
fn the_picture_comes_by_question_before_anything_is_published() {
    let (publisher, addresses) = Publisher::start();
    let mut follower = Follower::connect(&addresses).unwrap();
    assert_eq!(follower.wait(Duration::ZERO), []);
    assert!(!follower.is_whole());
    // The question goes out when the connection stands; nobody publishes anything.
    let answering = std::thread::spawn(move || {
        publisher.answer(&[("sample/ccd01", &sample("ccd01", 5)), ("hub", "no json"), ("alone", "{}")]);
        publisher
    });
    wait_for(&mut follower, |_, news| *news == News::Sampled("ccd01".into()));
    assert_eq!(follower.picture().get("ccd01").unwrap().value("cpu_percent"), Some(5.0));
    assert!(follower.is_whole());
    drop(answering.join().unwrap());
}

#[test]
fn garbage_is_counted_and_changes_nothing() {
    let (publisher, addresses) = Publisher::start();
    let mut follower = Follower::connect(&addresses).unwrap();
    until_subscribed(&publisher, &mut follower);
    for garbage in ["", "{", "null", "[1,2]", r#"{"seq":1}"#, "\u{0}\u{1}", &"[".repeat(100_000)] {
        publisher.send("level/ccd01", garbage);
        publisher.send(garbage, garbage);
    }
    publisher.publish.send("one frame alone", 0).unwrap();
    publisher.publish.send_multipart(["three", "frames", "here"], 0).unwrap();
    publisher.send("sample/last", &sample("last", 1));
    wait_for(&mut follower, |_, news| *news == News::Sampled("last".into()));
    assert_eq!(follower.picture().senseless(), 14);
    assert_eq!(follower.picture().nodes().len(), 2);
}

#[test]
fn a_hub_whose_clock_was_set_back_is_followed_again() {
    let (publisher, addresses) = Publisher::start();
    let mut follower = Follower::connect(&addresses).unwrap();
    publisher_answers_in_the_beginning(&publisher, &mut follower);
    // The hub's computer began in a far year, and has its time by now.
    publisher.send("sample/far", &sample("far", 1).replace("\"started\":1.0", "\"started\":4e9"));
    wait_for(&mut follower, |_, news| *news == News::Sampled("far".into()));
    publisher.send("sample/ccd01", &sample("ccd01", 7));
    publisher.answer.set_rcvtimeo(10).unwrap();
    let end = Instant::now() + PATIENCE;
    while follower.picture().get("ccd01").is_none() {
        assert!(Instant::now() < end, "it is not believed");
        follower.wait(Duration::from_millis(20));
        if let Ok(question) = publisher.answer.recv_multipart(0) {
            let (topic, json) = ("sample/ccd01", sample("ccd01", 7));
            let header = r#"{"started":1.0,"topics":1}"#;
            let answer =
                [&question[0][..], b"snapshot", header.as_bytes(), topic.as_bytes(), json.as_bytes()];
            publisher.answer.send_multipart(answer, 0).unwrap();
        }
    }
    assert!(follower.picture().get("far").is_none());
}

#[test]
fn a_connection_that_zeromq_gives_up_is_begun_again() {
    let (publisher, addresses) = Publisher::start();
    let mut follower = Follower::connect(&addresses).unwrap();
    for number in 1..3 {
        until_subscribed(&publisher, &mut follower);
        publisher.publish.send_multipart(["event/_hub", &"x".repeat(5 << 20)], 0).unwrap();
        // Until the connection has ended this one may still come.
        publisher.send("sample/lost", &sample("lost", number));
    }
    until_subscribed(&publisher, &mut follower);
    // The same of an answer; the question is put again on the next connection.
    let long = "x".repeat(5 << 20);
    publisher.answer(&[("sample/ccd01", &long)]);
    publisher.answer.set_rcvtimeo(10).unwrap();
    let end = Instant::now() + PATIENCE;
    while follower.picture().get("ccd01").is_none() {
        assert!(Instant::now() < end, "no answer is taken");
        follower.wait(Duration::from_millis(20));
        if let Ok(question) = publisher.answer.recv_multipart(0) {
            let sample = sample("ccd01", 1);
            let answer = [&question[0][..], b"snapshot", b"{}", b"sample/ccd01", sample.as_bytes()];
            publisher.answer.send_multipart(answer, 0).unwrap();
        }
    }
}

#[test]
fn a_follower_that_does_not_read_loses_messages_knows_it_and_asks() {
    let (publisher, addresses) = Publisher::start();
    // So that the sender's side lets go as well.
    publisher.publish.set_sndhwm(100).unwrap();
    let mut follower = Follower::connect(&addresses).unwrap();
    publisher_answers_in_the_beginning(&publisher, &mut follower);
    let many = 40 * u64::try_from(HIGH_WATER_MARK).unwrap();
    for seq in 1..=many {
        publisher.send("sample/flood", &sample("flood", seq));
    }
    // What was kept comes first; then a message behind the gap.
    let end = Instant::now() + PATIENCE;
    let mut seq = many;
    while follower.picture().lost() == 0 {
        assert!(Instant::now() < end, "no gap is seen");
        seq += 1;
        publisher.send("sample/flood", &sample("flood", seq));
        follower.wait(Duration::from_millis(20));
    }
    let answering = std::thread::spawn(move || {
        publisher.answer(&[("sample/flood", &sample("flood", 1_000_000_000))]);
        publisher
    });
    wait_for(&mut follower, |follower, _| {
        follower.picture().get("flood").and_then(|node| node.value("cpu_percent")) == Some(1e9)
    });
    drop(answering.join().unwrap());
}

/// Answers the questions of the start, so that the next one is that of a gap. The second is put when a message came on both
/// connections, so that one more is sent each time: the first may have come before the connection for questions stood.
fn publisher_answers_in_the_beginning(publisher: &Publisher, follower: &mut Follower) {
    let mut seq = until_subscribed(publisher, follower);
    publisher.answer.set_rcvtimeo(10).unwrap();
    let end = Instant::now() + PATIENCE;
    let mut questions = 0;
    while questions < 2 {
        assert!(Instant::now() < end, "{questions} questions");
        seq += 1;
        publisher.send("sample/probe", &sample("probe", seq));
        follower.wait(Duration::from_millis(20));
        if let Ok(question) = publisher.answer.recv_multipart(0) {
            questions += 1;
            publisher.answer.send_multipart([&question[0][..], b"snapshot", b"{}"], 0).unwrap();
        }
    }
    follower.wait(Duration::from_millis(200));
    publisher.answer.set_rcvtimeo(20_000).unwrap();
}

#[test]
fn an_address_that_is_none_is_refused_with_a_sentence() {
    let addresses = Addresses { publish: "hub:7618".into(), ..Addresses::default() };
    let error = Follower::connect(&addresses).err().unwrap().to_string();
    assert!(error.contains("\"hub:7618\"") && error.contains("tcp://HOST:PORT"), "{error}");
}
