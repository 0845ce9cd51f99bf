//! `events`: what happened; the last from memory, older ones from the archive.

use std::collections::BTreeSet;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::reading::{EventPlace, MAX_EVENTS};
use lamon_store::{ArchiveError, ArchiveReader};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Refused;
use super::asked::{Span, within};
use crate::answers::{EventLine, Level, Refusal};
use crate::api::State as Api;

/// The most events of an answer: all that are kept in memory.
const MAX_COUNT: usize = lamon_bus::picture::MAX_EVENTS;

/// Events of a page when nothing is said.
const USUAL_COUNT: usize = 200;

/// How many rows are looked through for a page. With a filter that fits few of them the page ends here, and says where to go on.
const MAX_LOOKED_AT: usize = 10 * MAX_EVENTS;

/// The longest text that is searched for, bytes.
const MAX_TEXT_BYTES: usize = 200;

/// Which events are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhichEvents {
    /// From this time, unix milliseconds UTC: from the archive, the newest first. Without `from` and `to` the last ones are answered from
    /// memory, the newest last.
    from: Option<i64>,
    /// To before this time, unix milliseconds UTC.
    to: Option<i64>,
    /// Those of this node.
    node: Option<String>,
    /// Those of the nodes that are in this group now.
    group: Option<String>,
    /// Those of this level or worse.
    level: Option<Level>,
    /// Those of this kind.
    kind: Option<String>,
    /// Those with these words in their text, whatever the case of their letters; 200 bytes at most.
    text: Option<String>,
    /// How many at most, 1 to 1000; the newest are taken. 200 from the archive, and all from memory, when nothing is said.
    #[param(minimum = 1, maximum = 1000)]
    count: Option<usize>,
    /// The `next` of the page before.
    next: Option<String>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The newest first; fewer than were asked for, or none, where few of many fit.
    events: Vec<EventLine>,
    /// Names the next page, of what is older; null when this is the last.
    next: Option<String>,
}

/// Events: a list, or a page where a time was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Events {
    /// Without `from` and `to`: the newest last.
    Last(Vec<EventLine>),
    /// With `from` and `to`.
    Page(EventPage),
}

/// What of an event must fit.
struct Filter<'a> {
    which: &'a WhichEvents,
    /// The nodes of the group.
    nodes: Option<BTreeSet<String>>,
    /// The words in small letters.
    words: Option<String>,
}

impl<'a> Filter<'a> {
    fn new(api: &Api, which: &'a WhichEvents) -> Result<Self, Refused> {
        if which.text.as_ref().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
            return Err(Refused::senseless(format!("text has {MAX_TEXT_BYTES} bytes at most")));
        }
        let nodes = which.group.as_ref().map(|group| {
            let snapshot = api.shared.snapshot();
            let of_it = snapshot.nodes.iter().filter(|(_, kept)| kept.row.group == *group);
            of_it.map(|(name, _)| name.clone()).collect()
        });
        Ok(Self { which, nodes, words: which.text.as_ref().map(|text| text.to_lowercase()) })
    }

    fn wants(&self, event: &EventLine) -> bool {
        let Self { which, nodes, words } = self;
        fits(which.node.as_deref(), event.node.as_deref())
            && fits(which.kind.as_deref(), Some(&event.kind))
            && which.level.is_none_or(|level| event.level >= level)
            && nodes.as_ref().is_none_or(|nodes| event.node.as_ref().is_some_and(|node| nodes.contains(node)))
            && words.as_ref().is_none_or(|words| event.text.to_lowercase().contains(words))
    }
}

/// Whether a word is the one that is wished for, if one is.
fn fits(wish: Option<&str>, word: Option<&str>) -> bool {
    wish.is_none() || wish == word
}

/// What happened: without a time the last events, the newest last; from the archive the newest first, page by page.
#[utoipa::path(get, path = "/api/v1/events", params(WhichEvents), responses(
    (status = 200, body = Events), (status = 400, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn events(
    State(api): State<Api>,
    which: Result<Query<WhichEvents>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(which) = which.map_err(|error| Refused::senseless(error.body_text()))?;
    let count = which.count.map(|count| within("count", count, 1..=MAX_COUNT)).transpose()?;
    let filter = Filter::new(&api, &which)?;
    match (which.from, which.to) {
        (Some(from), Some(to)) => {
            let span = Span::new(from, to)?;
            let place = match &which.next {
                Some(token) => place(token).filter(|place| place.time_ms < to).ok_or_else(|| {
                    Refused::senseless(format!("next is what a page before said, not {token:?}"))
                })?,
                None => EventPlace { time_ms: to, hub: String::new(), number: i64::MIN },
            };
            let count = count.unwrap_or(USUAL_COUNT);
            let read =
                async |reader: &mut ArchiveReader| page(reader, &filter, place, span.from_ms, count).await;
            Ok(Json(Events::Page(api.past.read(read).await?)).into_response())
        }
        (None, None) if which.next.is_none() => {
            let snapshot = api.shared.snapshot();
            let wanted = snapshot.events.iter().rev().filter(|event| filter.wants(event));
            let mut wanted: Vec<EventLine> =
                wanted.take(count.unwrap_or(MAX_COUNT)).map(|event| EventLine::clone(event)).collect();
            wanted.reverse();
            Ok(Json(Events::Last(wanted)).into_response())
        }
        _ => Err(Refused::senseless("from and to go together, and next with them")),
    }
}

/// Reads a page, newest first, in short statements.
async fn page(
    reader: &mut ArchiveReader,
    filter: &Filter<'_>,
    mut place: EventPlace,
    from_ms: i64,
    count: usize,
) -> Result<EventPage, ArchiveError> {
    let mut events = Vec::new();
    let mut looked_at = 0;
    while looked_at < MAX_LOOKED_AT {
        let rows = reader.events_before(&place, from_ms).await?;
        looked_at += rows.len();
        for row in &rows {
            place = row.into();
            let line = EventLine::from(row);
            if filter.wants(&line) {
                events.push(line);
            }
            if events.len() == count {
                return Ok(EventPage { events, next: Some(token(&place)) });
            }
        }
        if rows.len() < MAX_EVENTS {
            return Ok(EventPage { events, next: None });
        }
    }
    Ok(EventPage { events, next: Some(token(&place)) })
}

/// The place that a token names.
fn place(token: &str) -> Option<EventPlace> {
    let mut parts = token.splitn(3, '.');
    let (time, number, hub) = (parts.next()?, parts.next()?, parts.next()?);
    Some(EventPlace { time_ms: time.parse().ok()?, hub: hub.to_owned(), number: number.parse().ok()? })
}

fn token(EventPlace { time_ms, hub, number }: &EventPlace) -> String {
    format!("{time_ms}.{number}.{hub}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_name_places() {
        let there = EventPlace { time_ms: 5, hub: "lamon.1 é".into(), number: -7 };
        assert_eq!(place(&token(&there)), Some(there));
        for text in ["", "1", "1.2", "x.1.h", "1.x.h", "99999999999999999999.1.h"] {
            assert_eq!(place(text), None, "{text}");
        }
    }
}
