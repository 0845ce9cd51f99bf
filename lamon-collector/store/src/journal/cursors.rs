//! How far each archive has come: the journal's cursors.

use diesel::prelude::*;

use super::{AppendError, Journal, known, schema::cursors};
use crate::{archive::same_archive, sqlite::transaction};

/// Most archives one journal is read for; each costs a row.
const MAX_ARCHIVES: usize = 16;

impl Journal {
    /// Says which archives are filled from this journal: each new name gets a cursor before the oldest row, and the
    /// cursors of other names, which would keep rows for ever, are dropped. A new name of an archive that has a cursor (see
    /// [`ArchiveUrl::name`](crate::ArchiveUrl::name)) takes it over.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; more than 16 names are refused.
    pub fn use_archives(&mut self, archives: &[&str]) -> Result<(), AppendError> {
        if archives.len() > MAX_ARCHIVES {
            return Err(AppendError::Other(format!("{} archives, {MAX_ARCHIVES} at most", archives.len())));
        }
        self.with_file(|connection, known, _| {
            let new = archives.iter().filter(|archive| !known.cursors.contains_key(**archive));
            let new: Vec<(&str, i64)> = new
                .map(|archive| {
                    // Of several that became one, the one that is least far.
                    let before = known.cursors.iter().filter(|(known, _)| same_archive(known, archive));
                    (*archive, before.map(|(_, position)| *position).min().unwrap_or(0))
                })
                .collect();
            transaction(connection, |connection| {
                diesel::delete(cursors::table.filter(cursors::archive.ne_all(archives)))
                    .execute(connection)?;
                for (archive, position) in &new {
                    known::save_cursor(connection, archive, *position)?;
                }
                Ok(())
            })?;
            known.cursors.retain(|archive, _| archives.contains(&archive.as_str()));
            known.moved_cursors.retain(|archive| archives.contains(&archive.as_str()));
            known.cursors.extend(new.into_iter().map(|(archive, position)| (archive.to_owned(), position)));
            Ok(())
        })
    }

    /// The position up to which an archive has everything; none for a name that
    /// [`use_archives`](Self::use_archives) was not given.
    #[must_use]
    pub fn cursor(&self, archive: &str) -> Option<i64> {
        self.known.cursors.get(archive).copied()
    }

    /// Remembers that an archive has committed everything up to `position`. A cursor never goes back while the journal
    /// is open. It is written with the next samples, or by [`prune`](Self::prune) or [`flush`](Self::flush): a cursor that
    /// was not written when the process ended lags, and its archive is handed rows that it has.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; a name without a cursor and a position that no row has had yet are refused.
    pub fn set_cursor(&mut self, archive: &str, position: i64) -> Result<(), AppendError> {
        self.with_file(|_, known, _| {
            let Some(cursor) = known.cursors.get_mut(archive) else {
                return Err(AppendError::Other(format!("{archive} is not an archive of this journal")));
            };
            if position > known.last_position {
                return Err(AppendError::Other(format!(
                    "position {position} of {archive} lies after the newest row"
                )));
            }
            if position > *cursor {
                *cursor = position;
                known.moved_cursors.insert(archive.to_owned());
            }
            Ok(())
        })
    }
}
