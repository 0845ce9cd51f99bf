//! A hub that knows some nodes, and nothing else of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Answers every question with its nodes, until it goes out of scope.
pub(crate) struct Hub {
    ended: Arc<AtomicBool>,
    answering: Option<JoinHandle<()>>,
    /// Nobody speaks here; but it is listened to.
    _publish: zmq::Socket,
    /// Where it publishes and answers.
    pub(crate) addresses: [String; 2],
}

impl Hub {
    /// With nodes and their groups.
    pub(crate) fn of(nodes: &[(&str, &str)]) -> Self {
        let context = zmq::Context::new();
        let bound = |kind| {
            let socket = context.socket(kind).unwrap();
            socket.set_linger(0).unwrap();
            socket.set_rcvtimeo(50).unwrap();
            socket.bind("tcp://127.0.0.1:*").unwrap();
            let address = socket.get_last_endpoint().unwrap().unwrap();
            (socket, address)
        };
        let (publish, at) = bound(zmq::PUB);
        let (answer, answers_at) = bound(zmq::ROUTER);
        let level = |(name, group): &(&str, &str)| {
            let topic = format!("level/{name}");
            let json = format!(
                r#"{{"seq":1,"started":1.0,"time":60.5,"node":"{name}","group":"{group}","level":"good","heard":60.5,"metrics":{{}}}}"#
            );
            [topic.into_bytes(), json.into_bytes()]
        };
        let picture: Vec<Vec<u8>> = nodes.iter().flat_map(level).collect();
        let ended = Arc::new(AtomicBool::new(false));
        let token = ended.clone();
        let answering = std::thread::spawn(move || {
            while !token.load(Ordering::Relaxed) {
                let Ok(question) = answer.recv_multipart(0) else { continue };
                let head = [question[0].clone(), b"snapshot".to_vec(), b"{}".to_vec()];
                answer.send_multipart(head.into_iter().chain(picture.clone()), 0).unwrap();
            }
        });
        Self { ended, answering: Some(answering), _publish: publish, addresses: [at, answers_at] }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.answering.take().map(JoinHandle::join);
    }
}
