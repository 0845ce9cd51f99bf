//! What a segment of the spool holds; pure.
//!
//! ```text
//! segment = magic (8) record*
//! record  = length (2, of the payload) kind (1) crc32 (4, of length, kind and payload) payload (postcard)
//! ```
//!
//! Numbers are little-endian. A segment says everything it needs by itself: its first records are [`Note::Epoch`], a
//! [`Note::Clock`], a [`Note::Mark`] and the table. The first record that is cut off or damaged ends it.

use lamon_wire::frames::{AgentFrame, Anchor, Samples, Table};
use serde::{Deserialize, Serialize};

/// What every segment begins with; the last byte is the format's version.
pub(super) const MAGIC: [u8; 8] = *b"LMSPOOL\x01";

/// What stands before a payload, in bytes.
const HEADER_BYTES: usize = 7;

/// The kind of a record whose payload is a table or samples, as frames have them.
const FRAME: u8 = 0;

/// The kind of a record whose payload is a [`Note`].
const NOTE: u8 = 1;

/// What the spool tells besides tables and samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Note {
    /// The epoch of all numbers in this segment.
    Epoch(u32),
    /// The boot whose clock stamped the samples that follow, and what time that was.
    Clock(Clock),
    /// What became of the epoch's samples until now.
    Mark(Mark),
}

/// A boot, by one instant of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Clock {
    /// Which boot.
    pub(super) boot_id: [u8; 16],
    /// The instant.
    pub(super) anchor: Anchor,
    /// Whether a hub said what time it was; else the node's own wall clock did.
    pub(super) by_hub: bool,
}

/// How far hubs acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// All samples up to this number are acknowledged or lost.
    pub(super) through: u64,
    /// How many were taken.
    pub(super) taken: u64,
    /// How many of them were acknowledged.
    pub(super) acknowledged: u64,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// Names the samples that follow.
    Table(Table),
    /// Samples.
    Samples(Samples),
    /// Anything else.
    Note(Note),
}

/// Appends a note.
pub(super) fn write_note(out: &mut Vec<u8>, note: Note) {
    // Writing numbers to memory does not fail.
    write(out, NOTE, |out| postcard::to_io(&note, out).is_ok());
}

/// Appends a table.
pub(super) fn write_table(out: &mut Vec<u8>, table: &Table) {
    let table = AgentFrame::Table(table.clone());
    write(out, FRAME, |out| postcard::to_io(&table, out).is_ok());
}

/// Appends the samples that `payload` writes as a frame has them; nothing when it says so, or when they are too long.
pub(super) fn write_samples(out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    write(out, FRAME, payload)
}

fn write(out: &mut Vec<u8>, kind: u8, payload: impl FnOnce(&mut Vec<u8>) -> bool) -> bool {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let written = payload(out);
    let length = u16::try_from(out.len() - start - HEADER_BYTES).ok().filter(|_| written);
    if let Some(length) = length
        && let Some((header, payload)) = out.get_mut(start..).and_then(|rest| rest.split_first_chunk_mut())
    {
        *header = self::header(length, kind, payload);
        return true;
    }
    out.truncate(start);
    false
}

fn header(length: u16, kind: u8, payload: &[u8]) -> [u8; HEADER_BYTES] {
    let [low, high] = length.to_le_bytes();
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[low, high, kind]);
    crc.update(payload);
    let [a, b, c, d] = crc.finalize().to_le_bytes();
    [low, high, kind, a, b, c, d]
}

/// Cuts a segment into its records, up to the first that is cut off or damaged.
pub(super) fn records(segment: &[u8]) -> impl Iterator<Item = Record> {
    let mut rest = segment.strip_prefix(&MAGIC).unwrap_or_default();
    std::iter::from_fn(move || {
        let (header, behind) = rest.split_first_chunk::<HEADER_BYTES>()?;
        let [low, high, kind, ..] = *header;
        let length = u16::from_le_bytes([low, high]);
        let payload = behind.get(..length.into())?;
        if *header != self::header(length, kind, payload) {
            return None;
        }
        rest = behind.get(length.into()..)?;
        match kind {
            FRAME => match AgentFrame::parse(payload).ok()? {
                AgentFrame::Table(table) => Some(Record::Table(table)),
                AgentFrame::Samples(samples) => Some(Record::Samples(samples)),
                _ => None,
            },
            NOTE => postcard::from_bytes(payload).ok().map(Record::Note),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use lamon_wire::frames::{Row, TableEntry};
    use lamon_wire::names::MetricName;
    use lamon_wire::reading::Reading;
    use proptest::prelude::*;

    use super::*;

    fn table() -> Table {
        let entry = TableEntry { name: MetricName::new("load1").unwrap(), label: String::new(), decimals: 2 };
        Table { id: 1, metrics: vec![entry] }
    }

    fn samples() -> Samples {
        let rows = vec![Row { after_ms: 0, readings: vec![Reading::new(1.5, 2)] }];
        Samples { table: 1, first: 300, monotonic_ms: 1_000, rows }
    }

    fn segment() -> (Vec<u8>, Vec<Record>) {
        let clock =
            Clock { boot_id: [0xb0; 16], anchor: Anchor { monotonic_ms: 5, unix_ms: -1 }, by_hub: true };
        let notes = [
            Note::Epoch(0x1234_5678),
            Note::Clock(clock),
            Note::Mark(Mark { through: 299, taken: 300, acknowledged: 9 }),
        ];
        let mut out = MAGIC.to_vec();
        for note in notes {
            write_note(&mut out, note);
        }
        write_table(&mut out, &table());
        let payload = postcard::to_stdvec(&AgentFrame::Samples(samples())).unwrap();
        assert!(write_samples(&mut out, |out| {
            out.extend(&payload);
            true
        }));
        let frames = [Record::Table(table()), Record::Samples(samples())];
        (out, notes.map(Record::Note).into_iter().chain(frames).collect())
    }

    /// A node is upgraded with samples in its spool: if this fails, the format has a new version, and reads this one too.
    #[test]
    fn the_bytes_stay_what_they_are() {
        let (bytes, records) = segment();
        assert_eq!(records, self::records(&bytes).collect::<Vec<_>>());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = [
            "4c4d53504f4f4c01",
            "0600017b0f8bdf00f8acd19101",
            "140001dbb5bbbc01b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0050101",
            "060001b5dfda4802ab02ac0209",
            "0b00000f78df40000101056c6f61643100020b",
            "000096b835140101ac02e807010001ad02",
        ];
        assert_eq!(hex, expected.concat());
    }

    #[test]
    fn nothing_is_written_of_what_is_not_there_or_too_long() {
        let mut out = vec![1];
        assert!(!write_samples(&mut out, |_| false));
        assert!(!write_samples(&mut out, |out| {
            out.extend([0; 70_000]);
            true
        }));
        assert_eq!(out, [1]);
    }

    proptest! {
        #[test]
        fn what_is_cut_off_or_damaged_ends_a_segment_and_what_stands_before_stays(
            keep in 0..200_usize,
            damaged in 0..200_usize,
            by in 1..=255_u8,
        ) {
            let (mut bytes, whole) = segment();
            let cut = records(&bytes[..keep.min(bytes.len())]).collect::<Vec<_>>();
            prop_assert_eq!(&cut[..], &whole[..cut.len()]);
            let at = damaged.min(bytes.len() - 1);
            bytes[at] ^= by;
            let read = records(&bytes).collect::<Vec<_>>();
            prop_assert!(read.len() < whole.len());
            prop_assert_eq!(&read[..], &whole[..read.len()]);
        }

        #[test]
        fn any_bytes_are_records_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = records(&bytes).count();
            let _ = records(&[&MAGIC[..], &bytes].concat()).count();
        }
    }
}
