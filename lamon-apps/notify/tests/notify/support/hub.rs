//! A hub's bus, on free ports: it publishes what the test says, and answers with the last of each topic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::until;

/// Messages that wait to be published; beyond, whoever has more waits.
const MAX_WAITING: usize = 1_000;

/// How often the hub says that it lives.
const HEARTBEAT: Duration = Duration::from_millis(200);

pub(crate) struct Hub {
    pub(crate) publish: String,
    pub(crate) snapshot: String,
    started: f64,
    numbers: BTreeMap<String, u64>,
    messages: Option<SyncSender<Vec<Vec<u8>>>>,
    subscribed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hub {
    pub(crate) fn start() -> Self {
        Self::start_at("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
    }

    /// A hub at addresses that it had before.
    pub(crate) fn start_at(publish: &str, snapshot: &str) -> Self {
        let context = zmq::Context::new();
        let bound = |kind, address: &str| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            until("the address is free", || socket.bind(address).is_ok());
            let at = socket.get_last_endpoint().unwrap().unwrap();
            (socket, at)
        };
        let (published, publish) = bound(zmq::XPUB, publish);
        let (answers, snapshot) = bound(zmq::ROUTER, snapshot);
        let (messages, received) = sync_channel(MAX_WAITING);
        let subscribed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&subscribed);
        let thread = std::thread::spawn(move || serve(&published, &answers, &received, &told));
        let messages = Some(messages);
        let (started, numbers, thread) = (now(), BTreeMap::new(), Some(thread));
        Self { publish, snapshot, started, numbers, messages, subscribed, thread }
    }

    /// Waits until somebody listens.
    pub(crate) fn wait_for_subscriber(&self) {
        until("a subscription", || self.subscribed.load(Ordering::Relaxed));
    }

    /// The lines of the configuration that lead here.
    pub(crate) fn lines(&self) -> String {
        format!("publish = {:?}\nsnapshot = {:?}\n", self.publish, self.snapshot)
    }

    /// Something happens to a node.
    pub(crate) fn event(&mut self, node: &str, kind: &str, level: &str, text: &str) {
        let body = json!({"node": node, "kind": kind, "level": level, "text": text});
        self.send(format!("event/{node}"), body);
    }

    /// How a node is.
    pub(crate) fn node(&mut self, node: &str, level: &str) {
        let body = json!({"node": node, "group": "ccd", "level": level, "heard": now(), "metrics": {}});
        self.send(format!("level/{node}"), body);
    }

    /// The hub says that it lives.
    pub(crate) fn heartbeat(&mut self) {
        self.send("hub".into(), json!({"hub": "test", "level": "good", "completeness": 1.0}));
    }

    /// A node has a new value.
    pub(crate) fn sample(&mut self, node: &str, value: f64) {
        let body = json!({"node": node, "group": "x", "epoch": "1", "sequence": "1", "taken": now(), "interval": 10.0,
            "late": false, "metrics": {"cpu_percent": value}});
        self.send(format!("sample/{node}"), body);
    }

    /// These frames come, whatever they are.
    pub(crate) fn raw(&self, frames: Vec<Vec<u8>>) {
        self.messages.as_ref().unwrap().send(frames).unwrap();
    }

    fn send(&mut self, topic: String, mut body: serde_json::Value) {
        let number = self.numbers.entry(topic.clone()).or_default();
        *number += 1;
        body["seq"] = json!(*number);
        body["started"] = json!(self.started);
        body["time"] = json!(now());
        self.raw(vec![topic.into_bytes(), body.to_string().into_bytes()]);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.messages = None;
        let _ = self.thread.take().unwrap().join();
    }
}

fn serve(
    published: &zmq::Socket,
    answers: &zmq::Socket,
    messages: &Receiver<Vec<Vec<u8>>>,
    subscribed: &AtomicBool,
) {
    let mut last = BTreeMap::new();
    loop {
        if published.recv_bytes(zmq::DONTWAIT).is_ok_and(|frame| frame.first() == Some(&1)) {
            subscribed.store(true, Ordering::Relaxed);
        }
        if let Ok(question) = answers.recv_multipart(zmq::DONTWAIT) {
            let mut frames = vec![question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
            for (topic, json) in &last {
                frames.extend([Vec::clone(topic), Vec::clone(json)]);
            }
            answers.send_multipart(frames, 0).unwrap();
        }
        match messages.recv_timeout(Duration::from_millis(5)) {
            Ok(frames) => {
                published.send_multipart(&frames, 0).unwrap();
                if let [topic, json] = &frames[..] {
                    last.insert(topic.clone(), json.clone());
                }
            }
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Lets the hub live until something is so.
pub(crate) fn beat_until(hub: &mut Hub, what: &str, mut is: impl FnMut() -> bool) {
    let mut due = Instant::now();
    until(what, || {
        if Instant::now() >= due {
            hub.heartbeat();
            due = Instant::now() + HEARTBEAT;
        }
        is()
    });
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
