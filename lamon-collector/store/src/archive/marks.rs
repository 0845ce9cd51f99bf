//! Which rollups become due by samples that are stored: written with them, in the same transaction.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{sample::Sample, tier::Tier};

/// Most marks that are remembered: those of the present ten minutes of all nodes of the largest hub, twice.
const MAX_KNOWN: usize = 20_000;

/// Marks that are known to be in the database, so that not every sample writes its own.
///
/// Only those of whiles that have not ended are remembered: nobody takes them away before (see `upkeep`), no matter
/// which hub does it.
#[derive(Debug, Default)]
pub(super) struct Marks(HashSet<(i64, Arc<str>)>);

impl Marks {
    /// What has to be written for these samples, in the order of its key, so that two hubs do not wait for each other.
    pub(super) fn of<'a>(
        &self,
        samples: impl Iterator<Item = &'a Sample>,
        now_ms: i64,
    ) -> Vec<(i64, Arc<str>)> {
        let marks: BTreeSet<(i64, Arc<str>)> = samples
            .map(|sample| (Tier::TenMinutes.begin_of(sample.time_ms), Arc::clone(&sample.node)))
            .filter(|mark| !(is_open(mark, now_ms) && self.0.contains(mark)))
            .collect();
        marks.into_iter().collect()
    }

    /// Remembers what was committed.
    pub(super) fn written(&mut self, marks: Vec<(i64, Arc<str>)>, now_ms: i64) {
        if self.0.len() > MAX_KNOWN / 2 {
            self.0.retain(|mark| is_open(mark, now_ms));
        }
        if self.0.len() > MAX_KNOWN {
            self.0.clear();
        }
        self.0.extend(marks.into_iter().filter(|mark| is_open(mark, now_ms)));
    }

    /// Forgets everything: what was written to a connection that failed may not be there.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

fn is_open((begin_ms, _): &(i64, Arc<str>), now_ms: i64) -> bool {
    begin_ms.saturating_add(Tier::TenMinutes.width_ms()) > now_ms
}

/// The wall clock, milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
