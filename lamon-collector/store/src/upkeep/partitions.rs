//! MySQL's partitions: one for each month, made ahead, dropped whole. Deleting by rows would write every row once more to
//! the undo log, and InnoDB gives the room back to nobody else.
//!
//! The lowest partition takes all that is older than it as well. A table begins with `past`, for what is older
//! than its first month; `rest` is the catch-all for times that no month was made for. A new table has these two alone,
//! since only the hub knows its month. When the lowest partition is a month, then what was before it has been dropped:
//! the server's own list of partitions says so, in the same instant.

use std::collections::HashMap;

use diesel::{
    QueryResult, QueryableByName,
    sql_types::{BigInt, Nullable, Text},
};
use time::{Date, Month, OffsetDateTime};

use crate::{db::Db, tier::Tier};

/// Months that are made ahead: a hub that is off for a season still finds its own when it is back.
const MONTHS_AHEAD: u32 = 3;

/// The partition for what is older than the first month.
const PAST: &str = "past";
/// The partition for what is newer than the last month.
const REST: &str = "rest";

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// What is known of the tables' partitions.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    /// Before which time rows were dropped.
    dropped_before: HashMap<Tier, i64>,
}

/// A partition as the server lists it.
#[derive(Debug, QueryableByName)]
struct Listed {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    below: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    row_count: Option<i64>,
}

/// A partition.
#[derive(Debug)]
struct Partition {
    name: String,
    /// Its rows are older; none for `rest`.
    below_ms: Option<i64>,
    /// As many rows as the server believes it has.
    rows: usize,
}

/// Whether every table is partitioned, with the months ahead.
///
/// # Errors
///
/// When the server does not answer.
pub(crate) async fn are_made<D: Db>(db: &mut D, now_ms: i64) -> QueryResult<bool> {
    let end_ms = Months::of(now_ms).after(MONTHS_AHEAD).begin_ms();
    for tier in Tier::ALL {
        if !list(db, tier).await?.iter().any(|partition| partition.below_ms >= Some(end_ms)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Partitions the tables that are not yet, and makes the months ahead. A server that does not let it stays without: old
/// rows are then deleted one by one.
///
/// # Errors
///
/// When the server does not answer.
pub(crate) async fn prepare<D: Db>(db: &mut D, now_ms: i64) -> QueryResult<()> {
    for tier in Tier::ALL {
        let prepared = if list(db, tier).await?.is_empty() {
            tracing::info!(table = tier.table(), "partitioning a table by month; a large one takes minutes");
            let this = Months::of(now_ms);
            let months = this.definitions(this.after(MONTHS_AHEAD));
            let past = format!("PARTITION {PAST} VALUES LESS THAN ({})", this.begin_ms());
            let sql = format!("ALTER TABLE {tier} PARTITION BY RANGE (time_ms) ({past}, {months})");
            db.run(&sql, Vec::new()).await.map(drop)
        } else {
            ahead(db, tier, now_ms).await.map(drop)
        };
        if let Err(error) = prepared {
            tracing::warn!(table = tier.table(), %error, "the table cannot be partitioned: its old rows are deleted one by one");
        }
    }
    Ok(())
}

impl Partitions {
    /// Makes months ahead and learns what was dropped. Whether the table has partitions.
    pub(super) async fn tend<D: Db>(&mut self, db: &mut D, tier: Tier, now_ms: i64) -> QueryResult<bool> {
        let partitions = ahead(db, tier, now_ms).await?;
        self.learn(tier, &partitions);
        Ok(!partitions.is_empty())
    }

    /// Drops the lowest partition when all of it is older and nothing is due for it. How many rows went, and whether
    /// there may be more.
    pub(super) async fn drop_old<D: Db>(
        &mut self,
        db: &mut D,
        tier: Tier,
        cutoff_ms: i64,
    ) -> QueryResult<(usize, bool)> {
        let partitions = list(db, tier).await?;
        let old = partitions.first().and_then(|lowest| {
            lowest.below_ms.filter(|below| *below <= cutoff_ms).map(|below| (lowest, below))
        });
        let Some((lowest, below_ms)) = old else { return Ok((0, false)) };
        // Nobody may add rows between the look and the drop. A session's end gives the locks back too.
        db.run(&format!("LOCK TABLES {tier} WRITE, rollups_due WRITE"), Vec::new()).await?;
        let due = match tier.target() {
            None => None,
            Some(coarser) => {
                db.number(
                    "SELECT MIN(time_ms) AS n FROM rollups_due WHERE tier_ms = ? AND time_ms < ?",
                    vec![coarser.width_ms().into(), below_ms.into()],
                )
                .await?
            }
        };
        if due.is_none() {
            db.run(&format!("ALTER TABLE {tier} DROP PARTITION {}", lowest.name), Vec::new()).await?;
        }
        db.run("UNLOCK TABLES", Vec::new()).await?;
        self.learn(tier, &list(db, tier).await?);
        Ok(if due.is_none() { (lowest.rows, true) } else { (0, false) })
    }

    /// Before which time rows of a tier were dropped; the earliest time of all when none were.
    pub(super) fn dropped_before(&self, tier: Tier) -> i64 {
        self.dropped_before.get(&tier).copied().unwrap_or(i64::MIN)
    }

    /// Reads it off the lowest partition.
    pub(crate) async fn load<D: Db>(db: &mut D) -> QueryResult<Self> {
        let mut known = Self::default();
        for tier in Tier::ALL {
            known.learn(tier, &list(db, tier).await?);
        }
        Ok(known)
    }

    fn learn(&mut self, tier: Tier, partitions: &[Partition]) {
        let month = partitions.first().and_then(|lowest| Months::named(&lowest.name));
        self.dropped_before.insert(tier, month.map_or(i64::MIN, Months::begin_ms));
    }
}

/// A table's partitions, the lowest first; none when it is not partitioned.
async fn list<D: Db>(db: &mut D, tier: Tier) -> QueryResult<Vec<Partition>> {
    let listed: Vec<Listed> = db
        .rows(
            "SELECT PARTITION_NAME AS name, PARTITION_DESCRIPTION AS below, \
             CAST(TABLE_ROWS AS SIGNED) AS row_count FROM information_schema.PARTITIONS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY PARTITION_ORDINAL_POSITION",
            vec![tier.table().into()],
        )
        .await?;
    let partitions = listed.into_iter().filter_map(|Listed { name, below, row_count }| {
        Some(Partition {
            name: name?,
            below_ms: below.and_then(|below| below.parse().ok()),
            rows: row_count.and_then(|rows| rows.try_into().ok()).unwrap_or(0),
        })
    });
    Ok(partitions.collect())
}

/// Makes the months that lack, up to some ahead of `now_ms`, out of `rest`. Returns the list as it was before.
async fn ahead<D: Db>(db: &mut D, tier: Tier, now_ms: i64) -> QueryResult<Vec<Partition>> {
    let partitions = list(db, tier).await?;
    let last = partitions.iter().filter_map(|partition| partition.below_ms).max();
    let has_rest = partitions.iter().any(|partition| partition.name == REST);
    let (this, end) = (Months::of(now_ms), Months::of(now_ms).after(MONTHS_AHEAD));
    if is_new(&partitions) {
        let past = format!("PARTITION {PAST} VALUES LESS THAN ({})", this.begin_ms());
        let sql = format!(
            "ALTER TABLE {tier} REORGANIZE PARTITION {PAST}, {REST} INTO ({past}, {})",
            this.definitions(end)
        );
        db.run(&sql, Vec::new()).await?;
    } else if let Some(last) = last.map(Months::of).filter(|last| *last < end && has_rest) {
        let sql = format!("ALTER TABLE {tier} REORGANIZE PARTITION {REST} INTO ({})", last.definitions(end));
        db.run(&sql, Vec::new()).await?;
    }
    Ok(partitions)
}

/// Whether a table has the two partitions that it was made with.
fn is_new(partitions: &[Partition]) -> bool {
    matches!(partitions, [past, rest] if past.name == PAST && past.below_ms == Some(0) && rest.name == REST)
}

/// A month, counted from the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Months(i32);

impl Months {
    /// The month of a time; 1970 for times without one.
    fn of(time_ms: i64) -> Self {
        let date = OffsetDateTime::from_unix_timestamp(time_ms.div_euclid(1_000))
            .map_or(OffsetDateTime::UNIX_EPOCH, |time| time);
        Self(date.year() * 12 + i32::from(u8::from(date.month())) - 1)
    }

    /// The month of a partition's name.
    fn named(name: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix('p')?.split_at_checked(4)?;
        let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Self(year * 12 + month - 1))
    }

    const fn after(self, months: u32) -> Self {
        Self(self.0.saturating_add_unsigned(months))
    }

    /// Its partition's name.
    fn name(self) -> String {
        format!("p{:04}{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// Its first millisecond.
    fn begin_ms(self) -> i64 {
        let month =
            u8::try_from(self.0.rem_euclid(12) + 1).ok().and_then(|month| Month::try_from(month).ok());
        let date = month.and_then(|month| Date::from_calendar_date(self.0.div_euclid(12), month, 1).ok());
        date.map_or(0, |date| (i64::from(date.to_julian_day()) - EPOCH_JULIAN_DAY) * DAY_MS)
    }

    /// The months from this one up to the one before `end`, and the rest, as SQL.
    fn definitions(self, end: Self) -> String {
        let months = (self.0..end.0).map(Self).map(|month| {
            format!("PARTITION {} VALUES LESS THAN ({})", month.name(), Self(month.0 + 1).begin_ms())
        });
        let rest = format!("PARTITION {REST} VALUES LESS THAN MAXVALUE");
        months.chain([rest]).collect::<Vec<_>>().join(", ")
    }
}

/// The day of 1970-01-01 in the count of [`Date::to_julian_day`].
const EPOCH_JULIAN_DAY: i64 = 2_440_588;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_names_and_beginnings() {
        for (time_ms, name, begin_ms) in [
            (1_795_305_600_000, "p202611", 1_793_491_200_000),
            (1_793_491_199_999, "p202610", 1_790_812_800_000),
            (0, "p197001", 0),
            (-1, "p196912", -31 * DAY_MS),
            (i64::MAX, "p197001", 0),
        ] {
            let month = Months::of(time_ms);
            assert_eq!((month.name().as_str(), month.begin_ms()), (name, begin_ms));
            assert_eq!(Months::named(name), Some(month));
        }
        assert_eq!(Months::of(1_795_305_600_000).after(2).name(), "p202701");
        for other in ["past", "rest", "p2026", "p202613", "x202601"] {
            assert_eq!(Months::named(other), None, "{other}");
        }
    }
}
