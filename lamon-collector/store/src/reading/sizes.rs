//! How large an archive is, without reading it whole.

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Nullable},
};

use super::{ArchiveReader, Source};
use crate::{archive::ArchiveError, tier::Tier};

/// How large an archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveSize {
    /// All of it on disk, in bytes; what the server believes, for MySQL.
    pub bytes: u64,
    /// Of that, room that is free for rows to come; always 0 for MySQL, which does not tell.
    pub free_bytes: u64,
    /// Each tier, the finest first.
    pub tiers: Vec<TierSize>,
    /// Rollups that are due, those of whiles that have not ended too.
    pub rollups_due: u64,
}

/// How large a tier is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierSize {
    /// Which.
    pub tier: Tier,
    /// About how many rows: exact where rows were only appended in turn, else the database's own estimate.
    pub rows: u64,
    /// Bytes on disk with the keys; none for SQLite, which would have to read it whole.
    pub bytes: Option<u64>,
    /// The time of the oldest row, milliseconds since 1970.
    pub oldest_ms: Option<i64>,
    /// The time of the newest row.
    pub newest_ms: Option<i64>,
}

/// What MySQL tells of a table.
#[derive(QueryableByName)]
struct TableSize {
    #[diesel(sql_type = Nullable<BigInt>)]
    row_count: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    bytes: Option<i64>,
}

impl ArchiveReader {
    /// How large the archive is.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn size(&mut self) -> Result<ArchiveSize, ArchiveError> {
        let mut tiers = Vec::new();
        for tier in Tier::ALL {
            tiers.push(self.tier_size(tier).await?);
        }
        let (bytes, free_bytes) = if matches!(self.source, Source::Sqlite { .. }) {
            let page = self.pragma("page_size").await?;
            (page * self.pragma("page_count").await?, page * self.pragma("freelist_count").await?)
        } else {
            (tiers.iter().filter_map(|size| size.bytes).sum(), 0)
        };
        Ok(ArchiveSize { bytes, free_bytes, tiers, rollups_due: self.rollups_due().await? })
    }

    async fn tier_size(&mut self, tier: Tier) -> Result<TierSize, ArchiveError> {
        let (rows, bytes) = if matches!(self.source, Source::Sqlite { .. }) {
            let sql = format!("SELECT MAX(rowid) - MIN(rowid) + 1 AS n FROM {tier}");
            (self.number(&sql, Vec::new()).await?, None)
        } else {
            let sql = "SELECT CAST(TABLE_ROWS AS SIGNED) AS row_count, \
                       CAST(DATA_LENGTH + INDEX_LENGTH AS SIGNED) AS bytes FROM information_schema.TABLES \
                       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
            let sizes: Vec<TableSize> = self.rows(sql, vec![tier.table().into()]).await?;
            let size = sizes.into_iter().next();
            size.map_or((None, None), |size| (size.row_count, size.bytes))
        };
        let (oldest_ms, newest_ms) = self.ends(tier).await?;
        Ok(TierSize {
            tier,
            rows: rows.unwrap_or(0).unsigned_abs(),
            bytes: bytes.map(i64::unsigned_abs),
            oldest_ms,
            newest_ms,
        })
    }

    /// The times of the oldest and the newest row of a tier: two look-ups a node.
    async fn ends(&mut self, tier: Tier) -> Result<(Option<i64>, Option<i64>), ArchiveError> {
        let (mut oldest, mut newest) = (None, None);
        for node in self.nodes().await? {
            let first = self.oldest(tier, &node).await?;
            oldest = oldest.min(first).or(oldest).or(first);
            let sql = format!("SELECT MAX(time_ms) AS n FROM {tier} WHERE node = ?");
            newest = newest.max(self.number(&sql, vec![node.as_str().into()]).await?);
        }
        Ok((oldest, newest))
    }

    async fn pragma(&mut self, name: &str) -> Result<u64, ArchiveError> {
        let sql = format!("SELECT {name} AS n FROM pragma_{name}");
        Ok(self.number(&sql, Vec::new()).await?.unwrap_or(0).unsigned_abs())
    }
}
