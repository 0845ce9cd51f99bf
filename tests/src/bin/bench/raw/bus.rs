//! A bare loop that serializes the messages of a hub, `sample/<node>` with ten metrics, and sends them on a PUB socket.
//!
//! It sends a few for each byte that it reads, so that the same subscriber as the hub's is never too slow.

use std::io::Read as _;
use std::net::TcpListener;

use lamon_wire::metric::CORE;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::NODES;
use crate::child::answer;
use crate::load::flood::LEAVE;
use crate::load::{METRICS, node_name};

/// As the hub's message is.
#[derive(Serialize)]
struct Message<'a> {
    seq: u64,
    started: f64,
    time: f64,
    node: &'a str,
    group: &'a str,
    epoch: &'a str,
    sequence: String,
    taken: f64,
    late: bool,
    interval: f64,
    #[serde(serialize_with = "metrics")]
    metrics: [f64; METRICS],
}

fn metrics<S: Serializer>(values: &[f64; METRICS], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, value) in CORE.iter().zip(values) {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// Answers with where it publishes and where it takes leave; ends with who gives it.
pub(crate) fn run() -> anyhow::Result<()> {
    let publisher = zmq::Context::new().socket(zmq::PUB)?;
    publisher.set_sndhwm(10_000)?;
    publisher.bind("tcp://127.0.0.1:*")?;
    let endpoint = publisher.get_last_endpoint()?.unwrap_or_default();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    answer(&(endpoint, listener.local_addr()?.to_string()))?;
    let (mut leave, _) = listener.accept()?;
    let nodes: Vec<(String, String)> =
        (0..NODES).map(node_name).map(|name| (format!("sample/{name}"), name)).collect();
    let mut random = fastrand::Rng::with_seed(1);
    let mut bytes = [0; 64];
    let mut number = 0;
    loop {
        let count = leave.read(&mut bytes)?;
        if count == 0 {
            return Ok(());
        }
        for _ in 0..u64::try_from(count)? * LEAVE {
            let place = usize::try_from(number % u64::from(NODES))?;
            let Some((topic, node)) = nodes.get(place) else { continue };
            number += 1;
            let seq = number / u64::from(NODES) + 1;
            let message = Message {
                seq,
                started: 1_795_305_600.123,
                time: 1_795_305_700.456,
                node,
                group: "other",
                epoch: "2774710803",
                sequence: seq.to_string(),
                taken: 1_795_305_700.454,
                late: false,
                interval: 10.0,
                metrics: std::array::from_fn(|_| (random.f64() * 4_500.0).round() / 100.0),
            };
            publisher.send(topic, zmq::SNDMORE)?;
            publisher.send(serde_json::to_vec(&message)?, 0)?;
        }
    }
}
