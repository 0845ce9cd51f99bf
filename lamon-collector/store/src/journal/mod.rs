//! The journal: every sample in the order of its arrival, on the hub's own disk, before it is acknowledged.
//!
//! One SQLite file with a write-ahead log. One [`Journal`] writes it, from a thread of its own since every call blocks;
//! any number of [`JournalReader`]s read it beside, one for each archive that is filled from it. A row is known by its
//! position: positions rise, are never used twice, and go on rising when a damaged file is moved aside and a new one
//! begun. Each archive has a cursor, the position up to which it has everything.
//!
//! Beside the file lie SQLite's `-wal` and `-shm`, which belong to it, and `.lock`, which keeps a second process away.
//! Nothing else in the process may open the file: closing it would give back SQLite's locks.

mod accounts;
mod committed;
mod cursors;
mod error;
mod events;
mod file;
mod known;
mod options;
mod prune;
mod reader;
pub(crate) mod schema;

use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use diesel::{connection::SimpleConnection, prelude::*};

pub use self::{
    accounts::{Counts, NodeAccount},
    error::{AppendError, OpenError, ReadError},
    options::{Committed, Durability, JournalOptions, KEEP, Opened, Pruned},
    reader::{Backlog, JournalReader},
};
use self::{committed::Epoch, file::Trouble, known::Known};
use crate::{
    age::AgeClock,
    insert::InsertEntry,
    record::split,
    sample::Sample,
    sqlite::{Fault, transaction},
};

/// After so many rows what is committed of each node is written down. Until then the rows themselves say it, and who opens
/// the file reads them: some milliseconds then, instead of a second row for each sample now.
const SAVE_ROWS: i64 = 2_000;

/// The writer of a journal. See the [module](self).
pub struct Journal {
    path: PathBuf,
    options: JournalOptions,
    storage: Storage,
    known: Known,
    /// Epochs that are no longer in memory and still in the file.
    forgotten: Vec<(Arc<str>, u32)>,
    /// Where the next step of pruning begins; 0 for the beginning.
    prune_after: i64,
    /// Held as long as the journal lives: no other process writes it.
    _lock: File,
}

/// The state of the file.
enum Storage {
    /// Ready.
    Open(SqliteConnection),
    /// Closed after a fault, because it cannot be known how much of a failed commit is on disk: opened and loaded anew
    /// before the next use.
    Closed,
    /// Moved to the path given, and no new file begun yet.
    Moved(PathBuf),
}

impl Journal {
    /// Opens the journal at `path`, or makes it. The folder must exist.
    ///
    /// A file that is damaged or cannot be read is moved aside, and a new one begun: the answer says so.
    ///
    /// # Errors
    ///
    /// When there is neither a sound file nor the means to begin one. Call again later.
    pub fn open(path: &Path, options: JournalOptions) -> Result<(Self, Opened), OpenError> {
        if path.is_dir() {
            return Err(OpenError::Unwritable { path: path.to_owned(), reason: "it is a folder".to_owned() });
        }
        let lock = file::lock(path)?;
        let existed = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
        let (opened, (connection, known)) = match file::open(path, options, true) {
            Ok(loaded) => (if existed { Opened::Existing } else { Opened::Fresh }, loaded),
            Err(trouble) => {
                let Some(reason) = trouble.damage(path) else { return Err(trouble.into_error(path)) };
                let to = file::move_aside(path)?;
                let loaded =
                    file::open(path, options, false).map_err(|trouble: Trouble| trouble.into_error(path))?;
                (Opened::MovedAside { to, reason }, loaded)
            }
        };
        let journal = Self {
            path: path.to_owned(),
            options,
            storage: Storage::Open(connection),
            known,
            forgotten: Vec::new(),
            prune_after: 0,
            _lock: lock,
        };
        Ok((journal, opened))
    }

    /// Writes samples, in one transaction, and returns when they are on disk (see [`Durability`]), and with them how far
    /// their epochs are. Samples that are not above what is committed of their epoch are dropped and counted.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]: nothing of the batch is acknowledged, and it can be handed over again.
    pub fn append(&mut self, samples: &[Sample]) -> Result<Committed, AppendError> {
        self.with_file(|connection, known, forgotten| {
            let new = known.committed.new_ones(samples);
            let duplicates = samples.len() - new.len();
            if new.is_empty() {
                return Ok(Committed { stored: 0, duplicates, position: known.last_position });
            }
            let mut position = known.last_position;
            let mut newest: HashMap<(&Arc<str>, u32), Epoch> = HashMap::new();
            let save =
                new.len().try_into().unwrap_or(SAVE_ROWS) + position - known.saved_position >= SAVE_ROWS;
            transaction(connection, |connection| {
                known::forget(connection, forgotten)?;
                known::save_moved_cursors(connection, known)?;
                for sample in &new {
                    position += 1;
                    insert(connection, position, sample)?;
                    let epoch = newest.entry((&sample.node, sample.epoch)).or_insert(Epoch {
                        epoch: sample.epoch,
                        sequence: sample.sequence,
                        position,
                    });
                    epoch.sequence = epoch.sequence.max(sample.sequence);
                    epoch.position = position;
                }
                if save {
                    known::save_epochs(connection, known)?;
                    for ((node, _), epoch) in &newest {
                        known::save_epoch(connection, node, *epoch)?;
                    }
                }
                Ok(())
            })?;
            forgotten.clear();
            known.moved_cursors.clear();
            known.last_position = position;
            if save {
                known.saved_position = position;
            }
            for ((node, _), epoch) in newest {
                forgotten.extend(known.committed.set(node, epoch));
            }
            Ok(Committed { stored: new.len(), duplicates, position })
        })
    }

    /// The highest sequence number on disk of an epoch: what an agent may drop. Answered from memory.
    #[must_use]
    pub fn committed(&self, node: &str, epoch: u32) -> Option<u64> {
        self.known.committed.get(node, epoch)
    }

    /// The position of the newest row; before the first one, a position below it.
    #[must_use]
    pub fn last_position(&self) -> i64 {
        self.known.last_position
    }

    /// The journal's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which time is believed when the wall clock shows `now_ms` (milliseconds since 1970): what the journal kept of it, or
    /// that, in a new one.
    #[must_use]
    pub fn age_clock(&self, now_ms: i64) -> AgeClock {
        self.known.clock.unwrap_or_else(|| AgeClock::new(now_ms))
    }

    /// Remembers which time is believed. It is written by [`prune`](Self::prune) and [`flush`](Self::flush).
    pub fn set_age_clock(&mut self, clock: AgeClock) {
        self.known.clock = Some(clock);
    }

    /// Writes which time is believed, and the cursors that moved since the last commit. For the end of the process: nothing is lost without it.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub fn flush(&mut self) -> Result<(), AppendError> {
        self.with_file(|connection, known, _| {
            transaction(connection, |connection| {
                known::save_moved_cursors(connection, known)?;
                known::save_clock(connection, known)
            })?;
            known.moved_cursors.clear();
            Ok(())
        })
    }

    /// Puts what is in the write-ahead log into the file itself, as far as nobody reads there. For the end of the process: whoever
    /// copies the file of a hub that ended should have everything in it, though copying its companions too is right.
    ///
    /// # Errors
    ///
    /// See [`AppendError`].
    pub fn fold(&mut self) -> Result<(), AppendError> {
        self.with_file(|connection, _, _| {
            SimpleConnection::batch_execute(connection, "PRAGMA wal_checkpoint(PASSIVE)")
                .map_err(|error| Fault::from(error).into())
        })
    }

    /// Moves the file aside and begins a new one, which takes over what is committed and the archives' names; returns
    /// the old file's new name. Rows that an archive does not have yet are left behind in it.
    ///
    /// # Errors
    ///
    /// When the folder allows neither. What is known stays in memory: call again, or go on appending, which first
    /// tries to begin the new file.
    pub fn move_aside(&mut self) -> Result<PathBuf, OpenError> {
        if !matches!(self.storage, Storage::Moved(_)) {
            // Closed first: SQLite removes the files beside it by name.
            self.storage = Storage::Closed;
            self.storage = Storage::Moved(file::move_aside(&self.path)?);
        }
        let Storage::Moved(to) = &self.storage else { return Ok(self.path.clone()) };
        let to = to.clone();
        self.reopen().map_err(|trouble| trouble.into_error(&self.path))?;
        Ok(to)
    }

    /// Runs `work` on the open file. After a fault the file is closed, see [`Storage::Closed`].
    fn with_file<R>(
        &mut self,
        work: impl FnOnce(&mut SqliteConnection, &mut Known, &mut Vec<(Arc<str>, u32)>) -> Result<R, AppendError>,
    ) -> Result<R, AppendError> {
        if !matches!(self.storage, Storage::Open(_)) {
            self.reopen().map_err(|trouble| match trouble {
                Trouble::Fault(fault) => fault.into(),
                newer @ Trouble::Newer(_) => AppendError::from(newer.into_error(&self.path)),
            })?;
        }
        let Storage::Open(connection) = &mut self.storage else {
            return Err(AppendError::Other("it is closed".to_owned()));
        };
        let result = work(connection, &mut self.known, &mut self.forgotten);
        if result.is_err() {
            self.storage = Storage::Closed;
        }
        result
    }

    /// Opens the file again, or begins the new one after a move.
    fn reopen(&mut self) -> Result<(), Trouble> {
        let (connection, known) = match &self.storage {
            Storage::Open(_) => return Ok(()),
            Storage::Closed if self.path.exists() => file::open(&self.path, self.options, false)?,
            // Somebody took the file away while it was closed, or it was moved aside.
            Storage::Closed | Storage::Moved(_) => file::begin(&self.path, self.options, &self.known)?,
        };
        self.known = known;
        self.forgotten.clear();
        self.prune_after = 0;
        self.storage = Storage::Open(connection);
        Ok(())
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Journal")
            .field("path", &self.path)
            .field("last_position", &self.known.last_position)
            .finish_non_exhaustive()
    }
}

impl From<diesel::result::Error> for AppendError {
    fn from(error: diesel::result::Error) -> Self {
        Fault::from(error).into()
    }
}

/// Writes one row.
fn insert(connection: &mut SqliteConnection, position: i64, sample: &Sample) -> QueryResult<usize> {
    let (core, metrics) = split(sample);
    InsertEntry {
        position,
        node: &sample.node,
        epoch: i64::from(sample.epoch),
        sequence: sample.sequence.cast_signed(),
        time_ms: sample.time_ms,
        core,
        metrics,
    }
    .execute(connection)
}
