//! `samples`: a node's samples as they are stored, the newest first, page by page.

use std::collections::{BTreeSet, HashMap};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::reading::{MAX_SAMPLES, SamplePlace};
use lamon_store::{ArchiveReader, CORE_METRICS, Sample};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde::{Deserialize, Serialize as DeriveSerialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Span, known, within};
use crate::answers::{Refusal, unit};
use crate::api::State as Api;

/// Samples that are meant when nothing is said.
const USUAL_COUNT: usize = 200;

/// Columns of a table: what one sample can have. Of more, which only nonsense has, the first by name are shown.
pub(super) const MAX_COLUMNS: usize = 512;

/// Which samples are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichSamples {
    /// Of this node.
    node: String,
    /// From this time, unix milliseconds UTC.
    from: i64,
    /// To before this time, unix milliseconds UTC.
    to: i64,
    /// How many at most, 1 to 1000; 200 when nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    count: Option<usize>,
    /// The `next` of the page before.
    next: Option<String>,
}

/// A page of samples.
#[derive(Debug, DeriveSerialize, ToSchema)]
pub(crate) struct Table {
    /// The metrics: those of every system first, then the others by name.
    columns: Vec<String>,
    /// The unit of each.
    units: Vec<&'static str>,
    /// The time of each sample in unix milliseconds UTC, then the value of each column; null where it had none.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    rows: Vec<TableRow>,
    /// Names the next page, of what is older; null when this is the last.
    next: Option<String>,
}

/// A time and values, written as one list.
#[derive(Debug, PartialEq)]
struct TableRow {
    time_ms: i64,
    values: Vec<Option<f64>>,
}

impl Serialize for TableRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.values.len() + 1))?;
        list.serialize_element(&self.time_ms)?;
        for value in &self.values {
            list.serialize_element(value)?;
        }
        list.end()
    }
}

/// A node's samples as they are stored, the newest first.
#[utoipa::path(get, path = "/api/v1/samples", params(WhichSamples), responses(
    (status = 200, body = Table), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn samples(
    State(api): State<Api>,
    which: Result<Query<WhichSamples>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let span = Span::new(which.from, which.to)?;
    let count = within("count", which.count.unwrap_or(USUAL_COUNT), 1..=MAX_SAMPLES)?;
    let place = match &which.next {
        Some(token) => place(token)
            .filter(|place| place.time_ms < span.to_ms)
            .ok_or_else(|| Refused::senseless(format!("next is what a page before said, not {token:?}")))?,
        None => SamplePlace::at(span.to_ms),
    };
    known(&api, &which.node).await?;
    let read = async |reader: &mut ArchiveReader| {
        reader.samples_before(&which.node, place, span.from_ms, count).await
    };
    Ok(Json(table(&api.past.read(read).await?, count)).into_response())
}

/// The place that a token names.
fn place(token: &str) -> Option<SamplePlace> {
    let mut parts = token.split('.').map(|part| part.parse().ok());
    let place = SamplePlace { time_ms: parts.next()??, epoch: parts.next()??, sequence: parts.next()?? };
    parts.next().is_none().then_some(place)
}

fn token(SamplePlace { time_ms, epoch, sequence }: SamplePlace) -> String {
    format!("{time_ms}.{epoch}.{sequence}")
}

/// Names in the order of columns.
pub(super) fn columns<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let (core, others): (BTreeSet<&str>, BTreeSet<&str>) =
        names.partition(|name| CORE_METRICS.contains(name));
    let core = CORE_METRICS.into_iter().filter(|name| core.contains(name));
    core.chain(others).take(MAX_COLUMNS).collect()
}

fn table(samples: &[Sample], count: usize) -> Table {
    let columns = columns(samples.iter().flat_map(|sample| sample.metrics.iter().map(|(name, _)| &**name)));
    let places: HashMap<&str, usize> =
        columns.iter().enumerate().map(|(place, name)| (*name, place)).collect();
    let row = |sample: &Sample| {
        let mut values = vec![None; columns.len()];
        for (name, value) in &sample.metrics {
            if let Some(cell) = places.get(&**name).and_then(|place| values.get_mut(*place)) {
                *cell = Some(*value);
            }
        }
        TableRow { time_ms: sample.time_ms, values }
    };
    let more = samples.len() >= count;
    Table {
        units: columns.iter().map(|name| unit(name)).collect(),
        rows: samples.iter().map(row).collect(),
        next: samples.last().filter(|_| more).map(|sample| token(sample.into())),
        columns: columns.into_iter().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time_ms: i64, metrics: &[(&str, f64)]) -> Sample {
        let metrics = metrics.iter().map(|(name, value)| ((*name).into(), *value)).collect();
        Sample { node: "a".into(), epoch: 7, sequence: u64::MAX, time_ms, metrics }
    }

    #[test]
    fn columns_are_those_of_any_row_and_lines_are_one_list() {
        let samples =
            [sample(20, &[("z", 1.0), ("load1", 2.0)]), sample(10, &[("cpu_percent", 3.0), ("a", 4.5)])];
        let table = table(&samples, 2);
        assert_eq!(table.columns, ["cpu_percent", "load1", "a", "z"]);
        assert_eq!(table.units, ["%", "", "", ""]);
        let json = serde_json::to_string(&table.rows).unwrap();
        assert_eq!(json, "[[20,null,2.0,null,1.0],[10,3.0,null,4.5,null]]");
        let next = table.next.unwrap();
        assert_eq!(next, "10.7.-1");
        assert_eq!(token(place(&next).unwrap()), next);
        assert_eq!(super::table(&samples, 3).next, None);
    }

    #[test]
    fn tokens_of_others_are_refused() {
        for token in ["", ".", "1", "1.2", "1.2.3.4", "1.2.x", "1.2.3 ", "99999999999999999999.1.1"] {
            assert_eq!(place(token), None, "{token}");
        }
    }
}
