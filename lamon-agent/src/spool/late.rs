//! A spool that could not be used when the agent started, because its disk was not there yet, or full, or read only: it is
//! tried again for ever, so that nobody has to start the agent anew.
//!
//! What an earlier life left in it is of another epoch than the samples that came since. So that no sample ever has two
//! identities, it waits until the hub has all of these; then the earlier epoch goes on, as at a start.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use lamon_daemon::backoff::Backoff;
use lamon_wire::names::NodeName;
use tokio::sync::oneshot;

use super::{OpenError, Spool};
use crate::ring::Ring;

/// How a spool is opened.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// Whose samples.
    pub node: NodeName,
    /// Most bytes on disk.
    pub limit_bytes: u64,
    /// How long a sample may wait to be acknowledged before it is on disk.
    pub delay: Duration,
    /// This boot.
    pub boot_id: [u8; 16],
    /// Most bytes of the ring that its samples come back into.
    pub ring_bytes: usize,
}

/// A spool that was opened, and what was in it.
#[derive(Debug)]
pub struct Opened {
    /// The spool.
    pub spool: Spool,
    /// The samples that an earlier life left.
    pub ring: Ring,
    /// Their epoch; `None` when there are none.
    pub epoch: Option<u32>,
}

impl Place {
    /// Opens the spool. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(&self) -> Result<Opened, OpenError> {
        let mut ring = Ring::new(self.ring_bytes);
        let Self { folder, node, limit_bytes, delay, boot_id, .. } = self;
        let (spool, epoch) = Spool::open(folder, node, *limit_bytes, *delay, *boot_id, &mut ring)?;
        Ok(Opened { spool, ring, epoch })
    }
}

/// A spool that is still to be opened. See the module's page.
#[derive(Debug)]
pub struct Late {
    place: Place,
    backoff: Backoff,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is tried again at this time, milliseconds of the monotonic clock.
    Waiting { until_ms: u64 },
    /// A thread tries, since a disk may hang.
    Opening(oneshot::Receiver<Result<Box<Opened>, OpenError>>),
    /// It is open.
    Open(Box<Opened>),
}

/// A try has ended.
#[derive(Debug)]
pub struct Tried(Option<Result<Box<Opened>, OpenError>>);

impl Late {
    /// Tries again from now on (milliseconds of the monotonic clock), with growing pauses.
    #[must_use]
    pub fn new(place: Place, now_ms: u64) -> Self {
        let mut late =
            Self { place, backoff: Backoff::default(), state: State::Waiting { until_ms: now_ms } };
        late.wait(now_ms);
        late
    }

    /// When [`Late::handle_timeout`] has something to do, milliseconds of the monotonic clock.
    #[must_use]
    pub const fn deadline_ms(&self) -> Option<u64> {
        match self.state {
            State::Waiting { until_ms } => Some(until_ms),
            State::Opening(_) | State::Open(_) => None,
        }
    }

    /// Begins a try when it is time.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if self.deadline_ms().is_some_and(|due| due <= now_ms) {
            let (tell, tried) = oneshot::channel();
            let place = self.place.clone();
            // Without a thread `tell` is dropped, which says so.
            let work = move || {
                let _ = tell.send(place.open().map(Box::new));
            };
            let _ = std::thread::Builder::new().name("spool".into()).spawn(work);
            self.state = State::Opening(tried);
        }
    }

    /// Waits for a try to end. Cancel-safe.
    pub async fn tried(&mut self) -> Tried {
        match &mut self.state {
            State::Opening(tried) => Tried(tried.await.ok()),
            State::Waiting { .. } | State::Open(_) => pending().await,
        }
    }

    /// A try has ended.
    pub fn handle_tried(&mut self, now_ms: u64, tried: Tried) {
        match tried.0 {
            Some(Ok(opened)) => self.state = State::Open(opened),
            Some(Err(error)) => {
                // It was told at the start.
                tracing::debug!("{error}");
                self.wait(now_ms);
            }
            None => self.wait(now_ms),
        }
    }

    /// The spool, when it is open and may be used: at once when nothing was in it, else when no sample waits for the hub.
    pub fn take(&mut self, nothing_waits: bool) -> Option<Opened> {
        match std::mem::replace(&mut self.state, State::Waiting { until_ms: u64::MAX }) {
            State::Open(opened) if opened.epoch.is_none() || nothing_waits => Some(*opened),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn wait(&mut self, now_ms: u64) {
        let wait_ms = u64::try_from(self.backoff.wait().as_millis()).unwrap_or(u64::MAX);
        self.state = State::Waiting { until_ms: now_ms.saturating_add(wait_ms) };
    }
}
