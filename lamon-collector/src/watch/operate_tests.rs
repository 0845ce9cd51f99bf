//! Mutes, acknowledgements and forgetting on a clock that the test moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::{Offset, TimeZone};
use lamon_control::When;
use proptest::prelude::*;

use super::*;
use crate::sample::{Arrival, Identity};

/// 2026-11-22 16:00 UTC, a Sunday; Monday 00:00 in Beijing.
const START_MS: i64 = 1_795_363_200_000;

struct Site {
    watch: Watch,
    start: Instant,
    sequence: u64,
}

impl Site {
    fn new() -> Self {
        let group: Group = toml::from_str("name = 'ccd'\nnodes = ['ccd*']").unwrap();
        let mut watch = Watch::new(Rules::default(), Groups::new(vec![group]));
        watch.in_zone(TimeZone::fixed(Offset::constant(8)));
        Self { watch, start: Instant::now(), sequence: 0 }
    }

    fn at(&self, seconds: i64) -> Now {
        Now {
            monotonic: self.start + Duration::from_secs(seconds.unsigned_abs()),
            unix_ms: START_MS + seconds * 1_000,
        }
    }

    fn disk(&mut self, seconds: i64, node: &str, percent: f64) -> Vec<Update> {
        self.sequence += 1;
        let sample = Sample {
            node: named(node),
            identity: Identity { epoch: 1, sequence: self.sequence },
            taken_ms: self.at(seconds).unix_ms,
            age: Duration::ZERO,
            interval: Some(Duration::from_secs(86_400)),
            arrival: Arrival::Ordered,
            metrics: vec![(lamon_wire::names::MetricName::new("disk_percent").unwrap(), percent)],
        };
        self.watch.handle_sample(self.at(seconds), &Arc::new(sample)).unwrap()
    }

    fn mute(&mut self, seconds: i64, target: &str, when: &When) -> Result<u32, OperateError> {
        self.watch.mute(self.at(seconds), target, when, "new disk", "li").map(|(id, _)| id)
    }

    fn muted(&self, node: &str) -> bool {
        self.watch.node(&named(node)).unwrap().muted
    }
}

fn named(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

fn texts(updates: &[Update]) -> Vec<&str> {
    let text =
        |update| if let &Update::Event(Event { ref text, .. }) = update { Some(text.as_str()) } else { None };
    updates.iter().filter_map(text).collect()
}

fn standings(updates: &[Update]) -> Vec<(&str, &str)> {
    let standing = |update| match update {
        &Update::Standing { ref node, what } => Some((node.as_str(), what.as_str())),
        _ => None,
    };
    updates.iter().filter_map(standing).collect()
}

#[test]
fn a_mute_keeps_levels_and_leaves_the_summary_alone_until_its_time_is_over() {
    let mut site = Site::new();
    site.disk(0, "ccd01", 95.0);
    assert_eq!(site.watch.summary(None).level, Level::Error);
    let (id, updates) =
        site.watch.mute(site.at(1), "CCD01", &When::For { seconds: 60 }, " new disk ", "li").unwrap();
    assert_eq!(texts(&updates), ["li muted ccd01 until 2026-11-22T16:01:01Z: new disk (mute 1, by li)"]);
    assert_eq!(standings(&updates), [("ccd01", "muted")]);
    let node = site.watch.node(&named("ccd01")).unwrap();
    assert_eq!((id, node.level(), node.muted), (1, Level::Error, true));
    let summary = site.watch.summary(None);
    assert_eq!((summary.level, summary.muted, summary.at_level), (Level::Good, 1, [0, 0, 1, 0]));
    assert_eq!(site.watch.next_timeout(), Some(site.at(60).monotonic), "looked for at the full minute");
    assert_eq!(site.watch.handle_timeout(site.at(60)), []);
    assert_eq!(site.watch.next_timeout(), Some(site.at(61).monotonic));
    let updates = site.watch.handle_timeout(site.at(61));
    assert_eq!(texts(&updates), ["mute 1 of ccd01 is over (new disk, by li)"]);
    assert_eq!(standings(&updates), [("ccd01", "unmuted")]);
    assert_eq!(site.watch.summary(None).level, Level::Error);
    assert_eq!(site.watch.mutes().iter().count(), 0);
}

#[test]
fn hours_of_the_week_are_local_and_come_again() {
    let mut site = Site::new();
    for node in ["ccd01", "ccd02", "door"] {
        site.disk(0, node, 1.0);
    }
    let hours = "mon,wed 09:00-10:00".parse().unwrap();
    site.mute(0, "@ccd", &When::Weekly { hours, until_ms: None }).unwrap();
    const HOUR: i64 = 3_600;
    for (seconds, muted) in [
        (9 * HOUR - 1, false),
        (9 * HOUR, true),
        (10 * HOUR - 1, true),
        (10 * HOUR, false),
        (33 * HOUR, false),
        (57 * HOUR, true),
        (58 * HOUR, false),
    ] {
        site.watch.handle_timeout(site.at(seconds));
        assert_eq!((site.muted("ccd01"), site.muted("ccd02")), (muted, muted), "after {seconds} s");
        assert!(!site.muted("door"));
    }
    site.watch.handle_timeout(site.at(7 * 24 * HOUR + 9 * HOUR));
    site.disk(7 * 24 * HOUR + 9 * HOUR, "ccd03", 99.0);
    assert!(site.muted("ccd03"), "who joins while it holds is muted too");
    assert_eq!(site.watch.summary(Some("ccd")).level, Level::Good);
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let mut site = Site::new();
    let between = |from: i64, until: i64| When::Between {
        from_ms: START_MS + from * 1_000,
        until_ms: START_MS + until * 1_000,
    };
    for (target, when, said) in [
        ("@dome", When::For { seconds: 1 }, "there is no group \"dome\""),
        ("[", When::For { seconds: 1 }, "names no nodes"),
        ("a", When::For { seconds: 0 }, "ends after it begins"),
        ("a", When::For { seconds: u64::MAX }, "within a year"),
        ("a", When::For { seconds: 400 * 86_400 }, "within a year"),
        ("a", between(20, 10), "ends after it begins"),
        ("a", between(-20, -10), "later than now"),
    ] {
        let error = site.mute(0, target, &when).unwrap_err().to_string();
        assert!(error.contains(said), "{target}: {error}");
    }
    for reason in ["", "  ", "a\nb", &"x".repeat(201)] {
        let refused = site.watch.mute(site.at(0), "a", &When::For { seconds: 1 }, reason, "li");
        assert_eq!(refused.unwrap_err(), OperateError::Reason);
    }
    for _ in 0..MAX_MUTES {
        site.mute(0, "a", &When::For { seconds: 1 }).unwrap();
    }
    assert_eq!(site.mute(0, "a", &When::For { seconds: 1 }), Err(OperateError::TooMany(MAX_MUTES)));
}

#[test]
fn mutes_are_ended_by_number_or_by_exactly_their_target() {
    let mut site = Site::new();
    site.disk(0, "ccd01", 1.0);
    let long = When::For { seconds: 3_600 };
    let group = site.mute(0, "@ccd", &long).unwrap();
    let error = site.watch.unmute(site.at(1), "ccd01", "li").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("there is no mute \"ccd01\"; ccd01 is muted by mute {group} of @ccd: unmute {group}")
    );
    site.mute(0, "ccd01", &long).unwrap();
    site.mute(0, "ccd01", &long).unwrap();
    assert_eq!(site.watch.unmute(site.at(1), "ccd01", "li").unwrap().0, 2);
    assert!(site.muted("ccd01"), "the group's still holds");
    let (_, updates) = site.watch.unmute(site.at(1), &group.to_string(), "li").unwrap();
    assert_eq!(standings(&updates), [("ccd01", "unmuted")]);
}

#[test]
fn an_acknowledgement_ends_when_it_is_well_again_or_worse_or_its_time_is_over() {
    for (then, percent, ended) in [
        (10, 85.0, None),
        (
            10,
            50.0,
            Some("ccd01 disk_percent is no longer acknowledged: it is well again (Li moves data by li)"),
        ),
        (10, 95.0, Some("ccd01 disk_percent is no longer acknowledged: it got worse (Li moves data by li)")),
        (
            61,
            85.0,
            Some("ccd01 disk_percent is no longer acknowledged: its time is over (Li moves data by li)"),
        ),
    ] {
        let mut site = Site::new();
        site.disk(0, "ccd01", 84.0);
        let mut ack = |node, metric| {
            site.watch.acknowledge(site.at(1), node, metric, Some(60), "Li moves data", "li").map(|updates| {
                assert_eq!(standings(&updates), [("ccd01", "acknowledged")]);
            })
        };
        assert_eq!(ack("ccd99", None), Err(OperateError::UnknownNode("ccd99".into())));
        assert_eq!(
            ack("ccd01", Some("load1")),
            Err(OperateError::UnknownMetric(named("ccd01"), "load1".into()))
        );
        ack("ccd01", Some("disk_percent")).unwrap();
        let mut updates = site.watch.handle_timeout(site.at(then));
        updates.extend(site.disk(then, "ccd01", percent));
        assert_eq!(texts(&updates), ended.into_iter().collect::<Vec<_>>(), "{percent}");
        assert_eq!(site.watch.node(&named("ccd01")).unwrap().acknowledged, ended.is_none());
    }
    let mut site = Site::new();
    site.disk(0, "a", 1.0);
    let refused = site.watch.acknowledge(site.at(1), "a", None, None, "x", "li");
    assert_eq!(refused.unwrap_err(), OperateError::NothingWrong("a".into()));
}

#[test]
fn only_a_silent_node_is_forgotten_and_it_may_come_again() {
    let mut site = Site::new();
    site.disk(0, "ccd01", 95.0);
    let heard = OperateError::StillHeard(named("ccd01"));
    assert_eq!(site.watch.forget("ccd01", "li"), Err(heard));
    site.watch.handle_timeout(site.at(4 * 86_400));
    let updates = site.watch.forget("CCD01", "li").unwrap();
    assert_eq!(updates[0], Update::Gone { node: named("ccd01") });
    assert_eq!((site.watch.nodes().count(), site.watch.summary(None).nodes), (0, 0));
    assert!(matches!(site.watch.forget("ccd01", "li"), Err(OperateError::UnknownNode(_))));
    let updates = site.disk(4 * 86_400, "ccd01", 95.0);
    assert_eq!(updates[0], Update::Joined { node: named("ccd01") });
}

#[test]
fn what_was_kept_holds_again_and_numbers_go_on() {
    let mut site = Site::new();
    site.disk(0, "ccd01", 95.0);
    site.mute(0, "ccd01", &When::For { seconds: 60 }).unwrap();
    site.watch.acknowledge(site.at(1), "ccd01", None, None, "known", "li").unwrap();
    let kept = (site.watch.mutes().iter().cloned().collect(), site.watch.acks().iter().cloned().collect());
    let mut next = Site::new();
    next.watch.restore_operated(next.at(30), kept.0, kept.1);
    next.disk(31, "ccd01", 95.0);
    let node = next.watch.node(&named("ccd01")).unwrap();
    assert!(node.muted && node.acknowledged);
    assert_eq!(next.mute(31, "door", &When::For { seconds: 5 }), Ok(2));
    let updates = next.watch.handle_timeout(next.at(60));
    assert!(texts(&updates).contains(&"mute 1 of ccd01 is over (new disk, by li)"), "{updates:?}");
}

proptest! {
    /// Whatever is muted and unmuted when, a node is muted exactly while a mute of it holds.
    #[test]
    fn nodes_are_muted_exactly_while_a_mute_of_theirs_holds(
        steps in proptest::collection::vec((0..3_usize, 0..300_i64, 1..400_u64, any::<bool>()), 1..40),
    ) {
        let mut site = Site::new();
        for node in ["ccd01", "door"] {
            site.disk(0, node, 95.0);
        }
        let mut clock = 0;
        let mut model: Vec<(usize, i64)> = Vec::new();
        for (target, wait, length, unmute) in steps {
            clock += wait;
            site.watch.handle_timeout(site.at(clock));
            model.retain(|(_, until)| *until > clock);
            let name = ["ccd01", "@ccd", "*"][target];
            if unmute {
                let known = model.iter().any(|(of, _)| *of == target);
                prop_assert_eq!(site.watch.unmute(site.at(clock), name, "li").is_ok(), known);
                model.retain(|(of, _)| *of != target);
            } else {
                site.mute(clock, name, &When::For { seconds: length }).unwrap();
                model.push((target, clock + i64::try_from(length).unwrap()));
            }
            prop_assert_eq!(site.muted("ccd01"), !model.is_empty());
            prop_assert_eq!(site.muted("door"), model.iter().any(|(of, _)| *of == 2));
            let gravest = if site.muted("ccd01") && site.muted("door") { Level::Good } else { Level::Error };
            prop_assert_eq!(site.watch.summary(None).level, gravest);
        }
    }
}

#[test]
fn what_is_about_one_metric_names_it_and_nothing_else_does() {
    let mut site = Site::new();
    let mut updates = site.disk(0, "ccd01", 95.0);
    updates.extend(
        site.watch.acknowledge(site.at(1), "ccd01", Some("disk_percent"), Some(5), "known", "li").unwrap(),
    );
    updates.extend(site.watch.handle_timeout(site.at(7)));
    updates.extend(site.watch.acknowledge(site.at(8), "ccd01", None, None, "known", "li").unwrap());
    for target in [("ccd01", Some("disk_percent")), ("disk", None)] {
        let set = site.watch.set_limits(site.at(9), target, (Some("99"), Some("100")), None, "li");
        updates.extend(set.unwrap().1);
    }
    let told: Vec<_> = updates
        .iter()
        .flat_map(Update::lines)
        .map(|line| (line.kind, line.metric.map(|metric| metric.to_string())))
        .collect();
    let disk = || Some("disk_percent".to_owned());
    assert_eq!(
        told,
        [
            ("joined", None),
            ("level", disk()),
            ("acknowledged", disk()),
            ("ack_ended", disk()),
            ("acknowledged", None),
            ("limits_set", disk()),
            ("level", disk()),
            ("limits_set", None),
        ]
    );
}
