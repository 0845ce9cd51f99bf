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

mod spooling;
mod stretches;
mod tables;

use std::collections::VecDeque;
use std::sync::Arc;

use lamon_wire::frames::{Boot, Live, MAX_SAMPLES_PER_FRAME, Table, Tally};
use lamon_wire::framing::{FrameTooLong, write_frame};
use serde::ser::{Serialize, SerializeTuple, Serializer};
use thiserror::Error;

use self::stretches::{STRETCH_BYTES, Stretches};
use self::tables::Tables;
use crate::sampler::Sample;

/// The longest payload of a frame of samples, in bytes: a backlog goes in pieces small enough that pongs and live
/// values between them are not late, and that building one takes little memory. A single sample always fits.
const MAX_PAYLOAD_BYTES: usize = 16 * 1_024;

/// What stands before the readings of a record, in bytes.
const HEADER_BYTES: usize = 10;

/// Below this capacity the buffer is kept when it gets empty, in bytes.
const KEEP_BYTES: usize = 16 * 1_024;

/// The buffer grows by this part of itself, where a vector would double: what is not used yet stays below an eighth.
const GROWTH: usize = 8;

/// The position of [`AgentFrame::Samples`](lamon_wire::frames::AgentFrame::Samples) in its enum, as postcard writes it.
pub(crate) const SAMPLES_TAG: u32 = 1;

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

/// Bytes that are postcard already.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A tuple of bytes is written as just these bytes.
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        for byte in self.0 {
            tuple.serialize_element(byte)?;
        }
        tuple.end()
    }
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

    /// Appends a frame of samples that are not yet sent, so that at most `window` are unacknowledged. `false` when
    /// there is none to send now. [`Ring::next_table`] and [`Ring::next_boot`] must have been sent before; to a hub that
    /// knows `dated` times of this boot only, samples of earlier ones are as old as this boot.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`] never happens: the size is bounded here.
    pub fn write_samples(
        &mut self,
        window: u64,
        dated: bool,
        out: &mut Vec<u8>,
    ) -> Result<bool, FrameTooLong> {
        let room = window.saturating_sub(self.in_flight());
        if room == 0 || self.unsent() == 0 {
            return Ok(false);
        }
        let first = self.sent;
        let end = first.position.saturating_add(room).min(self.end);
        let mut rows = std::mem::take(&mut self.scratch);
        let (first_ms, last) = self.rows(first, end, dated, &mut rows);
        let written = write_frame(out, &self.samples(first, last, first_ms, &rows));
        self.give_back(rows);
        written?;
        self.sent = last;
        Ok(true)
    }

    /// The table of the next sample to be sent; `None` when all are sent.
    #[must_use]
    pub fn next_table(&self) -> Option<&Arc<Table>> {
        self.table(self.sent)
    }

    /// Whose clock stamped the next sample to be sent.
    #[must_use]
    pub fn next_boot(&self) -> Boot {
        self.stretches.boot(self.sent.position)
    }

    /// The newest sample as a [`Live`] frame with its table, when it is not yet sent in its turn.
    #[must_use]
    pub fn unsent_newest(&self) -> Option<(&Arc<Table>, Live)> {
        let newest = self.newest.as_ref().filter(|_| self.unsent() > 0)?;
        let live = Live {
            table: newest.table.id,
            sequence: self.stretches.number(self.end.saturating_sub(1)),
            monotonic_ms: newest.monotonic_ms,
            readings: newest.readings.clone(),
        };
        Some((&newest.table, live))
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

    /// Appends rows from `first` on, at most to `end`, as far as they fit one frame, which has one table, one stretch of
    /// numbers and one of time. Says when the first was taken, and where the next frame begins.
    fn rows(&self, first: Place, end: u64, dated: bool, rows: &mut Vec<u8>) -> (u64, Place) {
        let dated = dated || self.stretches.boot(first.position) == Boot::This;
        let stamp = |at_ms: u64| if dated { at_ms } else { 0 };
        let most = MAX_SAMPLES_PER_FRAME.try_into().unwrap_or(1);
        let end = end.min(first.position + most).min(self.tables.end(first.position));
        let end = end.min(self.stretches.end(first.position));
        rows.clear();
        let first_ms = stamp(self.header(first).1);
        let (mut place, mut last_ms) = (first, first_ms);
        while place.position < end {
            let (length, at_ms) = self.header(place);
            let Ok(after_ms) = u32::try_from(stamp(at_ms).saturating_sub(last_ms)) else {
                // 49 days between two samples do not fit a row: the next frame starts there.
                break;
            };
            let before = rows.len();
            let _ = postcard::to_io(&after_ms, &mut *rows);
            rows.extend(self.range(place.at + HEADER_BYTES as u64, length));
            if rows.len() > MAX_PAYLOAD_BYTES && before > 0 {
                rows.truncate(before);
                break;
            }
            last_ms = stamp(at_ms);
            place = self.after(place);
        }
        (first_ms, place)
    }

    /// The samples of these rows, as postcard writes the frame.
    fn samples<'a>(
        &self,
        first: Place,
        last: Place,
        first_ms: u64,
        rows: &'a [u8],
    ) -> impl Serialize + use<'a> {
        let table = self.table(first).map_or(0, |table| table.id);
        let number = self.stretches.number(first.position);
        (SAMPLES_TAG, table, number, first_ms, last.position - first.position, Raw(rows))
    }

    fn give_back(&mut self, mut rows: Vec<u8>) {
        rows.clear();
        rows.shrink_to(KEEP_BYTES);
        self.scratch = rows;
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
