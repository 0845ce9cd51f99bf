//! Making rollups.

use std::sync::Arc;

use diesel::{
    QueryResult, QueryableByName,
    sql_types::{BigInt, Text},
};

use super::{MIN_KEEP, Upkept, milliseconds, partitions::Partitions, retain::deleted_before};
use crate::{
    db::{Db, Value},
    record::{Names, join},
    rollup::{Columns, Gathering, Stat},
    rollup_row::{ROLLUP_COLUMNS, SAMPLE_COLUMNS, StoredRollup, StoredRow, replace, values},
    sample::CORE_NAMES,
    tier::Tier,
};

/// Rollups of one step. Four nodes with a sample each second are 2,400 rows to read, some ten milliseconds.
const STEP_ROLLUPS: usize = 4;

/// Rows that are in memory at once, however many a while has.
const PAGE_ROWS: i64 = 1_000;

/// How long after its end a while is taken to be complete: samples are on their way for some seconds, and the clocks of
/// hubs that share a database differ. What comes later makes it due again.
pub(crate) const GRACE_MS: i64 = 120_000;

/// A row of `rollups_due`.
#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    time_ms: i64,
    #[diesel(sql_type = Text)]
    node: String,
}

/// Makes some rollups that are due at `now_ms`, those of ten minutes first, the oldest first.
pub(super) async fn step<D: Db>(db: &mut D, partitions: &mut Partitions, now_ms: i64) -> QueryResult<Upkept> {
    for tier in Tier::ROLLUPS {
        let closed_ms = now_ms.saturating_sub(tier.width_ms()).saturating_sub(GRACE_MS);
        let due: Vec<Due> = db
            .rows(
                &format!(
                    "SELECT time_ms, node FROM rollups_due WHERE tier_ms = ? AND time_ms <= ? \
                     ORDER BY time_ms, node LIMIT {STEP_ROLLUPS}"
                ),
                vec![tier.width_ms().into(), closed_ms.into()],
            )
            .await?;
        if due.is_empty() {
            continue;
        }
        // Another hub may have dropped a partition. While these marks are there, nobody drops theirs.
        let old_ms = now_ms.saturating_sub(milliseconds(MIN_KEEP));
        if D::MYSQL && due.iter().any(|due| due.time_ms < old_ms) {
            *partitions = Partitions::load(db).await?;
        }
        let mut taken = Vec::new();
        db.begin().await?;
        // All marks before all rows: whoever appends to one of these has written its mark before its end, so that what
        // is read after the marks are taken is all there is to read, in a transaction that sees one state as well.
        for due in due {
            let deleted = db
                .run(
                    "DELETE FROM rollups_due WHERE tier_ms = ? AND time_ms = ? AND node = ?",
                    vec![tier.width_ms().into(), due.time_ms.into(), due.node.as_str().into()],
                )
                .await?;
            // Else another hub has just made it.
            if deleted == 1 {
                taken.push(due);
            }
        }
        for due in &taken {
            make(db, partitions, tier, due).await?;
        }
        db.commit().await?;
        return Ok(Upkept { rolled: taken.len(), more: true, ..Upkept::default() });
    }
    Ok(Upkept::default())
}

/// Makes one rollup, in a transaction.
async fn make<D: Db>(db: &mut D, partitions: &Partitions, tier: Tier, due: &Due) -> QueryResult<()> {
    let Due { time_ms, node } = due;
    let end_ms = time_ms.saturating_add(tier.width_ms());
    let source = tier.source();
    let mut gathering = Gathering::default();
    // Some of its rows were deleted: the rollup is all that is known of them.
    let add_to = *time_ms < deleted_before(db, partitions, source, node).await?;
    if add_to {
        let sql = format!("SELECT {} FROM {tier} WHERE node = ? AND time_ms = ?", *ROLLUP_COLUMNS);
        for row in db.rows::<StoredRollup>(&sql, vec![node.as_str().into(), (*time_ms).into()]).await? {
            gather(&mut gathering, row.columns);
        }
    }
    match source {
        Tier::Samples => gather_samples(db, &mut gathering, node, *time_ms, end_ms).await?,
        _ => {
            let sql = format!(
                "SELECT {} FROM {source} WHERE node = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms",
                *ROLLUP_COLUMNS
            );
            let bounds = vec![node.as_str().into(), (*time_ms).into(), end_ms.into()];
            for row in db.rows::<StoredRollup>(&sql, bounds).await? {
                gather(&mut gathering, row.columns);
            }
        }
    }
    if gathering.is_empty() {
        return Ok(());
    }
    db.run(&replace(tier), values(node, *time_ms, gathering.finish())).await?;
    if add_to {
        let sql = format!("DELETE FROM {source} WHERE node = ? AND time_ms >= ? AND time_ms < ?");
        db.run(&sql, vec![node.as_str().into(), (*time_ms).into(), end_ms.into()]).await?;
    }
    if let Some(coarser) = tier.target() {
        mark_due(db, coarser, &[(coarser.begin_of(*time_ms), Arc::from(node.as_str()))]).await?;
    }
    Ok(())
}

/// Adds a row. One that something else than lamon wrote counts with its columns alone: it must not keep all others from
/// being rolled up.
fn gather(gathering: &mut Gathering, columns: Columns) {
    let core = Columns { rest: None, ..columns.clone() };
    for (name, stat) in columns.into_metrics().or_else(|_| core.into_metrics()).unwrap_or_default() {
        gathering.add(&name, stat);
    }
}

/// Adds the samples of a while in the order of time, so that the same samples give the same bits however they came.
async fn gather_samples<D: Db>(
    db: &mut D,
    gathering: &mut Gathering,
    node: &str,
    begin_ms: i64,
    end_ms: i64,
) -> QueryResult<()> {
    let mut names = Names::default();
    let columns = &*SAMPLE_COLUMNS;
    // Written so that both databases walk the key from where the last page ended.
    let sql = format!(
        "SELECT {columns} FROM samples WHERE node = ? AND time_ms >= ? AND time_ms < ? AND \
         (time_ms > ? OR (time_ms = ? AND (epoch > ? OR (epoch = ? AND sequence > ?)))) \
         ORDER BY time_ms, epoch, sequence LIMIT {PAGE_ROWS}"
    );
    let first = format!(
        "SELECT {columns} FROM samples WHERE node = ? AND time_ms >= ? AND time_ms < ? \
         ORDER BY time_ms, epoch, sequence LIMIT {PAGE_ROWS}"
    );
    let mut after: Option<(i64, i64, i64)> = None;
    loop {
        let rows: Vec<StoredRow> = match after {
            None => db.rows(&first, vec![node.into(), begin_ms.into(), end_ms.into()]).await?,
            Some((time, epoch, sequence)) => {
                let bounds = [time, end_ms, time, time, epoch, epoch, sequence];
                let values = std::iter::once(node.into()).chain(bounds.map(Value::Int)).collect();
                db.rows(&sql, values).await?
            }
        };
        after = rows.last().map(|row| (row.time_ms, row.epoch, row.sequence));
        let last_page = rows.len() < usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        for row in rows {
            for (name, value) in join(row.core, row.metrics.as_deref(), &mut names).unwrap_or_else(|_| {
                let core = CORE_NAMES.iter().zip(row.core);
                core.filter_map(|(name, value)| value.map(|value| (Arc::clone(name), value))).collect()
            }) {
                gathering.add(&name, Stat::of(value));
            }
        }
        if last_page {
            return Ok(());
        }
    }
}

/// Notes that rollups are due.
///
/// In MySQL a mark that is there already is changed: another hub on another node of a Galera cluster may be taking it away,
/// and only two that change one row are held apart there. A lone server's lock does it anyway.
pub(crate) async fn mark_due<D: Db>(db: &mut D, tier: Tier, due: &[(i64, Arc<str>)]) -> QueryResult<()> {
    if due.is_empty() {
        return Ok(());
    }
    let rows = vec!["(?, ?, ?)"; due.len()].join(", ");
    let again = if D::MYSQL {
        " ON DUPLICATE KEY UPDATE marked = marked + 1"
    } else {
        " ON CONFLICT (tier_ms, time_ms, node) DO NOTHING"
    };
    let sql = format!("INSERT INTO rollups_due (tier_ms, time_ms, node) VALUES {rows}{again}");
    let values = due
        .iter()
        .flat_map(|(time_ms, node)| [tier.width_ms().into(), (*time_ms).into(), Value::from(&**node)])
        .collect();
    db.run(&sql, values).await.map(drop)
}
