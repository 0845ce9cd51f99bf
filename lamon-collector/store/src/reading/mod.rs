//! Reading an archive: what tests and applications use. Each call is one short statement, since a long one would keep
//! SQLite from folding its write-ahead log into the file.
//!
//! | file | what it answers |
//! |---|---|
//! | `mod` | rollups and nodes, as they are stored |
//! | `samples` | samples, as they are stored, and those that were refused |
//! | `events` | events, backwards, some thousands a statement |
//! | `history` | a metric's past in as many points as are wanted, from the tier that fits |
//! | `coverage` | how much of a node's data is there |
//! | `pages` | samples as they are stored, backwards, some hundreds a statement |
//! | `means` | a metric's means in equal whiles, for many nodes |
//! | `nights` | statistics of observing nights; when a disk is full |
//! | `walk` | every row of a node and a tier, page by page |
//! | `sizes` | how large the archive is |

mod coverage;
mod events;
mod history;
mod means;
mod nights;
mod pages;
mod samples;
mod sizes;
mod walk;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::prelude::*;
use diesel_async::AsyncMysqlConnection;
use tokio::{task, time::timeout};

pub use self::{
    coverage::Coverage,
    events::{EventPlace, MAX_EVENTS},
    history::{History, MAX_POINTS, Point},
    means::{CellMean, Cells},
    nights::{DiskOutlook, MAX_NIGHTS, Night, Site, busy},
    pages::{MAX_SAMPLES, SamplePlace},
    sizes::{ArchiveSize, TierSize},
    walk::{Row, Walk},
};
use crate::{
    archive::{
        ArchiveError, ArchiveUrl, Purpose, fault_sentence, open_session, servers::MysqlTarget,
        sqlite_sentence, url::Target,
    },
    db::{self, Db, OneNumber, OneText, Value, at_once},
    record::Names,
    registers::NodeRecord,
    rollup::Rollup,
    rollup_row::{ROLLUP_COLUMNS, StoredRollup},
    sqlite,
    tier::Tier,
};

/// Most rows that one call returns, about 100 MB of samples with 40 metrics.
pub const MAX_ROWS: usize = 100_000;

/// How long a server may take to answer.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// A reader's page cache.
const CACHE_KIB: u32 = 1_024;

/// A connection that reads an archive.
pub struct ArchiveReader {
    source: Source,
    names: Names,
    /// Whether the table of events was seen to have their metric.
    events_have_metrics: bool,
}

/// Where it reads.
enum Source {
    Sqlite { path: PathBuf, connection: Arc<Mutex<SqliteConnection>> },
    Mysql { target: MysqlTarget, connection: Option<AsyncMysqlConnection> },
}

impl ArchiveReader {
    /// Opens an archive to read. A SQLite file must be there; nothing is made or migrated.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn open(url: &ArchiveUrl) -> Result<Self, ArchiveError> {
        let source = match &url.0 {
            Target::Sqlite(path) => {
                let path = path.clone();
                let opened = task::spawn_blocking({
                    let path = path.clone();
                    move || sqlite::open_to_read(&path, CACHE_KIB)
                });
                let connection = opened
                    .await
                    .map_err(|error| {
                        ArchiveError::Other(format!("opening {} ended early: {error}", path.display()))
                    })?
                    .map_err(|fault| sqlite_sentence(&path, &fault))?;
                Source::Sqlite { path, connection: Arc::new(Mutex::new(connection)) }
            }
            Target::Mysql(target) => {
                let mut target = target.clone();
                let session = open_session(&mut target, Purpose::Read).await?;
                Source::Mysql { target, connection: Some(session.connection) }
            }
        };
        Ok(Self { source, names: Names::default(), events_have_metrics: false })
    }

    /// Every node that has rows in some tier, by name.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn nodes(&mut self) -> Result<Vec<String>, ArchiveError> {
        let mut nodes = std::collections::BTreeSet::new();
        for tier in Tier::ALL {
            // From name to name by the key, where DISTINCT would read it whole.
            let sql = format!("SELECT node AS t FROM {tier} WHERE node > ? ORDER BY node LIMIT 1");
            let mut after = String::new();
            while let Some(node) = self.text(&sql, vec![after.as_str().into()]).await? {
                after.clone_from(&node);
                nodes.insert(node);
            }
        }
        Ok(nodes.into_iter().collect())
    }

    /// Whether a node has rows in some tier.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn knows(&mut self, node: &str) -> Result<bool, ArchiveError> {
        for tier in Tier::ALL {
            if self.oldest(tier, node).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A node's rollups with `from_ms <= time < to_ms`, oldest first, `limit` and [`MAX_ROWS`] at most. None for
    /// [`Tier::Samples`].
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn rollups(
        &mut self,
        tier: Tier,
        node: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Rollup>, ArchiveError> {
        if tier == Tier::Samples {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {} FROM {tier} WHERE node = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms LIMIT {}",
            *ROLLUP_COLUMNS,
            rows_limit(limit)
        );
        let rows: Vec<StoredRollup> =
            self.rows(&sql, vec![node.into(), from_ms.into(), to_ms.into()]).await?;
        rows.into_iter()
            .map(|StoredRollup { node, time_ms, columns }| {
                let metrics = columns.into_metrics().map_err(|error| {
                    ArchiveError::Other(format!(
                        "the row of {node} at {time_ms} in {tier} has bad metrics: {error}"
                    ))
                })?;
                Ok(Rollup { node: self.names.shared(&node), time_ms, metrics })
            })
            .collect()
    }

    /// The newest migration of the database, in the form of [`archive_version`](crate::archive_version); none before the
    /// first.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn version(&mut self) -> Result<Option<String>, ArchiveError> {
        self.text("SELECT MAX(version) AS t FROM __diesel_schema_migrations", Vec::new()).await
    }

    /// How many samples were refused.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn dead_letter_count(&mut self) -> Result<u64, ArchiveError> {
        let count = self.number("SELECT COUNT(*) AS n FROM dead_letter", Vec::new()).await?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// How many rollups are due, those of whiles that have not ended too.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn rollups_due(&mut self) -> Result<u64, ArchiveError> {
        let count = self.number("SELECT COUNT(*) AS n FROM rollups_due", Vec::new()).await?;
        Ok(count.unwrap_or(0).unsigned_abs())
    }

    /// What is known of every node, by name.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn node_records(&mut self) -> Result<Vec<NodeRecord>, ArchiveError> {
        let sql = format!(
            "SELECT node, first_heard_ms, last_heard_ms, os, agent_version FROM nodes ORDER BY node LIMIT {MAX_ROWS}"
        );
        self.rows(&sql, Vec::new()).await
    }

    /// Runs a short query on either database.
    pub(crate) async fn rows<R: db::Row>(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<R>, ArchiveError> {
        match &mut self.source {
            Source::Sqlite { path, connection } => {
                let (sql, connection) = (sql.to_owned(), Arc::clone(connection));
                let work = task::spawn_blocking(move || {
                    at_once(connection.lock().unwrap_or_else(PoisonError::into_inner).rows(&sql, values))
                });
                match work.await {
                    Ok(result) => result.map_err(|error| sqlite_sentence(path, &error.into())),
                    Err(error) => {
                        Err(ArchiveError::Other(format!("reading {} ended early: {error}", path.display())))
                    }
                }
            }
            Source::Mysql { target, connection } => {
                let mut session = match connection.take() {
                    Some(session) => session,
                    None => open_session(target, Purpose::Read).await?.connection,
                };
                match timeout(READ_LIMIT, session.rows(sql, values)).await {
                    Ok(Ok(rows)) => {
                        *connection = Some(session);
                        Ok(rows)
                    }
                    Ok(Err(error)) => Err(fault_sentence(&mut session, error, target.present()).await),
                    Err(_) => Err(ArchiveError::Unreachable(format!(
                        "{} did not answer within {} s",
                        target.present(),
                        READ_LIMIT.as_secs()
                    ))),
                }
            }
        }
    }

    /// The number of the first row, in a column named `n`.
    pub(crate) async fn number(
        &mut self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Option<i64>, ArchiveError> {
        Ok(self.rows::<OneNumber>(sql, values).await?.into_iter().next().and_then(|row| row.n))
    }

    /// The text of the first row, in a column named `t`.
    async fn text(&mut self, sql: &str, values: Vec<Value>) -> Result<Option<String>, ArchiveError> {
        Ok(self.rows::<OneText>(sql, values).await?.into_iter().next().and_then(|row| row.t))
    }
}

impl fmt::Debug for ArchiveReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Sqlite { path, .. } => write!(formatter, "ArchiveReader({})", path.display()),
            Source::Mysql { target, .. } => write!(formatter, "ArchiveReader({target})"),
        }
    }
}

/// A limit as SQL wants it.
fn rows_limit(limit: usize) -> i64 {
    i64::try_from(limit.min(MAX_ROWS)).unwrap_or(i64::MAX)
}
