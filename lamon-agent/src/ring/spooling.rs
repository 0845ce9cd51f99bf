//! What of the ring goes to disk.

use std::sync::Arc;

use lamon_wire::frames::Table;

use super::Ring;

impl Ring {
    /// Appends samples that are not yet on disk, as the frame of samples would have them, without its length; they are
    /// on their way then. `false` when there is none. [`Ring::next_spool_table`] must have been written before.
    pub fn write_spool(&mut self, out: &mut Vec<u8>) -> bool {
        if self.spooling.position == self.end {
            return false;
        }
        let first = self.spooling;
        let mut rows = std::mem::take(&mut self.scratch);
        let (first_ms, last) = self.rows(first, self.end, true, &mut rows);
        // Writing numbers to memory does not fail.
        let written = postcard::to_io(&self.samples(first, last, first_ms, &rows), out).is_ok();
        self.give_back(rows);
        self.spooling = last;
        written
    }

    /// The table of the next sample to be written to disk.
    #[must_use]
    pub fn next_spool_table(&self) -> Option<&Arc<Table>> {
        self.table(self.spooling)
    }

    /// What was on its way to the disk is there; or, where that failed, is not.
    pub fn spooled(&mut self, on_disk: bool) {
        if on_disk {
            self.spooled = self.spooling;
        } else {
            self.spooling = self.spooled;
        }
    }

    /// The stamp of the oldest sample that is not yet on its way to the disk, milliseconds since its boot.
    #[must_use]
    pub fn oldest_unspooled_ms(&self) -> Option<u64> {
        (self.spooling.position < self.end).then(|| self.header(self.spooling).1)
    }

    /// How many samples that are not acknowledged are on disk.
    #[must_use]
    pub const fn on_disk(&self) -> u64 {
        self.spooled.position - self.oldest.position
    }

    /// The positions of the oldest sample here, and behind the last that is on its way to the disk: they count all
    /// samples since the ring was made.
    #[must_use]
    pub const fn spool_range(&self) -> (u64, u64) {
        (self.oldest.position, self.spooling.position)
    }
}
