//! Events on their way to the archive: they are kept in the journal until it has them, since the one that an operator looks
//! for most is that the archive was away.

use diesel::prelude::*;

use super::{AppendError, Journal, JournalReader, ReadError, schema::events};
use crate::{registers::Event, sqlite::transaction};

/// Most events that wait for an archive, some 10 MB: what a bad week makes. The oldest are dropped beyond it.
const MAX_EVENTS: i64 = 50_000;

impl Journal {
    /// Writes events, in one transaction, and returns when they are on disk. Their numbers are given here, whatever they
    /// have.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]: none is stored, and all can be handed over again.
    pub fn append_events(&mut self, events: &[Event]) -> Result<(), AppendError> {
        self.with_file(|connection, known, _| {
            let mut number = known.last_event;
            transaction(connection, |connection| {
                for event in events {
                    // Microseconds, as positions are: a number is not used again when all events before are gone.
                    number = event.time_ms.saturating_mul(1_000).max(number.saturating_add(1));
                    diesel::insert_into(events::table)
                        .values(Event { number, ..event.clone() })
                        .execute(connection)?;
                }
                let beyond: Option<i64> = events::table
                    .order(events::number.desc())
                    .offset(MAX_EVENTS)
                    .select(events::number)
                    .first(connection)
                    .optional()?;
                if let Some(beyond) = beyond {
                    diesel::delete(events::table.filter(events::number.le(beyond))).execute(connection)?;
                }
                Ok(())
            })?;
            known.last_event = number;
            Ok(())
        })
    }

    /// Deletes the events up to a number: the archive has them.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub fn drop_events(&mut self, up_to: i64) -> Result<(), AppendError> {
        self.with_file(|connection, _, _| {
            diesel::delete(events::table.filter(events::number.le(up_to))).execute(connection)?;
            Ok(())
        })
    }
}

impl JournalReader {
    /// The oldest events that wait, up to `limit`, in order.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn events(&mut self, limit: usize) -> Result<Vec<Event>, ReadError> {
        let events = events::table
            .order(events::number)
            .limit(i64::try_from(limit).unwrap_or(i64::MAX))
            .select(Event::as_select())
            .load(self.connection()?);
        self.checked(events)
    }
}
