//! A hub that the test speaks for: both sockets of its bus, on free ports.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

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
        let context = zmq::Context::new();
        let bound = |kind| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            socket.bind("tcp://127.0.0.1:*").unwrap();
            let address = socket.get_last_endpoint().unwrap().unwrap();
            (socket, address)
        };
        let (publisher, publish) = bound(zmq::PUB);
        let (answers, snapshot) = bound(zmq::ROUTER);
        // Between two looks for questions the messages are published once.
        answers.set_rcvtimeo(50).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                for (topic, json) in &published {
                    publisher.send_multipart([topic, json], 0).unwrap();
                }
                let Ok(question) = answers.recv_multipart(0) else { continue };
                let Some(answer) = &answer else { continue };
                let mut frames = vec![question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
                for (topic, json) in answer {
                    frames.extend([topic.clone().into_bytes(), json.clone().into_bytes()]);
                }
                answers.send_multipart(frames, 0).unwrap();
            }
        });
        Self { publish, snapshot, ended, thread: Some(thread) }
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
