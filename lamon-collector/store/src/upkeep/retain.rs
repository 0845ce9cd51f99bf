//! Deleting what is older than its tier keeps, row by row: in SQLite, and in MySQL where a table has no partitions.
//!
//! SQLite gets the pages back for rows to come, and the file stays as large as it was. Giving them back to the disk
//! (`incremental_vacuum`) is not done: it moves pages from the end of the file into the gaps, which scatters a table that
//! is filled in order, it has to be chosen before the first table is made, and a file whose tiers are full needs
//! the pages again within minutes.

use diesel::QueryResult;

use super::{Retention, dead_letters, milliseconds, partitions::Partitions};
use crate::{
    db::{Db, Value},
    tier::Tier,
};

/// Rows that one step deletes, more or less: a few milliseconds, a few dozen where the key is scattered.
pub(super) const STEP_ROWS: i64 = 500;

/// Nodes that one step looks at, with two look-ups each.
const STEP_NODES: usize = 16;

/// A search through all tiers for rows that are too old.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// How many tiers are done; behind them come events and refused samples.
    tier: usize,
    /// Up to which node this tier is done.
    after: String,
}

impl Sweep {
    /// Deletes a few rows, or looks for some. Returns how many were deleted, and whether there is more to do.
    pub(super) async fn step<D: Db>(
        &mut self,
        db: &mut D,
        partitions: &mut Partitions,
        retention: &Retention,
        now_ms: i64,
    ) -> QueryResult<(usize, bool)> {
        let Some(tier) = Tier::ALL.get(self.tier).copied() else {
            let (deleted, more) = if self.tier == Tier::ALL.len() {
                events(db, retention, now_ms).await?
            } else {
                dead_letters::prune(db, retention, now_ms).await?
            };
            if !more {
                self.tier += 1;
            }
            return Ok((deleted, more || self.tier == Tier::ALL.len() + 1));
        };
        let cutoff_ms = retention.keep_ms(tier).map(|keep| now_ms.saturating_sub(keep));
        let by_partition = D::MYSQL && partitions.tend(db, tier, now_ms).await?;
        let done = match cutoff_ms {
            None => (0, false),
            Some(cutoff_ms) if by_partition => partitions.drop_old(db, tier, cutoff_ms).await?,
            Some(cutoff_ms) => self.rows(db, tier, cutoff_ms).await?,
        };
        if !done.1 {
            self.tier += 1;
            self.after.clear();
        }
        Ok((done.0, true))
    }

    /// Looks at some nodes and deletes old rows of the first that has any.
    async fn rows<D: Db>(&mut self, db: &mut D, tier: Tier, cutoff_ms: i64) -> QueryResult<(usize, bool)> {
        for _ in 0..STEP_NODES {
            let sql = format!("SELECT node AS t FROM {tier} WHERE node > ? ORDER BY node LIMIT 1");
            let Some(node) = db.text(&sql, vec![self.after.as_str().into()]).await? else {
                return Ok((0, false));
            };
            let deleted = delete(db, tier, &node, cutoff_ms).await?;
            if deleted > 0 {
                return Ok((deleted, true));
            }
            self.after = node;
        }
        Ok((0, true))
    }
}

/// Deletes some of the oldest rows of a node, whole whiles of the coarser tier, none for which a rollup is due.
async fn delete<D: Db>(db: &mut D, tier: Tier, node: &str, cutoff_ms: i64) -> QueryResult<usize> {
    let oldest = format!("SELECT MIN(time_ms) AS n FROM {tier} WHERE node = ?");
    let Some(oldest_ms) = db.number(&oldest, vec![node.into()]).await?.filter(|oldest| *oldest < cutoff_ms)
    else {
        return Ok(0);
    };
    db.begin().await?;
    let mut end_ms = cutoff_ms;
    if let Some(coarser) = tier.target() {
        end_ms = coarser.begin_of(end_ms);
        let due = format!(
            "SELECT MIN(time_ms) AS n FROM rollups_due WHERE tier_ms = ? AND time_ms < ? AND node = ?{}",
            // Nobody may note one that is older while this goes on.
            if D::MYSQL { " FOR UPDATE" } else { "" }
        );
        let bounds = vec![coarser.width_ms().into(), end_ms.into(), node.into()];
        end_ms = db.number(&due, bounds).await?.unwrap_or(end_ms);
    }
    let last = format!(
        "SELECT time_ms AS n FROM {tier} WHERE node = ? AND time_ms < ? ORDER BY time_ms LIMIT 1 OFFSET {STEP_ROWS}"
    );
    if let Some(last_ms) = db.number(&last, vec![node.into(), end_ms.into()]).await? {
        let (begin, width) =
            tier.target().map_or((last_ms, 1), |coarser| (coarser.begin_of(last_ms), coarser.width_ms()));
        let first_end =
            tier.target().map_or(oldest_ms, |coarser| coarser.begin_of(oldest_ms)).saturating_add(width);
        end_ms = end_ms.min(begin.max(first_end));
    }
    let sql = format!("DELETE FROM {tier} WHERE node = ? AND time_ms < ?");
    let deleted = db.run(&sql, vec![node.into(), end_ms.into()]).await?;
    if deleted > 0 {
        let from_ms = end_ms.max(retained(db, tier, node).await?);
        db.run(
            "REPLACE INTO retained (tier_ms, node, from_ms) VALUES (?, ?, ?)",
            vec![tier.width_ms().into(), node.into(), from_ms.into()],
        )
        .await?;
    }
    db.commit().await?;
    Ok(deleted)
}

/// Before which time rows of a node were deleted.
pub(super) async fn deleted_before<D: Db>(
    db: &mut D,
    partitions: &Partitions,
    tier: Tier,
    node: &str,
) -> QueryResult<i64> {
    Ok(partitions.dropped_before(tier).max(retained(db, tier, node).await?))
}

/// What the table `retained` says of a node.
async fn retained<D: Db>(db: &mut D, tier: Tier, node: &str) -> QueryResult<i64> {
    let sql = "SELECT from_ms AS n FROM retained WHERE tier_ms = ? AND node = ?";
    Ok(db.number(sql, vec![tier.width_ms().into(), node.into()]).await?.unwrap_or(i64::MIN))
}

/// Deletes some of the oldest events.
async fn events<D: Db>(db: &mut D, retention: &Retention, now_ms: i64) -> QueryResult<(usize, bool)> {
    let Some(keep) = retention.events else { return Ok((0, false)) };
    let cutoff_ms = now_ms.saturating_sub(milliseconds(keep));
    let last = format!(
        "SELECT time_ms AS n FROM events WHERE time_ms < ? ORDER BY time_ms LIMIT 1 OFFSET {STEP_ROWS}"
    );
    let more = db.number(&last, vec![cutoff_ms.into()]).await?;
    // Those of one millisecond go together, so that each step deletes something.
    let end_ms = more.map_or(cutoff_ms, |last_ms| cutoff_ms.min(last_ms.saturating_add(1)));
    let deleted = db.run("DELETE FROM events WHERE time_ms < ?", vec![Value::Int(end_ms)]).await?;
    Ok((deleted, more.is_some()))
}
