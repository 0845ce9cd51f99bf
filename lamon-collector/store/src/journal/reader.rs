//! Reading the journal beside its writer: what the forwarders of the archives use.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use diesel::{dsl, prelude::*};

use super::{
    error::ReadError,
    schema::{cursors, entries},
};
use crate::{
    archive::same_archive,
    record::{EntryCore, Names, join},
    sample::Sample,
    sqlite::{self, Fault},
};

/// The reader's page cache: it reads forward and comes back to nothing.
const CACHE_KIB: u32 = 128;

/// A read-only connection to a journal. Every call blocks, for as long as its statement takes.
///
/// It follows the path: when the journal's file is moved aside and a new one begun, the next call reads that one.
pub struct JournalReader {
    path: PathBuf,
    file: Option<(SqliteConnection, FileId)>,
    names: Names,
}

/// What lies between a cursor and the newest row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Rows after the position.
    pub rows: u64,
    /// The time of the first of them, milliseconds since 1970; none without rows.
    pub oldest_ms: Option<i64>,
}

/// A row as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = entries)]
struct Entry {
    position: i64,
    node: String,
    epoch: i64,
    sequence: i64,
    time_ms: i64,
    #[diesel(embed)]
    core: EntryCore,
    metrics: Option<String>,
}

/// Device and inode: which file a path leads to.
type FileId = (u64, u64);

impl JournalReader {
    /// Opens a journal that its writer has made.
    ///
    /// # Errors
    ///
    /// When the file is not there or cannot be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let mut reader = Self { path: path.to_owned(), file: None, names: Names::default() };
        reader.connection()?;
        Ok(reader)
    }

    /// Up to `limit` rows after a position, with their positions, in order.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn read_after(&mut self, position: i64, limit: usize) -> Result<Vec<(i64, Sample)>, ReadError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows: QueryResult<Vec<Entry>> = entries::table
            .filter(entries::position.gt(position))
            .order(entries::position)
            .limit(limit)
            .select(Entry::as_select())
            .load(self.connection()?);
        let rows = self.checked(rows)?;
        rows.into_iter().map(|row| self.decode(row)).collect()
    }

    /// How much lies after a position. Costs two look-ups, however much it is; exact for the position of a cursor,
    /// after which nothing is ever deleted.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn backlog(&mut self, position: i64) -> Result<Backlog, ReadError> {
        let first: QueryResult<Option<(i64, i64)>> = entries::table
            .filter(entries::position.gt(position))
            .order(entries::position)
            .select((entries::position, entries::time_ms))
            .first(self.connection()?)
            .optional();
        let Some((first, oldest_ms)) = self.checked(first)? else {
            return Ok(Backlog { rows: 0, oldest_ms: None });
        };
        let last: QueryResult<Option<i64>> =
            entries::table.select(dsl::max(entries::position)).first(self.connection()?);
        let last = self.checked(last)?.unwrap_or(first);
        let rows = last.saturating_sub(first).saturating_add(1);
        Ok(Backlog { rows: u64::try_from(rows).unwrap_or(0), oldest_ms: Some(oldest_ms) })
    }

    /// How far an archive has come, also under another of its names; none for one that the journal does not know.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn cursor(&mut self, archive: &str) -> Result<Option<i64>, ReadError> {
        let cursors: Result<Vec<(String, i64)>, _> =
            cursors::table.select((cursors::archive, cursors::position)).load(self.connection()?);
        let cursors = self.checked(cursors)?;
        let exact = cursors.iter().find(|(name, _)| name == archive).map(|(_, position)| *position);
        let alike = cursors.iter().filter(|(name, _)| same_archive(name, archive));
        Ok(exact.or_else(|| alike.map(|(_, position)| *position).min()))
    }

    /// The connection to the file that is at the path now.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, ReadError> {
        let metadata = std::fs::metadata(&self.path).map_err(|error| ReadError(error.to_string()))?;
        let now = (metadata.dev(), metadata.ino());
        let kept = self.file.take().filter(|(_, id)| *id == now);
        let current = match kept {
            Some(current) => current,
            None => (sqlite::open_to_read(&self.path, CACHE_KIB)?, now),
        };
        Ok(&mut self.file.insert(current).0)
    }

    /// Hands a result on; after a fault the file is opened anew.
    pub(super) fn checked<T>(&mut self, result: QueryResult<T>) -> Result<T, ReadError> {
        result.map_err(|error| {
            self.file = None;
            Fault::from(error).into()
        })
    }

    /// A row as position and sample.
    fn decode(&mut self, row: Entry) -> Result<(i64, Sample), ReadError> {
        let position = row.position;
        let bad = |what: &str| ReadError(format!("the row at position {position} has {what}"));
        let node: Arc<str> = self.names.shared(&row.node);
        let metrics = join(row.core.into(), row.metrics.as_deref(), &mut self.names)
            .map_err(|error| bad(&format!("metrics that are no JSON object of numbers: {error}")))?;
        let sample = Sample {
            node,
            epoch: u32::try_from(row.epoch).map_err(|_| bad("an epoch out of range"))?,
            sequence: row.sequence.cast_unsigned(),
            time_ms: row.time_ms,
            metrics,
        };
        Ok((position, sample))
    }
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("JournalReader").field("path", &self.path).finish_non_exhaustive()
    }
}
