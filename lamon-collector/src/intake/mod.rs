//! The intake: port 7617, where agents and senders of text come in.
//!
//! | file | what it does |
//! |---|---|
//! | `listener` | accepts connections, tells their language, turns strangers away |
//! | `text` | serves a sender of text lines |
//! | `agent` | serves a lamon-agent: the task around `session` |
//! | `session` | what an agent's frames mean; pure |
//! | `stream` | what every connection does the same way |
//! | `timeline` | lays an agent's clocks on the hub's; pure |

mod agent;
mod listener;
mod session;
mod stream;
mod text;
mod timeline;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

pub(crate) use self::listener::run;
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
