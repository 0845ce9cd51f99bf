//! The listener task: accepts connections, tells their language, turns strangers away.
//!
//! It waits on the listening sockets; each connection becomes a task of its own. Everybody has one of few places until he
//! proved whose key he has, or had a line taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_daemon::limit::LogLimit;
use lamon_keys::Fingerprint;
use lamon_wire::Language;
use lamon_wire::hello::Answer;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::strangers::{Stranger, Strangers};
use super::stream::{HELLO_TIME, Peer, Stream, close_gently};
use super::{Doors, agent, text};
use crate::config::IntakeConfig;
use crate::watch::MAX_NODES;

/// The most connections at once: one for every node that a hub watches, and some for those that are about to be replaced.
/// More wait in the kernel's queue until one ends. Never more than half of the files that the process may open: the other
/// half is for the disk, the bus and RTS2.
const MAX_CONNECTIONS: usize = MAX_NODES + 240;

/// How often the first bytes are looked at while fewer than needed have come.
const PEEK_AGAIN: Duration = Duration::from_millis(20);

/// The longest wait after the system refused to accept (out of file descriptors, mostly).
const MAX_ACCEPT_WAIT: Duration = Duration::from_secs(4);

/// Room for connections, on all sockets together.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    places: Arc<Semaphore>,
    strangers: Strangers,
}

impl Room {
    /// As much as the process may open files for.
    pub(crate) fn new() -> Self {
        let most = connections_at_once();
        Self { places: Arc::new(Semaphore::new(most)), strangers: Strangers::new(most) }
    }
}

/// Accepts connections on one socket until `shutdown`, then waits for their tasks to end.
pub(crate) async fn run(
    listener: TcpListener,
    config: IntakeConfig,
    room: Room,
    doors: Doors,
    shutdown: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let mut wait = Duration::from_millis(100);
    let mut refused_limit = LogLimit::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room.places) => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, address, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, wait_seconds = wait.as_secs_f32(), "the intake cannot accept connections");
                tokio::select! {
                    () = sleep(wait) => {}
                    () = shutdown.cancelled() => break,
                }
                wait = (wait * 2).min(MAX_ACCEPT_WAIT);
                continue;
            }
        };
        wait = Duration::from_millis(100);
        let plain_taken = config.takes_plain_from(address.ip());
        let Some(stranger) = room.strangers.admit(address.ip(), plain_taken) else {
            if let Some(held_back) = refused_limit.admit(Instant::now()) {
                warn!(%address, held_back, "a connection was closed: too many wait to say who they are");
            }
            continue;
        };
        let until = tokio::time::Instant::now() + HELLO_TIME;
        let peer = Peer { address, key: None, plain_taken, until };
        let (doors, shutdown) = (doors.clone(), shutdown.clone());
        tasks.spawn(async move {
            serve(stream, peer, stranger, doors, shutdown).await;
            drop(place);
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

fn connections_at_once() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let half = files.and_then(|files| usize::try_from(files / 2).ok()).unwrap_or(MAX_CONNECTIONS);
    half.clamp(1, MAX_CONNECTIONS)
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Acknowledgements are small and wanted soon.
    stream.set_nodelay(true)?;
    Ok((stream, peer, place))
}

async fn serve(
    stream: TcpStream,
    mut peer: Peer,
    stranger: Stranger,
    doors: Doors,
    shutdown: CancellationToken,
) {
    let language = tokio::select! {
        language = timeout_at(peer.until, language_of(&stream)) => language,
        () = shutdown.cancelled() => return,
    };
    let (stream, language) = match language {
        Ok(Some(Language::Tls)) => {
            let accepted = tokio::select! {
                accepted = timeout_at(peer.until, accept_tls(&doors, stream)) => accepted,
                () = shutdown.cancelled() => return,
            };
            match accepted {
                Ok(Ok((stream, key, language))) => {
                    peer.key = key;
                    (stream, language)
                }
                Ok(Err(why)) => return debug!(address = %peer.address, why, "no TLS session came about"),
                Err(_) => return debug!(address = %peer.address, "a TLS handshake took too long"),
            }
        }
        Ok(Some(language)) => (Stream::Plain(stream), language),
        Ok(None) => return debug!(address = %peer.address, "a connection ended before its first line"),
        Err(_) => return debug!(address = %peer.address, "a connection said nothing and was closed"),
    };
    if matches!(stream, Stream::Plain(_)) && !peer.plain_taken {
        return turn_away(stream, &peer, &doors, language).await;
    }
    match language {
        Language::Binary => agent::serve(stream, peer, stranger, doors, shutdown).await,
        _ => text::serve(stream, peer, stranger, doors, shutdown).await,
    }
}

/// Shakes hands; whose key the peer has, and the language that it speaks inside.
async fn accept_tls(
    doors: &Doors,
    stream: TcpStream,
) -> Result<(Stream, Option<Fingerprint>, Language), String> {
    let tls = doors.tls.clone().ok_or("this hub has no key, its log says why")?;
    match Stream::accept(tls, stream).await {
        Ok(Some(accepted)) => Ok(accepted),
        Ok(None) => Err("it said nothing".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Looks at the first bytes without taking them; `None` when the peer closes before they tell.
async fn language_of(stream: &TcpStream) -> Option<Language> {
    let mut first = [0; lamon_wire::MAGIC.len()];
    loop {
        let count = stream.peek(&mut first).await.ok().filter(|count| *count > 0)?;
        if let Some(language) = Language::of(first.get(..count)?) {
            return Some(language);
        }
        // A peek returns at once while the same few bytes lie there.
        sleep(PEEK_AGAIN).await;
    }
}

/// Tells a stranger in its language that it is not listed, and closes.
async fn turn_away(mut stream: Stream, peer: &Peer, doors: &Doors, language: Language) {
    let address = peer.address.ip();
    if let Some(held_back) = doors.turned_away.admit() {
        warn!(%address, held_back, "a plain connection was turned away: [intake] plain_from does not list it");
    }
    let why = format!(
        "plain connections are not taken from {address}: use TLS (lamon-agent enroll), or list it in [intake] plain_from of the hub"
    );
    let answer = if language == Language::Binary {
        let mut frame = Vec::new();
        // A sentence always fits a frame.
        let _ = Answer::Refused { why }.write(&mut frame);
        frame
    } else {
        format!("error: {why}\n").into_bytes()
    };
    if timeout(HELLO_TIME, stream.write_all(&answer)).await.is_ok() {
        close_gently(stream).await;
    }
}
