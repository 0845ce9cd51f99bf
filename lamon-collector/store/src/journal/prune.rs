//! Taking old rows out of the journal, in steps so small that appends hardly wait for them.

use std::time::Duration;

use diesel::prelude::*;

use super::{AppendError, Journal, Pruned, known, schema::entries};
use crate::{age::Present, sqlite::transaction};

/// Rows that one step looks at: a few milliseconds.
const STEP_ROWS: usize = 1_000;

impl Journal {
    /// Deletes a few of the oldest rows: those that every archive's cursor has passed and that are older than `keep`
    /// (see [`KEEP`](super::KEEP)) at present. The newest row always stays, so that no
    /// position is used twice. Forgets the epochs that have no row left and are not their node's newest.
    ///
    /// Writes also how far nodes and archives are, and which time is believed. Call it now and then, and again while it answers `more`.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub fn prune(&mut self, keep: Duration, present: impl Into<Present>) -> Result<Pruned, AppendError> {
        let Present { now_ms, age_ms } = present.into();
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let cutoff_ms = age_ms.saturating_sub(keep_ms);
        let mut after = self.prune_after;
        let pruned = self.with_file(|connection, known, _| {
            let passed =
                known.cursors.values().copied().min().unwrap_or(i64::MAX).min(known.last_position - 1);
            let window: Vec<(i64, i64)> = entries::table
                .filter(entries::position.gt(after).and(entries::position.le(passed)))
                .order(entries::position)
                .limit(i64::try_from(STEP_ROWS).unwrap_or(i64::MAX))
                .select((entries::position, entries::time_ms))
                .load(connection)?;
            let end = window.last().map_or(after, |&(position, _)| position);
            let old = window.iter().any(|&(_, time_ms)| time_ms < cutoff_ms);
            let rows = transaction(connection, |connection| {
                // Rows that go no longer tell how far their epochs are.
                known::save_epochs(connection, known)?;
                known::save_moved_cursors(connection, known)?;
                known::save_clock(connection, known)?;
                if !old {
                    return Ok(0);
                }
                diesel::delete(
                    entries::table
                        .filter(entries::position.gt(after).and(entries::position.le(end)))
                        .filter(entries::time_ms.lt(cutoff_ms)),
                )
                .execute(connection)
            })?;
            known.saved_position = known.last_position;
            known.moved_cursors.clear();
            // A step of young rows ends the search: what follows arrived later. Rows from the future, left by a clock
            // that was set back, do not end it.
            let ahead = window.iter().all(|&(_, time_ms)| time_ms > now_ms);
            let more = window.len() == STEP_ROWS && (old || ahead);
            after = if more { end } else { 0 };
            if !more {
                let oldest: Option<i64> =
                    entries::table.select(diesel::dsl::min(entries::position)).first(connection)?;
                let ended = known.committed.forget_ended(oldest.unwrap_or(known.last_position));
                known::forget(connection, &ended)?;
            }
            Ok(Pruned { rows, more })
        })?;
        self.prune_after = after;
        Ok(pruned)
    }
}
