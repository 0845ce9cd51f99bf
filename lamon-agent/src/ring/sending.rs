//! What of the ring goes to the hub.

use std::sync::Arc;

use lamon_wire::frames::{Boot, Live, Table};
use lamon_wire::framing::{FrameTooLong, write_frame};

use super::Ring;

impl Ring {
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
}
