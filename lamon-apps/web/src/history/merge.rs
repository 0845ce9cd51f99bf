//! Metrics of a node on one row of times, as whoever draws them wants it. Pure.

use lamon_store::reading::{History, Point};
use serde::Serialize;
use utoipa::ToSchema;

/// One metric, a value for each time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub(super) struct Column {
    /// `%`, `B/s`, `B`, `s`, `°C`, or empty for a bare number.
    pub(super) unit: &'static str,
    /// The mean of each point; null in a gap.
    pub(super) mean: Vec<Option<f32>>,
    /// Its smallest value.
    pub(super) min: Vec<Option<f32>>,
    /// Its largest value.
    pub(super) max: Vec<Option<f32>>,
}

impl Column {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "seven digits draw a curve, and are half of what is to be sent"
    )]
    fn push(&mut self, point: Option<&Point>) {
        let stat = point.and_then(|point| point.metrics.first()).map(|(_, stat)| stat);
        self.mean.push(stat.map(|stat| stat.mean as f32));
        self.min.push(stat.map(|stat| stat.min as f32));
        self.max.push(stat.map(|stat| stat.max as f32));
    }
}

/// Puts metrics on one row of times. Where one has a gap it is null at a time within it; where it only comes more seldom than
/// another, its value before stands.
pub(super) fn merge(histories: &[History]) -> (Vec<i64>, Vec<Column>) {
    let mut times: Vec<i64> = Vec::new();
    for history in histories {
        times.extend(history.points.iter().map(|point| point.time_ms));
        let pairs = history.points.iter().zip(history.points.iter().skip(1));
        times.extend(pairs.filter(|(_, after)| after.after_gap).map(|(before, after)| {
            let within = before.time_ms.saturating_add(history.step_ms.max(1));
            // Whole steps may leave no room: a millisecond after what was.
            if within < after.time_ms { within } else { before.time_ms.saturating_add(1) }
        }));
    }
    times.sort_unstable();
    times.dedup();
    let columns = histories.iter().map(|history| column(&times, &history.points)).collect();
    (times, columns)
}

fn column(times: &[i64], points: &[Point]) -> Column {
    let mut column = Column::default();
    let mut before: Option<&Point> = None;
    let mut points = points.iter().peekable();
    for time in times {
        if let Some(point) = points.next_if(|point| point.time_ms <= *time) {
            before = Some(point);
            column.push(before);
        } else {
            let stands = points.peek().is_some_and(|next| !next.after_gap);
            column.push(before.filter(|_| stands));
        }
    }
    column
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lamon_store::{Stat, Tier};

    use super::*;

    fn history(step_ms: i64, points: &[(i64, bool, f64)]) -> History {
        let point = |(time_ms, after_gap, value): &(i64, bool, f64)| Point {
            time_ms: *time_ms,
            after_gap: *after_gap,
            metrics: vec![(Arc::from("load1"), Stat::of(*value))],
        };
        History { tier: Tier::Samples, step_ms, points: points.iter().map(point).collect() }
    }

    fn means(histories: &[History]) -> (Vec<i64>, Vec<Vec<Option<f32>>>) {
        let (times, columns) = merge(histories);
        (times, columns.into_iter().map(|column| column.mean).collect())
    }

    #[test]
    fn a_gap_is_one_row_of_nulls() {
        let one = history(10, &[(0, false, 1.0), (10, false, 2.0), (50, true, 3.0)]);
        assert_eq!(means(&[one]), (vec![0, 10, 20, 50], vec![vec![Some(1.0), Some(2.0), None, Some(3.0)]]));
        // Samples as they are have no steps.
        let bare = history(0, &[(0, false, 1.0), (90, true, 3.0)]);
        assert_eq!(means(&[bare]).0, [0, 1, 90]);
        let close = history(600, &[(0, false, 1.0), (600, true, 3.0)]);
        assert_eq!(means(&[close]), (vec![0, 1, 600], vec![vec![Some(1.0), None, Some(3.0)]]));
    }

    #[test]
    fn who_comes_more_seldom_has_no_gap_and_who_begins_or_ends_has_nothing_there() {
        let often = history(0, &[(0, false, 1.0), (10, false, 2.0), (20, false, 3.0), (30, false, 4.0)]);
        let seldom = history(0, &[(0, false, 7.0), (20, false, 8.0)]);
        let late = history(0, &[(20, false, 9.0)]);
        let (times, columns) = means(&[often, seldom, late]);
        assert_eq!(times, [0, 10, 20, 30]);
        assert_eq!(columns[1], [Some(7.0), Some(7.0), Some(8.0), None]);
        assert_eq!(columns[2], [None, None, Some(9.0), None]);
        assert_eq!(means(&[]), (vec![], vec![]));
        assert_eq!(means(&[history(0, &[])]), (vec![], vec![vec![]]));
    }
}
