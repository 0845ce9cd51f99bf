//! The samples that the hub has not acknowledged, within a bound of bytes; pure.
//!
//! Samples lie in it as they will travel, so a day of them takes what its bytes take:
//!
//! ```text
//! record = length (2) monotonic_ms (8) readings (postcard)
//! ```
//!
//! ```text
//!   oldest                sent                  next
//!     |  sent, not acknowledged |   not yet sent    |
//! ```
//!
//! Sequence numbers are contiguous from `oldest` to `next`. When the bytes run out, the oldest goes first and is
//! counted; the hub sees the gap as a first sequence number higher than it expected, which it accepts.

use std::collections::VecDeque;
use std::sync::Arc;

use lamon_wire::frames::{Live, MAX_SAMPLES_PER_FRAME, Table};
use lamon_wire::framing::{FrameTooLong, write_frame};
use serde::ser::{Serialize, SerializeTuple, Serializer};
use thiserror::Error;

use crate::sampler::Sample;

/// The longest payload of a frame of samples, in bytes: a backlog goes in pieces small enough that pongs and live
/// values between them are not late, and that building one takes little memory. A single sample always fits.
const MAX_PAYLOAD_BYTES: usize = 16 * 1_024;

/// What stands before the readings of a record, in bytes.
const HEADER_BYTES: usize = 10;

/// What a table costs beside its texts, in bytes for each metric.
const TABLE_ENTRY_BYTES: usize = 48;

/// Below this capacity the buffer is kept when it gets empty, in bytes.
const KEEP_BYTES: usize = 16 * 1_024;

/// The position of [`AgentFrame::Samples`](lamon_wire::frames::AgentFrame::Samples) in its enum, as postcard writes it.
const SAMPLES_TAG: u32 = 1;

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
    tables: VecDeque<TableFrom>,
    table_bytes: usize,
    oldest: Place,
    sent: Place,
    next: u64,
    newest: Option<Sample>,
    dropped: u64,
    /// Scratch for records and frames.
    scratch: Vec<u8>,
}

/// A record: its sequence number, and its position in bytes since the ring was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    sequence: u64,
    at: u64,
}

/// A table, and the first sample that it names.
#[derive(Debug)]
struct TableFrom {
    first: u64,
    table: Arc<Table>,
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
        let first = Place { sequence: 1, at: 0 };
        Self {
            limit_bytes,
            bytes: VecDeque::new(),
            tables: VecDeque::new(),
            table_bytes: 0,
            oldest: first,
            sent: first,
            next: first.sequence,
            newest: None,
            dropped: 0,
            scratch: Vec::new(),
        }
    }

    /// Takes a sample up as the newest and says its sequence number. The oldest make room for it.
    pub fn push(&mut self, sample: Sample) -> u64 {
        let sequence = self.next;
        let mut record = std::mem::take(&mut self.scratch);
        record.clear();
        record.extend_from_slice(&[0; 2]);
        record.extend_from_slice(&sample.monotonic_ms.to_le_bytes());
        // Readings are numbers; writing them to memory does not fail.
        let written = postcard::to_io(&sample.readings, &mut record).is_ok();
        let length = u16::try_from(record.len() - HEADER_BYTES).ok().filter(|_| written);
        let same_table = self.tables.back().is_some_and(|last| Arc::ptr_eq(&last.table, &sample.table));
        let table_bytes = if same_table { 0 } else { cost(&sample.table) };
        while !self.is_empty() && self.used_bytes() + record.len() + table_bytes > self.limit_bytes {
            self.drop_oldest();
            self.forget_tables();
            self.dropped += 1;
        }
        if let (Some(length), Some(place)) = (length, record.first_chunk_mut()) {
            *place = length.to_le_bytes();
            if !same_table {
                if self.is_empty() {
                    self.tables.clear();
                    self.table_bytes = 0;
                }
                self.table_bytes += table_bytes;
                self.tables.push_back(TableFrom { first: sequence, table: Arc::clone(&sample.table) });
            }
            self.bytes.extend(&record);
            self.next += 1;
        } else {
            // 512 readings of at most ten bytes always fit; a longer sample is one lost.
            self.dropped += 1;
        }
        self.scratch = record;
        self.newest = Some(sample);
        sequence
    }

    /// The hub has committed all up to `sequence`. Says how many that were here.
    ///
    /// # Errors
    ///
    /// [`NeverSent`], with nothing changed.
    pub fn acknowledge(&mut self, sequence: u64) -> Result<u64, NeverSent> {
        if sequence >= self.sent.sequence {
            return Err(NeverSent { named: sequence, sent: self.sent.sequence });
        }
        Ok(self.drop_through(sequence))
    }

    /// Starts over on a new connection whose hub has committed all up to `committed`: what it lacks is not yet sent.
    ///
    /// # Errors
    ///
    /// [`NeverSent`] when the hub has a sample that is not even taken: it knows this epoch from someone else.
    pub fn resume(&mut self, committed: Option<u64>) -> Result<(), NeverSent> {
        if let Some(sequence) = committed {
            if sequence >= self.next {
                return Err(NeverSent { named: sequence, sent: self.next });
            }
            self.drop_through(sequence);
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
        if sequence > self.sent.sequence {
            return Err(NeverSent { named: sequence, sent: self.sent.sequence });
        }
        let mut place = self.oldest;
        while place.sequence < sequence {
            place = self.after(place);
        }
        self.sent = place;
        Ok(())
    }

    /// Appends a frame of samples that are not yet sent, so that at most `window` are unacknowledged. `false` when
    /// there is none to send now. The table of [`Ring::next_table`] must have been sent before.
    ///
    /// # Errors
    ///
    /// [`FrameTooLong`] never happens: the size is bounded here.
    pub fn write_samples(&mut self, window: u64, out: &mut Vec<u8>) -> Result<bool, FrameTooLong> {
        let room = window.saturating_sub(self.in_flight()).min(MAX_SAMPLES_PER_FRAME.try_into().unwrap_or(1));
        let Some(table) = self.next_table().map(|table| table.id).filter(|_| room > 0) else {
            return Ok(false);
        };
        let first = self.sent;
        let end = (first.sequence + room).min(self.next).min(self.table_end(first.sequence));
        let mut rows = std::mem::take(&mut self.scratch);
        rows.clear();
        let first_ms = self.header(first).1;
        let (mut place, mut last_ms) = (first, first_ms);
        while place.sequence < end {
            let (length, at_ms) = self.header(place);
            let Ok(after_ms) = u32::try_from(at_ms.saturating_sub(last_ms)) else {
                // 49 days between two samples do not fit a row: the next frame starts there.
                break;
            };
            let before = rows.len();
            let _ = postcard::to_io(&after_ms, &mut rows);
            rows.extend(self.range(place.at + HEADER_BYTES as u64, length));
            if rows.len() > MAX_PAYLOAD_BYTES && before > 0 {
                rows.truncate(before);
                break;
            }
            last_ms = at_ms;
            place = self.after(place);
        }
        let count = place.sequence - first.sequence;
        let written = write_frame(out, &(SAMPLES_TAG, table, first.sequence, first_ms, count, Raw(&rows)));
        rows.clear();
        rows.shrink_to(KEEP_BYTES);
        self.scratch = rows;
        written?;
        self.sent = place;
        Ok(true)
    }

    /// The table of the next sample to be sent; `None` when all are sent.
    #[must_use]
    pub fn next_table(&self) -> Option<&Arc<Table>> {
        let sequence = Some(self.sent.sequence).filter(|sequence| *sequence < self.next)?;
        self.tables.iter().rev().find(|table| table.first <= sequence).map(|table| &table.table)
    }

    /// The newest sample as a [`Live`] frame with its table, when it is not yet sent in its turn.
    #[must_use]
    pub fn unsent_newest(&self) -> Option<(&Arc<Table>, Live)> {
        let newest = self.newest.as_ref().filter(|_| self.unsent() > 0)?;
        let live = Live {
            table: newest.table.id,
            sequence: self.next - 1,
            monotonic_ms: newest.monotonic_ms,
            readings: newest.readings.clone(),
        };
        Some((&newest.table, live))
    }

    /// How many samples are sent and not acknowledged.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.sent.sequence - self.oldest.sequence
    }

    /// How many samples are not sent.
    #[must_use]
    pub const fn unsent(&self) -> u64 {
        self.next - self.sent.sequence
    }

    /// How many samples are not acknowledged.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.next - self.oldest.sequence
    }

    /// Whether every sample is acknowledged.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many samples made room for newer ones before they were acknowledged, since the start.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The bytes that count against the limit.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.bytes.len() + self.table_bytes
    }

    fn drop_through(&mut self, sequence: u64) -> u64 {
        let before = self.oldest.sequence;
        while self.oldest.sequence <= sequence && !self.is_empty() {
            self.drop_oldest();
        }
        self.forget_tables();
        self.oldest.sequence - before
    }

    fn drop_oldest(&mut self) {
        let after = self.after(self.oldest);
        let length = usize::try_from(after.at - self.oldest.at).unwrap_or(usize::MAX);
        self.bytes.drain(..length.min(self.bytes.len()));
        if self.sent == self.oldest {
            self.sent = after;
        }
        self.oldest = after;
        if self.bytes.is_empty() && self.bytes.capacity() > KEEP_BYTES {
            self.bytes.shrink_to(KEEP_BYTES);
        }
    }

    /// Forgets tables that name no sample any more, but the last: the next sample is likely of it.
    fn forget_tables(&mut self) {
        while self.tables.get(1).is_some_and(|second| second.first <= self.oldest.sequence)
            && let Some(gone) = self.tables.pop_front()
        {
            self.table_bytes -= cost(&gone.table);
        }
    }

    /// The first sequence number behind `sequence` that has another table.
    fn table_end(&self, sequence: u64) -> u64 {
        self.tables.iter().map(|table| table.first).find(|first| *first > sequence).unwrap_or(u64::MAX)
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
        Place { sequence: place.sequence + 1, at: place.at + HEADER_BYTES as u64 + length }
    }

    fn range(&self, at: u64, length: u64) -> impl Iterator<Item = u8> {
        let start = usize::try_from(at - self.oldest.at).unwrap_or(usize::MAX).min(self.bytes.len());
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(self.bytes.len());
        self.bytes.range(start..end).copied()
    }
}

/// What a table takes, in bytes.
fn cost(table: &Table) -> usize {
    table.metrics.iter().map(|entry| TABLE_ENTRY_BYTES + entry.name.as_str().len() + entry.label.len()).sum()
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
