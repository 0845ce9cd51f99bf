//! `nights`: a page for each observing night.

use lamon_store::reading::Site;
use lamon_store::registers::{Event, NodeRecord};
use lamon_store::{Archive, ArchiveUrl};
use serde_json::{Value, json};

use crate::hub::Hub;
use crate::program::{DAY, HOUR, Web, fill, run, sample};

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[test]
fn a_night_tells_what_went_wrong_for_how_long_and_how_much_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    let url = ArchiveUrl::sqlite(&file);
    let site = Site::at_utc_offset(8 * 3_600);
    let night = site.night_at(now_ms() - 3 * DAY);
    let begin = night.begin_ms;
    // A sample a minute: all of ccd01, half of ccd02, nothing of door, nothing yet of late.
    let mut samples = Vec::new();
    for minute in 0..1_440_i64 {
        let metrics = [("cpu_percent", 5.0)];
        samples.push(sample("ccd01", begin + minute * 60_000, samples.len() as u64, &metrics));
        if minute < 720 {
            samples.push(sample("ccd02", begin + minute * 60_000, samples.len() as u64, &metrics));
        }
    }
    fill(&url, &samples);
    let event = |hours: i64, number: i64, node: Option<&str>, words: [&str; 3], metric: Option<&str>| {
        let [kind, level, text] = words;
        Event {
            time_ms: begin + hours * HOUR,
            number,
            node: node.map(str::to_owned),
            metric: metric.map(str::to_owned),
            kind: kind.into(),
            level: level.into(),
            text: text.into(),
        }
    };
    let disk = Some("disk_percent");
    let closed = "gate ccd closed and blocks exposure: ccd01 disk_percent 95 > 90";
    let events = [
        event(-2, 1, Some("ccd01"), ["level", "warning", "ccd01 disk_percent 81 % over 80: warning"], disk),
        event(1, 2, Some("ccd01"), ["level", "error", "ccd01 <b>disk_percent</b> 95 % over 90: error"], disk),
        event(1, 3, None, ["gate_closed", "error", closed], None),
        event(
            3,
            4,
            Some("ccd01"),
            ["level", "good", "ccd01 disk_percent 40 % is good again after 2 h in error"],
            disk,
        ),
        event(3, 5, None, ["gate_opened", "good", "gate ccd opened after 7200 s: ccd01 is good"], None),
        event(4, 6, Some("ccd02"), ["silent", "silent", "ccd02 is silent"], None),
        event(5, 7, None, ["database_failed", "warning", "the archive cannot be reached"], None),
        event(6, 8, None, ["database_recovered", "good", "the archive takes samples again"], None),
        event(25, 9, Some("ccd02"), ["back", "good", "ccd02 is heard again"], None),
    ];
    let record = |node: &str, first_heard_ms, last_heard_ms| NodeRecord {
        node: node.into(),
        first_heard_ms,
        last_heard_ms,
        os: None,
        agent_version: None,
    };
    run(async {
        let mut archive = Archive::connect(&url, "hub").await.unwrap();
        archive.append_events(&events).await.unwrap();
        let nodes = [
            record("ccd01", begin - DAY, begin + 3 * DAY),
            record("ccd02", begin - DAY, begin + 2 * DAY),
            // The hub knows it: it was silent for all of the night.
            record("door", begin - 9 * DAY, begin - 8 * DAY),
            record("gone", begin - 9 * DAY, begin - 8 * DAY),
            record("late", begin + DAY, begin + 2 * DAY),
        ];
        archive.upsert_nodes(&nodes).await.unwrap();
    });
    let hub = Hub::of(&[("ccd01", "ccd"), ("door", "dome")]);
    let more = format!("[database]\nurl = \"sqlite:{}\"\n[site]\nutc_offset = \"+08:00\"", file.display());
    let web = Web::beside(&hub.addresses, &more);
    web.wait_for_nodes(2);
    let nights = web.json("/api/v1/nights?count=5");
    let nights = nights.as_array().unwrap();
    assert_eq!(nights.len(), 5);
    let line = nights.iter().find(|line| line["from_ms"] == begin).unwrap();
    assert_eq!(line["to_ms"], begin + DAY);
    let page = web.timed("a night", &format!("/api/v1/nights/{}", line["date"].as_str().unwrap()));
    assert_eq!((&page["date"], &page["events"], &page["more"]), (&line["date"], &json!(7), &json!(false)));
    let names: Vec<_> = page["nodes"].as_array().unwrap().iter().map(|node| node["node"].clone()).collect();
    assert_eq!(names, ["ccd01", "ccd02", "door"], "those that there were");
    let [first, second, door] = [0, 1, 2].map(|place| &page["nodes"][place]);
    assert_eq!((&first["group"], &second["group"]), (&json!("ccd"), &Value::Null));
    assert_eq!(first["completeness"], json!({"expected": 1440, "stored": 1440, "ratio": 1.0}));
    assert_eq!(second["completeness"], json!({"expected": 1440, "stored": 720, "ratio": 0.5}));
    assert_eq!(door["completeness"], json!({"expected": 8640, "stored": 0, "ratio": 0.0}));
    let stored = page["completeness"]["stored"].as_u64();
    assert_eq!((page["completeness"]["expected"].as_u64(), stored), (Some(11_520), Some(2_160)));
    let hours = |hours: i64| json!(begin + hours * HOUR);
    let spans = |list: &Value| -> Vec<[Value; 3]> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| ["level", "from_ms", "to_ms"].map(|field| one[field].clone())).collect()
    };
    assert_eq!(
        spans(&first["problems"]),
        [[json!("warning"), hours(-2), hours(1)], [json!("error"), hours(1), hours(3)]]
    );
    assert_eq!(first["problems"][1]["metric"], "disk_percent");
    assert_eq!(first["problems"][1]["text"], "ccd01 <b>disk_percent</b> 95 % over 90: error");
    assert_eq!(spans(&second["problems"]), [[json!("silent"), hours(4), Value::Null]]);
    assert_eq!(spans(&page["hub"]), [[json!("warning"), hours(5), hours(6)]]);
    assert_eq!(
        page["blocked"],
        json!([{"what": "ccd", "from_ms": hours(1), "to_ms": hours(3), "text": closed}])
    );
    // The night after: what began before it.
    let next = nights.iter().find(|line| line["from_ms"] == begin + DAY).unwrap();
    let page = web.json(&format!("/api/v1/nights/{}", next["date"].as_str().unwrap()));
    let second = page["nodes"].as_array().unwrap().iter().find(|node| node["node"] == "ccd02").unwrap();
    assert_eq!(spans(&second["problems"]), [[json!("silent"), hours(4), hours(25)]]);
}

#[test]
fn what_is_no_night_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive.sqlite");
    fill(&ArchiveUrl::sqlite(&file), &[]);
    let web = Web::over(&file);
    for (path, code, words) in [
        ("nights?count=0", 400, "count is 1 to 550"),
        ("nights?count=551", 400, "count is 1 to 550"),
        ("nights?count=all", 400, "count"),
        ("nights/yesterday", 400, "the date of its evening"),
        ("nights/2026-02-30", 400, "the date of its evening"),
        ("nights/2026-2-3", 400, "the date of its evening"),
        ("nights/%FF", 400, "UTF-8"),
        ("nights/9998-01-01", 404, "has not begun"),
    ] {
        let (status, sentence) = web.refusal(&format!("/api/v1/{path}"));
        assert_eq!(status, code, "{path}: {sentence}");
        assert!(sentence.contains(words), "{path}: {sentence}");
    }
    let present = web.json("/api/v1/nights?count=1");
    let page = web.json(&format!("/api/v1/nights/{}", present[0]["date"].as_str().unwrap()));
    assert_eq!((&page["nodes"], &page["completeness"]), (&json!([]), &Value::Null));
    let old = web.json("/api/v1/nights/1970-01-02");
    assert_eq!(old["events"], 0);
}
