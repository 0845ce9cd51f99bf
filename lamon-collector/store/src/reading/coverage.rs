//! How much of a node's data is there: samples counted by ten minutes, against what is usual in ten minutes.

use std::collections::BTreeMap;

use super::{ArchiveReader, walk::Row};
use crate::{archive::ArchiveError, sample::CORE_METRICS, tier::Tier};

/// Ten minutes in milliseconds.
const WHILE_MS: i64 = Tier::TenMinutes.width_ms();

/// How much is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// The samples that are stored.
    pub samples: u64,
    /// The ten-minute whiles that were to have some.
    pub whiles: u64,
    /// Those that have none.
    pub empty: u64,
    /// The samples that would be there if each ten minutes had as many as is usual; 0 without any, since what is usual is not known.
    pub expected: u64,
    /// Those of them that are there.
    pub there: u64,
    /// The part that is there, 0 to 1.
    pub part: f64,
}

impl ArchiveReader {
    /// How much of a node's data is there, counted by the ten-minute whiles that begin in `from_ms <= time < to_ms`. What
    /// is usual is the median of those that have any, since the archive does not know a node's interval. None without whiles.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn coverage(
        &mut self,
        node: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Option<Coverage>, ArchiveError> {
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        // Samples of a while that begins inside may lie behind the end, and the other way round.
        let (first_ms, end_ms) = (up(from_ms), up(to_ms));
        let mut add = |row: Row| count(&mut counts, &row);
        // The core metrics have columns of their own, and nearly every node has some.
        self.walk(Tier::TenMinutes, node, &CORE_METRICS, first_ms, end_ms, &mut add).await?;
        if counts.values().all(|samples| *samples == 0) {
            let mut add = |row: Row| count(&mut counts, &row);
            self.walk(Tier::TenMinutes, node, &[], first_ms, end_ms, &mut add).await?;
        }
        let whiles = end_ms.saturating_sub(first_ms).max(0) / WHILE_MS;
        Ok(of_counts(counts.into_values().collect(), whiles.unsigned_abs()))
    }
}

/// Counts the samples of a row to their while.
fn count(counts: &mut BTreeMap<i64, u64>, row: &Row) {
    let begin = row.time_ms.saturating_sub(row.time_ms.rem_euclid(WHILE_MS));
    // Each metric may be missing in some samples: the one that was in most tells how many there were.
    let samples = row.metrics.iter().map(|(_, stat)| stat.count).max().unwrap_or(0);
    let count = counts.entry(begin).or_default();
    *count = count.saturating_add(samples);
}

/// The beginning of the first while that does not begin before.
fn up(time_ms: i64) -> i64 {
    let over = time_ms.rem_euclid(WHILE_MS);
    if over == 0 { time_ms } else { time_ms.saturating_add(WHILE_MS - over) }
}

/// Sums up what whiles had, those without any left out.
#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
fn of_counts(mut counts: Vec<u64>, whiles: u64) -> Option<Coverage> {
    if whiles == 0 {
        return None;
    }
    counts.retain(|count| *count > 0);
    counts.sort_unstable();
    let samples = counts.iter().sum();
    let empty = whiles.saturating_sub(counts.len() as u64);
    let usual = counts.get(counts.len() / 2).copied().unwrap_or(0);
    let expected = usual.saturating_mul(whiles);
    let there = counts.iter().map(|count| (*count).min(usual)).sum::<u64>().min(expected);
    let part = if expected == 0 { 0.0 } else { there as f64 / expected as f64 };
    Some(Coverage { samples, whiles, empty, expected, there, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_what_is_usual() {
        for (counts, whiles, wanted) in [
            (vec![60; 6], 6, Some((360, 0, 1.0))),
            // One more or less by chance is no surplus.
            (vec![60, 61, 60, 60, 60, 60], 6, Some((361, 0, 1.0))),
            (vec![60, 60, 30], 6, Some((150, 3, 150.0 / 360.0))),
            (vec![0, 0], 2, Some((0, 2, 0.0))),
            (vec![], 4, Some((0, 4, 0.0))),
            (vec![], 0, None),
        ] {
            let found = of_counts(counts.clone(), whiles);
            assert_eq!(found.map(|found| (found.samples, found.empty, found.part)), wanted, "{counts:?}");
        }
    }

    #[test]
    fn whiles_are_those_that_begin_inside() {
        assert_eq!([0, 1, WHILE_MS, WHILE_MS + 1, -1].map(up), [0, WHILE_MS, WHILE_MS, 2 * WHILE_MS, 0]);
        let _never_panics = (up(i64::MAX), up(i64::MIN));
    }
}
