//! Reading all rows of a node and a tier, a page a statement, so that nothing is held up however much it is.

use std::sync::Arc;

use super::ArchiveReader;
use crate::{
    archive::ArchiveError,
    db::Value,
    record::join,
    rollup::Stat,
    rollup_row::{ROLLUP_COLUMNS, SAMPLE_COLUMNS, StoredRollup, StoredRow},
    sample::CORE_METRICS,
    tier::Tier,
};

/// Rows of one statement: some milliseconds, some MB.
const PAGE_ROWS: usize = 2_000;

/// How far a reading of all rows of a node and a tier has come. See [`ArchiveReader::next_rows`].
#[derive(Clone, Debug)]
pub struct Walk {
    tier: Tier,
    node: String,
    /// All when empty.
    metrics: Vec<String>,
    to_ms: i64,
    /// Time, epoch and sequence number of the last row; of rollups the time alone counts.
    after: (i64, i64, i64),
    ended: bool,
}

/// A row of any tier.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The time of the sample, or the beginning of the while; milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// How long it stands for, in milliseconds; 0 for a sample.
    pub width_ms: i64,
    /// The metrics; of a sample each with a count of 1.
    pub metrics: Vec<(Arc<str>, Stat)>,
}

impl Walk {
    /// Begins to read the rows of a node with `from_ms <= time < to_ms`, with one metric or all of them. Rows that lack the
    /// metric come without any.
    #[must_use]
    pub fn new(tier: Tier, node: &str, metric: Option<&str>, from_ms: i64, to_ms: i64) -> Self {
        Self::of(tier, node, metric.as_slice(), from_ms, to_ms)
    }

    /// The same with several metrics; all of them when none is named.
    #[must_use]
    pub fn of(tier: Tier, node: &str, metrics: &[&str], from_ms: i64, to_ms: i64) -> Self {
        Self {
            tier,
            node: node.to_owned(),
            metrics: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
            to_ms,
            // Before any row of that time.
            after: (from_ms, i64::MIN, i64::MIN),
            ended: false,
        }
    }

    /// Leaves the metrics that are wanted.
    fn only(&self, mut metrics: Vec<(Arc<str>, Stat)>) -> Vec<(Arc<str>, Stat)> {
        if !self.metrics.is_empty() {
            metrics.retain(|(name, _)| self.metrics.iter().any(|metric| **name == **metric));
        }
        metrics
    }

    /// Columns to select: the JSON is large, and core metrics do not need it.
    fn select(&self, columns: &str) -> String {
        let core = !self.metrics.is_empty()
            && self.metrics.iter().all(|metric| CORE_METRICS.contains(&metric.as_str()));
        match columns.strip_suffix(", metrics") {
            Some(columns) if core => format!("{columns}, NULL AS metrics"),
            _ => columns.to_owned(),
        }
    }

    fn bad(&self, time_ms: i64, error: &serde_json::Error) -> ArchiveError {
        let Self { tier, node, .. } = self;
        ArchiveError::Other(format!("the row of {node} at {time_ms} in {tier} has bad metrics: {error}"))
    }
}

impl ArchiveReader {
    /// The next rows in the order of time, at most some thousands; none after the last. One short statement.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`]; the walk can go on.
    pub async fn next_rows(&mut self, walk: &mut Walk) -> Result<Option<Vec<Row>>, ArchiveError> {
        if walk.ended {
            return Ok(None);
        }
        let rows = match walk.tier {
            Tier::Samples => self.next_samples(walk).await?,
            Tier::TenMinutes | Tier::Hour => self.next_rollups(walk).await?,
        };
        walk.ended = rows.len() < PAGE_ROWS;
        Ok(Some(rows))
    }

    async fn next_rollups(&mut self, walk: &mut Walk) -> Result<Vec<Row>, ArchiveError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE node = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms LIMIT {PAGE_ROWS}",
            walk.select(&ROLLUP_COLUMNS),
            walk.tier
        );
        let values = vec![walk.node.as_str().into(), walk.after.0.into(), walk.to_ms.into()];
        let found: Vec<StoredRollup> = self.rows(&sql, values).await?;
        let mut rows = Vec::with_capacity(found.len());
        for StoredRollup { time_ms, columns, .. } in found {
            let metrics = columns.into_metrics().map_err(|error| walk.bad(time_ms, &error))?;
            rows.push(Row { time_ms, width_ms: walk.tier.width_ms(), metrics: walk.only(metrics) });
        }
        if let Some(last) = rows.last() {
            walk.after.0 = last.time_ms.saturating_add(1);
        }
        Ok(rows)
    }

    async fn next_samples(&mut self, walk: &mut Walk) -> Result<Vec<Row>, ArchiveError> {
        // Samples of one millisecond may end a page: the whole key tells where the next begins.
        let sql = format!(
            "SELECT {} FROM samples WHERE node = ? AND time_ms >= ? AND time_ms < ? AND \
             (time_ms > ? OR (time_ms = ? AND (epoch > ? OR (epoch = ? AND sequence > ?)))) \
             ORDER BY time_ms, epoch, sequence LIMIT {PAGE_ROWS}",
            walk.select(&SAMPLE_COLUMNS)
        );
        let (time, epoch, sequence) = walk.after;
        let bounds = [time, walk.to_ms, time, time, epoch, epoch, sequence];
        let values = std::iter::once(walk.node.as_str().into()).chain(bounds.map(Value::Int)).collect();
        let found: Vec<StoredRow> = self.rows(&sql, values).await?;
        let after = found.last().map(|row| (row.time_ms, row.epoch, row.sequence));
        let mut rows = Vec::with_capacity(found.len());
        for StoredRow { time_ms, core, metrics, .. } in found {
            let metrics =
                join(core, metrics.as_deref(), &mut self.names).map_err(|error| walk.bad(time_ms, &error))?;
            let metrics = metrics.into_iter().map(|(name, value)| (name, Stat::of(value))).collect();
            rows.push(Row { time_ms, width_ms: 0, metrics: walk.only(metrics) });
        }
        walk.after = after.unwrap_or(walk.after);
        Ok(rows)
    }
}
