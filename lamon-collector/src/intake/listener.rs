//! The listener task: accepts connections, tells their language, turns strangers away.
//!
//! It waits on the listening sockets; each connection becomes a task of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_daemon::limit::LogLimit;
use lamon_wire::Language;
use lamon_wire::hello::Answer;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::stream::{HELLO_TIME, close_gently};
use super::{Doors, agent, text};
use crate::config::IntakeConfig;
use crate::watch::MAX_NODES;

/// The most connections at once: one for every node that a hub watches, and some for those that are about to be replaced.
/// More wait in the kernel's queue until one ends. Never more than half of the files that the process may open: the other
/// half is for the disk, the bus and RTS2.
const MAX_CONNECTIONS: usize = MAX_NODES + 240;

/// The most strangers that are told at once that they are not listed; more are closed without a word, so that they never
/// take the places of agents.
const MAX_STRANGERS: usize = 32;

/// How often the first bytes are looked at while fewer than needed have come.
const PEEK_AGAIN: Duration = Duration::from_millis(20);

/// The longest wait after the system refused to accept (out of file descriptors, mostly).
const MAX_ACCEPT_WAIT: Duration = Duration::from_secs(4);

/// Accepts connections on one socket until `shutdown`, then waits for their tasks to end.
pub(crate) async fn run(
    listener: TcpListener,
    config: IntakeConfig,
    doors: Doors,
    shutdown: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(connections_at_once()));
    let strangers = Arc::new(Semaphore::new(MAX_STRANGERS));
    let tasks = TaskTracker::new();
    let mut wait = Duration::from_millis(100);
    let mut refused_limit = LogLimit::default();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = shutdown.cancelled() => break,
        };
        let (stream, peer, place) = match accepted {
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
        let (doors, shutdown) = (doors.clone(), shutdown.clone());
        if config.takes_plain_from(peer.ip()) {
            tasks.spawn(async move {
                serve(stream, peer, doors, shutdown).await;
                drop(place);
            });
            continue;
        }
        if let Some(held_back) = refused_limit.admit(Instant::now()) {
            warn!(%peer, held_back, "a plain connection was turned away: [intake] plain_from does not list it");
        }
        if let Ok(place) = Arc::clone(&strangers).try_acquire_owned() {
            tasks.spawn(async move {
                tokio::select! {
                    () = turn_away(stream, peer) => {}
                    () = shutdown.cancelled() => {}
                }
                drop(place);
            });
        }
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

async fn serve(stream: TcpStream, peer: SocketAddr, doors: Doors, shutdown: CancellationToken) {
    let language = tokio::select! {
        language = timeout(HELLO_TIME, language_of(&stream)) => language,
        () = shutdown.cancelled() => return,
    };
    match language {
        Ok(Some(Language::Binary)) => agent::serve(stream, peer, doors, shutdown).await,
        Ok(Some(Language::Text)) => text::serve(stream, peer, doors, shutdown).await,
        Ok(Some(Language::Tls)) => {
            debug!(%peer, "a TLS connection was closed: this hub takes plain ones only");
        }
        Ok(None) => debug!(%peer, "a connection ended before its first line"),
        Err(_) => debug!(%peer, "a connection said nothing and was closed"),
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
async fn turn_away(mut stream: TcpStream, peer: SocketAddr) {
    let why = format!(
        "plain connections are not taken from {}; the hub lists who may in [intake] plain_from",
        peer.ip()
    );
    let answer = match timeout(HELLO_TIME, language_of(&stream)).await {
        Ok(Some(Language::Binary)) => {
            let mut frame = Vec::new();
            // A sentence always fits a frame.
            let _ = Answer::Refused { why }.write(&mut frame);
            frame
        }
        Ok(Some(Language::Text)) => format!("error: {why}\n").into_bytes(),
        _ => return,
    };
    if timeout(HELLO_TIME, stream.write_all(&answer)).await.is_ok() {
        close_gently(stream).await;
    }
}
