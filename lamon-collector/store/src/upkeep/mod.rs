//! Upkeep of an archive: rollups are made, and rows that are older than their tier keeps are deleted, in steps so short
//! that whoever appends hardly waits.
//!
//! **What is due.** With the first sample of a node's ten minutes that an archive stores, the same transaction writes a
//! row to `rollups_due`. So nothing has to be searched, a sample that comes late makes its rollup due again by itself,
//! and whatever ends in between, what was stored and what is due agree. Recomputing on arrival instead would
//! read sixty rows for each that comes; a mark costs one row for sixty.
//!
//! **A step** takes some marks, reads all rows that they stand for, writes the rollups over what was there, makes the hour
//! due, and deletes the marks, in one transaction. It can be repeated, and cut short at any point.
//!
//! **What was deleted.** A rollup whose samples were deleted cannot be computed again. Samples that come even later than
//! that are added to it and deleted at once, so that none counts twice. From when on rows are there, `retained` tells in
//! SQLite and the partitions in MySQL. Rows for which a rollup is due are never deleted. What is old is judged by the
//! time that is believed, see [`age`](crate::age); what is over, by the wall clock, since a rollup made too early is
//! made again.

mod dead_letters;
mod partitions;
mod retain;
mod roll;

use std::time::Duration;

use diesel::QueryResult;

use self::{partitions::Partitions, retain::Sweep};
pub(crate) use self::{
    partitions::{are_made as are_partitioned, prepare as prepare_partitions},
    roll::mark_due,
};
use crate::{age::Present, db::Db, tier::Tier};

/// How long each tier is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Samples; none for ever. At least [`MIN_KEEP`].
    pub samples: Option<Duration>,
    /// Rows of ten minutes; none for ever. At least [`MIN_KEEP`].
    pub ten_minutes: Option<Duration>,
    /// Rows of an hour; none for ever. At least [`MIN_KEEP`].
    pub hour: Option<Duration>,
    /// Events; none for ever. At least [`MIN_KEEP`].
    pub events: Option<Duration>,
    /// Samples that the archive refused; none as long as there are not too many. At least [`MIN_KEEP`].
    pub dead_letters: Option<Duration>,
}

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// The shortest that anything is kept: rollups of the last hours are then always made from rows that are all there.
pub const MIN_KEEP: Duration = Duration::from_secs(2 * 86_400);

impl Retention {
    /// How long a tier is kept, in milliseconds.
    fn keep_ms(&self, tier: Tier) -> Option<i64> {
        let keep = match tier {
            Tier::Samples => self.samples,
            Tier::TenMinutes => self.ten_minutes,
            Tier::Hour => self.hour,
        };
        keep.map(milliseconds)
    }
}

impl Default for Retention {
    /// Samples 30 days, ten minutes and events two years, hours for ever, refused samples a quarter.
    fn default() -> Self {
        Self {
            samples: Some(30 * DAY),
            ten_minutes: Some(730 * DAY),
            hour: None,
            events: Some(730 * DAY),
            dead_letters: Some(90 * DAY),
        }
    }
}

/// A time to keep, in milliseconds.
fn milliseconds(keep: Duration) -> i64 {
    i64::try_from(keep.max(MIN_KEEP).as_millis()).unwrap_or(i64::MAX)
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkept {
    /// Rollups written.
    pub rolled: usize,
    /// Rows deleted; with a partition that was dropped, as many as the server believes it had.
    pub deleted: usize,
    /// There is more to do at once.
    pub more: bool,
}

/// How often old rows are looked for: tiers are kept for days.
const RETAIN_EVERY_MS: i64 = 600_000;

/// Where upkeep stands. Lost with the process without harm.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// The search for old rows that is under way.
    sweep: Option<Sweep>,
    /// When the next begins; milliseconds since 1970.
    sweep_at_ms: Option<i64>,
    partitions: Partitions,
}

impl Upkeep {
    /// Learns from a MySQL server what was dropped.
    pub(crate) async fn load<D: Db>(db: &mut D) -> QueryResult<Self> {
        Ok(Self { partitions: Partitions::load(db).await?, ..Self::default() })
    }

    /// Before which time rows of a node were deleted; the earliest time of all when none were.
    pub(crate) async fn deleted_before<D: Db>(
        &mut self,
        db: &mut D,
        tier: Tier,
        node: &str,
    ) -> QueryResult<i64> {
        if D::MYSQL {
            // Another hub may have dropped a partition.
            self.partitions = Partitions::load(db).await?;
        }
        retain::deleted_before(db, &self.partitions, tier, node).await
    }

    /// One step at present.
    pub(crate) async fn step<D: Db>(
        &mut self,
        db: &mut D,
        retention: &Retention,
        present: Present,
    ) -> QueryResult<Upkept> {
        let now_ms = present.now_ms;
        let rolled = roll::step(db, &mut self.partitions, now_ms).await?;
        if rolled.more {
            return Ok(rolled);
        }
        // A clock that was set back by more than the pause must not stop the search.
        let due = self.sweep_at_ms.is_none_or(|at| now_ms >= at || at - now_ms > RETAIN_EVERY_MS);
        if self.sweep.is_none() && due {
            self.sweep = Some(Sweep::default());
            self.sweep_at_ms = Some(now_ms.saturating_add(RETAIN_EVERY_MS));
        }
        let Some(sweep) = &mut self.sweep else { return Ok(rolled) };
        let (deleted, more) = sweep.step(db, &mut self.partitions, retention, present.age_ms).await?;
        if !more {
            self.sweep = None;
        }
        Ok(Upkept { deleted, more, ..rolled })
    }
}
