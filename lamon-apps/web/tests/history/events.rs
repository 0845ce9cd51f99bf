//! `events`: what happened, from the archive.

use lamon_store::registers::Event;
use lamon_store::{Archive, ArchiveUrl};
use serde_json::{Value, json};

use crate::program::{T0, Web, run};

fn event(number: i64) -> Event {
    let grave = number % 500 == 0;
    Event {
        time_ms: T0 + number / 3,
        number,
        node: (number % 2 == 0).then(|| if number % 7 == 0 { "ccd01" } else { "door" }.into()),
        metric: grave.then(|| "disk_percent".into()),
        kind: if grave { "level" } else { "joined" }.into(),
        level: if grave { "error" } else { "good" }.into(),
        text: format!("event {number} <b>Grüße</b>"),
    }
}

/// All pages of a question; how many there were.
fn all(web: &Web, path: &str) -> (Vec<Value>, usize) {
    let (mut seen, mut next, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = web.json(&format!("{path}{next}"));
        seen.extend(page["events"].as_array().unwrap().iter().cloned());
        pages += 1;
        match &page["next"] {
            Value::String(token) => next = format!("&next={token}"),
            other => {
                assert!(other.is_null());
                return (seen, pages);
            }
        }
    }
}

#[test]
fn what_happened_long_ago_is_found_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let url = ArchiveUrl::sqlite(folder.path().join("archive.sqlite"));
    run(async {
        let mut archive = Archive::connect(&url, "lamon1").await.unwrap();
        archive.append_events(&(0..25_000).map(event).collect::<Vec<_>>()).await.unwrap();
    });
    let web = Web::over(&folder.path().join("archive.sqlite"));
    let path = format!("/api/v1/events?from={T0}&to={}", T0 + 9_000);
    let first = web.json(&format!("{path}&count=2"));
    let wanted = json!({"time_ms": T0 + 8_333, "node": null, "kind": "joined", "level": "good",
        "text": "event 24999 <b>Grüße</b>"});
    assert_eq!(first["events"][0], wanted, "the newest first, and markup is text");
    let (grave, pages) = all(&web, &format!("{path}&level=warning&count=1000"));
    assert_eq!(grave.len(), 50);
    assert!(pages >= 2, "a page looks through so many rows only");
    assert_eq!(grave[0]["metric"], "disk_percent");
    let (of_node, _) = all(&web, &format!("{path}&node=ccd01&kind=level&count=7"));
    assert_eq!(of_node.len(), 8);
    let (worded, _) = all(&web, &format!("{path}&text=EVENT%20123%20%3Cb%3EGR%C3%9CSS"));
    assert_eq!(worded.len(), 0, "no other letters");
    let (worded, _) = all(&web, &format!("{path}&text=EVENT%20123%20%3Cb%3EGR%C3%9C"));
    assert_eq!(worded.len(), 1);
    // All events of three a millisecond, each once.
    let (every, _) = all(&web, &format!("/api/v1/events?from={T0}&to={}&count=100", T0 + 1_000));
    let numbers: Vec<_> = every.iter().map(|event| event["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers, (0..3_000).rev().map(|number| event(number).text).collect::<Vec<_>>());
    // Nobody is in a group that is not heard of.
    assert_eq!(all(&web, &format!("{path}&group=ccd")).0.len(), 0);
    assert_eq!(web.json("/api/v1/events"), json!([]), "without a time those in memory");
}
