//! The past of a node in about as many points as somebody wants, from the tier that fits.

use std::{collections::VecDeque, sync::Arc};

use super::{
    ArchiveReader,
    walk::{Row, Walk},
};
use crate::{
    archive::ArchiveError,
    rollup::{Gathering, Stat},
    tier::Tier,
};

/// Most points that are returned.
pub const MAX_POINTS: usize = 100_000;

/// Samples that lie this many times further apart than is usual have a gap between them: the hub calls a node silent
/// after as many intervals.
const GAP_INTERVALS: i64 = 3;

/// How many of the last distances between samples tell what is usual.
const USUAL_OF: usize = 9;

/// What one or all metrics of a node were.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The coarsest tier that it was read from; its newest end may come from finer ones, where that is not made yet.
    pub tier: Tier,
    /// How long a point stands for, in milliseconds; 0 when each point is one sample.
    pub step_ms: i64,
    /// In the order of time. There are no points for times without values.
    pub points: Vec<Point>,
}

/// A point of a [`History`].
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The beginning of its while, or the time of its sample; milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// Between the point before and this one values are missing: draw no line.
    pub after_gap: bool,
    /// The metrics that have values.
    pub metrics: Vec<(Arc<str>, Stat)>,
}

impl ArchiveReader {
    /// One metric of a node, or all of them, with `from_ms <= time < to_ms`, in at most about `points` points
    /// ([`MAX_POINTS`] at most). Reads the coarsest tier that is fine enough and goes back far enough.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn history(
        &mut self,
        node: &str,
        metric: Option<&str>,
        from_ms: i64,
        to_ms: i64,
        points: usize,
    ) -> Result<History, ArchiveError> {
        let (tier, step_ms) = self.fitting(node, from_ms, to_ms, points).await?;
        let mut builder = Builder::new(step_ms);
        let mut add = |row: Row| builder.add(row.time_ms, row.width_ms, &row.metrics);
        self.walk(tier, node, metric.as_slice(), from_ms, to_ms, &mut add).await?;
        Ok(History { tier, step_ms, points: builder.finish() })
    }

    /// Several metrics of a node, read at once: of each what [`history`](Self::history) has of one, in the order in which they
    /// are named. None is named twice.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn histories(
        &mut self,
        node: &str,
        metrics: &[&str],
        from_ms: i64,
        to_ms: i64,
        points: usize,
    ) -> Result<Vec<History>, ArchiveError> {
        if metrics.is_empty() {
            return Ok(Vec::new());
        }
        let (tier, step_ms) = self.fitting(node, from_ms, to_ms, points).await?;
        let mut builders: Vec<Builder> = metrics.iter().map(|_| Builder::new(step_ms)).collect();
        let mut add = |row: Row| {
            for one in &row.metrics {
                let place = metrics.iter().position(|metric| **metric == *one.0);
                if let Some(builder) = place.and_then(|place| builders.get_mut(place)) {
                    builder.add(row.time_ms, row.width_ms, std::slice::from_ref(one));
                }
            }
        };
        self.walk(tier, node, metrics, from_ms, to_ms, &mut add).await?;
        Ok(builders.into_iter().map(|builder| History { tier, step_ms, points: builder.finish() }).collect())
    }

    /// The tier that gives about so many points and goes back far enough, and how long a point of it stands for.
    async fn fitting(
        &mut self,
        node: &str,
        from_ms: i64,
        to_ms: i64,
        points: usize,
    ) -> Result<(Tier, i64), ArchiveError> {
        let points = i64::try_from(points.clamp(1, MAX_POINTS)).unwrap_or(i64::MAX);
        let wanted_ms = to_ms.saturating_sub(from_ms).max(0) / points;
        let fitting = Tier::ROLLUPS.into_iter().rev().find(|tier| tier.width_ms() <= wanted_ms);
        let tier = self.far_enough(node, fitting.unwrap_or(Tier::Samples), from_ms).await?;
        let step_ms = match tier.width_ms() {
            0 if wanted_ms <= 1_000 => 0,
            0 => wanted_ms,
            width => wanted_ms.next_multiple_of_checked(width),
        };
        Ok((tier, step_ms))
    }

    /// Reads every row of a node from a tier, and from the finer ones what that does not have yet, in the order of time; with
    /// some metrics, or with all when none is named.
    pub(super) async fn walk(
        &mut self,
        tier: Tier,
        node: &str,
        metrics: &[&str],
        from_ms: i64,
        to_ms: i64,
        each: &mut (dyn FnMut(Row) + Send),
    ) -> Result<(), ArchiveError> {
        let mut from_ms = from_ms;
        for tier in Tier::ALL.into_iter().rev().filter(|finer| *finer <= tier) {
            let mut walk = Walk::of(tier, node, metrics, from_ms, to_ms);
            while let Some(rows) = self.next_rows(&mut walk).await? {
                for row in rows {
                    from_ms = row.time_ms.saturating_add(row.width_ms);
                    each(row);
                }
            }
        }
        Ok(())
    }

    /// This tier, or a coarser one when only that goes back to `from_ms`.
    pub(super) async fn far_enough(
        &mut self,
        node: &str,
        tier: Tier,
        from_ms: i64,
    ) -> Result<Tier, ArchiveError> {
        let mut best = (tier, self.oldest(tier, node).await?);
        for coarser in Tier::ALL.into_iter().filter(|coarser| *coarser > tier) {
            // The row that `from_ms` lies in may begin before it.
            let far_enough = |oldest: Option<i64>| oldest.is_some_and(|oldest| oldest <= from_ms);
            if far_enough(best.1) {
                break;
            }
            let oldest = self.oldest(coarser, node).await?;
            // A rollup begins at most its width before the samples that it is made of.
            let gained = match (best.1, oldest) {
                (None, oldest) => oldest.is_some(),
                (Some(finer), Some(oldest)) => oldest < finer.saturating_sub(coarser.width_ms()),
                (Some(_), None) => false,
            };
            if gained {
                best = (coarser, oldest);
            }
        }
        Ok(best.0)
    }

    /// The time of a node's oldest row in a tier.
    pub(crate) async fn oldest(&mut self, tier: Tier, node: &str) -> Result<Option<i64>, ArchiveError> {
        self.number(&format!("SELECT MIN(time_ms) AS n FROM {tier} WHERE node = ?"), vec![node.into()]).await
    }
}

/// Puts rows together to points.
struct Builder {
    step_ms: i64,
    points: Vec<Point>,
    /// The point that is being gathered: its beginning, and whether a gap lies before.
    open: Option<(i64, bool, Gathering)>,
    /// The end of the row before.
    end_ms: Option<i64>,
    /// The last distances between rows.
    distances: VecDeque<i64>,
}

impl Builder {
    fn new(step_ms: i64) -> Self {
        Self { step_ms, points: Vec::new(), open: None, end_ms: None, distances: VecDeque::new() }
    }

    fn add(&mut self, time_ms: i64, width_ms: i64, metrics: &[(Arc<str>, Stat)]) {
        if metrics.is_empty() {
            return;
        }
        let after_gap = self.gap_before(time_ms, width_ms);
        // Each sample was to be a point, but nobody takes so many in so short a time: the rest is summed up by the second.
        if self.step_ms == 0 && self.points.len() >= MAX_POINTS {
            self.step_ms = 1_000;
        }
        let begin_ms = if self.step_ms == 0 {
            time_ms
        } else {
            time_ms.saturating_sub(time_ms.rem_euclid(self.step_ms))
        };
        let same = self.open.as_ref().is_some_and(|(open_ms, ..)| *open_ms == begin_ms && self.step_ms > 0);
        if !same {
            self.close();
            self.open = Some((begin_ms, after_gap, Gathering::default()));
        }
        if let Some((_, _, gathering)) = &mut self.open {
            for (name, stat) in metrics {
                gathering.add(name, *stat);
            }
        }
    }

    /// Whether values are missing between the row before and this one.
    fn gap_before(&mut self, time_ms: i64, width_ms: i64) -> bool {
        let end_ms = self.end_ms.replace(time_ms.saturating_add(width_ms));
        let Some(distance) = end_ms.map(|end| time_ms.saturating_sub(end)) else { return false };
        if width_ms > 0 {
            return distance > 0;
        }
        let mut sorted: Vec<i64> = self.distances.iter().copied().collect();
        sorted.sort_unstable();
        let usual = sorted.get(sorted.len().saturating_sub(1) / 2).copied();
        if self.distances.len() == USUAL_OF {
            self.distances.pop_front();
        }
        self.distances.push_back(distance);
        // Without an interval of its own yet, a minute is more than any node's.
        distance > usual.map_or(60_000, |usual| usual.max(1_000).saturating_mul(GAP_INTERVALS))
    }

    fn close(&mut self) {
        if let Some((time_ms, after_gap, gathering)) = self.open.take() {
            let metrics = gathering.finish().into_metrics().unwrap_or_default();
            self.points.push(Point { time_ms, after_gap, metrics });
        }
    }

    fn finish(mut self) -> Vec<Point> {
        self.close();
        self.points
    }
}

/// Rounding up without overflow.
trait NextMultiple {
    fn next_multiple_of_checked(self, of: Self) -> Self;
}

impl NextMultiple for i64 {
    fn next_multiple_of_checked(self, of: Self) -> Self {
        self.div_euclid(of).saturating_add(Self::from(self.rem_euclid(of) != 0)).saturating_mul(of).max(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(step_ms: i64, rows: &[(i64, i64, f64)]) -> Vec<(i64, bool, f64)> {
        let mut builder = Builder::new(step_ms);
        for (time_ms, width_ms, value) in rows {
            builder.add(*time_ms, *width_ms, &[(Arc::from("load1"), Stat::of(*value))]);
        }
        let points = builder.finish().into_iter();
        points.map(|point| (point.time_ms, point.after_gap, point.metrics[0].1.mean)).collect()
    }

    #[test]
    fn rows_of_one_step_are_one_point() {
        let rows = [(0, 0, 1.0), (10_000, 0, 3.0), (20_000, 0, 5.0), (30_000, 0, 7.0)];
        assert_eq!(points(20_000, &rows), [(0, false, 2.0), (20_000, false, 6.0)]);
        assert_eq!(points(0, &rows[..2]), [(0, false, 1.0), (10_000, false, 3.0)]);
    }

    #[test]
    fn a_flood_of_samples_is_summed_up() {
        let limit = i64::try_from(MAX_POINTS).unwrap();
        let rows: Vec<_> = (0..2 * limit).map(|time_ms| (time_ms, 0, 1.0)).collect();
        let found = points(0, &rows);
        assert_eq!(found.len(), MAX_POINTS + MAX_POINTS / 1_000);
        assert!(found.is_sorted_by_key(|(time_ms, ..)| *time_ms));
    }

    #[test]
    fn gaps_stay_gaps() {
        // Samples every 10 s: 20 s more is none, 40 s is one.
        let rows = [(0, 0, 1.0), (10_000, 0, 1.0), (30_000, 0, 1.0), (70_000, 0, 1.0), (80_000, 0, 1.0)];
        let gaps: Vec<bool> = points(0, &rows).into_iter().map(|(_, gap, _)| gap).collect();
        assert_eq!(gaps, [false, false, false, true, false]);
        // Rows of ten minutes: any that is missing.
        let rows = [(0, 600_000, 1.0), (600_000, 600_000, 1.0), (1_800_000, 600_000, 1.0)];
        assert_eq!(points(600_000, &rows).last(), Some(&(1_800_000, true, 1.0)));
    }

    #[test]
    fn steps_are_whole_rows() {
        for (wanted, width, step) in
            [(0, 600, 600), (600, 600, 600), (601, 600, 1_200), (i64::MAX, 600, i64::MAX)]
        {
            assert_eq!(wanted.next_multiple_of_checked(width), step);
        }
    }
}
