//! The intake: port 7617, where agents and senders of text come in.
//!
//! | file | what it does |
//! |---|---|
//! | `listener` | accepts connections, tells their language, turns strangers away |
//! | `own_key` | the hub's own key, and TLS with it |
//! | `text` | serves a sender of text lines |
//! | `agent` | serves a lamon-agent: the task around `session` |
//! | `frames` | takes an agent's bytes from its connection: the hello, then frames |
//! | `session` | what an agent's frames mean; pure |
//! | `under_way` | an agent's samples on their way to the journal's disk |
//! | `pings` | when an agent is pinged, and when it is taken for gone |
//! | `stream` | a connection, plain or in TLS; what every one does the same way |
//! | `strangers` | how many may be connected that nobody knows yet |
//! | `unconnected` | what would be heard of bytes, without a socket |
//! | `timeline` | lays an agent's clocks on the hub's; pure |

mod agent;
mod frames;
mod listener;
mod own_key;
mod pings;
mod session;
mod strangers;
mod stream;
mod text;
mod timeline;
#[cfg(any(test, feature = "testing"))]
mod unconnected;
mod under_way;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lamon_daemon::limit::LogLimit;
use tokio::sync::mpsc;
use tokio_rustls::rustls::ServerConfig;

pub(crate) use self::listener::{Room, run};
pub(crate) use self::own_key::OwnKey;
pub(crate) use self::stream::Peer;
#[cfg(any(test, feature = "testing"))]
pub use self::unconnected::{Heard, hear};
use crate::core::ToCore;
use crate::durable::JournalHandle;
use crate::sample::Identity;

/// What every connection needs of the hub.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    /// To the core task.
    pub(crate) core: mpsc::Sender<ToCore>,
    /// To the journal.
    pub(crate) journal: JournalHandle,
    /// Numbers for samples that come as text.
    pub(crate) text_numbers: TextNumbers,
    /// What TLS needs; none when the hub's key cannot be used.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// How often the log tells of strangers.
    pub(crate) turned_away: TurnedAway,
}

/// A limit on the log, for all connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct TurnedAway(Arc<Mutex<LogLimit>>);

impl TurnedAway {
    /// Whether a line may be written now; how many were not since the last.
    fn admit(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now())
    }
}

/// Identities for samples that come as text: an epoch drawn at the hub's start, and a count over all of them.
#[derive(Debug, Clone)]
pub(crate) struct TextNumbers {
    epoch: u32,
    last: Arc<AtomicU64>,
}

impl TextNumbers {
    pub(crate) fn new() -> Self {
        Self { epoch: fastrand::u32(..), last: Arc::default() }
    }

    fn next(&self) -> Identity {
        Identity { epoch: self.epoch, sequence: self.last.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}
