//! A bare relay: reads a few bytes from a TCP connection and publishes them at once. The least latency that this machine
//! has, with all that else runs on it.

use std::io::Read as _;
use std::net::TcpListener;

use crate::child::answer;

/// Bytes of a message.
pub(crate) const MESSAGE_BYTES: usize = 8;

/// Answers with where it publishes and where it listens; ends with its one peer.
pub(crate) fn run() -> anyhow::Result<()> {
    let publisher = zmq::Context::new().socket(zmq::PUB)?;
    publisher.bind("tcp://127.0.0.1:*")?;
    let endpoint = publisher.get_last_endpoint()?.unwrap_or_default();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    answer(&(endpoint, listener.local_addr()?.to_string()))?;
    let (mut stream, _) = listener.accept()?;
    let mut message = [0; MESSAGE_BYTES];
    while stream.read_exact(&mut message).is_ok() {
        publisher.send(message.as_slice(), 0)?;
    }
    Ok(())
}
