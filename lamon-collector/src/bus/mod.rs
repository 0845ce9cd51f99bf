//! The bus: the picture on ZeroMQ, for programs in any language.
//!
//! ```text
//! core task --BusFace--queue--> bus thread --PUB 7618--> subscribers
//!                                  |  last message of every topic
//!                                  +--ROUTER 7619--> whoever asks for the whole picture
//! ```
//!
//! The Clone pattern of the ZeroMQ guide (chapter 5): subscribe, ask for the snapshot, drop what is older. The messages
//! are documented, with an example for each topic, in `docs/bus.md`; fields are added, never renamed.

mod door;
mod face;
mod messages;
mod queue;
mod thread;

use std::io;
use std::path::Path;
use std::thread::JoinHandle;

use lamon_curve::{KeyFileError, KeyPair};
use thiserror::Error;
use tracing::info;

use self::door::Door;
pub use self::door::asked_about;
pub use self::face::BusFace;
pub use self::thread::answer_to;
use crate::config::BusConfig;

/// Why there is no bus.
#[derive(Debug, Error)]
pub enum BusError {
    /// A socket cannot be bound to its endpoint.
    #[error("cannot bind {endpoint}, which [bus] {key} names: {reason}")]
    Bind {
        /// The endpoint.
        endpoint: String,
        /// The key of the configuration.
        key: &'static str,
        /// Why.
        reason: zmq::Error,
    },
    /// ZeroMQ refuses something that it never should.
    #[error("the bus cannot be set up: {0}")]
    Setup(#[from] zmq::Error),
    /// The bus's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The system gives no thread.
    #[error("cannot start the bus's thread: {0}")]
    Thread(#[from] io::Error),
}

/// The bus's thread, which ends when its face is dropped.
#[derive(Debug)]
pub struct BusThread {
    thread: JoinHandle<()>,
    /// Where it publishes, with the port that the system chose for port `*`.
    pub publish: String,
    /// Where it answers snapshots.
    pub snapshot: String,
}

impl BusThread {
    /// Waits until the last messages are out.
    pub fn join(self) {
        // A panic of the thread was printed where it happened; the bus is gone with it either way.
        let _ = self.thread.join();
    }
}

/// Binds the bus's sockets and starts its thread. Where `config` lists clients, its key is read, or made, at `key_path`.
///
/// # Errors
///
/// [`BusError`], a sentence with the endpoint: a port in use ends the program.
pub fn start(
    config: &BusConfig,
    key_path: &Path,
    hub: &str,
    started_ms: i64,
) -> Result<(BusFace, BusThread), BusError> {
    /// How long the last messages may take to leave at the end, milliseconds.
    const LINGER_MS: i32 = 500;
    /// A whole picture is one message: who does not read his gets no second one, and asks again.
    const PICTURES_KEPT: i32 = 1;
    /// Requests of one peer that wait: it asks once in a while.
    const REQUESTS_KEPT: i32 = 4;
    /// With keys the handshake counts too: its longest command has 257 bytes, and what the peer says of itself.
    const HANDSHAKE_BYTES: i64 = 1_024;
    /// How long a connection may take to say who it is, milliseconds, as at the intake. Until then it costs one of the process's files.
    const HANDSHAKE_MS: i32 = 10_000;
    /// How long a connection may be without a word before its other end is asked whether it is there, seconds: a follower whose
    /// computer lost its power would cost one of the process's files for ever.
    const KEEPALIVE_SECONDS: i32 = 60;
    /// How often it is asked again, and how often in all: two minutes together. Where messages are on their way to it the system asks
    /// by those instead, and gives up after a quarter of an hour (Linux, tcp_retries2).
    const KEEPALIVE_AGAIN_SECONDS: i32 = 15;
    const KEEPALIVE_TIMES: i32 = 4;
    let context = zmq::Context::new();
    // Whoever is not listed must not come in before the door is kept.
    let own = if config.clients.is_empty() { None } else { Some(KeyPair::load_or_make(key_path)?) };
    let door = own.as_ref().map(|_| Door::new(&context, &config.clients)).transpose()?;
    if let Some(own) = &own {
        info!(key = %own.public(), clients = config.clients.len(), "the bus speaks CURVE, with those who are listed");
    }
    let mark = i32::from(config.high_water_mark.get());
    let bind = |kind, endpoint: &str, key, marks: (i32, i32)| {
        let socket = context.socket(kind)?;
        // ZeroMQ takes a socket's options up when it is bound.
        socket.set_linger(LINGER_MS)?;
        socket.set_sndhwm(marks.0)?;
        socket.set_rcvhwm(marks.1)?;
        // Peers send prefixes: of subscriptions here, of requests there. A longer frame ends the connection unread.
        let longest = if own.is_some() { HANDSHAKE_BYTES } else { thread::MAX_REQUEST_BYTES };
        socket.set_maxmsgsize(longest)?;
        socket.set_handshake_ivl(HANDSHAKE_MS)?;
        socket.set_tcp_keepalive(1)?;
        socket.set_tcp_keepalive_idle(KEEPALIVE_SECONDS)?;
        socket.set_tcp_keepalive_intvl(KEEPALIVE_AGAIN_SECONDS)?;
        socket.set_tcp_keepalive_cnt(KEEPALIVE_TIMES)?;
        // An endpoint of both families, [::]:7618, takes IPv4 as well.
        socket.set_ipv6(endpoint.contains('['))?;
        if let Some(own) = &own {
            own.serve(&socket, door::DOMAIN)?;
        }
        let failed = |reason| BusError::Bind { endpoint: endpoint.into(), key, reason };
        socket.bind(endpoint).map_err(failed)?;
        let bound = socket.get_last_endpoint()?.unwrap_or_else(|_| endpoint.into());
        Ok::<_, BusError>((socket, bound))
    };
    let (publisher, publish) = bind(zmq::PUB, config.publish.as_str(), "publish", (mark, mark))?;
    let marks = (PICTURES_KEPT, REQUESTS_KEPT);
    let (answers, snapshot) = bind(zmq::ROUTER, config.snapshot.as_str(), "snapshot", marks)?;
    let (updates_out, updates_in) = queue::queue(config.high_water_mark.get().into())?;
    let bus = thread::Bus::new(updates_in, publisher, answers, door, started_ms);
    let thread = std::thread::Builder::new().name("bus".into()).spawn(move || bus.run())?;
    Ok((BusFace::new(updates_out, hub, started_ms), BusThread { thread, publish, snapshot }))
}

#[cfg(test)]
mod tests;
