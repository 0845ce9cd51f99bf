//! `history`: metrics of some nodes in about as many points as somebody draws.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::Tier;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::{Span, known, names, within};
use super::merge::{Column, merge};
use super::{Refused, pool};
use crate::answers::{Refusal, unit};
use crate::api::State as Api;

/// Nodes that lie over each other; no eye keeps more apart.
const MAX_NODES: usize = 16;

/// Metrics of an answer.
const MAX_METRICS: usize = 8;

/// Points of a curve: more than a screen has columns.
const MAX_POINTS: usize = 5_000;

/// Points that are meant when nothing is said.
const USUAL_POINTS: usize = 1_500;

/// Points of all curves of an answer, some megabytes as JSON: with more nodes and metrics each has fewer.
const MAX_POINTS_IN_ALL: usize = 100_000;

/// Which curves are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichCurves {
    /// Of these nodes, 1 to 16 with commas between.
    nodes: String,
    /// Of these metrics, 1 to 8 with commas between.
    metrics: String,
    /// From this time, unix milliseconds UTC.
    from: i64,
    /// To before this time, unix milliseconds UTC.
    to: i64,
    /// About how many points for each curve, 2 to 5000; 1500 when nothing is said. Those of all curves together are 100,000 at most.
    #[param(minimum = 2, maximum = 5000)]
    points: Option<usize>,
}

/// Curves of some nodes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Curves {
    /// As it was asked.
    from_ms: i64,
    /// As it was asked.
    to_ms: i64,
    /// Each node's, in the order in which they were named.
    series: Vec<Series>,
}

/// Curves of one node.
#[derive(Debug, Serialize, ToSchema)]
struct Series {
    /// Which.
    node: String,
    /// What they were read from: `samples`, `ten_minutes` or `hours`.
    tier: &'static str,
    /// How long a point stands for, milliseconds; 0 when each is one sample.
    step_ms: i64,
    /// The time of each point, or of its beginning; in a gap there is one at which values are null.
    time_ms: Vec<i64>,
    /// Each metric's values, by its name; a value for each time.
    metrics: BTreeMap<String, Column>,
}

/// The word for a tier.
pub(crate) const fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::Samples => "samples",
        Tier::TenMinutes => "ten_minutes",
        Tier::Hour => "hours",
    }
}

/// Metrics of some nodes over a time, in about as many points as are wanted: from samples, or rows of ten minutes or an hour.
#[utoipa::path(get, path = "/api/v1/history", params(WhichCurves), responses(
    (status = 200, body = Curves), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn history(
    State(api): State<Api>,
    which: Result<Query<WhichCurves>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let span = Span::new(which.from, which.to)?;
    let nodes = names("nodes", &which.nodes, MAX_NODES)?;
    let metrics = names("metrics", &which.metrics, MAX_METRICS)?;
    let points = within("points", which.points.unwrap_or(USUAL_POINTS), 2..=MAX_POINTS)?;
    let points = points.min(MAX_POINTS_IN_ALL / (nodes.len() * metrics.len()).max(1));
    let read = async {
        let mut series = Vec::new();
        for node in nodes {
            known(&api, node).await?;
            series.push(one(&api, node, &metrics, span, points).await?);
        }
        Ok(series)
    };
    let series = pool::in_time(read).await?;
    Ok(Json(Curves { from_ms: span.from_ms, to_ms: span.to_ms, series }).into_response())
}

async fn one(api: &Api, node: &str, metrics: &[&str], span: Span, points: usize) -> Result<Series, Refused> {
    let read = async |reader: &mut lamon_store::ArchiveReader| {
        reader.histories(node, metrics, span.from_ms, span.to_ms, points).await
    };
    let histories = api.past.read(read).await?;
    let (tier, step_ms) = histories.first().map_or((Tier::Samples, 0), |one| (one.tier, one.step_ms));
    let (time_ms, columns) = merge(&histories);
    let metrics = metrics
        .iter()
        .zip(columns)
        .map(|(metric, column)| ((*metric).to_owned(), Column { unit: unit(metric), ..column }));
    Ok(Series { node: node.to_owned(), tier: word(tier), step_ms, time_ms, metrics: metrics.collect() })
}
