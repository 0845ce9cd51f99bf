//! Pictures from messages, in and out of order.

use proptest::prelude::*;

use super::*;
use crate::Hold;

fn sample(seq: u64, started: f64, cpu: f64) -> String {
    format!(
        r#"{{"seq":{seq},"started":{started:?},"time":50.5,"node":"ccd01","group":"ccd","epoch":"1","sequence":"{seq}",
           "taken":{},"late":false,"interval":10.0,"metrics":{{"cpu_percent":{cpu:?},"disk_percent":null}}}}"#,
        50.0 + cpu
    )
}

fn take(picture: &mut Picture, topic: &str, json: &str) -> Taken {
    picture.take(Source::Published, topic.as_bytes(), json.as_bytes())
}

#[test]
fn samples_and_levels_make_a_node() {
    let mut picture = Picture::default();
    let news = take(&mut picture, "sample/ccd01", &sample(7, 1.0, 3.5));
    assert_eq!(news, Taken::New(vec![News::Sampled("ccd01".into())]));
    let levels = r#"{"seq":2,"started":1.0,"time":51.0,"node":"ccd01","group":"ccd","level":"warning","heard":50.9,"muted":true,
        "metrics":{"cpu_percent":{"level":"warning","value":99.0,"taken":40.0,"since":39.0,"unknown":false,"flapping":true,
        "rule":"cpu > 90","limits":{"name":"cpu","direction":"above","warning":90.0,"error":null,"clear":0.0,
        "hold":{"past":3,"of":5}}}}}"#;
    assert_eq!(take(&mut picture, "level/ccd01", levels), Taken::New(vec![News::Levels("ccd01".into())]));
    let node = picture.get("ccd01").unwrap();
    assert_eq!((node.level, node.group.as_str(), node.heard), (Level::Warning, "ccd", 50.9));
    assert_eq!(node.value("cpu_percent"), Some(3.5), "the level was of an older sample");
    let cpu = &node.metrics["cpu_percent"];
    assert_eq!(cpu.rule.as_deref(), Some("cpu > 90"));
    assert_eq!(cpu.limits.as_ref().map(|limits| (limits.warning, limits.error)), Some((Some(90.0), None)));
    assert_eq!(cpu.limits.as_ref().and_then(|limits| limits.hold), Some(Hold::Samples { past: 3, of: 5 }));
    let timed = r#"{"name":"a","direction":"below","warning":1,"error":null,"hold":{"seconds":120.0}}"#;
    let timed: Limits = serde_json::from_str(timed).unwrap();
    assert_eq!((timed.clear, timed.hold), (0.0, Some(Hold::Time { seconds: 120.0 })));
    assert!((node.muted, node.acknowledged, cpu.flapping, cpu.unknown) == (true, false, true, false));
    assert_eq!(cpu.since, 39.0);
    assert_eq!(node.value("disk_percent"), None);
}

#[test]
fn what_is_known_is_dropped_and_a_gap_is_told() {
    let mut picture = Picture::default();
    take(&mut picture, "sample/ccd01", &sample(7, 1.0, 3.5));
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(7, 1.0, 9.0)), Taken::Old);
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(6, 1.0, 9.0)), Taken::Old);
    assert!(matches!(take(&mut picture, "sample/ccd01", &sample(8, 1.0, 4.0)), Taken::New(_)));
    assert!(matches!(take(&mut picture, "sample/ccd01", &sample(11, 1.0, 5.0)), Taken::Gap(_)));
    assert_eq!(picture.lost(), 2);
    assert_eq!(picture.get("ccd01").unwrap().value("cpu_percent"), Some(5.0));
}

#[test]
fn a_hub_whose_clock_was_set_back_is_believed_when_it_answers() {
    let mut picture = Picture::default();
    take(&mut picture, "sample/ccd01", &sample(7, 4e9, 3.5));
    assert_eq!(picture.handle_hub(4e9), None);
    assert_eq!(picture.handle_hub(5e9), None, "its messages tell of it");
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(1, 2e9, 9.0)), Taken::Elder);
    assert_eq!(picture.handle_hub(2e9), Some(News::Restarted));
    assert_eq!(picture.nodes().len(), 0);
    assert!(matches!(take(&mut picture, "sample/ccd01", &sample(1, 2e9, 9.0)), Taken::New(_)));
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(1, 1e9, 9.0)), Taken::Elder);
}

#[test]
fn an_answer_overtakes_but_no_event_is_missed_or_told_twice() {
    let mut picture = Picture::default();
    let event = |seq| {
        format!(
            r#"{{"seq":{seq},"started":1.0,"time":1.0,"node":null,"kind":"level","level":"good","text":"{seq}"}}"#
        )
    };
    let mut answered =
        |from, seq| matches!(picture.take(from, b"event/_hub", event(seq).as_bytes()), Taken::New(_));
    assert!(answered(Source::Published, 4));
    assert!(answered(Source::Snapshot, 7));
    assert!(!answered(Source::Snapshot, 7));
    assert!(answered(Source::Published, 5) && answered(Source::Published, 6));
    assert!(!answered(Source::Published, 7));
    assert!(answered(Source::Published, 8));
    assert_eq!(picture.lost(), 0);
    let seen: Vec<_> = picture.events().map(|event| event.text.as_str()).collect();
    assert_eq!(seen, ["4", "7", "5", "6", "8"]);
    assert_eq!(
        picture.take(Source::Snapshot, b"sample/ccd01", sample(9, 1.0, 1.0).as_bytes()),
        Taken::New(vec![News::Sampled("ccd01".into())])
    );
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(8, 1.0, 2.0)), Taken::Old);
    assert!(matches!(take(&mut picture, "sample/ccd01", &sample(10, 1.0, 2.0)), Taken::New(_)));
}

#[test]
fn a_restarted_hub_begins_anew_and_the_old_one_is_not_heard_any_more() {
    let mut picture = Picture::default();
    take(&mut picture, "sample/ccd01", &sample(7, 1.0, 3.5));
    let hub = r#"{"seq":1,"started":2.0,"time":60.0,"hub":"h","level":"good","worst":""}"#;
    assert_eq!(take(&mut picture, "hub", hub), Taken::Gap(vec![News::Restarted, News::Hub]));
    assert_eq!(picture.nodes().len(), 0);
    assert_eq!(take(&mut picture, "sample/ccd01", &sample(8, 1.0, 4.0)), Taken::Elder);
    assert!(matches!(take(&mut picture, "sample/ccd01", &sample(1, 2.0, 4.0)), Taken::New(_)));
}

#[test]
fn a_node_that_was_forgotten_is_gone_until_it_comes_again() {
    let mut picture = Picture::default();
    take(&mut picture, "sample/ccd01", &sample(7, 1.0, 3.5));
    let passage = |seq, what| {
        format!(r#"{{"seq":{seq},"started":1.0,"time":60.0,"node":"ccd01","group":"ccd","what":"{what}"}}"#)
    };
    assert_eq!(take(&mut picture, "node/ccd01", &passage(1, "silent")), Taken::New(vec![]));
    let gone = Taken::New(vec![News::Gone("ccd01".into())]);
    assert_eq!(take(&mut picture, "node/ccd01", &passage(2, "gone")), gone);
    assert_eq!(picture.nodes().len(), 0);
    assert_eq!(take(&mut picture, "node/ccd01", &passage(3, "gone")), Taken::New(vec![]));
    take(&mut picture, "sample/ccd01", &sample(8, 1.0, 4.0));
    assert_eq!(picture.get("ccd01").unwrap().value("cpu_percent"), Some(4.0));
}

#[test]
fn nodes_that_an_answer_does_not_have_went_unless_they_came_since() {
    let mut picture = Picture::default();
    let of = |node: &str, seq| sample(seq, 1.0, 3.5).replace("ccd01", node);
    for node in ["went", "stays"] {
        take(&mut picture, &format!("sample/{node}"), &of(node, 1));
    }
    picture.handle_asked();
    take(&mut picture, "sample/new", &of("new", 1));
    let gone = picture.handle_answered(&[&b"stays"[..]].into());
    assert_eq!(gone, [News::Gone("went".into())]);
    assert_eq!(picture.nodes().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["new", "stays"]);
    let again = picture.take(Source::Snapshot, b"sample/went", of("went", 1).as_bytes());
    assert_eq!(again, Taken::New(vec![News::Sampled("went".into())]), "an answer can bring it back");
}

#[test]
fn everything_is_bounded() {
    let mut picture = Picture::default();
    let event = |seq| {
        format!(
            r#"{{"seq":{seq},"started":1.0,"time":1.0,"node":null,"kind":"level","level":"good","text":"x"}}"#
        )
    };
    for seq in 1..=MAX_EVENTS as u64 + 5 {
        take(&mut picture, "event/_hub", &event(seq));
    }
    assert_eq!(picture.events().len(), MAX_EVENTS);
    let metrics: Vec<_> = (0..MAX_METRICS + 5).map(|number| format!("\"m{number}\":1.0")).collect();
    let wide = format!(
        r#"{{"seq":1,"started":1.0,"time":1.0,"node":"a","taken":1.0,"metrics":{{{}}}}}"#,
        metrics.join(",")
    );
    take(&mut picture, "sample/a", &wide);
    assert_eq!(picture.get("a").unwrap().metrics.len(), MAX_METRICS);
}

#[test]
fn numbers_may_be_as_large_as_they_can_be() {
    let mut picture = Picture::default();
    for (topic, seq) in [
        ("sample/a", 1),
        ("sample/a", u64::MAX),
        ("sample/a", u64::MAX),
        ("sample/b", 1),
        ("sample/b", u64::MAX),
    ] {
        let _ = take(&mut picture, topic, &sample(seq, 1.0, 1.0));
    }
    assert_eq!(picture.lost(), u64::MAX);
}

proptest! {
    #[test]
    fn no_bytes_make_it_fail(messages in proptest::collection::vec(("(sample|level|event|hub)/[a-c]{0,2}", ".{0,80}"), 0..40)) {
        let mut picture = Picture::default();
        for (topic, json) in messages {
            let _ = take(&mut picture, &topic, &json);
        }
    }

    #[test]
    fn the_newest_stays_whatever_the_order(order in proptest::collection::vec(1_u64..40, 1..60)) {
        let mut picture = Picture::default();
        let mut newest = 0;
        for seq in &order {
            take(&mut picture, "sample/ccd01", &sample(*seq, 1.0, *seq as f64));
            newest = newest.max(*seq);
            prop_assert_eq!(picture.get("ccd01").unwrap().value("cpu_percent"), Some(newest as f64));
        }
    }
}
