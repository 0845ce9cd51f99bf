//! Tables of what happens when, and what is told then; the clock is the test's.

use std::path::Path;

use lamon_bus::message::Change;
use lamon_bus::{Event, Level, Metric, Node};

use super::{Dispatch, Moment, State};
use crate::config::Config;
use crate::notice::Notice;

/// 2026-11-22 16:00 UTC.
const START: f64 = 1_795_363_200.0;

/// What happens at a second after the start.
struct Site {
    dispatch: Dispatch,
    minute: u16,
}

impl Site {
    fn new(routes: &str) -> Self {
        Self::going_on(routes, State::default())
    }

    fn going_on(routes: &str, state: State) -> Self {
        let now = Moment { unix: START, minute: 0, day: 0 };
        Self { dispatch: Dispatch::new(&Self::config(routes), state, now), minute: 960 }
    }

    fn config(routes: &str) -> Config {
        let channels = "[[channel]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://x\"\nlimit = 3\nper = \"10m\"\n\
            [[channel]]\nname = \"boss\"\nkind = \"webhook\"\nurl = \"http://x\"\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify.toml");
        std::fs::write(&path, format!("self_test = \"09:00\"\n{channels}{routes}")).unwrap();
        Config::load(Path::new(&path)).unwrap()
    }

    fn at(&self, seconds: f64) -> Moment {
        #[expect(clippy::cast_possible_truncation, reason = "days of a test")]
        let day = (seconds / 86_400.0).floor() as i32;
        Moment { unix: START + seconds, minute: self.minute, day }
    }

    fn event(&mut self, seconds: f64, node: &Node, kind: &str, level: Level, text: &str) {
        let hub = node.name.is_empty();
        let event = Event {
            time: START + seconds,
            node: (!hub).then(|| node.name.clone()),
            metric: None,
            kind: kind.into(),
            level,
            text: text.into(),
            change: (kind == "level").then(|| Change {
                metric: "disk_percent".into(),
                value: Some(95.0),
                from: Level::Good,
                to: level,
                lasted: 0.0,
            }),
        };
        let now = self.at(seconds);
        let nodes = if hub { &[][..] } else { std::slice::from_ref(node) };
        self.dispatch.take(&event, nodes, now);
    }

    /// What is told by this second: `channel: lines`.
    fn told(&mut self, seconds: f64) -> Vec<String> {
        let now = self.at(seconds);
        let notices = self.dispatch.handle_timeout(now);
        let text = |notice: &Notice| notice.message.text.replace('\n', "; ").replace("16:00 ", "");
        notices.iter().map(|notice| format!("{}: {}", notice.channel, text(notice))).collect()
    }
}

fn node(name: &str) -> Node {
    Node { name: name.into(), group: "ccd".into(), ..Node::default() }
}

#[test]
fn what_comes_together_is_one_message_and_what_is_over_tells_how_long() {
    let mut site = Site::new("[[route]]\nchannels = [\"a\"]\n");
    site.event(1.0, &node("ccd01"), "level", Level::Error, "ccd01 disk_percent 95 %");
    site.event(4.0, &node("ccd02"), "silent", Level::Silent, "ccd02 is silent");
    site.event(4.0, &node("ccd02"), "silent", Level::Silent, "ccd02 is silent");
    site.event(5.0, &node(""), "reload", Level::Good, "read again");
    assert_eq!(site.told(10.9), [""; 0]);
    assert_eq!(site.told(11.0), ["a: ccd01 disk_percent 95 %; ccd02 is silent"]);
    assert_eq!(site.told(12.0), [""; 0], "told once");
    site.event(64.0, &node("ccd02"), "back", Level::Good, "ccd02 is heard again");
    assert_eq!(site.told(74.0), ["a: ccd02 is heard again (after 1 min)"]);
    site.event(80.0, &node("ccd02"), "back", Level::Good, "ccd02 is heard again");
    assert_eq!(site.told(99.0), [""; 0], "nobody was told of its beginning");
}

#[test]
fn routes_choose() {
    for (route, expected) in [
        ("", true),
        ("levels = [\"warning\"]", false),
        ("nodes = [\"ccd*\"]", true),
        ("nodes = [\"dome\"]", false),
        ("groups = [\"ccd\"]", true),
        ("groups = [\"dome\"]", false),
        ("kinds = [\"level\"]", true),
        ("kinds = [\"silent\"]", false),
        ("hours = \"15:00-17:00\"", true),
        ("hours = \"17:00-15:00\"", false),
        ("quiet = \"15:00-17:00\"", false),
    ] {
        let mut site = Site::new(&format!("[[route]]\nchannels = [\"a\"]\n{route}\n"));
        site.event(1.0, &node("ccd01"), "level", Level::Error, "x");
        assert_eq!(!site.told(20.0).is_empty(), expected, "{route}");
        site.minute = 1_020;
        assert_eq!(
            !site.told(21.0).is_empty(),
            route.starts_with("quiet"),
            "{route}, at the end of quiet hours"
        );
    }
}

#[test]
fn what_nobody_acknowledges_is_repeated_and_escalated() {
    let route = "[[route]]\nchannels = [\"a\"]\nrepeat = \"30m\"\nescalate = { after = \"1h\", channels = [\"boss\"] }\n";
    let mut site = Site::new(route);
    site.event(0.0, &node("ccd01"), "level", Level::Error, "E");
    let mut told = Vec::new();
    for minute in 0..100 {
        let lines = site.told(f64::from(minute) * 60.0);
        told.extend(lines.into_iter().map(|line| format!("{minute} {line}")));
    }
    let expected = ["1 a: E", "31 a: still after 30 min: E", "61 a: still after 1 h 0 min: E"];
    assert_eq!(told[..3], expected);
    assert_eq!(
        told[3..],
        ["61 boss: nobody acknowledged it: still after 1 h 0 min: E", "91 a: still after 1 h 30 min: E"]
    );
    let acknowledged = Node { acknowledged: true, level: Level::Error, ..node("ccd01") };
    let now = site.at(6_000.0);
    site.dispatch.handle_node(&acknowledged, now);
    assert_eq!(site.told(9_000.0), [""; 0]);
    // Over a restart, too.
    let state = serde_json::from_slice(&serde_json::to_vec(site.dispatch.state()).unwrap()).unwrap();
    let mut site = Site::going_on(route, state);
    site.event(0.0, &node("ccd01"), "level", Level::Error, "E");
    assert_eq!(site.told(9_100.0), [""; 0], "the hub told it again");
    site.event(9_200.0, &node("ccd01"), "level", Level::Good, "good again after 2 h");
    assert_eq!(site.told(9_300.0), ["a: good again after 2 h", "boss: good again after 2 h"]);
}

#[test]
fn a_channel_has_its_limit_and_what_is_beyond_is_counted() {
    let mut site = Site::new("[[route]]\nchannels = [\"a\"]\n");
    let mut told = Vec::new();
    for number in 0..6 {
        let at = f64::from(number) * 20.0;
        site.event(at, &node(&format!("n{number}")), "reboot", Level::Warning, "booted");
        told.extend(site.told(at + 15.0));
    }
    assert_eq!(told, ["a: booted"; 3]);
    assert_eq!(site.told(600.0), [""; 0]);
    assert_eq!(
        site.told(620.0),
        ["a: and 3 more that the limit of this channel held back: lamon events shows them"]
    );
}

#[test]
fn a_hub_that_is_away_is_told_once_and_so_is_its_return() {
    let mut site = Site::new("[[route]]\nchannels = [\"a\"]\nnodes = [\"ccd*\"]\n");
    for (seconds, away) in [(0.0, false), (30.0, true), (40.0, true), (100.0, false), (110.0, false)] {
        let now = site.at(seconds);
        site.dispatch.handle_presence(away, now);
    }
    let told = site.told(200.0);
    assert_eq!(
        told,
        [
            "a: the hub is not heard: nobody watches the computers until it is back; the hub is heard again (after 1 min)"
        ]
    );
}

#[test]
fn muted_nodes_are_told_when_they_are_no_longer_muted() {
    let mut site = Site::new("[[route]]\nchannels = [\"a\"]\n");
    let muted = Node { muted: true, ..node("ccd01") };
    site.event(0.0, &muted, "level", Level::Error, "E");
    site.event(1.0, &muted, "reboot", Level::Warning, "B");
    assert_eq!(site.told(60.0), [""; 0]);
    let now = site.at(120.0);
    site.dispatch.handle_node(&Node { level: Level::Error, ..node("ccd01") }, now);
    assert_eq!(site.told(130.0), ["a: still after 2 min: E"]);
}

#[test]
fn an_event_that_was_lost_is_made_good_by_the_picture() {
    let mut site = Site::new("[[route]]\nchannels = [\"a\"]\n");
    site.event(0.0, &node("ccd01"), "level", Level::Error, "E");
    assert_eq!(site.told(10.0), ["a: E"]);
    let mut good = node("ccd01");
    good.metrics.insert("disk_percent".into(), Metric::default());
    let now = site.at(60.0);
    site.dispatch.handle_node(&good, now);
    assert_eq!(site.told(89.0), [""; 0], "the event may still come");
    assert_eq!(site.told(90.0), [""; 0]);
    assert_eq!(site.told(100.0), ["a: ccd01 disk_percent is good again (after 1 min)"]);
}

#[test]
fn nodes_that_fall_silent_together_concern_the_routes_of_each() {
    let silent = |time: f64, kind: &str, level, text: &str| Event {
        time: START + time,
        node: None,
        metric: None,
        kind: kind.into(),
        level,
        text: text.into(),
        change: None,
    };
    for (nodes, expected) in [("ccd*", true), ("dome", false)] {
        let mut site = Site::new(&format!("[[route]]\nchannels = [\"a\"]\nnodes = [\"{nodes}\"]\n"));
        let now = site.at(1.0);
        let event = silent(1.0, "common_silence", Level::Silent, "switch b2: 2 nodes silent: ccd01, ccd02");
        site.dispatch.take(&event, &[node("ccd01"), node("ccd02")], now);
        assert_eq!(!site.told(20.0).is_empty(), expected, "{nodes}");
        let now = site.at(30.0);
        let back =
            silent(30.0, "common_back", Level::Good, "switch b2: 1 node is back; 1 still silent: ccd02");
        site.dispatch.take(&back, &[], now);
        assert_eq!(!site.told(50.0).is_empty(), expected, "{nodes}");
        let now = site.at(60.0);
        let back = silent(
            60.0,
            "common_back",
            Level::Good,
            "switch b2: 1 node is back, 29 s after the silence was told",
        );
        site.dispatch.take(&back, &[], now);
        assert_eq!(!site.told(80.0).is_empty(), expected, "{nodes}");
        assert!(site.dispatch.state().problems.is_empty());
    }
}

#[test]
fn another_configuration_forgets_nothing_that_is_wrong() {
    let mut site = Site::new(
        "[[route]]\nname = \"old\"\nchannels = [\"a\"]\n[[route]]\nname = \"kept\"\nchannels = [\"boss\"]\n",
    );
    site.event(1.0, &node("ccd01"), "silent", Level::Silent, "ccd01 is silent");
    let routes = "[[route]]\nname = \"kept\"\nchannels = [\"a\"]\nrepeat = \"2m\"\n";
    let now = site.at(2.0);
    let sent = site.dispatch.handle_reload(&Site::config(routes), now);
    let channels: Vec<_> = sent.iter().map(|notice| notice.channel.as_str()).collect();
    assert_eq!(channels, ["a"], "what the old route had");
    assert_eq!(site.told(11.0), ["a: ccd01 is silent"], "the other went on, over its new channel");
    assert_eq!(site.told(121.0), [""; 0]);
    assert_eq!(site.told(132.0), ["a: still after 2 min: ccd01 is silent"]);
}

#[test]
fn once_a_day_every_channel_is_told_that_all_is_alive() {
    let routes = "[[route]]\nchannels = [\"a\"]\nfallback = \"boss\"\n";
    let day = 86_400.0;
    let mut site = Site::new(routes);
    assert_eq!(site.told(0.0), [""; 0], "the first start is in the afternoon");
    let now = site.at(1.0);
    for (name, level, muted) in
        [("a", Level::Good, false), ("b", Level::Good, true), ("c", Level::Silent, false)]
    {
        site.dispatch.handle_node(&Node { level, muted, ..node(name) }, now);
    }
    site.event(2.0, &node("c"), "silent", Level::Silent, "c is silent");
    assert_eq!(site.told(20.0).len(), 1);
    site.minute = 539;
    assert_eq!(site.told(day), [""; 0]);
    site.minute = 540;
    let now = site.at(day + 60.0);
    let notices = site.dispatch.handle_timeout(now);
    let told: Vec<_> =
        notices.iter().map(|notice| (notice.channel.as_str(), notice.fallback.is_some())).collect();
    assert_eq!(told, [("a", true), ("boss", false)]);
    let message = &notices[0].message;
    assert_eq!(message.title, "lamon is alive: 3 nodes");
    assert_eq!(
        message.text,
        "lamon-notify is alive: 3 nodes, 2 good, 1 silent, 1 muted; not over: 1, acknowledged of them: 0"
    );
    site.minute = 541;
    assert_eq!(site.told(day + 120.0), [""; 0], "once");

    let state = serde_json::to_vec(site.dispatch.state()).unwrap();
    let mut site = Site::going_on(routes, serde_json::from_slice(&state).unwrap());
    site.minute = 600;
    assert_eq!(site.told(day + 3_600.0), [""; 0], "a restart does not repeat it");
    // It was down at nine: late is better than not at all, and better with nodes than without.
    let restarted = 3.0 * day;
    site.dispatch.started = START + restarted;
    assert_eq!(site.told(restarted + 1.0), [""; 0], "the picture is still to come");
    let now = site.at(restarted + 2.0);
    site.dispatch.handle_presence(true, now);
    let told = site.told(restarted + 2.0);
    assert!(told[0].ends_with("the hub is not heard, this is what was known"), "{told:?}");
    assert_eq!(told.len(), 2);
}
