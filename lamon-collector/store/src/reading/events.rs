//! Events, the newest first.

use super::{ArchiveReader, rows_limit};
use crate::{archive::ArchiveError, db::Value, registers::StoredEvent};

/// Most rows of one statement that goes back from a place: some milliseconds, a megabyte.
pub const MAX_EVENTS: usize = 2_000;

/// The migration since which events have their metric; an archive that no hub of that release has opened yet lacks it.
const METRIC_SINCE: &str = "20261122210000";

/// The place of an event in the archive's order: by time, hub and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPlace {
    /// Its time, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The hub that told it.
    pub hub: String,
    /// The hub's number for it.
    pub number: i64,
}

impl From<&StoredEvent> for EventPlace {
    fn from(StoredEvent { hub, event }: &StoredEvent) -> Self {
        Self { time_ms: event.time_ms, hub: hub.clone(), number: event.number }
    }
}

impl ArchiveReader {
    /// Events with `from_ms <= time < to_ms`, newest first, `limit` and [`MAX_ROWS`](super::MAX_ROWS) at most.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn events(
        &mut self,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, ArchiveError> {
        let sql = format!(
            "SELECT {} FROM events WHERE time_ms >= ? AND time_ms < ? \
             ORDER BY time_ms DESC, hub DESC, number DESC LIMIT {}",
            self.event_columns().await?,
            rows_limit(limit)
        );
        self.rows(&sql, vec![from_ms.into(), to_ms.into()]).await
    }

    /// Events before a place that are not older than `from_ms`, newest first, [`MAX_EVENTS`] at most: going on from the place
    /// of the last, everything is read in short statements.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn events_before(
        &mut self,
        place: &EventPlace,
        from_ms: i64,
    ) -> Result<Vec<StoredEvent>, ArchiveError> {
        // Several events of one millisecond may end a page: the whole key tells where the next begins.
        let sql = format!(
            "SELECT {} FROM events WHERE time_ms >= ? AND time_ms <= ? AND \
             (time_ms < ? OR (time_ms = ? AND (hub < ? OR (hub = ? AND number < ?)))) \
             ORDER BY time_ms DESC, hub DESC, number DESC LIMIT {MAX_EVENTS}",
            self.event_columns().await?
        );
        let EventPlace { time_ms, hub, number } = place;
        let times = [from_ms, *time_ms, *time_ms, *time_ms].map(Value::Int);
        let hub = [hub.as_str().into(), hub.as_str().into()];
        self.rows(&sql, times.into_iter().chain(hub).chain([Value::Int(*number)]).collect()).await
    }

    /// What is read of an event: an application may be newer than the hub, and then the archive is older than both.
    async fn event_columns(&mut self) -> Result<&'static str, ArchiveError> {
        // A hub may bring it to this version meanwhile; that it goes back is not looked for.
        if !self.events_have_metrics {
            self.events_have_metrics = self.version().await?.is_some_and(|is| is.as_str() >= METRIC_SINCE);
        }
        Ok(if self.events_have_metrics {
            "hub, time_ms, number, node, metric, kind, level, text"
        } else {
            "hub, time_ms, number, node, NULL AS metric, kind, level, text"
        })
    }
}
