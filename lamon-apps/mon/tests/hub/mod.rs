//! A hub that the test speaks for: both sockets of its bus, on free ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Answers every question for the whole picture with the same messages, and publishes others again and again, until dropped.
pub(crate) struct Hub {
    pub(crate) publish: String,
    pub(crate) snapshot: String,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Messages: topic and JSON.
pub(crate) type Messages = Vec<(String, String)>;

impl Hub {
    pub(crate) fn start(answer: Messages, published: Messages) -> Self {
        Self::start_with(Some(answer), published)
    }

    /// Without an answer questions stay open.
    pub(crate) fn start_with(answer: Option<Messages>, published: Messages) -> Self {
        // Between two looks for questions the messages are published once.
        Self::start_at(["tcp://127.0.0.1:*"; 2], answer, 50, move |publisher| {
            for (topic, json) in &published {
                publisher.send_multipart([topic, json], 0).unwrap();
            }
        })
    }

    /// At these addresses; between two looks for questions, so many milliseconds each at most, it publishes.
    pub(crate) fn start_at(
        addresses: [&str; 2],
        answer: Option<Messages>,
        look_ms: i32,
        mut publish: impl FnMut(&zmq::Socket) + Send + 'static,
    ) -> Self {
        let context = zmq::Context::new();
        let bound = |kind, address: &str| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            // Those of a hub that has just ended are free in a moment.
            let end = Instant::now() + Duration::from_secs(10);
            while let Err(error) = socket.bind(address) {
                assert!(Instant::now() < end, "{address}: {error}");
                std::thread::sleep(Duration::from_millis(10));
            }
            let address = socket.get_last_endpoint().unwrap().unwrap();
            (socket, address)
        };
        let (publisher, publish_address) = bound(zmq::PUB, addresses[0]);
        let (answers, snapshot) = bound(zmq::ROUTER, addresses[1]);
        answers.set_rcvtimeo(look_ms).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                publish(&publisher);
                let Ok(question) = answers.recv_multipart(0) else { continue };
                let Some(answer) = &answer else { continue };
                let mut frames = vec![question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
                for (topic, json) in answer {
                    frames.extend([topic.clone().into_bytes(), json.clone().into_bytes()]);
                }
                answers.send_multipart(frames, 0).unwrap();
            }
        });
        Self { publish: publish_address, snapshot, ended, thread: Some(thread) }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A level message of a node with CPU, memory and a disk.
pub(crate) fn level(node: &str, group: &str, level: &str, disk: f64) -> (String, String) {
    let disk_level = if level == "silent" { "good" } else { level };
    let json = format!(
        r#"{{"seq":3,"started":1.0,"time":1000.0,"node":"{node}","group":"{group}","level":"{level}","heard":1000.0,
        "metrics":{{"cpu_percent":{{"level":"good","value":3.5,"taken":999.0,"rule":null}},
        "memory_percent":{{"level":"good","value":41.0,"taken":999.0,"rule":null}},
        "nic_in":{{"level":"good","value":1234.0,"taken":999.0,"rule":null}},
        "disk_percent":{{"level":"{disk_level}","value":{disk:?},"taken":999.0,"rule":"disk_percent: warning > 80, error > 90"}}}}}}"#
    );
    (format!("level/{node}"), json)
}

/// What the hub says of itself, at this second.
pub(crate) fn hub_word(seq: u64, time: f64) -> (String, String) {
    let json = format!(
        r#"{{"seq":{seq},"started":1.0,"time":{time:?},"hub":"lamon1","version":"0.1.0","level":"warning","worst":"ccd01 disk_percent","journal":"ok","database":"ok"}}"#
    );
    ("hub".into(), json)
}
