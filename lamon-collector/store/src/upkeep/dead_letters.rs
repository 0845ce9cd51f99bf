//! The end of refused samples: by age, and by number, so that a fault that refuses everything cannot fill the disk.

use diesel::QueryResult;

use super::{Retention, milliseconds, retain::STEP_ROWS};
use crate::db::Db;

/// Most refused samples that stay, some ten megabytes: more than anybody reads, and enough to see what they share.
const MAX_DEAD_LETTERS: i64 = 10_000;

/// Deletes some: those that are too old at `now_ms`, then the oldest of too many. How many went, and whether there may be
/// more.
///
/// They are as old as their samples. A time may be what a sample was refused for: of too many, those of the future go
/// first.
pub(super) async fn prune<D: Db>(
    db: &mut D,
    retention: &Retention,
    now_ms: i64,
) -> QueryResult<(usize, bool)> {
    if let Some(keep) = retention.dead_letters {
        let cutoff_ms = now_ms.saturating_sub(milliseconds(keep));
        let sql = format!(
            "SELECT time_ms AS n FROM dead_letter WHERE time_ms < ? ORDER BY time_ms LIMIT 1 OFFSET {STEP_ROWS}"
        );
        let more = db.number(&sql, vec![cutoff_ms.into()]).await?;
        // Those of one millisecond go together, so that each step deletes something.
        let end_ms = more.map_or(cutoff_ms, |last_ms| cutoff_ms.min(last_ms.saturating_add(1)));
        let deleted = db.run("DELETE FROM dead_letter WHERE time_ms < ?", vec![end_ms.into()]).await?;
        if deleted > 0 {
            return Ok((deleted, true));
        }
    }
    let sql = format!(
        "SELECT time_ms AS n FROM dead_letter ORDER BY time_ms DESC LIMIT 1 OFFSET {MAX_DEAD_LETTERS}"
    );
    let Some(beyond_ms) = db.number(&sql, Vec::new()).await? else { return Ok((0, false)) };
    let sql = format!(
        "SELECT time_ms AS n FROM dead_letter WHERE time_ms > ? ORDER BY time_ms DESC LIMIT 1 OFFSET {STEP_ROWS}"
    );
    let from_ms = db.number(&sql, vec![now_ms.into()]).await?.unwrap_or(now_ms.saturating_add(1));
    let deleted = db.run("DELETE FROM dead_letter WHERE time_ms >= ?", vec![from_ms.into()]).await?;
    if deleted > 0 {
        return Ok((deleted, true));
    }
    let sql = format!("SELECT time_ms AS n FROM dead_letter ORDER BY time_ms LIMIT 1 OFFSET {STEP_ROWS}");
    let end_ms = db.number(&sql, Vec::new()).await?.map_or(beyond_ms, |last_ms| last_ms.min(beyond_ms));
    Ok((db.run("DELETE FROM dead_letter WHERE time_ms <= ?", vec![end_ms.into()]).await?, true))
}
