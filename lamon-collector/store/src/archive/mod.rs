//! Archives: where samples stay. A SQLite file or a MySQL database (MariaDB, Galera), with the same tables, filled in
//! batches from the journal.
//!
//! Handing over a batch twice stores it once: the key is node, time, epoch and sequence number, and the first writer
//! wins. A row that the database refuses goes to `dead_letter` with the reason and never stops the others.

mod error;
mod marks;
mod mysql;
mod mysql_fault;
mod mysql_lease;
mod mysql_migrate;
mod mysql_session;
mod mysql_standing;
mod password;
mod rows;
mod section;
pub(crate) mod servers;
mod sqlite;
mod tasks;
mod tls;
pub(crate) mod url;

use std::{borrow::Cow, fmt};

pub use self::{
    error::ArchiveError,
    rows::DeadLetter,
    section::DatabaseTable,
    tls::TlsMode,
    url::{ArchiveUrl, UrlError},
};
use self::{
    mysql::MysqlArchive,
    mysql_session::survey,
    sqlite::SqliteArchive,
    tasks::{AppendEvents, ListSettings, Reset, Set, Step, UpsertNodes},
    url::Target,
};
pub(crate) use self::{
    mysql_fault::fault_sentence,
    mysql_session::{Purpose, open_session},
    rows::StoredSample,
    servers::same_archive,
    sqlite::sentence as sqlite_sentence,
    tasks::Task,
};
use crate::{
    age::Present,
    registers::{Event, NodeRecord, Setting},
    sample::Sample,
    upkeep::{Retention, Upkept},
};

/// The best number of samples to hand over at once: the most that go into one statement of MySQL.
pub const BATCH_ROWS: usize = 1_000;

/// Most reasons that [`Appended`] carries, so that a batch of bad rows is no flood.
const MAX_REASONS: usize = 5;

/// Longest name of a hub, as the tables have it.
const MAX_HUB_BYTES: usize = 64;

/// An open archive, by the database that holds it.
#[derive(Debug)]
pub enum Archive {
    /// A SQLite file.
    Sqlite(SqliteArchive),
    /// A MySQL or MariaDB server.
    Mysql(Box<MysqlArchive>),
}

/// What became of a batch. The three counts add up to its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appended {
    /// Rows written.
    pub stored: usize,
    /// Samples that the archive had already.
    pub already_there: usize,
    /// Samples that were refused and are now in `dead_letter`.
    pub dead: usize,
    /// Why, for the first few of them.
    pub reasons: Vec<String>,
}

impl Appended {
    /// Counts a refused sample.
    fn add_dead(&mut self, reason: Cow<'_, str>) {
        self.dead += 1;
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(reason.into_owned());
        }
    }
}

impl Archive {
    /// Connects, to the first of several servers that takes rows, and runs the migrations that the database lacks. `hub` is the name that each row carries, 1 to 64
    /// printable ASCII characters.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn connect(url: &ArchiveUrl, hub: &str) -> Result<Self, ArchiveError> {
        if !(1..=MAX_HUB_BYTES).contains(&hub.len()) || !hub.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ArchiveError::Other(format!(
                "the hub's name {hub:?} is not 1 to {MAX_HUB_BYTES} printable ASCII characters"
            )));
        }
        match &url.0 {
            Target::Sqlite(path) => SqliteArchive::connect(path, hub).await.map(Self::Sqlite),
            Target::Mysql(target) => {
                MysqlArchive::connect(target, hub).await.map(|archive| Self::Mysql(Box::new(archive)))
            }
        }
    }

    /// Asks each server of the archive by itself whether it takes rows now; nothing for a SQLite file. For people.
    pub async fn survey(url: &ArchiveUrl) -> Vec<(String, Result<(), ArchiveError>)> {
        match &url.0 {
            Target::Sqlite(_) => Vec::new(),
            Target::Mysql(target) => survey(target).await,
        }
    }

    /// Who takes the samples: the file, or the one of several servers that is in use.
    #[must_use]
    pub fn server(&self) -> String {
        match self {
            Self::Sqlite(archive) => archive.name(),
            Self::Mysql(archive) => archive.server(),
        }
    }

    /// Stores samples and returns when they are committed. Connects again by itself when the connection was lost, to the
    /// next of several servers.
    ///
    /// May be dropped while it runs; what it had stored by then is found to be there the next time.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]: some of the batch may be stored, and all of it can be handed over again.
    pub async fn append(&mut self, samples: &[Sample]) -> Result<Appended, ArchiveError> {
        match self {
            Self::Sqlite(archive) => archive.append(samples).await,
            Self::Mysql(archive) => archive.append(samples).await,
        }
    }

    /// Does one short step of what keeps an archive in order at present: makes rollups that are due, or deletes rows that
    /// are older than `retention` keeps. Call it when there is nothing to append, and again
    /// while it answers `more`.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]: the step is undone, and can be done again.
    pub async fn upkeep(
        &mut self,
        retention: &Retention,
        present: impl Into<Present>,
    ) -> Result<Upkept, ArchiveError> {
        self.perform(Step { retention: *retention, present: present.into() }).await
    }

    /// Stores events. Those that are there already stay as they are.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn append_events(&mut self, events: &[Event]) -> Result<(), ArchiveError> {
        for events in events.chunks(BATCH_ROWS) {
            self.perform(AppendEvents(events.to_vec())).await?;
        }
        Ok(())
    }

    /// Stores what is known of nodes, one record a node. The first time of hearing only ever goes back, the last only forth,
    /// and what a record does not know stays as it was.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn upsert_nodes(&mut self, nodes: &[NodeRecord]) -> Result<(), ArchiveError> {
        self.perform(UpsertNodes(nodes.to_vec())).await
    }

    /// Writes a setting over what it was.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]; names and values that are too long are refused.
    pub async fn set(&mut self, setting: &Setting) -> Result<(), ArchiveError> {
        match setting.fault() {
            Some(fault) => Err(ArchiveError::Other(fault)),
            None => self.perform(Set(setting.clone())).await,
        }
    }

    /// Removes a setting, so that the configuration file holds again; whether it was there.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn reset(&mut self, name: &str) -> Result<bool, ArchiveError> {
        self.perform(Reset(name.to_owned())).await
    }

    /// A setting.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn setting(&mut self, name: &str) -> Result<Option<Setting>, ArchiveError> {
        Ok(self.settings(name).await?.into_iter().find(|setting| setting.name == name))
    }

    /// Every setting whose name begins with `prefix`, by name; [`MAX_SETTINGS`](crate::registers::MAX_SETTINGS) at most.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn settings(&mut self, prefix: &str) -> Result<Vec<Setting>, ArchiveError> {
        self.perform(ListSettings(prefix.to_owned())).await
    }

    /// Does a task on the archive's own connection.
    pub(crate) async fn perform<T: Task>(&mut self, task: T) -> Result<T::Output, ArchiveError> {
        match self {
            Self::Sqlite(archive) => archive.perform(task).await,
            Self::Mysql(archive) => archive.perform(task).await,
        }
    }
}

/// Writes an archive's name only.
fn debug_name(formatter: &mut fmt::Formatter<'_>, kind: &str, name: &dyn fmt::Display) -> fmt::Result {
    write!(formatter, "{kind}({name})")
}
