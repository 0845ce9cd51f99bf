//! A hub that the test speaks for: it publishes what it is told, as the real one's bus does, and answers with the last of every
//! topic. For floods and garbage that no real hub would send.
#![expect(clippy::panic, reason = "a test without its hub ends here, with the reason")]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

/// The messages that wait for a subscriber that is slow, as with the real hub's defaults.
const HIGH_WATER_MARK: i32 = 10_000;

/// How long the answering thread waits before it looks whether it is to end, milliseconds.
const LOOK_AGAIN: i32 = 50;

/// The last message of every topic.
type Last = Arc<Mutex<BTreeMap<String, String>>>;

/// Both sockets of a bus.
pub struct Speaker {
    publish: zmq::Socket,
    addresses: [String; 2],
    started: f64,
    counts: HashMap<String, u64>,
    last: Last,
    ended: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
}

impl Speaker {
    /// Begins to answer, on free ports.
    ///
    /// # Panics
    ///
    /// When ZeroMQ gives no sockets.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("no sockets of a bus: {error}"))
    }

    fn try_start() -> Result<Self, zmq::Error> {
        let context = zmq::Context::new();
        let bound = |kind| {
            let socket = context.socket(kind)?;
            socket.set_linger(0)?;
            socket.set_sndhwm(HIGH_WATER_MARK)?;
            socket.set_rcvtimeo(LOOK_AGAIN)?;
            socket.bind("tcp://127.0.0.1:*")?;
            let address = socket.get_last_endpoint()?.unwrap_or_default();
            Ok::<_, zmq::Error>((socket, address))
        };
        let (publish, at) = bound(zmq::PUB)?;
        let (answers, answers_at) = bound(zmq::ROUTER)?;
        let (last, ended) = (Last::default(), Arc::new(AtomicBool::new(false)));
        let answering = std::thread::spawn({
            let (last, ended) = (last.clone(), ended.clone());
            move || answer(&answers, &last, &ended)
        });
        Ok(Self {
            publish,
            addresses: [at, answers_at],
            started: now(),
            counts: HashMap::new(),
            last,
            ended,
            answering: Some(answering),
        })
    }

    /// Where it publishes, and where it answers.
    #[must_use]
    pub const fn addresses(&self) -> &[String; 2] {
        &self.addresses
    }

    /// Says something in a topic: the fields of its JSON, without those that every message has.
    pub fn say(&mut self, topic: &str, fields: &str) {
        let seq = match self.counts.get_mut(topic) {
            Some(count) => {
                *count += 1;
                *count
            }
            None => *self.counts.entry(topic.into()).or_insert(1),
        };
        let json = format!(r#"{{"seq":{seq},"started":{:?},"time":{:?},{fields}}}"#, self.started, now());
        // Where a subscriber has no room ZeroMQ lets go of it; nothing else can fail.
        let _ = self.publish.send_multipart([topic, &json], 0);
        lock(&self.last).insert(topic.into(), json);
    }

    /// Publishes frames as they are, which are no message of a hub.
    pub fn publish_raw<T: Into<zmq::Message>>(&self, frames: impl IntoIterator<Item = T>) {
        let _ = self.publish.send_multipart(frames, 0);
    }

    /// Has this in its answers, which makes no sense, until it is taken away by an empty text.
    pub fn answer_with(&self, topic: &str, json: &str) {
        if json.is_empty() {
            lock(&self.last).remove(topic);
        } else {
            lock(&self.last).insert(topic.into(), json.into());
        }
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.answering.take().map(JoinHandle::join);
    }
}

fn answer(answers: &zmq::Socket, last: &Last, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        let Ok(question) = answers.recv_multipart(0) else { continue };
        let Some(who) = question.first() else { continue };
        let mut frames = vec![who.clone(), b"snapshot".to_vec(), b"{}".to_vec()];
        for (topic, json) in &*lock(last) {
            frames.extend([topic.as_bytes().to_vec(), json.as_bytes().to_vec()]);
        }
        let _ = answers.send_multipart(frames, zmq::DONTWAIT);
    }
}

fn lock(last: &Last) -> MutexGuard<'_, BTreeMap<String, String>> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
