//! Samples as they are stored: the newest, those of a while, how many; and those that were refused.

use std::sync::{Arc, PoisonError};

use diesel::{prelude::*, result::Error};
use diesel_async::RunQueryDsl as AsyncRunQueryDsl;
use tokio::{task, time::timeout};

use super::{ArchiveReader, READ_LIMIT, Source, rows_limit};
use crate::{
    archive::{
        ArchiveError, DeadLetter, Purpose, StoredSample, fault_sentence, open_session, sqlite_sentence,
    },
    sample::Sample,
    schema::{dead_letter, samples},
};

/// Runs one query on either database. The expression is written out for each, since diesel ties it to one of them.
macro_rules! on_either {
    ($source:expr, $method:ident :: <$row:ty>, $query:expr) => {
        match $source {
            Source::Sqlite { path, connection } => {
                let connection = Arc::clone(connection);
                let work = task::spawn_blocking(move || {
                    let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                    diesel::RunQueryDsl::$method::<$row>($query, &mut *connection)
                });
                match work.await {
                    Ok(result) => result.map_err(|error: Error| sqlite_sentence(path, &error.into())),
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
                let work = AsyncRunQueryDsl::$method::<$row>($query, &mut session);
                let Ok(result) = timeout(READ_LIMIT, work).await else {
                    let server = target.present();
                    let text = format!("{server} did not answer within {} s", READ_LIMIT.as_secs());
                    return Err(ArchiveError::Unreachable(text));
                };
                match result {
                    Ok(rows) => {
                        *connection = Some(session);
                        Ok(rows)
                    }
                    Err(error) => Err(fault_sentence(&mut session, error, target.present()).await),
                }
            }
        }
    };
}

impl ArchiveReader {
    /// The newest sample of a node, by time.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn latest(&mut self, node: &str) -> Result<Option<Sample>, ArchiveError> {
        let node = node.to_owned();
        let rows = on_either!(
            &mut self.source,
            load::<StoredSample>,
            samples::table
                .filter(samples::node.eq(node))
                .order((samples::time_ms.desc(), samples::epoch.desc(), samples::sequence.desc()))
                .limit(1)
                .select(StoredSample::as_select())
        )?;
        Ok(self.decode(rows)?.pop())
    }

    /// A node's samples with `from_ms <= time < to_ms` (milliseconds since 1970), oldest first, `limit` and
    /// [`MAX_ROWS`](super::MAX_ROWS) at most.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn range(
        &mut self,
        node: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<Sample>, ArchiveError> {
        let node = node.to_owned();
        let rows = on_either!(
            &mut self.source,
            load::<StoredSample>,
            samples::table
                .filter(samples::node.eq(node))
                .filter(samples::time_ms.ge(from_ms).and(samples::time_ms.lt(to_ms)))
                .order((samples::time_ms, samples::epoch, samples::sequence))
                .limit(rows_limit(limit))
                .select(StoredSample::as_select())
        )?;
        self.decode(rows)
    }

    /// How many samples there are. Reads the whole key: for tests and tools, not for every second.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn count(&mut self) -> Result<u64, ArchiveError> {
        let count = on_either!(&mut self.source, get_result::<i64>, samples::table.count())?;
        Ok(count.unsigned_abs())
    }

    /// The samples that the archive refused, oldest first, `limit` and [`MAX_ROWS`](super::MAX_ROWS) at most.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn dead_letters(&mut self, limit: usize) -> Result<Vec<DeadLetter>, ArchiveError> {
        on_either!(
            &mut self.source,
            load::<DeadLetter>,
            dead_letter::table
                .order((dead_letter::time_ms, dead_letter::node))
                .limit(rows_limit(limit))
                .select(DeadLetter::as_select())
        )
    }

    /// The newest sample of each node, by name; a statement a node.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn latest_of_all(&mut self) -> Result<Vec<Sample>, ArchiveError> {
        let mut latest = Vec::new();
        for node in self.nodes().await? {
            latest.extend(self.latest(&node).await?);
        }
        Ok(latest)
    }

    /// Rows as samples.
    pub(super) fn decode(&mut self, rows: Vec<StoredSample>) -> Result<Vec<Sample>, ArchiveError> {
        rows.into_iter().map(|row| row.into_sample(&mut self.names).map_err(ArchiveError::Other)).collect()
    }
}
