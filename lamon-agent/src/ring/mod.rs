//! The samples that the hub has not acknowledged, within a bound of bytes; pure.
//!
//! Samples lie in it as they will travel, so a day of them takes what its bytes take:
//!
//! ```text
//! record = length (2) monotonic_ms (8) readings (postcard)
//! ```
//!
//! ```text
//!   oldest                sent                  end
//!     |  sent, not acknowledged |   not yet sent    |
//!     |       on disk      | not yet spooled        |
//!                       spooled
//! ```
//!
//! Positions are contiguous from `oldest` to `end`; `Stretches` makes sequence numbers of them. When the bytes run out,
//! the oldest goes first and is counted; the hub sees the gap as a first sequence number higher than it expected, which
//! it accepts.

mod rows;
mod sending;
mod spooling;
mod stretches;
mod tables;

use std::collections::VecDeque;
use std::sync::Arc;

use lamon_wire::frames::{Boot, Table, Tally};
use thiserror::Error;

use self::stretches::{STRETCH_BYTES, Stretches};
use self::tables::Tables;
use crate::sampler::Sample;

/// What stands before the readings of a record, in bytes.
const HEADER_BYTES: usize = 10;

/// Below this capacity the buffer is kept when it gets empty, in bytes.
const KEEP_BYTES: usize = 16 * 1_024;

/// The buffer grows by this part of itself, where a vector would double: what is not used yet stays below an eighth.
const GROWTH: usize = 8;

/// A hub spoke of samples that were never sent to it, or not in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the hub speaks of sample {named}, but only those below {sent} were sent")]
pub struct NeverSent {
    /// The sequence number it named.
    pub named: u64,
    /// The first that was not sent.
    pub sent: u64,
}

/// Samples in the order of their sequence numbers.
#[derive(Debug)]
pub struct Ring {
    limit_bytes: usize,
    bytes: VecDeque<u8>,
    tables: Tables,
    stretches: Stretches,
    stretch_bytes: usize,
    oldest: Place,
    sent: Place,
    /// All before it are on disk.
    spooled: Place,
    /// All before it are on disk, or on their way there.
    spooling: Place,
    /// The position of the next sample.
    end: u64,
    /// All positions before it were taken by an earlier life of this agent.
    restored: u64,
    newest: Option<Sample>,
    taken: u64,
    lost: u64,
    /// Scratch for records and frames.
    scratch: Vec<u8>,
}

/// A record: its position, and where it is in bytes since the ring was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    position: u64,
    at: u64,
}

impl Ring {
    /// An empty ring that holds at most `limit_bytes`; it takes memory as samples come and gives it back.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        let first = Place { position: 0, at: 0 };
        Self {
            limit_bytes,
            bytes: VecDeque::new(),
            tables: Tables::default(),
            stretches: Stretches::new(),
            stretch_bytes: 0,
            oldest: first,
            sent: first,
            spooled: first,
            spooling: first,
            end: 0,
            restored: 0,
            newest: None,
            taken: 0,
            lost: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes a sample up as the newest and says its sequence number. The oldest make room for it.
    pub fn push(&mut self, sample: Sample) -> u64 {
        let number = self.stretches.number(self.end);
        self.append(&sample, number, Boot::This);
        self.newest = Some(sample);
        number
    }

    /// Takes up a sample that an earlier life of this agent took, which is on disk. Only before the first
    /// [`Ring::push`], in the order of their numbers.
    pub fn restore(&mut self, sample: &Sample, number: u64, boot: Boot) {
        self.append(sample, number, boot);
        self.restored = self.end;
        let mut place = self.spooled;
        while place.position < self.end {
            place = self.after(place);
        }
        (self.spooled, self.spooling) = (place, place);
    }

    /// All is restored: of the epoch's samples so many were taken and acknowledged, and the next is `number`.
    pub fn restored(&mut self, taken: u64, acknowledged: u64, number: u64) {
        self.taken = taken.max(acknowledged.saturating_add(self.len()));
        self.lost = self.taken - acknowledged - self.len();
        if self.stretches.begin(self.end, number, Boot::This) {
            self.stretch_bytes += STRETCH_BYTES;
        }
    }

    /// A new epoch begins, because the hub has more of the last than is here: what an earlier life left is among that,
    /// and is forgotten. The rest was never sent, and counts from now on.
    pub fn begin_epoch(&mut self) {
        self.drop_before(self.restored);
        (self.taken, self.lost) = (self.len(), 0);
        (self.sent, self.spooled, self.spooling) = (self.oldest, self.oldest, self.oldest);
    }

    /// The hub has committed all up to `sequence`. Says how many that were here.
    ///
    /// # Errors
    ///
    /// [`NeverSent`], with nothing changed.
    pub fn acknowledge(&mut self, sequence: u64) -> Result<u64, NeverSent> {
        let sent = self.stretches.number(self.sent.position);
        if sequence >= sent {
            return Err(NeverSent { named: sequence, sent });
        }
        Ok(self.drop_before(self.stretches.behind(sequence)))
    }

    /// Starts over on a new connection whose hub has committed all up to `committed`: what it lacks is not yet sent.
    ///
    /// # Errors
    ///
    /// [`NeverSent`] when the hub has a sample that is not even taken: it knows this epoch from someone else, or from an
    /// earlier life of this agent.
    pub fn resume(&mut self, committed: Option<u64>) -> Result<(), NeverSent> {
        if let Some(sequence) = committed {
            let next = self.stretches.number(self.end);
            if sequence >= next {
                return Err(NeverSent { named: sequence, sent: next });
            }
            self.drop_before(self.stretches.behind(sequence));
        }
        self.sent = self.oldest;
        Ok(())
    }

    /// Goes back: all from `sequence` on are not yet sent; from the oldest where that is later.
    ///
    /// # Errors
    ///
    /// [`NeverSent`], with nothing changed.
    pub fn rewind(&mut self, sequence: u64) -> Result<(), NeverSent> {
        let sent = self.stretches.number(self.sent.position);
        if sequence > sent {
            return Err(NeverSent { named: sequence, sent });
        }
        let position = sequence.checked_sub(1).map_or(0, |before| self.stretches.behind(before));
        let mut place = self.oldest;
        while place.position < position {
            place = self.after(place);
        }
        self.sent = place;
        Ok(())
    }

    /// How many samples are sent and not acknowledged.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.sent.position - self.oldest.position
    }

    /// How many samples are not sent.
    #[must_use]
    pub const fn unsent(&self) -> u64 {
        self.end - self.sent.position
    }

    /// How many samples are not acknowledged.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end - self.oldest.position
    }

    /// Whether every sample is acknowledged.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What became of the samples of this epoch. Lost are those that made room for newer ones before they were
    /// acknowledged, and those of an earlier life that did not come out of the spool.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        let acknowledged = self.taken - self.lost - self.len();
        Tally { taken: self.taken, acknowledged, lost: self.lost }
    }

    /// The number of the last sample that is acknowledged or lost; all of them are up to this one.
    #[must_use]
    pub fn through(&self) -> u64 {
        self.stretches.number(self.oldest.position).saturating_sub(1)
    }

    /// The bytes that count against the limit.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.bytes.len() + self.tables.bytes() + self.stretch_bytes
    }

    fn append(&mut self, sample: &Sample, number: u64, boot: Boot) {
        self.taken += 1;
        let mut record = std::mem::take(&mut self.scratch);
        record.clear();
        record.extend_from_slice(&[0; 2]);
        record.extend_from_slice(&sample.monotonic_ms.to_le_bytes());
        // Readings are numbers; writing them to memory does not fail.
        let written = postcard::to_io(&sample.readings, &mut record).is_ok();
        let length = u16::try_from(record.len() - HEADER_BYTES).ok().filter(|_| written);
        let begins = self.stretches.begins(self.end, number, boot);
        let beside = self.tables.more_bytes(&sample.table) + if begins { STRETCH_BYTES } else { 0 };
        while !self.is_empty() && self.used_bytes() + record.len() + beside > self.limit_bytes {
            self.drop_oldest();
            self.forget();
            self.lost += 1;
        }
        if let (Some(length), Some(place)) = (length, record.first_chunk_mut()) {
            *place = length.to_le_bytes();
            if begins && self.stretches.begin(self.end, number, boot) {
                self.stretch_bytes += STRETCH_BYTES;
            }
            self.tables.push(self.end, self.is_empty(), &sample.table);
            self.make_room(record.len());
            self.bytes.extend(&record);
            self.end += 1;
            self.forget();
        } else {
            // 512 readings of at most ten bytes always fit; a longer sample is one lost.
            self.lost += 1;
        }
        self.scratch = record;
    }

    fn make_room(&mut self, bytes: usize) {
        let length = self.bytes.len();
        if length + bytes > self.bytes.capacity() {
            let step =
                (length / GROWTH).max(KEEP_BYTES / GROWTH).min(self.limit_bytes.saturating_sub(length));
            self.bytes.reserve_exact(step.max(bytes));
        }
    }

    fn drop_before(&mut self, position: u64) -> u64 {
        let before = self.oldest.position;
        while self.oldest.position < position && !self.is_empty() {
            self.drop_oldest();
        }
        self.forget();
        self.oldest.position - before
    }

    fn drop_oldest(&mut self) {
        let (before, after) = (self.oldest, self.after(self.oldest));
        let length = usize::try_from(after.at - before.at).unwrap_or(usize::MAX);
        self.bytes.drain(..length.min(self.bytes.len()));
        for place in [&mut self.sent, &mut self.spooled, &mut self.spooling] {
            if *place == before {
                *place = after;
            }
        }
        self.oldest = after;
        if self.bytes.is_empty() && self.bytes.capacity() > KEEP_BYTES {
            self.bytes.shrink_to(KEEP_BYTES);
        }
    }

    /// Forgets what was known of samples that are gone.
    fn forget(&mut self) {
        self.tables.forget(self.oldest.position);
        self.stretch_bytes -= self.stretches.forget(self.oldest.position) * STRETCH_BYTES;
    }

    fn table(&self, place: Place) -> Option<&Arc<Table>> {
        Some(place.position)
            .filter(|position| *position < self.end)
            .and_then(|position| self.tables.of(position))
    }

    /// Length of the readings and time of the record at `place`.
    fn header(&self, place: Place) -> (u64, u64) {
        let mut bytes = self.range(place.at, HEADER_BYTES as u64);
        let mut next = || bytes.next().unwrap_or(0);
        let length = u16::from_le_bytes([(); 2].map(|()| next()));
        (length.into(), u64::from_le_bytes([(); 8].map(|()| next())))
    }

    fn after(&self, place: Place) -> Place {
        let (length, _) = self.header(place);
        Place { position: place.position + 1, at: place.at + HEADER_BYTES as u64 + length }
    }

    fn range(&self, at: u64, length: u64) -> impl Iterator<Item = u8> {
        let start = usize::try_from(at - self.oldest.at).unwrap_or(usize::MAX).min(self.bytes.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(self.bytes.len());
        self.bytes.range(start..end).copied()
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
