//! `nights`: one page for each observing night: what went wrong, for how long, what was blocked, and how much of the data is there.

use std::collections::BTreeMap;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::reading::{EventPlace, MAX_EVENTS, MAX_NIGHTS, Night};
use lamon_store::registers::NodeRecord;
use lamon_store::{ArchiveError, ArchiveReader};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::asked::within;
use super::problems::{Blocked, Found, Pairing, Problem};
use super::{Refused, pool, times};
use crate::answers::Refusal;
use crate::api::State as Api;
use crate::picture::{Snapshot, now_ms};

/// Nights of a list when nothing is said.
const USUAL_COUNT: usize = 30;

/// How far before a night it is looked for what began before it.
const LOOK_BACK_MS: i64 = 7 * 86_400_000;

/// Events that are looked through for a night, a few seconds of reading; a hundred nodes make some hundred.
const MAX_LOOKED_AT: usize = 100_000;

/// Nodes of a page: more than a hub takes.
const MAX_NODES: usize = 2_000;

/// How long a sample may take to the archive before it counts as missing, milliseconds.
const ON_ITS_WAY_MS: i64 = 300_000;

/// An agent's usual interval, seconds; for nodes of which nothing is stored to tell it.
const USUAL_INTERVAL_S: f64 = 10.0;

/// How many nights.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HowMany {
    /// How many, 1 to 550; 30 when nothing is said.
    #[param(minimum = 1, maximum = 550)]
    count: Option<usize>,
}

/// A night.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NightLine {
    /// The date of its evening, at the site: `2026-11-28`.
    date: String,
    /// Its beginning, at noon of the site, unix milliseconds UTC.
    from_ms: i64,
    /// Its end, at the next noon.
    to_ms: i64,
}

/// How much of the data is there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
struct Completeness {
    /// The samples that there would be, if each ten minutes had as many as is usual for the node.
    expected: u64,
    /// Those of them that are stored.
    stored: u64,
    /// The part that is stored, 0 to 1.
    ratio: f64,
}

/// A night's page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NightPage {
    /// The date of its evening, at the site.
    date: String,
    /// Its beginning, unix milliseconds UTC.
    from_ms: i64,
    /// Its end, unix milliseconds UTC; later than now for the present one.
    to_ms: i64,
    /// Of all nodes; null while nothing is to be expected.
    completeness: Option<Completeness>,
    /// The nodes that there were, by name.
    nodes: Vec<NodeNight>,
    /// What was wrong with the hub.
    hub: Vec<Problem>,
    /// The gates that were closed.
    blocked: Vec<Blocked>,
    /// How many events the night had.
    events: usize,
    /// There were more events or nodes than were looked at: what began first is missing.
    more: bool,
}

/// A node's night.
#[derive(Debug, Serialize, ToSchema)]
struct NodeNight {
    /// Which.
    node: String,
    /// Its group now; null when the hub does not know it any more.
    group: Option<String>,
    /// How much of its data is there; null while nothing is to be expected.
    completeness: Option<Completeness>,
    /// What was wrong, in the order of its beginnings.
    problems: Vec<Problem>,
}

/// The last nights, the newest first, the present one too.
#[utoipa::path(get, path = "/api/v1/nights", params(HowMany), responses(
    (status = 200, body = Vec<NightLine>), (status = 400, body = Refusal)))]
pub(crate) async fn nights(
    State(api): State<Api>,
    which: Result<Query<HowMany>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let most = usize::try_from(MAX_NIGHTS).unwrap_or(usize::MAX);
    let count = within("count", which.count.unwrap_or(USUAL_COUNT), 1..=most)?;
    let nights =
        api.past.site().last_nights(now_ms().cast_signed(), u32::try_from(count).unwrap_or(MAX_NIGHTS));
    let line = |Night { date, begin_ms, end_ms }: Night| NightLine {
        date: times::date(date),
        from_ms: begin_ms,
        to_ms: end_ms,
    };
    Ok(Json(nights.into_iter().rev().map(line).collect::<Vec<_>>()).into_response())
}

/// What went wrong in a night, for how long, what was blocked, and how much of the data is there.
#[utoipa::path(get, path = "/api/v1/nights/{date}",
    params(("date" = String, Path, description = "the date of its evening, `2026-11-28`")), responses(
    (status = 200, body = NightPage), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn night(
    State(api): State<Api>,
    date: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(text) = date.map_err(|error| Refused::senseless(error.body_text()))?;
    let date = times::parse(&text).ok_or_else(|| {
        Refused::senseless(format!("a night has the date of its evening, as 2026-11-28, not {text:?}"))
    })?;
    let night = api.past.site().night_of(date);
    let now_ms = now_ms().cast_signed();
    if night.begin_ms > now_ms {
        return Err(Refused::unknown(format!("the night of {text} has not begun")));
    }
    Ok(Json(pool::in_time(page(&api, night, now_ms)).await?).into_response())
}

async fn page(api: &Api, night: Night, now_ms: i64) -> Result<NightPage, Refused> {
    let ((mut found, events), records) = api
        .past
        .read(async |reader: &mut ArchiveReader| {
            Ok((happened(reader, night).await?, reader.node_records().await?))
        })
        .await?;
    let snapshot = api.shared.snapshot();
    let there = there(&snapshot, &records, &found, night);
    let mut page = NightPage {
        date: times::date(night.date),
        from_ms: night.begin_ms,
        to_ms: night.end_ms,
        completeness: None,
        nodes: Vec::new(),
        hub: std::mem::take(&mut found.hub),
        blocked: std::mem::take(&mut found.blocked),
        events,
        more: found.more || there.len() > MAX_NODES,
    };
    for (node, since_ms) in there.into_iter().take(MAX_NODES) {
        let kept = snapshot.nodes.get(&node);
        // Whole ten minutes, of which nothing is on its way any more.
        let (from_ms, to_ms) = (night.begin_ms.max(since_ms), night.end_ms.min(now_ms - ON_ITS_WAY_MS));
        let to_ms = to_ms - to_ms.rem_euclid(600_000);
        let interval_s = kept.map(|kept| kept.node.interval).filter(|interval| *interval > 0.0);
        let read = async |reader: &mut ArchiveReader| reader.coverage(&node, from_ms, to_ms).await;
        let completeness = api.past.read(read).await?.map(|covered| {
            let expected = match covered.expected {
                0 => unheard(covered.whiles, interval_s.unwrap_or(USUAL_INTERVAL_S)),
                expected => expected,
            };
            Completeness { expected, stored: covered.there, ratio: ratio(covered.there, expected) }
        });
        page.completeness = sum(page.completeness, completeness);
        let problems = found.nodes.remove(&node).unwrap_or_default();
        let group = kept.map(|kept| kept.row.group.clone());
        page.nodes.push(NodeNight { node, group, completeness, problems });
    }
    Ok(page)
}

/// The nodes that there were in a night, with the time since when they are known: those that the archive or an event tells of, and those
/// that the hub knows and had heard of by then.
fn there(snapshot: &Snapshot, records: &[NodeRecord], found: &Found, night: Night) -> BTreeMap<String, i64> {
    let mut there: BTreeMap<String, i64> = found.nodes.keys().map(|node| (node.clone(), i64::MIN)).collect();
    for record in records {
        let known = record.last_heard_ms >= night.begin_ms || snapshot.nodes.contains_key(&record.node);
        if (known && record.first_heard_ms < night.end_ms) || there.contains_key(&record.node) {
            there.insert(record.node.clone(), record.first_heard_ms);
        }
    }
    // What the hub hears since a moment is not in the archive yet.
    for (node, kept) in &snapshot.nodes {
        let heard_ms = kept.row.heard_ms.cast_signed();
        if heard_ms >= night.begin_ms && !records.iter().any(|record| record.node == *node) {
            there.entry(node.clone()).or_insert(heard_ms);
        }
    }
    there
}

/// What would be there of a node of which nothing is.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousand samples a night"
)]
fn unheard(whiles: u64, interval_s: f64) -> u64 {
    (whiles as f64 * 600.0 / interval_s.max(1.0)) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
fn ratio(stored: u64, expected: u64) -> f64 {
    if expected == 0 { 0.0 } else { stored as f64 / expected as f64 }
}

fn sum(all: Option<Completeness>, one: Option<Completeness>) -> Option<Completeness> {
    let Some(one) = one else { return all };
    let (expected, stored) = all.map_or((0, 0), |all| (all.expected, all.stored));
    let (expected, stored) = (expected.saturating_add(one.expected), stored.saturating_add(one.stored));
    Some(Completeness { expected, stored, ratio: ratio(stored, expected) })
}

/// What was wrong in a night, and how many events it had; read newest first in short statements.
async fn happened(reader: &mut ArchiveReader, night: Night) -> Result<(Found, usize), ArchiveError> {
    let mut pairing = Pairing::new(night.begin_ms);
    let mut place = EventPlace { time_ms: night.end_ms, hub: String::new(), number: i64::MIN };
    let from_ms = night.begin_ms.saturating_sub(LOOK_BACK_MS);
    let (mut looked_at, mut events, mut whole) = (0, 0, false);
    while looked_at < MAX_LOOKED_AT {
        let rows = reader.events_before(&place, from_ms).await?;
        looked_at += rows.len();
        for row in &rows {
            place = row.into();
            events += usize::from(row.event.time_ms >= night.begin_ms);
            pairing.add(&row.event);
        }
        if rows.len() < MAX_EVENTS {
            whole = true;
            break;
        }
    }
    let mut found = pairing.finish();
    found.more |= !whole;
    Ok((found, events))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_complete_as_its_parts_are() {
        let one = |expected, stored| Some(Completeness { expected, stored, ratio: ratio(stored, expected) });
        assert_eq!(sum(None, None), None);
        assert_eq!(sum(one(100, 50), None), one(100, 50));
        assert_eq!(sum(one(100, 50), one(300, 300)), one(400, 350));
        assert_eq!((unheard(144, 10.0), unheard(144, 0.0)), (8_640, 86_400));
        assert_eq!(ratio(0, 0), 0.0);
    }
}
