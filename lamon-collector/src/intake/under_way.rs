//! An agent's samples on their way to the journal's disk: those that wait for room in its queue, and those in its hands.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::durable::{Append, GivenBack, JournalHandle, Line};
use crate::sample::Sample;

/// Samples of one connection that are not on disk yet, [`WINDOW`](super::session::WINDOW) at most.
#[derive(Default)]
pub(super) struct UnderWay {
    /// Samples that wait for room in the journal's queue.
    waiting: VecDeque<Vec<Arc<Sample>>>,
    /// Samples in the journal's hands, in order.
    on_way: VecDeque<OnWay>,
    /// What is handed to the journal must be committed in order with this.
    line: Line,
}

/// Samples in the journal's hands.
struct OnWay {
    first: u64,
    last: u64,
    count: usize,
    /// The word that they are on disk.
    done: oneshot::Receiver<Result<(), GivenBack>>,
}

/// Samples that came to the disk.
pub(super) struct Stored {
    /// The number of the last of them.
    pub(super) last: u64,
    /// How many they are.
    pub(super) count: usize,
    /// Those behind them were given back.
    pub(super) given_back: bool,
}

impl UnderWay {
    /// Whether everything is on disk.
    pub(super) fn is_empty(&self) -> bool {
        self.on_way.is_empty() && self.waiting.is_empty()
    }

    /// Whether samples wait for room in the journal's queue.
    pub(super) fn wants_room(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the journal has samples that it said nothing of yet.
    pub(super) fn in_journal(&self) -> bool {
        !self.on_way.is_empty()
    }

    /// The number of the first in the journal's hands.
    pub(super) fn first(&self) -> Option<u64> {
        self.on_way.front().map(|on_way| on_way.first)
    }

    /// Samples that came in their turn.
    pub(super) fn take_up(&mut self, samples: Vec<Arc<Sample>>) {
        self.waiting.push_back(samples);
    }

    /// Hands the samples that wait longest to the journal.
    pub(super) fn hand_over(&mut self, permit: mpsc::Permit<'_, Append>, journal: &JournalHandle) {
        let Some(samples) = self.waiting.pop_front() else { return };
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return };
        let (done, on_disk) = oneshot::channel();
        self.on_way.push_back(OnWay {
            first: first.identity.sequence,
            last: last.identity.sequence,
            count: samples.len(),
            done: on_disk,
        });
        // A single sample is today's, and can wait for company; several are a backlog that wants to go on.
        let urgent = samples.len() > 1;
        permit.send(Append {
            samples: samples.iter().map(|sample| sample.to_stored()).collect(),
            urgent,
            line: self.line.clone(),
            done,
        });
        journal.handed_over(urgent);
    }

    /// Waits for the word on the samples that are first on their way. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Result<(), GivenBack>, oneshot::error::RecvError> {
        match self.on_way.front_mut() {
            Some(first) => (&mut first.done).await,
            None => std::future::pending().await,
        }
    }

    /// The first on the way are on disk, and perhaps more behind them: one word for all. Fails when the journal ended.
    pub(super) fn take_stored(&mut self) -> Result<Option<Stored>, oneshot::error::TryRecvError> {
        let Some(OnWay { mut last, mut count, .. }) = self.on_way.pop_front() else { return Ok(None) };
        let mut given_back = false;
        while let Some(next) = self.on_way.front_mut() {
            match next.done.try_recv() {
                Ok(Ok(())) => (last, count) = (next.last, count + next.count),
                Ok(Err(GivenBack)) => {
                    given_back = true;
                    break;
                }
                Err(oneshot::error::TryRecvError::Empty) => break,
                Err(closed) => return Err(closed),
            }
            self.on_way.pop_front();
        }
        Ok(Some(Stored { last, count, given_back }))
    }
}
