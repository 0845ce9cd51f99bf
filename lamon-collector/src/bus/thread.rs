//! The bus's thread: publishes what the face sends, remembers the last message of every topic, answers snapshots.
//!
//! It waits on the face's socket and on the snapshot socket.

use std::collections::BTreeMap;

use serde_json::json;
use tracing::{debug, error};

use super::messages::seconds;

/// The longest frame of a request, in bytes: a prefix of a topic.
pub(super) const MAX_REQUEST_BYTES: i64 = 256;

/// The most prefixes of one request.
const MAX_PREFIXES: usize = 64;

/// The most updates that are published before requests get their turn.
const UPDATES_IN_A_ROW: usize = 256;

/// The sockets and the memory of the bus.
pub(super) struct Bus {
    updates: zmq::Socket,
    publisher: zmq::Socket,
    answers: zmq::Socket,
    started_ms: i64,
    /// The last message of every topic, by topic. The face bounds the topics.
    last: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The face was dropped, or ZeroMQ ends.
struct Ended;

impl Bus {
    pub(super) const fn new(
        updates: zmq::Socket,
        publisher: zmq::Socket,
        answers: zmq::Socket,
        started_ms: i64,
    ) -> Self {
        Self { updates, publisher, answers, started_ms, last: BTreeMap::new() }
    }

    pub(super) fn run(mut self) {
        loop {
            let mut waiting =
                [self.updates.as_poll_item(zmq::POLLIN), self.answers.as_poll_item(zmq::POLLIN)];
            match zmq::poll(&mut waiting, -1) {
                Ok(_) | Err(zmq::Error::EINTR) => {}
                Err(error) => return error!(%error, "the bus cannot wait for its sockets and ends"),
            }
            if self.publish_some().is_err() {
                return;
            }
            self.answer_one();
        }
    }

    fn publish_some(&mut self) -> Result<(), Ended> {
        for _ in 0..UPDATES_IN_A_ROW {
            let mut frames = match self.updates.recv_multipart(zmq::DONTWAIT) {
                Ok(frames) => frames.into_iter(),
                Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => return Ok(()),
                Err(_) => return Err(Ended),
            };
            let (Some(topic), Some(json)) = (frames.next(), frames.next()) else { return Err(Ended) };
            // PUB never waits: it drops for a subscriber that is too slow, and that one sees the gap.
            let _ = self.publisher.send_multipart([&topic, &json], zmq::DONTWAIT);
            self.last.insert(topic, json);
        }
        Ok(())
    }

    fn answer_one(&self) {
        let Ok(request) = self.answers.recv_multipart(zmq::DONTWAIT) else { return };
        let Some((peer, rest)) = request.split_first() else { return };
        // A REQ socket puts an empty frame before its words, a DEALER does not; the answer is put like the question.
        let mut answer: Vec<&[u8]> = vec![peer];
        let words = match rest.split_first() {
            Some((first, words)) if first.is_empty() => {
                answer.push(first);
                words
            }
            _ => rest,
        };
        let header;
        match words.split_first() {
            Some((word, prefixes)) if word == b"snapshot" && prefixes.len() <= MAX_PREFIXES => {
                let wanted = |topic: &[u8]| {
                    prefixes.is_empty() || prefixes.iter().any(|prefix| topic.starts_with(prefix))
                };
                let matching: Vec<_> = self.last.iter().filter(|(topic, _)| wanted(topic)).collect();
                header = json!({ "started": seconds(self.started_ms), "topics": matching.len() }).to_string();
                answer.extend([b"snapshot".as_slice(), header.as_bytes()]);
                for (topic, json) in matching {
                    answer.extend([topic.as_slice(), json.as_slice()]);
                }
            }
            _ => answer.extend([
                b"error".as_slice(),
                b"ask: snapshot, then at most 64 prefixes of topics, a frame each",
            ]),
        }
        // A peer that went away or does not read loses its answer, nobody else does.
        if let Err(error) = self.answers.send_multipart(answer, zmq::DONTWAIT) {
            debug!(%error, "a snapshot was not sent");
        }
    }
}
