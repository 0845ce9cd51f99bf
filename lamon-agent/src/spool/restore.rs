//! What an earlier life of this agent left in its spool, put back into the ring.
//!
//! What an earlier life may have sent and not spooled has numbers that are not known here, so that a new life's begin far
//! away from them ([`JUMP`]): within an epoch no number is ever used for two samples.

use std::collections::HashMap;
use std::sync::Arc;

use lamon_wire::frames::{Boot, Samples, Table};

use super::Segment;
use super::files::Files;
use super::records::{Clock, Mark, Note, Record, records};
use crate::ring::Ring;
use crate::sampler::Sample;

/// How far the numbers of a new life are at least from those of the one before, which may have sent samples that never
/// came to its spool: more than it can have taken. A part more is drawn at random, so that a node that was put back to
/// an old state, and lives the same time again, does not use the same numbers for other samples.
const JUMP: u64 = 1 << 32;

/// Numbers above this are not believed: jumps never come here.
const MAX_NUMBER: u64 = 1 << 62;

/// Numbers of tables that came out of a spool begin here: neighbours differ, and the sampler counts from 1.
const FIRST_TABLE: u16 = 0x8000;

/// What was found.
#[derive(Debug)]
pub(super) struct Kept {
    /// The epoch to be continued.
    pub(super) epoch: u32,
    /// Where each segment ends in the ring, oldest first; those without a sample that is still needed are left out.
    pub(super) segments: Vec<Segment>,
}

/// What all segments say together.
#[derive(Debug, Default)]
struct Survey {
    epoch: Option<u32>,
    mark: Mark,
    last: u64,
    clocks: HashMap<[u8; 16], Clock>,
}

/// Reads the segments, of which `limit` bytes each are believed, and puts into the ring what is not acknowledged.
/// `None` when nothing is.
pub(super) fn restore(
    files: &Files,
    segments: &[(u64, u64)],
    limit: u64,
    boot_id: [u8; 16],
    ring: &mut Ring,
) -> Option<Kept> {
    let survey = Survey::of(files, segments, limit);
    let epoch = survey.epoch.filter(|_| survey.last > survey.mark.through)?;
    let mut kept = Kept { epoch, segments: Vec::new() };
    let mut tables: (u16, Option<Arc<Table>>) = (FIRST_TABLE, None);
    for (id, bytes) in segments {
        let (before, mut boot, mut this) = (ring.spool_range().1, None, false);
        for record in records(&read(files, *id, limit)) {
            match record {
                Record::Note(Note::Epoch(of)) => this = of == epoch,
                Record::Note(Note::Clock(clock)) if clock.boot_id == boot_id => boot = Some(Boot::This),
                Record::Note(Note::Clock(clock)) => {
                    let best = survey.clocks.get(&clock.boot_id).unwrap_or(&clock);
                    boot = Some(Boot::Earlier(best.anchor));
                }
                Record::Table(table) => renew(&mut tables, table),
                Record::Samples(samples) if this => {
                    if let (Some(boot), Some(table)) = (boot, &tables.1) {
                        put_back(ring, &samples, table, boot, survey.mark.through);
                    }
                }
                Record::Note(Note::Mark(_)) | Record::Samples(_) => {}
            }
        }
        let end = ring.spool_range().1;
        if end > before {
            kept.segments.push(Segment { id: *id, bytes: *bytes, end });
        }
    }
    if ring.is_empty() {
        return None;
    }
    let next = survey.last + JUMP + u64::from(fastrand::u32(..));
    ring.restored(survey.mark.taken, survey.mark.acknowledged, next);
    Some(kept)
}

/// Takes up the table of the samples that follow; each segment has it again.
fn renew((id, last): &mut (u16, Option<Arc<Table>>), mut table: Table) {
    if last.as_ref().is_some_and(|last| last.metrics == table.metrics) {
        return;
    }
    table.id = *id;
    *id = id.wrapping_add(1).max(FIRST_TABLE);
    *last = Some(Arc::new(table));
}

fn put_back(ring: &mut Ring, samples: &Samples, table: &Arc<Table>, boot: Boot, through: u64) {
    let mut monotonic_ms = samples.monotonic_ms;
    for (number, row) in (samples.first..).zip(&samples.rows) {
        monotonic_ms = monotonic_ms.saturating_add(row.after_ms.into());
        if number > through && row.readings.len() == table.metrics.len() {
            let sample = Sample { table: Arc::clone(table), monotonic_ms, readings: row.readings.clone() };
            ring.restore(&sample, number, boot);
        }
    }
}

fn read(files: &Files, id: u64, limit: u64) -> Vec<u8> {
    files.read(id, limit).unwrap_or_else(|error| {
        tracing::warn!("a segment of the spool cannot be read, and its samples are lost: {error}");
        Vec::new()
    })
}

impl Survey {
    fn of(files: &Files, segments: &[(u64, u64)], limit: u64) -> Self {
        let mut survey = Self::default();
        for (id, _) in segments {
            for record in records(&read(files, *id, limit)) {
                survey.take(&record);
            }
        }
        survey
    }

    fn take(&mut self, record: &Record) {
        match record {
            // Segments of another epoch are left overs: the newest is the one that goes on.
            Record::Note(Note::Epoch(epoch)) if self.epoch != Some(*epoch) => {
                *self =
                    Self { epoch: Some(*epoch), clocks: std::mem::take(&mut self.clocks), ..Self::default() };
            }
            Record::Note(Note::Epoch(_)) | Record::Table(_) => {}
            Record::Note(Note::Mark(mark)) => self.mark = *mark,
            Record::Note(Note::Clock(clock)) => {
                // A hub knows the time better than the node; of equals the last one does.
                let known =
                    self.clocks.get(&clock.boot_id).is_some_and(|known| known.by_hub && !clock.by_hub);
                if !known {
                    self.clocks.insert(clock.boot_id, *clock);
                }
            }
            Record::Samples(samples) => {
                let rows = u64::try_from(samples.rows.len()).unwrap_or(0);
                let last = samples.first.saturating_add(rows).saturating_sub(1);
                self.last = self.last.max(last.min(MAX_NUMBER));
            }
        }
    }
}
