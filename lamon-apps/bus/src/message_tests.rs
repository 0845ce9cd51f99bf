//! Messages as `docs/bus.md` shows them, of older hubs, and such as make no sense.

use super::*;

/// The examples of `docs/bus.md`: each must be understood, so that page and crate stay together.
#[test]
fn every_example_of_the_documents_is_understood() {
    let page = include_str!("../../../docs/bus.md");
    let mut seen = Vec::new();
    let mut topic = String::new();
    let mut json: Option<String> = None;
    for line in page.lines() {
        match &mut json {
            None if line.starts_with("### `") => topic = line.split('`').nth(1).unwrap().into(),
            None if line == "```json" => json = Some(String::new()),
            Some(text) if line == "```" => {
                let parsed = parse(topic.as_bytes(), text.as_bytes());
                assert!(parsed.is_some(), "{topic}: {text}");
                seen.push(topic.clone());
                json = None;
            }
            Some(text) => text.push_str(line),
            None => {}
        }
    }
    assert_eq!(seen, ["sample/<node>", "level/<node>", "event/<node>", "node/<node>", "hub"]);
}

#[test]
fn levels_tell_their_limits_and_events_what_changed() {
    let page = include_str!("../../../docs/bus.md");
    let example = |topic: &str| {
        let section = page.split("### `").find(|section| section.starts_with(topic)).unwrap();
        let json = section.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        parse(topic.as_bytes(), json.as_bytes()).unwrap().1
    };
    let Body::Levels(levels) = example("level/") else { panic!("no levels") };
    let limits = levels.metrics["disk_percent"].limits.as_ref().unwrap();
    assert_eq!((limits.warning, limits.error, limits.clear), (Some(80.0), Some(90.0), 2.0));
    assert_eq!((limits.name.as_str(), limits.direction.sign()), ("disk", ">"));
    assert_eq!(levels.metrics["cpu_percent"].limits, None);
    let Body::Event(event) = example("event/") else { panic!("no event") };
    assert_eq!(event.metric.as_deref(), Some("disk_percent"));
    let change = event.change.unwrap();
    assert_eq!((change.from, change.to, change.lasted), (Level::Good, Level::Warning, 86_412.0));
    // A hub of the release before tells less.
    let old = br#"{"seq":1,"started":1.0,"time":2.0,"node":"a","level":"good","heard":1.0,
        "metrics":{"load1":{"level":"good","value":1.0,"taken":1.0,"rule":null}}}"#;
    assert!(matches!(parse(b"level/a", old), Some((_, Body::Levels(_)))));
    let old =
        br#"{"seq":1,"started":1.0,"time":2.0,"node":"a","kind":"unknown","level":"warning","text":"x"}"#;
    assert!(matches!(parse(b"event/a", old), Some((_, Body::Event(event))) if event.metric.is_none()));
}

#[test]
fn what_makes_no_sense_is_none() {
    for (topic, json) in [
        ("hub", ""),
        ("hub", "[]"),
        ("hub", r#"{"seq":1,"started":1.0,"time":2.0}"#),
        ("sample/a", r#"{"seq":1,"started":1.0,"time":2.0,"node":"a","metrics":[1]}"#),
        ("sample/a", r#"{"seq":-1,"started":1.0,"time":2.0,"node":"a","taken":1,"metrics":{}}"#),
        ("node/a", r#"{"seq":1,"started":1e999,"time":2.0}"#),
    ] {
        assert_eq!(parse(topic.as_bytes(), json.as_bytes()), None, "{topic} {json}");
    }
    let news = parse(b"tomorrow/a", br#"{"seq":1,"started":1.0,"time":2.0,"x":[]}"#);
    assert!(matches!(news, Some((Head { seq: 1, .. }, Body::Other))));
}
