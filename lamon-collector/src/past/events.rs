//! A page of what the archive has of what happened.

use lamon_control::answer::{Event, Events};
use lamon_control::{MAX_PAGE, Place, Refusal, Why};
use lamon_store::reading::{EventPlace, MAX_EVENTS};
use lamon_store::registers::StoredEvent;
use lamon_store::{ArchiveError, ArchiveReader};

use crate::watch::Level;

/// How many rows are looked through for a page. With a filter that fits few of them the page ends here, and says where to go on.
const MAX_LOOKED_AT: usize = 10 * MAX_EVENTS;

/// Which events are wanted.
#[derive(Debug, Clone)]
pub(crate) struct EventsAsked {
    node: Option<String>,
    /// And graver ones.
    level: Level,
    since_ms: i64,
    before: EventPlace,
    limit: usize,
}

impl EventsAsked {
    /// Checks what was asked.
    pub(crate) fn new(
        node: Option<String>,
        level: Option<&str>,
        since_ms: Option<i64>,
        before: Option<Place>,
        limit: Option<usize>,
    ) -> Result<Self, Refusal> {
        let level = level.map_or(Some(Level::Good), Level::named).ok_or_else(|| {
            Refusal::new(Why::BadRequest, "a level is good, warning, error or silent".to_owned())
        })?;
        let newest = Place { time_ms: i64::MAX, hub: String::new(), number: 0 };
        let Place { time_ms, hub, number } = before.unwrap_or(newest);
        Ok(Self {
            node,
            level,
            since_ms: since_ms.unwrap_or(i64::MIN),
            before: EventPlace { time_ms, hub, number },
            limit: limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE),
        })
    }

    fn wants(&self, stored: &StoredEvent) -> bool {
        let event = &stored.event;
        // What a later release calls it is grave until somebody knows.
        let level = Level::named(&event.level).unwrap_or(Level::Silent);
        level >= self.level && (self.node.is_none() || event.node == self.node)
    }
}

/// Reads a page, newest first, in short statements.
pub(super) async fn page(reader: &mut ArchiveReader, asked: &EventsAsked) -> Result<Events, ArchiveError> {
    let mut page = Events::default();
    let mut place = asked.before.clone();
    let mut looked_at = 0;
    while looked_at < MAX_LOOKED_AT {
        let rows = reader.events_before(&place, asked.since_ms).await?;
        looked_at += rows.len();
        for row in &rows {
            place = row.into();
            if asked.wants(row) {
                page.events.push(told(row));
            }
            if page.events.len() == asked.limit {
                (page.more, page.next) = (true, Some(next(place)));
                return Ok(page);
            }
        }
        if rows.len() < MAX_EVENTS {
            return Ok(page);
        }
    }
    (page.more, page.next) = (true, Some(next(place)));
    Ok(page)
}

fn next(EventPlace { time_ms, hub, number }: EventPlace) -> Place {
    Place { time_ms, hub, number }
}

fn told(StoredEvent { hub, event }: &StoredEvent) -> Event {
    Event {
        number: event.number.unsigned_abs(),
        time_ms: event.time_ms,
        node: event.node.clone(),
        metric: event.metric.clone(),
        kind: event.kind.clone(),
        level: event.level.clone(),
        text: event.text.clone(),
        hub: Some(hub.clone()),
    }
}

#[cfg(test)]
mod tests {
    use lamon_store::{Archive, ArchiveUrl};

    use super::*;

    #[tokio::test]
    async fn a_filter_finds_what_is_old_page_by_page() {
        let folder = tempfile::tempdir().unwrap();
        let url = ArchiveUrl::sqlite(folder.path().join("archive.sqlite"));
        let mut archive = Archive::connect(&url, "hub").await.unwrap();
        // Many, of which few are grave, several in each millisecond.
        let event = |number: i64| lamon_store::registers::Event {
            time_ms: number / 3,
            number,
            metric: None,
            node: Some(if number % 7 == 0 { "ccd01" } else { "door" }.into()),
            kind: "level".into(),
            level: if number % 500 == 0 { "error" } else { "good" }.into(),
            text: format!("event {number}"),
        };
        let all = i64::try_from(MAX_LOOKED_AT).unwrap() + 3_000;
        archive.append_events(&(0..all).map(event).collect::<Vec<_>>()).await.unwrap();
        let mut reader = ArchiveReader::open(&url).await.unwrap();
        let mut found = Vec::new();
        let (mut before, mut pages) = (None, 0);
        loop {
            let asked = EventsAsked::new(None, Some("warning"), Some(100), before, Some(20)).unwrap();
            let page = page(&mut reader, &asked).await.unwrap();
            found.extend(page.events.iter().map(|event| event.number));
            (before, pages) = (page.next, pages + 1);
            assert!(page.events.len() <= 20);
            if !page.more {
                break;
            }
        }
        let wanted = (300..all).rev().filter(|number| number % 500 == 0).map(i64::unsigned_abs);
        assert_eq!(found, wanted.collect::<Vec<_>>());
        assert!(pages >= 3, "{pages}");
        let of_node = EventsAsked::new(Some("ccd01".into()), None, None, None, Some(2)).unwrap();
        let page = page(&mut reader, &of_node).await.unwrap();
        assert!(page.events.iter().all(|event| event.node.as_deref() == Some("ccd01")), "{page:?}");
        assert!(EventsAsked::new(None, Some("grave"), None, None, None).is_err());
    }
}
