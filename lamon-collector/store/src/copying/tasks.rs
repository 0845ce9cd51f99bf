//! What is written of a page, each in one transaction.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use diesel::QueryResult;

use super::{cells::Cells, table::Table};
use crate::{
    archive::Task,
    db::{Db, Value},
    tier::Tier,
    upkeep::{Upkeep, mark_due},
};

/// A page of a table.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) table: Arc<Table>,
    pub(super) rows: Arc<Vec<Cells>>,
}

impl Page {
    /// Writes these of its rows in statements with this end, and says how many rows were changed.
    async fn write<D: Db>(&self, db: &mut D, verb: &str, rows: &[&Cells], end: &str) -> QueryResult<usize> {
        let mut written = 0;
        for rows in self.table.statements(rows) {
            let (sql, values) = self.table.write(verb, &rows);
            written += db.run(&(sql + end), values).await?;
        }
        Ok(written)
    }

    async fn insert<D: Db>(&self, db: &mut D, rows: &[&Cells]) -> QueryResult<usize> {
        let (key, column) = self.table.key();
        self.write(db, "INSERT", rows, &D::unless_there(&key, column)).await
    }
}

/// Rows of which the first writer wins.
#[derive(Clone)]
pub(super) struct Insert(pub(super) Page);

impl Task for Insert {
    type Output = usize;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<usize> {
        db.begin().await?;
        let written = self.0.insert(db, &self.0.rows.iter().collect::<Vec<_>>()).await?;
        db.commit().await?;
        Ok(written)
    }
}

/// What is known of nodes: the target knows better, but for when they were heard.
#[derive(Clone)]
pub(super) struct MergeNodes(pub(super) Page);

impl Task for MergeNodes {
    type Output = usize;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<usize> {
        let end = if D::MYSQL {
            " ON DUPLICATE KEY UPDATE first_heard_ms = LEAST(first_heard_ms, VALUES(first_heard_ms)), \
             last_heard_ms = GREATEST(last_heard_ms, VALUES(last_heard_ms)), os = COALESCE(os, VALUES(os)), \
             agent_version = COALESCE(agent_version, VALUES(agent_version))"
        } else {
            " ON CONFLICT (node) DO UPDATE SET first_heard_ms = MIN(first_heard_ms, excluded.first_heard_ms), \
             last_heard_ms = MAX(last_heard_ms, excluded.last_heard_ms), os = COALESCE(os, excluded.os), \
             agent_version = COALESCE(agent_version, excluded.agent_version)"
        };
        self.0.write(db, "INSERT", &self.0.rows.iter().collect::<Vec<_>>(), end).await
    }
}

/// Settings: what was changed last stands.
#[derive(Clone)]
pub(super) struct MergeSettings(pub(super) Page);

impl Task for MergeSettings {
    type Output = usize;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<usize> {
        let end = if D::MYSQL {
            // Assigned from left to right: the time comes last.
            " ON DUPLICATE KEY UPDATE value = IF(VALUES(changed_ms) > changed_ms, VALUES(value), value), \
             who = IF(VALUES(changed_ms) > changed_ms, VALUES(who), who), \
             changed_ms = GREATEST(changed_ms, VALUES(changed_ms))"
        } else {
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, who = excluded.who, \
             changed_ms = excluded.changed_ms WHERE excluded.changed_ms > settings.changed_ms"
        };
        self.0.write(db, "INSERT", &self.0.rows.iter().collect::<Vec<_>>(), end).await
    }
}

/// Before which times rows of nodes were deleted: the later one of both databases holds for both.
#[derive(Clone)]
pub(super) struct RaiseRetained(pub(super) Vec<(Tier, String, i64)>);

impl Task for RaiseRetained {
    type Output = ();

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<()> {
        db.begin().await?;
        for (tier, node, from_ms) in self.0 {
            let key = vec![tier.width_ms().into(), node.as_str().into()];
            let sql = "SELECT from_ms AS n FROM retained WHERE tier_ms = ? AND node = ?";
            if db.number(sql, key).await?.is_none_or(|there| there < from_ms) {
                let values = vec![tier.width_ms().into(), node.as_str().into(), from_ms.into()];
                db.run("REPLACE INTO retained (tier_ms, node, from_ms) VALUES (?, ?, ?)", values).await?;
            }
        }
        db.commit().await
    }
}

/// Before which time the target has deleted a node's samples.
#[derive(Clone)]
pub(super) struct SamplesFrom(pub(super) String);

impl Task for SamplesFrom {
    type Output = i64;

    async fn perform<D: Db>(self, db: &mut D, _: &str, upkeep: &mut Upkeep) -> QueryResult<i64> {
        upkeep.deleted_before(db, Tier::Samples, &self.0).await
    }
}

/// Rollups of a node: of two rows for one while the one that stands for more values wins. Where both databases have samples
/// of a while, its rollup is made anew from all of them, see [`InsertSamples`].
#[derive(Clone)]
pub(super) struct MergeRollups {
    pub(super) page: Page,
    pub(super) node: String,
}

impl Task for MergeRollups {
    type Output = usize;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<usize> {
        let Self { page, node } = self;
        let (Some(first), Some(last)) = (page.rows.first(), page.rows.last()) else { return Ok(0) };
        db.begin().await?;
        let sql = format!(
            "SELECT {} FROM {} WHERE node = ? AND time_ms >= ? AND time_ms <= ?{}",
            page.table.selected(),
            page.table.name,
            // The hub may be making one of them.
            if D::MYSQL { " FOR UPDATE" } else { "" }
        );
        let bounds = vec![node.as_str().into(), Value::MaybeInt(first.int(1)), Value::MaybeInt(last.int(1))];
        let there: Vec<Cells> = db.rows(&sql, bounds).await?;
        let there: HashMap<Option<i64>, u64> = there.iter().map(|row| (row.int(1), values_of(row))).collect();
        let better = |row: &&Cells| there.get(&row.int(1)).is_none_or(|there| *there < values_of(row));
        let rows: Vec<&Cells> = page.rows.iter().filter(better).collect();
        page.write(db, "REPLACE", &rows, "").await?;
        db.commit().await?;
        Ok(rows.len())
    }
}

/// For how many values a rollup stands: all its counts.
fn values_of(row: &Cells) -> u64 {
    let core: u64 = (2..row.0.len()).filter_map(|place| row.int(place)).map(i64::unsigned_abs).sum();
    let rest: BTreeMap<String, (f64, f64, f64, u64)> =
        serde_json::from_str(row.text(row.0.len().saturating_sub(1))).unwrap_or_default();
    core.saturating_add(rest.values().map(|(_, _, _, count)| count).sum())
}

/// Samples of a node, of whole whiles of ten minutes. The rollup of a while becomes due unless the target has no other
/// samples of it, and has its rollup: then that came with the rollups, and need not be made anew.
#[derive(Clone)]
pub(super) struct InsertSamples {
    pub(super) page: Page,
    pub(super) node: String,
}

impl Task for InsertSamples {
    type Output = usize;

    async fn perform<D: Db>(self, db: &mut D, _: &str, _: &mut Upkeep) -> QueryResult<usize> {
        const WIDTH: i64 = Tier::TenMinutes.width_ms();
        let Self { page, node } = self;
        let mut whiles: BTreeMap<i64, i64> = BTreeMap::new();
        for time_ms in page.rows.iter().filter_map(|row| row.int(1)) {
            *whiles.entry(Tier::TenMinutes.begin_of(time_ms)).or_default() += 1;
        }
        let (Some((first, _)), Some((last, _))) = (whiles.first_key_value(), whiles.last_key_value()) else {
            return Ok(0);
        };
        let bounds = || vec![node.as_str().into(), (*first).into(), last.saturating_add(WIDTH).into()];
        db.begin().await?;
        let written = page.insert(db, &page.rows.iter().collect::<Vec<_>>()).await?;
        let sql = format!(
            "SELECT time_ms - time_ms % {WIDTH} AS i0, COUNT(*) AS i1 FROM samples \
             WHERE node = ? AND time_ms >= ? AND time_ms < ? GROUP BY time_ms - time_ms % {WIDTH}"
        );
        let counted: Vec<Cells> = db.rows(&sql, bounds()).await?;
        let counted: HashMap<i64, i64> =
            counted.iter().filter_map(|row| Some((row.int(0)?, row.int(1)?))).collect();
        let sql = "SELECT time_ms AS i0 FROM samples_10m WHERE node = ? AND time_ms >= ? AND time_ms < ?";
        let made: Vec<Cells> = db.rows(sql, bounds()).await?;
        let made: HashSet<i64> = made.iter().filter_map(|row| row.int(0)).collect();
        let mark: Arc<str> = node.as_str().into();
        let due: Vec<(i64, Arc<str>)> = whiles
            .iter()
            .filter(|(begin_ms, count)| counted.get(begin_ms) != Some(count) || !made.contains(begin_ms))
            .map(|(begin_ms, _)| (*begin_ms, Arc::clone(&mark)))
            .collect();
        mark_due(db, Tier::TenMinutes, &due).await?;
        db.commit().await?;
        Ok(written)
    }
}
