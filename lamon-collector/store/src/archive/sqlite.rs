//! The archive in a SQLite file.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{connection::SimpleConnection, prelude::*, result::Error};
use tokio::task;

use super::{
    Appended, ArchiveError, debug_name,
    marks::{Marks, now_ms},
    rows::NewDeadLetter,
    tasks::Task,
};
use crate::{
    db::at_once,
    insert::InsertSample,
    migrations::{self, MigrateError},
    sample::Sample,
    schema::dead_letter,
    sqlite::{self, Durability, Fault},
    tier::Tier,
    upkeep::{Upkeep, mark_due},
};

/// The page cache: the key is written at one place per node, so a hundred nodes touch some hundred pages.
const CACHE_KIB: u32 = 2_048;

/// An archive in a SQLite file. Its statements run on the runtime's threads for blocking work.
pub struct SqliteArchive {
    /// Locked by one blocking task at a time; outlives a caller that was dropped.
    file: Arc<Mutex<ArchiveFile>>,
    path: PathBuf,
}

/// The file and its connection.
struct ArchiveFile {
    path: PathBuf,
    hub: String,
    /// None after a fault: opened anew before the next use.
    connection: Option<SqliteConnection>,
    marks: Marks,
    upkeep: Upkeep,
}

impl SqliteArchive {
    /// Opens or makes the file and its tables.
    pub(super) async fn connect(path: &Path, hub: &str) -> Result<Self, ArchiveError> {
        let archive = Self {
            file: Arc::new(Mutex::new(ArchiveFile {
                path: path.to_owned(),
                hub: hub.to_owned(),
                connection: None,
                marks: Marks::default(),
                upkeep: Upkeep::default(),
            })),
            path: path.to_owned(),
        };
        archive.blocking(|file| file.open().map(drop)).await?;
        Ok(archive)
    }

    /// The file's name.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// See [`Archive::append`](super::Archive::append).
    pub(super) async fn append(&self, samples: &[Sample]) -> Result<Appended, ArchiveError> {
        let samples = samples.to_vec();
        self.blocking(move |file| file.append(&samples)).await
    }

    /// Does a task.
    pub(super) async fn perform<T: Task>(&self, work: T) -> Result<T::Output, ArchiveError> {
        self.blocking(move |file| file.perform(work)).await
    }

    /// Runs `work` where it may block.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ArchiveFile) -> Result<R, ArchiveError> + Send + 'static,
    ) -> Result<R, ArchiveError> {
        let file = Arc::clone(&self.file);
        let done =
            task::spawn_blocking(move || work(&mut file.lock().unwrap_or_else(PoisonError::into_inner)));
        done.await.map_err(|error| {
            ArchiveError::Other(format!(
                "writing to the archive {} ended early: {error}",
                self.path.display()
            ))
        })?
    }
}

impl fmt::Debug for SqliteArchive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_name(formatter, "SqliteArchive", &self.path.display())
    }
}

impl ArchiveFile {
    /// The connection, opened and migrated if there is none.
    fn open(&mut self) -> Result<&mut SqliteConnection, ArchiveError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                // What is committed here is gone from the journal sooner or later: it must survive a power cut.
                let mut connection = sqlite::open_to_write(&self.path, Durability::Full, CACHE_KIB)
                    .map_err(|fault| sentence(&self.path, &fault))?;
                migrations::migrate_file(&mut connection, &migrations::SQLITE).map_err(
                    |error| match error {
                        MigrateError::Newer { .. } => {
                            ArchiveError::Newer(format!("the archive {} {error}", self.path.display()))
                        }
                        MigrateError::Failed(text) => sentence(&self.path, &Fault::of_text(&text)),
                    },
                )?;
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Stores samples in one transaction, with the rollups that become due by them.
    fn append(&mut self, samples: &[Sample]) -> Result<Appended, ArchiveError> {
        self.open()?;
        let Some(connection) = &mut self.connection else { return Ok(Appended::default()) };
        let now_ms = now_ms();
        let (hub, marks) = (&self.hub, &self.marks);
        let result = sqlite::transaction(connection, |connection| {
            let mut appended = Appended::default();
            let mut stored = Vec::with_capacity(samples.len());
            for sample in samples {
                if store(connection, sample, hub, &mut appended)? {
                    stored.push(sample);
                }
            }
            let due = marks.of(stored.into_iter(), now_ms);
            at_once(mark_due(connection, Tier::TenMinutes, &due))?;
            Ok((appended, due))
        });
        match result {
            Ok((appended, due)) => {
                self.marks.written(due, now_ms);
                Ok(appended)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Does a task.
    fn perform<T: Task>(&mut self, work: T) -> Result<T::Output, ArchiveError> {
        self.open()?;
        let Some(connection) = &mut self.connection else {
            return Err(sentence(&self.path, &Fault::Other("it is closed".to_owned())));
        };
        let result = at_once(work.perform(connection, &self.hub, &mut self.upkeep));
        result.map_err(|error| self.failed(error))
    }

    /// After a fault the file is opened anew, and nothing is believed to be in it.
    fn failed(&mut self, error: Error) -> ArchiveError {
        if let Some(mut connection) = self.connection.take() {
            let _done_already = connection.batch_execute("ROLLBACK");
        }
        self.marks.forget();
        sentence(&self.path, &error.into())
    }
}

/// Stores one sample, in `samples` or in `dead_letter`; whether `samples` has a row more.
fn store(
    connection: &mut SqliteConnection,
    sample: &Sample,
    hub: &str,
    appended: &mut Appended,
) -> Result<bool, Error> {
    let reason = match InsertSample::new(sample, hub) {
        Ok(row) => {
            match row.execute(connection) {
                Ok(1) => {
                    appended.stored += 1;
                    return Ok(true);
                }
                Ok(_) => {
                    appended.already_there += 1;
                    return Ok(false);
                }
                // A constraint of the table: SQLite undoes the statement and keeps the transaction.
                Err(Error::DatabaseError(kind, message))
                    if !matches!(kind, diesel::result::DatabaseErrorKind::Unknown) =>
                {
                    message.message().to_owned()
                }
                Err(error) => return Err(error),
            }
        }
        Err(reason) => reason,
    };
    diesel::insert_into(dead_letter::table)
        .values(NewDeadLetter::new(sample, hub, &reason))
        .on_conflict_do_nothing()
        .execute(connection)?;
    appended.add_dead(reason.into());
    Ok(false)
}

/// A fault of the archive's file as a sentence.
pub(crate) fn sentence(path: &Path, fault: &Fault) -> ArchiveError {
    let path = path.display();
    match fault {
        Fault::Full => {
            ArchiveError::Full(format!("no room for the archive {path}: free some space on its disk"))
        }
        Fault::Damaged(text) => ArchiveError::Other(format!(
            "the archive {path} is damaged ({text}): move it away and a new one is begun"
        )),
        Fault::Unwritable(text) => {
            ArchiveError::Unreachable(format!("the archive {path} cannot be opened: {text}"))
        }
        Fault::Io(text) | Fault::Other(text) => {
            ArchiveError::Other(format!("the archive {path} fails: {text}"))
        }
    }
}
