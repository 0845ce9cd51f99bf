//! `heat`: one metric of all nodes of a group, as a map over time.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::reading::{CellMean, Cells};
use lamon_store::{ArchiveReader, Tier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::apart::{apart, medians};
use super::asked::{Span, within};
use super::{Refused, pool};
use crate::answers::{Refusal, unit};
use crate::api::State as Api;

/// Columns of a map: more than a screen shows apart.
const MAX_COLUMNS: usize = 500;

/// Columns that are meant when nothing is said.
const USUAL_COLUMNS: usize = 200;

/// The longest name of a metric, bytes.
const MAX_METRIC_BYTES: usize = 64;

/// Samples that are read for a map, with what an agent usually sends: a second of reading. Of more the rows of ten minutes are read, and
/// the map has fewer columns.
const MAX_SAMPLES: i64 = 400_000;

/// An agent's usual interval, milliseconds.
const USUAL_INTERVAL_MS: i64 = 10_000;

/// Which map is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichMap {
    /// Of this metric.
    metric: String,
    /// Of the nodes of this group; of all nodes when nothing is said.
    group: Option<String>,
    /// From this time, unix milliseconds UTC.
    from: i64,
    /// To before this time, unix milliseconds UTC.
    to: i64,
    /// How many columns at most, 2 to 500; 200 when nothing is said.
    #[param(minimum = 2, maximum = 500)]
    columns: Option<usize>,
}

/// A metric of many nodes over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Map {
    /// Which metric.
    metric: String,
    /// Its unit.
    unit: &'static str,
    /// As it was asked.
    from_ms: i64,
    /// As it was asked.
    to_ms: i64,
    /// How long a column stands for, milliseconds.
    step_ms: i64,
    /// The beginning of each column.
    time_ms: Vec<i64>,
    /// The median of all nodes in each; null where none has a value.
    #[schema(value_type = Vec<Option<f32>>)]
    median: Vec<Option<f32>>,
    /// The nodes by name.
    nodes: Vec<Row>,
}

/// A node's row of the map.
#[derive(Debug, Serialize, ToSchema)]
struct Row {
    /// Which node.
    node: String,
    /// Its mean in each column; null without values.
    mean: Vec<Option<f32>>,
    /// How far its usual distance from the median is from that of the other nodes, in robust deviations: more than 3 is unlike the
    /// others. Null without values, or among fewer than three nodes.
    apart: Option<f64>,
}

/// One metric of all nodes of a group over time, with each node's distance from the others.
#[utoipa::path(get, path = "/api/v1/heat", params(WhichMap), responses(
    (status = 200, body = Map), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn heat(
    State(api): State<Api>,
    which: Result<Query<WhichMap>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let span = Span::new(which.from, which.to)?;
    let columns = within("columns", which.columns.unwrap_or(USUAL_COLUMNS), 2..=MAX_COLUMNS)?;
    if !(1..=MAX_METRIC_BYTES).contains(&which.metric.len()) {
        return Err(Refused::senseless(format!("metric is a name of 1 to {MAX_METRIC_BYTES} bytes")));
    }
    let nodes = nodes(&api, which.group.as_deref())?;
    let (cells, tier) = grid(span, columns, nodes.len());
    let rows = async {
        let mut rows = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let read =
                async |reader: &mut ArchiveReader| reader.means(node, &which.metric, cells, tier).await;
            rows.push(row(cells, &api.past.read(read).await?));
        }
        Ok(rows)
    };
    let rows = pool::in_time(rows).await?;
    let middle = medians(&rows, count(cells));
    let nodes = nodes.into_iter().zip(&rows).zip(apart(&rows, &middle));
    let map = Map {
        unit: unit(&which.metric),
        metric: which.metric,
        from_ms: span.from_ms,
        to_ms: span.to_ms,
        step_ms: cells.step_ms,
        time_ms: (0..count(cells)).map(|place| begin(cells, place)).collect(),
        median: short(&middle),
        nodes: nodes.map(|((node, row), apart)| Row { node, mean: short(row), apart }).collect(),
    };
    Ok(Json(map).into_response())
}

/// The nodes of a group, or all.
fn nodes(api: &Api, group: Option<&str>) -> Result<Vec<String>, Refused> {
    let snapshot = api.shared.snapshot();
    let of_it = snapshot.nodes.iter().filter(|(_, kept)| group.is_none_or(|group| kept.row.group == group));
    let nodes: Vec<String> = of_it.map(|(name, _)| name.clone()).collect();
    match group {
        Some(group) if nodes.is_empty() => {
            Err(Refused::unknown(format!("no node of a group {group:?} is known")))
        }
        _ => Ok(nodes),
    }
}

/// The columns of a map, and the tier that they are made of.
fn grid(span: Span, columns: usize, nodes: usize) -> (Cells, Tier) {
    let columns = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
    let length = span.to_ms.saturating_sub(span.from_ms);
    let mut step = (length.saturating_add(columns - 1) / columns).max(1);
    let samples = (length / USUAL_INTERVAL_MS).saturating_mul(i64::try_from(nodes).unwrap_or(i64::MAX));
    if samples > MAX_SAMPLES {
        step = step.max(Tier::TenMinutes.width_ms());
    }
    let fitting = Tier::ROLLUPS.into_iter().rev().find(|tier| tier.width_ms() <= step);
    let tier = fitting.unwrap_or(Tier::Samples);
    // Whole rows in each column.
    let width = tier.width_ms().max(1);
    let step_ms = step.saturating_add(width - 1) / width * width;
    let from_ms = span.from_ms - span.from_ms.rem_euclid(width);
    (Cells { from_ms, to_ms: span.to_ms, step_ms }, tier)
}

/// How many columns there are.
fn count(cells: Cells) -> usize {
    let length = cells.to_ms.saturating_sub(cells.from_ms).saturating_add(cells.step_ms - 1);
    usize::try_from(length / cells.step_ms).unwrap_or(0)
}

fn begin(cells: Cells, place: usize) -> i64 {
    cells.from_ms.saturating_add(i64::try_from(place).unwrap_or(i64::MAX).saturating_mul(cells.step_ms))
}

/// A node's means, one for each column. What stands for longer than a column stands in all that it covers.
#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
fn row(cells: Cells, means: &[CellMean]) -> Vec<Option<f64>> {
    let mut sums = vec![(0.0, 0.0); count(cells)];
    for mean in means {
        let first = usize::try_from(mean.begin_ms.saturating_sub(cells.from_ms) / cells.step_ms);
        let covers = usize::try_from(mean.width_ms.max(1).saturating_add(cells.step_ms - 1) / cells.step_ms);
        let (Ok(first), Ok(covers)) = (first, covers) else { continue };
        for (sum, weight) in sums.iter_mut().skip(first).take(covers.max(1)) {
            *sum += mean.mean * mean.count as f64;
            *weight += mean.count as f64;
        }
    }
    sums.into_iter().map(|(sum, weight)| (weight > 0.0).then(|| sum / weight)).collect()
}

/// Seven digits: what colours need, and half of what is to be sent.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn short(values: &[Option<f64>]) -> Vec<Option<f32>> {
    values.iter().map(|value| value.map(|value| value as f32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn columns_are_whole_rows_of_the_tier_that_fits() {
        let span = |hours: i64| Span { from_ms: 90_000, to_ms: 90_000 + hours * HOUR };
        for (hours, columns, nodes, tier, step_ms, wanted) in [
            (1, 200, 10, Tier::Samples, 18_000, 200),
            (24, 200, 10, Tier::Samples, 432_000, 200),
            // Too many samples.
            (24, 200, 100, Tier::TenMinutes, 600_000, 145),
            (48, 200, 1, Tier::TenMinutes, 1_200_000, 145),
            (24 * 365, 200, 100, Tier::Hour, 44 * HOUR, 200),
            (24 * 365 * 20, 2, 1, Tier::Hour, 87_600 * HOUR, 3),
        ] {
            let (cells, found) = grid(span(hours), columns, nodes);
            assert_eq!((found, cells.step_ms), (tier, step_ms), "{hours}");
            assert_eq!(count(cells), wanted, "{hours}");
            assert!(begin(cells, count(cells) - 1) < span(hours).to_ms);
        }
        let one = grid(Span { from_ms: 5, to_ms: 6 }, 500, 1).0;
        assert_eq!((one.step_ms, count(one)), (1, 1));
    }

    #[test]
    fn parts_of_a_cell_are_weighed_and_long_rows_cover_all_their_cells() {
        let cells = Cells { from_ms: 100, to_ms: 160, step_ms: 10 };
        let mean = |begin_ms, width_ms, mean, count| CellMean { begin_ms, width_ms, mean, count };
        let means =
            [mean(100, 10, 1.0, 3), mean(100, 0, 5.0, 1), mean(120, 25, 7.0, 1), mean(150, 10, 0.0, 9)];
        let wanted = [Some(2.0), None, Some(7.0), Some(7.0), Some(7.0), Some(0.0)];
        assert_eq!(row(cells, &means), wanted);
    }
}
