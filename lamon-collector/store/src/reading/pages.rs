//! Samples as they are stored, the newest first; the names that they have.

use std::{collections::BTreeSet, sync::Arc};

use super::{ArchiveReader, walk::Row};
use crate::{
    archive::ArchiveError,
    db::Value,
    record::join,
    rollup_row::{SAMPLE_COLUMNS, StoredRow},
    sample::Sample,
    tier::Tier,
};

/// Most samples of one statement that goes back from a place: some milliseconds, about a megabyte.
pub const MAX_SAMPLES: usize = 1_000;

/// The place of a sample among those of its node: by time, epoch and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplePlace {
    /// Its time, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The agent's epoch.
    pub epoch: i64,
    /// The number within the epoch; the bits of an unsigned number.
    pub sequence: i64,
}

impl SamplePlace {
    /// Before every sample of that time.
    #[must_use]
    pub const fn at(time_ms: i64) -> Self {
        Self { time_ms, epoch: i64::MIN, sequence: i64::MIN }
    }
}

impl From<&Sample> for SamplePlace {
    fn from(sample: &Sample) -> Self {
        Self { time_ms: sample.time_ms, epoch: sample.epoch.into(), sequence: sample.sequence.cast_signed() }
    }
}

impl ArchiveReader {
    /// A node's samples before a place that are not older than `from_ms`, newest first, `limit` and [`MAX_SAMPLES`] at most:
    /// going on from the place of the last, everything is read in short statements.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn samples_before(
        &mut self,
        node: &str,
        place: SamplePlace,
        from_ms: i64,
        limit: usize,
    ) -> Result<Vec<Sample>, ArchiveError> {
        // Samples of one millisecond may end a page: the whole key tells where the next begins.
        let sql = format!(
            "SELECT {} FROM samples WHERE node = ? AND time_ms >= ? AND time_ms <= ? AND \
             (time_ms < ? OR (time_ms = ? AND (epoch < ? OR (epoch = ? AND sequence < ?)))) \
             ORDER BY time_ms DESC, epoch DESC, sequence DESC LIMIT {}",
            *SAMPLE_COLUMNS,
            limit.min(MAX_SAMPLES)
        );
        let SamplePlace { time_ms, epoch, sequence } = place;
        let bounds = [from_ms, time_ms, time_ms, time_ms, epoch, epoch, sequence];
        let values = std::iter::once(node.into()).chain(bounds.map(Value::Int)).collect();
        let found: Vec<StoredRow> = self.rows(&sql, values).await?;
        let owner = self.names.shared(node);
        found
            .into_iter()
            .map(|StoredRow { time_ms, epoch, sequence, core, metrics }| {
                let bad = |what: &str| {
                    ArchiveError::Other(format!("the row of {node} at {time_ms} in samples has {what}"))
                };
                let metrics = join(core, metrics.as_deref(), &mut self.names)
                    .map_err(|error| bad(&format!("bad metrics: {error}")))?;
                let epoch = u32::try_from(epoch).map_err(|_| bad("a bad epoch"))?;
                Ok(Sample {
                    node: owner.clone(),
                    epoch,
                    sequence: sequence.cast_unsigned(),
                    time_ms,
                    metrics,
                })
            })
            .collect()
    }

    /// The metrics that samples of a node with `from_ms <= time < to_ms` have, `limit` at most, by name: read from the rows of
    /// an hour, and where those are not made yet from what they are made of.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn metric_names(
        &mut self,
        node: &str,
        from_ms: i64,
        to_ms: i64,
        limit: usize,
    ) -> Result<BTreeSet<Arc<str>>, ArchiveError> {
        let mut names = BTreeSet::new();
        // Hours are kept longer than their samples.
        let Some(oldest_ms) = self.oldest(Tier::Samples, node).await? else { return Ok(names) };
        let from_ms = Tier::Hour.begin_of(from_ms.max(oldest_ms));
        let mut add = |row: Row| {
            for (name, _) in row.metrics {
                if names.len() < limit {
                    names.insert(name);
                }
            }
        };
        self.walk(Tier::Hour, node, &[], from_ms, to_ms, &mut add).await?;
        Ok(names)
    }
}
