//! `whatif`: how many events other limits would have made.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_bus::Limits;
use lamon_store::{ArchiveReader, Tier};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::suppose::{Seen, Supposed};
use crate::answers::Refusal;
use crate::api::State as Api;
use crate::history::{Refused, Span};

/// The longest range that is read from samples: a week of one node is 60,000 of them.
const SAMPLES_MS: i64 = 8 * 86_400_000;

/// The longest range that is read from rows of ten minutes, two years; longer ones from rows of hours.
const TEN_MINUTES_MS: i64 = 731 * 86_400_000;

/// What is supposed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhatIf {
    /// Whose.
    node: String,
    /// Which metric.
    metric: String,
    /// The rule's name, as the metric's `limits` tell it.
    name: String,
    /// Where warning would begin, in the metric's unit; `none` for no warning; as it is now when left out.
    warning: Option<String>,
    /// Where error would begin.
    error: Option<String>,
    /// From this time, unix milliseconds UTC.
    from: i64,
    /// To before this time, unix milliseconds UTC.
    to: i64,
}

/// What other limits would have made.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct WouldBe {
    /// How often the level would have risen, to warning or to error.
    events: u64,
    /// How often it would have with the limits of now.
    now: u64,
    /// What was read: of `samples` the numbers are exact but for a second metric of the rule, night and day, and flapping; of
    /// `ten_minutes` and `hours` a row has one peak at most.
    tier: &'static str,
}

/// How many events other limits would have made in a time, and how many those of now.
#[utoipa::path(get, path = "/api/v1/whatif", params(WhatIf), responses(
    (status = 200, body = WouldBe), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn whatif(
    State(api): State<Api>,
    asked: Result<Query<WhatIf>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(asked) = asked.map_err(|error| Refused::senseless(error.body_text()))?;
    let span = Span::new(asked.from, asked.to)?;
    let now = limits(&api, &asked)?;
    let other = Limits {
        warning: limit("warning", asked.warning.as_deref(), now.warning)?,
        error: limit("error", asked.error.as_deref(), now.error)?,
        ..now.clone()
    };
    let read = async |reader: &mut ArchiveReader| {
        let points = points(span.to_ms - span.from_ms);
        reader.history(&asked.node, Some(&asked.metric), span.from_ms, span.to_ms, points).await
    };
    let history = api.past.read(read).await?;
    let (mut then, mut now) = (Supposed::new(other), Supposed::new(now));
    for point in &history.points {
        if let Some((_, stat)) = point.metrics.first() {
            let (time_ms, after_gap) = (point.time_ms, point.after_gap);
            let seen = Seen { time_ms, min: stat.min, mean: stat.mean, max: stat.max, after_gap };
            then.take(seen);
            now.take(seen);
        }
    }
    let tier = crate::history::word(history.tier);
    Ok(Json(WouldBe { events: then.rises(), now: now.rises(), tier }).into_response())
}

/// The limits of now.
fn limits(api: &Api, asked: &WhatIf) -> Result<Limits, Refused> {
    let WhatIf { node, metric, name, .. } = asked;
    let snapshot = api.shared.snapshot();
    let kept =
        snapshot.nodes.get(node).ok_or_else(|| Refused::unknown(format!("no node {node:?} is known")))?;
    let metric_now = kept
        .node
        .metrics
        .get(metric)
        .ok_or_else(|| Refused::unknown(format!("{node} has no metric {metric:?}")))?;
    let limits = metric_now.limits.clone().filter(|limits| limits.name == *name);
    limits.ok_or_else(|| Refused::unknown(format!("no rule {name:?} holds for {node} {metric}")))
}

/// A limit that is supposed.
fn limit(what: &str, text: Option<&str>, now: Option<f64>) -> Result<Option<f64>, Refused> {
    match text {
        None => Ok(now),
        Some("none") => Ok(None),
        Some(text) => match text.parse::<f64>() {
            Ok(limit) if limit.is_finite() => Ok(Some(limit)),
            _ => Err(Refused::senseless(format!(
                "{what} is a number in the metric's unit, or none, not {text:?}"
            ))),
        },
    }
}

/// How many points are wanted, so that the tier that fits the range is read.
fn points(range_ms: i64) -> usize {
    if range_ms <= SAMPLES_MS {
        return lamon_store::reading::MAX_POINTS;
    }
    let tier = if range_ms <= TEN_MINUTES_MS { Tier::TenMinutes } else { Tier::Hour };
    let width_ms = tier.width_ms();
    usize::try_from(range_ms / width_ms.max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_none_or_those_of_now() {
        for (text, wanted) in
            [(None, Some(80.0)), (Some("none"), None), (Some("70.5"), Some(70.5)), (Some("-1"), Some(-1.0))]
        {
            assert_eq!(limit("warning", text, Some(80.0)).unwrap(), wanted);
        }
        for text in ["", "80 %", "nan", "inf", "1e999"] {
            assert!(limit("warning", Some(text), None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_longer_range_is_read_from_a_coarser_tier() {
        let year_ms = 365 * 86_400_000;
        assert_eq!(points(86_400_000), 100_000);
        assert_eq!(points(year_ms), 52_560);
        assert_eq!(points(20 * year_ms), 175_200);
    }
}
