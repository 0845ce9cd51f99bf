//! The bytes of version 1. If this fails, the code is wrong: programs of other releases read and write these.

use lamon_control::answer::{Did, Event, Events, NodeLine, Nodes, Settings};
use lamon_control::gate::{GateLine, Gates};
use lamon_control::key::{JoinSecret, Keys, NodeKey, RevokedKey, WaitingKey};
use lamon_control::{
    Ack, Answer, GateOverride, Mute, Operation, Outcome, Place, Refusal, Request, RequestError, Response,
    Threshold, When, Why, Window,
};

fn request(ask: Operation) -> Request {
    Request::new(None, ask)
}

#[test]
fn requests() {
    let mute = |when| Operation::Mute { target: "@ccd".into(), when, reason: "new disk".into() };
    for (line, asked) in [
        (r#"{"v":1,"ask":{"status":{}}}"#, request(Operation::Status {})),
        (
            r#"{"v":1,"who":"li","ask":{"nodes":{"after":"ccd01"}}}"#,
            Request::new(Some("li".into()), Operation::Nodes { after: Some("ccd01".into()) }),
        ),
        (r#"{"v":1,"ask":{"node":{"node":"ccd01"}}}"#, request(Operation::Node { node: "ccd01".into() })),
        (
            r#"{"v":1,"ask":{"explain":{"node":"ccd01","metric":"load1"}}}"#,
            request(Operation::Explain { node: "ccd01".into(), metric: "load1".into() }),
        ),
        (
            r#"{"v":1,"ask":{"events":{"before":7,"limit":20}}}"#,
            request(Operation::Events { node: None, before: Some(7), limit: Some(20) }),
        ),
        (
            r#"{"v":1,"ask":{"past_events":{"node":"ccd01","level":"error","since_ms":5,"before":{"time_ms":9,"hub":"h","number":2},"limit":20}}}"#,
            request(Operation::PastEvents {
                node: Some("ccd01".into()),
                level: Some("error".into()),
                since_ms: Some(5),
                before: Some(Place { time_ms: 9, hub: "h".into(), number: 2 }),
                limit: Some(20),
            }),
        ),
        (r#"{"v":1,"ask":{"settings":{}}}"#, request(Operation::Settings {})),
        (
            r#"{"v":1,"ask":{"mute":{"target":"@ccd","when":{"for":{"seconds":60}},"reason":"new disk"}}}"#,
            request(mute(When::For { seconds: 60 })),
        ),
        (
            r#"{"v":1,"ask":{"mute":{"target":"@ccd","when":{"between":{"from_ms":1,"until_ms":2}},"reason":"new disk"}}}"#,
            request(mute(When::Between { from_ms: 1, until_ms: 2 })),
        ),
        (
            r#"{"v":1,"ask":{"mute":{"target":"@ccd","when":{"weekly":{"hours":"mon 09:00-11:00"}},"reason":"new disk"}}}"#,
            request(mute(When::Weekly { hours: "mon 09:00-11:00".parse().unwrap(), until_ms: None })),
        ),
        (r#"{"v":1,"ask":{"unmute":{"mute":"3"}}}"#, request(Operation::Unmute { mute: "3".into() })),
        (
            r#"{"v":1,"ask":{"ack":{"node":"ccd01","metric":"load1","seconds":60,"reason":"known"}}}"#,
            request(Operation::Ack {
                node: "ccd01".into(),
                metric: Some("load1".into()),
                seconds: Some(60),
                reason: "known".into(),
            }),
        ),
        (r#"{"v":1,"ask":{"forget":{"node":"ccd01"}}}"#, request(Operation::Forget { node: "ccd01".into() })),
        (
            r#"{"v":1,"ask":{"set":{"target":"disk","warning":"80","error":"none","reason":"x"}}}"#,
            request(Operation::Set {
                target: "disk".into(),
                metric: None,
                warning: Some("80".into()),
                error: Some("none".into()),
                reason: Some("x".into()),
            }),
        ),
        (
            r#"{"v":1,"ask":{"reset":{"target":"ccd01","metric":"load1"}}}"#,
            request(Operation::Reset { target: "ccd01".into(), metric: Some("load1".into()) }),
        ),
        (r#"{"v":1,"ask":{"gates":{}}}"#, request(Operation::Gates {})),
        (
            r#"{"v":1,"ask":{"override":{"gate":"ccd_disk","seconds":3600,"reason":"supernova"}}}"#,
            request(Operation::Override {
                gate: "ccd_disk".into(),
                seconds: 3_600,
                reason: "supernova".into(),
            }),
        ),
        (
            r#"{"v":1,"ask":{"release":{"gate":"ccd_disk"}}}"#,
            request(Operation::Release { gate: "ccd_disk".into() }),
        ),
        (r#"{"v":1,"ask":{"keys":{}}}"#, request(Operation::Keys {})),
        (
            r#"{"v":1,"ask":{"approve":{"node":"ccd01"}}}"#,
            request(Operation::Approve { node: "ccd01".into(), key: None }),
        ),
        (
            r#"{"v":1,"ask":{"approve":{"node":"ccd01","key":"SHA256:a"}}}"#,
            request(Operation::Approve { node: "ccd01".into(), key: Some("SHA256:a".into()) }),
        ),
        (
            r#"{"v":1,"ask":{"revoke":{"target":"ccd01","reason":"stolen"}}}"#,
            request(Operation::Revoke { target: "ccd01".into(), reason: "stolen".into() }),
        ),
        (
            r#"{"v":1,"ask":{"join":{"nodes":"@ccd","uses":20,"seconds":3600}}}"#,
            request(Operation::Join { nodes: "@ccd".into(), uses: 20, seconds: 3_600 }),
        ),
        (r#"{"v":1,"ask":{"end_join":{"id":3}}}"#, request(Operation::EndJoin { id: 3 })),
        (r#"{"v":1,"ask":{"reload":{}}}"#, request(Operation::Reload {})),
    ] {
        assert_eq!(Request::parse(line.as_bytes()), Ok(asked.clone()), "{line}");
        assert_eq!(serde_json::to_string(&asked).unwrap(), line);
    }
}

#[test]
fn what_is_no_request_is_told_why() {
    for (line, why) in [
        (r#"{"v":2,"ask":{"dance":{}},"new":1}"#.to_owned(), "speaks version 1, and was asked in version 2"),
        (r#"{"v":1,"ask":{"dance":{}}}"#.into(), "unknown variant `dance`"),
        (r#"{"v":1,"ask":{"status":{}},"quietly":true}"#.into(), "unknown field `quietly`"),
        (
            r#"{"v":1,"ask":{"mute":{"target":"a","when":{"for":{"seconds":1}},"reason":"b","gates":true}}}"#
                .into(),
            "unknown field `gates`",
        ),
        (r#"{"v":1,"ask":{"mute":{"target":"a","when":{"for":{"seconds":-1}},"reason":"b"}}}"#.into(), "-1"),
        (r#"{"v":1,"ask""#.into(), "EOF"),
        (String::new(), "EOF"),
        (format!(r#"{{"v":1,"who":"{}","ask":{{"status":{{}}}}}}"#, "x".repeat(65)), "at most 64 bytes"),
        (r#"{"v":1,"who":"a\nb","ask":{"status":{}}}"#.into(), "without control characters"),
        ("x".repeat(16_385), "at most 16384 bytes"),
    ] {
        let error: RequestError = Request::parse(line.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(why), "{line}: {error}");
    }
}

fn keys() -> Keys {
    let (node, who, made_ms) = ("ccd01".to_owned(), "li".to_owned(), 1);
    Keys {
        hub: Some("SHA256:h".into()),
        waiting: vec![WaitingKey {
            node: node.clone(),
            key: "SHA256:w".into(),
            from: "10.0.0.1".into(),
            os: "Debian".into(),
            since_ms: 1,
            last_ms: 2,
            replaces: true,
        }],
        approved: vec![NodeKey { node, key: "SHA256:a".into(), who: who.clone(), made_ms }],
        revoked: vec![RevokedKey {
            key: "SHA256:r".into(),
            node: "ccd02".into(),
            reason: "sold".into(),
            who: who.clone(),
            made_ms,
        }],
        secrets: vec![JoinSecret {
            id: 2,
            nodes: "@ccd".into(),
            digest: "00".into(),
            left: 3,
            until_ms: 9,
            who,
            made_ms,
        }],
    }
}

#[test]
fn answers() {
    let done = |answer| Response::from(Outcome::Done(answer));
    let mute = Mute {
        id: 3,
        target: "@ccd".into(),
        window: Window::Between { from_ms: 1, until_ms: 2 },
        reason: "new disk".into(),
        who: "li".into(),
        made_ms: 1,
    };
    let ack = Ack {
        node: "ccd01".into(),
        metric: None,
        level: "error".into(),
        reason: "known".into(),
        who: "li".into(),
        made_ms: 1,
        until_ms: Some(9),
    };
    let settings = Settings { mutes: vec![mute], acks: vec![ack], ..Settings::default() };
    let overridden = GateOverride {
        gate: "ccd_disk".into(),
        until_ms: 9,
        reason: "supernova".into(),
        who: "li".into(),
        made_ms: 1,
    };
    let overrides = Settings { overrides: vec![overridden.clone()], ..Settings::default() };
    let gate = GateLine {
        gate: "ccd_disk".into(),
        position: "would_close".into(),
        effects: vec!["exposure".into()],
        text: "x".into(),
        since_ms: Some(3),
        nodes: vec!["ccd01".into()],
        why: "ccd01 silent".into(),
        closed: 2,
        closed_seconds: 1.5,
        overridden: Some(overridden),
        ..GateLine::default()
    };
    let limit = Threshold {
        target: "ccd01".into(),
        metric: Some("load1".into()),
        warning: Some(8.5),
        error: None,
        reason: None,
        who: "li".into(),
        made_ms: 1,
    };
    let limits = Settings { limits: vec![limit], ..Settings::default() };
    let node = NodeLine {
        node: "ccd01".into(),
        group: "ccd".into(),
        level: "good".into(),
        heard_ms: 5,
        core: vec![("load1".into(), 0.5)],
        ..NodeLine::default()
    };
    let event = Event {
        number: 1,
        time_ms: 2,
        node: None,
        metric: None,
        kind: "reload".into(),
        level: "good".into(),
        text: "x".into(),
        hub: None,
    };
    let past = Event { hub: Some("h".into()), ..event.clone() };
    let of_metric = Event { node: Some("ccd01".into()), metric: Some("load1".into()), ..event.clone() };
    let next = Some(Place { time_ms: 2, hub: String::new(), number: 0 });
    for (line, answered) in [
        (
            r#"{"v":1,"refused":{"why":"not_found","text":"no node"}}"#,
            Response::from(Outcome::Refused(Refusal::new(Why::NotFound, "no node"))),
        ),
        (
            r#"{"v":1,"done":{"did":{"text":"done","id":3}}}"#,
            done(Answer::Did(Did { text: "done".into(), id: Some(3) })),
        ),
        (
            r#"{"v":1,"done":{"nodes":{"nodes":[{"node":"ccd01","group":"ccd","level":"good","muted":false,"acknowledged":false,"heard_ms":5,"worst":"","core":[["load1",0.5]]}],"more":true}}}"#,
            done(Answer::Nodes(Nodes { nodes: vec![node], more: true })),
        ),
        (
            r#"{"v":1,"done":{"events":{"events":[{"number":1,"time_ms":2,"kind":"reload","level":"good","text":"x"}],"more":false}}}"#,
            done(Answer::Events(Events { events: vec![event], more: false, next: None })),
        ),
        (
            r#"{"v":1,"done":{"events":{"events":[{"number":1,"time_ms":2,"node":"ccd01","metric":"load1","kind":"reload","level":"good","text":"x"}],"more":false}}}"#,
            done(Answer::Events(Events { events: vec![of_metric], more: false, next: None })),
        ),
        (
            r#"{"v":1,"done":{"events":{"events":[{"number":1,"time_ms":2,"kind":"reload","level":"good","text":"x","hub":"h"}],"more":true,"next":{"time_ms":2}}}}"#,
            done(Answer::Events(Events { events: vec![past], more: true, next })),
        ),
        (
            r#"{"v":1,"done":{"settings":{"mutes":[{"id":3,"target":"@ccd","window":{"between":{"from_ms":1,"until_ms":2}},"reason":"new disk","who":"li","made_ms":1}],"acks":[{"node":"ccd01","level":"error","reason":"known","who":"li","made_ms":1,"until_ms":9}]}}}"#,
            done(Answer::Settings(settings)),
        ),
        (
            r#"{"v":1,"done":{"settings":{"mutes":[],"acks":[],"limits":[{"target":"ccd01","metric":"load1","warning":8.5,"who":"li","made_ms":1}]}}}"#,
            done(Answer::Settings(limits)),
        ),
        (
            r#"{"v":1,"done":{"settings":{"mutes":[],"acks":[],"overrides":[{"gate":"ccd_disk","until_ms":9,"reason":"supernova","who":"li","made_ms":1}]}}}"#,
            done(Answer::Settings(overrides)),
        ),
        (
            r#"{"v":1,"done":{"gates":{"gates":[{"gate":"ccd_disk","position":"would_close","effects":["exposure"],"shadow":false,"text":"x","since_ms":3,"nodes":["ccd01"],"why":"ccd01 silent","closed":2,"closed_seconds":1.5,"would_have_closed":0,"would_have_closed_seconds":0.0,"overridden":{"gate":"ccd_disk","until_ms":9,"reason":"supernova","who":"li","made_ms":1}}]}}}"#,
            done(Answer::Gates(Gates { gates: vec![gate] })),
        ),
        (
            r#"{"v":1,"done":{"keys":{"hub":"SHA256:h","waiting":[{"node":"ccd01","key":"SHA256:w","from":"10.0.0.1","os":"Debian","since_ms":1,"last_ms":2,"replaces":true}],"approved":[{"node":"ccd01","key":"SHA256:a","who":"li","made_ms":1}],"revoked":[{"key":"SHA256:r","node":"ccd02","reason":"sold","who":"li","made_ms":1}],"secrets":[{"id":2,"nodes":"@ccd","digest":"00","left":3,"until_ms":9,"who":"li","made_ms":1}]}}}"#,
            done(Answer::Keys(Box::new(keys()))),
        ),
    ] {
        assert_eq!(serde_json::to_string(&answered).unwrap(), line);
        assert_eq!(serde_json::from_str::<Response>(line).unwrap(), answered, "{line}");
    }
}
