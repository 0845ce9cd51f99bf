//! The rows of a frame of samples, made of the ring's records.

use lamon_wire::frames::{Boot, MAX_SAMPLES_PER_FRAME};
use serde::ser::{Serialize, SerializeTuple, Serializer};

use super::{HEADER_BYTES, KEEP_BYTES, Place, Ring};

/// The longest payload of a frame of samples, in bytes: a backlog goes in pieces small enough that pongs and live
/// values between them are not late, and that building one takes little memory. A single sample always fits.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 * 1_024;

/// The position of [`AgentFrame::Samples`](lamon_wire::frames::AgentFrame::Samples) in its enum, as postcard writes it.
const SAMPLES_TAG: u32 = 1;

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
    /// Appends rows from `first` on, at most to `end`, as far as they fit one frame, which has one table, one stretch of
    /// numbers and one of time. Says when the first was taken, and where the next frame begins.
    pub(super) fn rows(&self, first: Place, end: u64, dated: bool, rows: &mut Vec<u8>) -> (u64, Place) {
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
    pub(super) fn samples<'a>(
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

    pub(super) fn give_back(&mut self, mut rows: Vec<u8>) {
        rows.clear();
        rows.shrink_to(KEEP_BYTES);
        self.scratch = rows;
    }
}
