//! The bus's thread: publishes what the face sends, remembers the last message of every topic, answers snapshots.
//!
//! It waits on the face's queue, on the snapshot socket, and on ZeroMQ's questions about who comes in.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;
use tracing::{debug, error};
use zmq::PollItem;

use super::door::Door;
use super::messages::seconds;
use super::queue::{Inbox, Message};

/// The longest frame of a request, in bytes: a prefix of a topic.
pub(super) const MAX_REQUEST_BYTES: i64 = 256;

/// The most prefixes of one request.
const MAX_PREFIXES: usize = 64;

/// The sockets and the memory of the bus.
pub(super) struct Bus {
    updates: Inbox,
    publisher: zmq::Socket,
    answers: zmq::Socket,
    /// Who may come in; none when all may.
    door: Option<Door>,
    started_ms: i64,
    /// The last message of every topic, by topic. The face bounds the topics.
    last: BTreeMap<String, Vec<u8>>,
}

impl Bus {
    pub(super) const fn new(
        updates: Inbox,
        publisher: zmq::Socket,
        answers: zmq::Socket,
        door: Option<Door>,
        started_ms: i64,
    ) -> Self {
        Self { updates, publisher, answers, door, started_ms, last: BTreeMap::new() }
    }

    pub(super) fn run(mut self) {
        let mut taken = Vec::new();
        loop {
            let updates = PollItem::from_fd(self.updates.fd(), zmq::POLLIN);
            let mut waiting = vec![updates, self.answers.as_poll_item(zmq::POLLIN)];
            waiting.extend(self.door.as_ref().map(Door::as_poll_item));
            match zmq::poll(&mut waiting, -1) {
                Ok(_) | Err(zmq::Error::EINTR) => {}
                Err(error) => return error!(%error, "the bus cannot wait for its sockets and ends"),
            }
            let [updates, answers, questions] =
                [0, 1, 2].map(|at| waiting.get(at).is_some_and(|item| !item.get_revents().is_empty()));
            drop(waiting);
            if questions && let Some(door) = &mut self.door {
                door.answer_one();
            }
            let goes_on = !updates || self.updates.take(&mut taken);
            for message in taken.drain(..) {
                self.publish(message);
            }
            if !goes_on {
                return;
            }
            if answers {
                self.answer_one();
            }
        }
    }

    fn publish(&mut self, Message { topic, json }: Message) {
        if json.is_empty() {
            // Its node was forgotten.
            self.last.remove(&topic);
            return;
        }
        // PUB never waits: it drops for a subscriber that is too slow, and that one sees the gap.
        let _ = self.publisher.send_multipart([topic.as_bytes(), &json], zmq::DONTWAIT);
        match self.last.get_mut(&topic) {
            Some(last) => *last = json,
            None => drop(self.last.insert(topic, json)),
        }
    }

    fn answer_one(&self) {
        let Ok(request) = self.answers.recv_multipart(zmq::DONTWAIT) else { return };
        let Some(answer) = answer_to(&request, &self.last, self.started_ms) else { return };
        // A peer that went away or does not read loses its answer, nobody else does.
        if let Err(error) = self.answers.send_multipart(answer.iter().map(|frame| &**frame), zmq::DONTWAIT) {
            debug!(%error, "a snapshot was not sent");
        }
    }
}

/// What is answered to a request for a snapshot, frame by frame: its first says who asked, and so does the answer's. `last` has the
/// last message of every topic. Nothing to a request without a frame.
pub fn answer_to<'a>(
    request: &'a [Vec<u8>],
    last: &'a BTreeMap<String, Vec<u8>>,
    started_ms: i64,
) -> Option<Vec<Cow<'a, [u8]>>> {
    let (peer, rest) = request.split_first()?;
    // A REQ socket puts an empty frame before its words, a DEALER does not; the answer is put like the question.
    let mut answer: Vec<Cow<'a, [u8]>> = vec![peer.into()];
    let words = match rest.split_first() {
        Some((first, words)) if first.is_empty() => {
            answer.push(first.into());
            words
        }
        _ => rest,
    };
    match words.split_first() {
        Some((word, prefixes)) if word == b"snapshot" && prefixes.len() <= MAX_PREFIXES => {
            let wanted = |topic: &str| {
                prefixes.is_empty() || prefixes.iter().any(|prefix| topic.as_bytes().starts_with(prefix))
            };
            let matching: Vec<_> = last.iter().filter(|(topic, _)| wanted(topic)).collect();
            let header = json!({ "started": seconds(started_ms), "topics": matching.len() }).to_string();
            answer.extend([b"snapshot".as_slice().into(), header.into_bytes().into()]);
            for (topic, json) in matching {
                answer.extend([topic.as_bytes().into(), json.into()]);
            }
        }
        _ => answer.extend([
            b"error".as_slice().into(),
            b"ask: snapshot, then at most 64 prefixes of topics, a frame each".as_slice().into(),
        ]),
    }
    Some(answer)
}
