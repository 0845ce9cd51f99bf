//! A connection to one of the hub's sockets that comes back, whatever ends it.
//!
//! ZeroMQ connects again by itself when a connection breaks. When the other side broke the protocol, by a frame that is too
//! long or because it speaks another language, it gives the connection up for ever (libzmq `session_base.cpp`, `engine_error`): then the
//! socket is made anew here.

use std::time::{Duration, Instant};

use lamon_curve::{KeyPair, PublicKey};
use zmq::SocketEvent;

use crate::follower::{ConnectError, HIGH_WATER_MARK, MAX_FRAME_BYTES};

/// How long ZeroMQ waits before it connects again; doubled up to the longest.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// A connection that has ended and that ZeroMQ does not begin again within this time, it has given up: it says at once when it
/// will. A peer that sends only garbage is looked at so often and not more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(1);

/// What is told of a connection.
const EVENTS: [SocketEvent; 5] = [
    SocketEvent::HANDSHAKE_SUCCEEDED,
    SocketEvent::CONNECTED,
    SocketEvent::CONNECT_DELAYED,
    SocketEvent::CONNECT_RETRIED,
    SocketEvent::DISCONNECTED,
];

/// A socket that is connected to one address.
pub(crate) struct Line {
    context: zmq::Context,
    kind: zmq::SocketType,
    address: String,
    /// The hub's key and one's own, where they know each other by keys.
    keys: Option<(PublicKey, KeyPair)>,
    /// How many sockets there were: each is told of at an address of its own.
    sockets: u32,
    socket: zmq::Socket,
    told: zmq::Socket,
    /// When the connection ended, while nothing says that it begins again.
    ended: Option<Instant>,
}

impl Line {
    /// Begins to connect.
    pub(crate) fn connect(
        context: &zmq::Context,
        kind: zmq::SocketType,
        address: &str,
        keys: Option<(PublicKey, KeyPair)>,
    ) -> Result<Self, ConnectError> {
        let (socket, told) = open(context, kind, address, keys.as_ref(), 0)?;
        Ok(Self {
            context: context.clone(),
            kind,
            address: address.into(),
            keys,
            sockets: 1,
            socket,
            told,
            ended: None,
        })
    }

    /// The socket as it is now.
    pub(crate) const fn socket(&self) -> &zmq::Socket {
        &self.socket
    }

    /// What tells of the connection, to be waited for.
    pub(crate) const fn told(&self) -> &zmq::Socket {
        &self.told
    }

    /// Takes up what became of the connection. Whether there is a new one.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        let mut connected = false;
        while let Ok(frames) = self.told.recv_multipart(zmq::DONTWAIT) {
            let event = frames.first().and_then(|frame| frame.first_chunk()).copied().map(u16::from_ne_bytes);
            let is = |wanted: SocketEvent| event == Some(wanted.to_raw());
            connected |= is(SocketEvent::HANDSHAKE_SUCCEEDED);
            self.ended = is(SocketEvent::DISCONNECTED).then_some(now);
        }
        if self.next_timeout().is_some_and(|due| due <= now) {
            // Without a new socket the old one stays, and another is tried as late again.
            self.ended = Some(now);
            if let Ok((socket, told)) =
                open(&self.context, self.kind, &self.address, self.keys.as_ref(), self.sockets)
            {
                (self.socket, self.told, self.ended) = (socket, told, None);
            }
            self.sockets = self.sockets.wrapping_add(1);
        }
        connected
    }

    /// When [`Line::look`] has something to do, at the latest.
    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.ended.map(|ended| ended + GIVEN_UP_AFTER)
    }
}

/// A socket that connects, and the one that tells of it.
fn open(
    context: &zmq::Context,
    kind: zmq::SocketType,
    address: &str,
    keys: Option<&(PublicKey, KeyPair)>,
    number: u32,
) -> Result<(zmq::Socket, zmq::Socket), ConnectError> {
    let socket = context.socket(kind)?;
    socket.set_linger(0)?;
    socket.set_rcvhwm(HIGH_WATER_MARK)?;
    socket.set_maxmsgsize(MAX_FRAME_BYTES)?;
    socket.set_reconnect_ivl(milliseconds(RECONNECT.0))?;
    socket.set_reconnect_ivl_max(milliseconds(RECONNECT.1))?;
    if let Some((hub, own)) = keys {
        own.follow(&socket, *hub)?;
    }
    if kind == zmq::SUB {
        socket.set_subscribe(b"")?;
    } else {
        // A question to a hub that is away must not wait for it: it is put again.
        socket.set_immediate(true)?;
    }
    let at = format!("inproc://{kind:?}-{number}");
    socket.monitor(&at, EVENTS.iter().map(|event| i32::from(event.to_raw())).sum())?;
    let told = context.socket(zmq::PAIR)?;
    told.set_linger(0)?;
    told.connect(&at)?;
    socket.connect(address).map_err(|source| ConnectError::Address { address: address.into(), source })?;
    Ok((socket, told))
}

fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}
