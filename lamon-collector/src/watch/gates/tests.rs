//! Gates on a clock that the test moves: tables, a restart, and a plain model.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use lamon_control::When;
use proptest::prelude::*;

use super::*;
use crate::sample::{Arrival, Identity, Sample};
use crate::watch::{Group, Groups, KeptNode, Level, OperateError, Rule, Rules};

mod model;

/// A watch and its gates, as a hub has them.
struct Site {
    watch: Watch,
    gates: Gates,
    start: Instant,
    sequence: u64,
}

#[derive(serde::Deserialize, Clone, Default)]
#[serde(default)]
struct File {
    rule: Vec<Rule>,
    group: Vec<Group>,
    gate: Vec<Gate>,
}

impl File {
    /// Compiled globs are slow to make, so each text is read once.
    fn read(tables: &str) -> Self {
        static READ: LazyLock<Mutex<HashMap<String, File>>> = LazyLock::new(Mutex::default);
        let mut read = READ.lock().unwrap();
        read.entry(tables.into()).or_insert_with(|| toml::from_str(tables).unwrap()).clone()
    }
}

const CCD: &str = "[[group]]\nname = 'ccd'\nnodes = ['ccd*']\n";

impl Site {
    fn new(tables: &str) -> Self {
        let start = Instant::now();
        let mut site = Self::unstarted(tables, start);
        assert_eq!(site.gates.start(site.at(0), &site.watch), []);
        site
    }

    fn unstarted(tables: &str, start: Instant) -> Self {
        let File { rule, group, gate } = File::read(tables);
        let watch = Watch::new(Rules::new(rule), Groups::new(group));
        Self { watch, gates: Gates::new(gate), start, sequence: 0 }
    }

    /// The same site after a restart of the hub at this time, through the forms that are stored. Returns what is told.
    fn restarted(&self, seconds: u64, tables: &str) -> (Self, Vec<String>) {
        let mut site = Self::unstarted(tables, self.start);
        site.sequence = self.sequence;
        let now = site.at(seconds);
        let levels = serde_json::to_vec(&self.watch.levels()).unwrap();
        let levels: Vec<KeptNode> = serde_json::from_slice(&levels).unwrap();
        let updates = site.watch.restore_levels(now, levels);
        assert_eq!(
            site.gates.handle_updates(now, &site.watch, &updates),
            [],
            "nothing before the mutes are known"
        );
        let (mutes, acks) = (self.watch.mutes().iter().cloned(), self.watch.acks().iter().cloned());
        let updates = site.watch.restore_operated(now, mutes.collect(), acks.collect());
        assert_eq!(site.gates.handle_updates(now, &site.watch, &updates), []);
        assert_eq!(site.gates.restore(now, self.gates.overrides().cloned().collect()), []);
        let told = site.gates.start(now, &site.watch);
        (site, words(&told))
    }

    fn at(&self, seconds: u64) -> Now {
        let unix_ms = 1_795_000_000_000 + i64::try_from(seconds).unwrap() * 1_000;
        Now { monotonic: self.start + Duration::from_secs(seconds), unix_ms }
    }

    fn told(&mut self, seconds: u64, updates: &[Update]) -> Vec<String> {
        words(&self.gates.handle_updates(self.at(seconds), &self.watch, updates))
    }

    /// A sample of a node that sends every ten seconds.
    fn sample(&mut self, seconds: u64, node: &str, metrics: &[(&str, f64)]) -> Vec<String> {
        self.late_sample(seconds, node, metrics, Duration::ZERO)
    }

    fn late_sample(
        &mut self,
        seconds: u64,
        node: &str,
        metrics: &[(&str, f64)],
        age: Duration,
    ) -> Vec<String> {
        self.sequence += 1;
        let sample = Sample {
            node: name(node),
            identity: Identity { epoch: 1, sequence: self.sequence },
            taken_ms: self.at(seconds).unix_ms,
            age,
            interval: Some(Duration::from_secs(10)),
            arrival: Arrival::Ordered,
            metrics: metrics
                .iter()
                .map(|(name, value)| (lamon_wire::names::MetricName::new(name).unwrap(), *value))
                .collect(),
        };
        let updates = self.watch.handle_sample(self.at(seconds), &Arc::new(sample)).unwrap();
        self.told(seconds, &updates)
    }

    fn disk(&mut self, seconds: u64, node: &str, percent: f64) -> Vec<String> {
        self.sample(seconds, node, &[("disk_percent", percent)])
    }

    /// Lets the timers run that are due.
    fn timers(&mut self, seconds: u64) -> Vec<String> {
        let now = self.at(seconds);
        let mut told = words(&self.gates.handle_timeout(now));
        let updates = self.watch.handle_timeout(now);
        told.extend(self.told(seconds, &updates));
        told
    }

    fn mute(&mut self, seconds: u64, target: &str, length: u64) -> Vec<String> {
        let when = When::For { seconds: length };
        let (_, updates) = self.watch.mute(self.at(seconds), target, &when, "works", "li").unwrap();
        self.told(seconds, &updates)
    }

    fn standing(&self, gate: &str) -> &GateStanding {
        self.gates.named(gate).unwrap()
    }

    fn position(&self, gate: &str) -> Position {
        self.standing(gate).position()
    }
}

fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

fn words(updates: &[Update]) -> Vec<String> {
    let texts = updates.iter().map(|update| match update {
        Update::Event(event) => format!("{}: {}", event.kind.as_str(), event.text),
        other => panic!("gates tell events alone: {other:?}"),
    });
    texts.collect()
}

const DISK: &str =
    "[[gate]]\nname = 'disk'\nnodes = ['@ccd']\nmetrics = ['disk_percent']\nblock = ['exposure']\n";

#[test]
fn a_gate_closes_with_its_node_and_opens_with_its_margin() {
    let mut site = Site::new(&format!("{CCD}{DISK}"));
    for (at, node, percent, said) in [
        (0, "ccd01", 85.0, None),
        (1, "door", 99.0, None),
        (
            10,
            "ccd01",
            97.0,
            Some("gate_closed: gate disk closed and blocks exposure: ccd01 disk_percent 97 > 90"),
        ),
        (11, "ccd02", 95.0, None),
        (20, "ccd01", 89.0, None),
        (30, "ccd01", 50.0, None),
        (
            45,
            "ccd02",
            50.0,
            Some("gate_opened: gate disk opened after 35 s: ccd02 is well again by what the gate looks at"),
        ),
    ] {
        assert_eq!(site.disk(at, node, percent), said.into_iter().collect::<Vec<_>>(), "at {at}");
    }
    let standing = site.standing("disk");
    let tally = Tally { times: 1, total: Duration::from_secs(35) };
    assert_eq!(
        (standing.closed(site.at(99)), standing.would_have_closed(site.at(99))),
        (tally, Tally::default())
    );
}

#[test]
fn two_or_more_of_them() {
    let gate = "[[gate]]\nname = 'two'\nnodes = ['ccd*']\ncount = 2\nbad_weather = true\n";
    let mut site = Site::new(&format!("{CCD}{gate}"));
    assert_eq!(site.disk(0, "ccd01", 97.0), [""; 0]);
    assert_eq!(
        site.standing("two").why(),
        "ccd01 disk_percent 97 > 90",
        "who counts is seen before it closes"
    );
    assert_eq!(
        site.disk(1, "ccd02", 97.0),
        [
            "gate_closed: gate two closed and votes bad weather: ccd01 disk_percent 97 > 90; ccd02 disk_percent 97 > 90"
        ]
    );
    assert_eq!(site.disk(9, "ccd01", 5.0), ["gate_opened: gate two opened after 8 s: ccd01 is good"]);
}

#[test]
fn silence_counts_as_error_unless_it_is_left_out() {
    let gates = "[[gate]]\nname = 'with'\nnodes = ['ccd*']\nmetrics = ['disk_percent']\nblock = ['exposure']\n\
                 [[gate]]\nname = 'without'\nnodes = ['ccd*']\nsilent = false\nblock = ['exposure']\n\
                 [[gate]]\nname = 'alone'\nnodes = ['ccd*', 'never_heard']\nlevel = 'silent'\nblock = ['exposure']\n";
    let mut site = Site::new(gates);
    site.disk(0, "ccd01", 5.0);
    site.disk(0, "ccd02", 97.0);
    assert_eq!(
        ["with", "without", "alone"].map(|gate| site.position(gate)),
        [Position::Closed, Position::Closed, Position::Open]
    );
    site.disk(1, "ccd02", 5.0);
    site.disk(31, "ccd02", 5.0);
    assert_eq!(site.timers(30), [""; 0]);
    assert_eq!(
        site.timers(31),
        [
            "gate_closed: gate with closed and blocks exposure: ccd01 silent",
            "gate_closed: gate alone closed and blocks exposure: ccd01 silent"
        ]
    );
    // Any arrival ends silence, a late one too; its old values raise nothing.
    let opened = site.late_sample(40, "ccd01", &[("disk_percent", 99.0)], Duration::from_secs(90));
    assert_eq!(opened.len(), 2, "{opened:?}");
    assert!(site.gates.closed().next().is_none());
}

#[test]
fn a_mute_opens_and_an_acknowledgement_does_not() {
    let mut site = Site::new(&format!("{CCD}{DISK}"));
    site.disk(0, "ccd01", 97.0);
    let updates = site.watch.acknowledge(site.at(1), "ccd01", None, None, "known", "li").unwrap();
    assert_eq!(site.told(1, &updates), [""; 0]);
    assert_eq!(site.mute(5, "@ccd", 20), ["gate_opened: gate disk opened after 5 s: ccd01 is muted"]);
    assert_eq!(site.disk(10, "ccd02", 99.0), [""; 0], "a node that joins is muted, too");
    site.disk(20, "ccd01", 97.0);
    let closed = site.timers(25);
    assert!(closed.len() == 1 && closed[0].contains("ccd01 disk_percent 97 > 90"), "{closed:?}");
    site.timers(60);
    let gone = site.watch.forget("ccd01", "li").unwrap();
    assert_eq!(site.told(60, &gone), [""; 0]);
    let gone = site.watch.forget("ccd02", "li").unwrap();
    assert_eq!(site.told(61, &gone), ["gate_opened: gate disk opened after 36 s: ccd02 was forgotten"]);
}

#[test]
fn what_flips_or_does_not_come_any_more_counts_as_it_is_held() {
    let mut site = Site::new(&format!("{CCD}{DISK}"));
    let mut at = 0;
    let mut told = Vec::new();
    for percent in [97.0, 50.0].repeat(10) {
        told.extend(site.disk(at, "ccd01", percent));
        at += 10;
    }
    assert_eq!(site.position("disk"), Position::Closed, "held at its worst: {told:?}");
    assert!(told.len() < 10, "and it does not flip the gate on: {told:?}");
    site.disk(1_000, "ccd02", 97.0);
    for at in 0..8 {
        site.sample(1_010 + at * 10, "ccd02", &[("load1", 1.0)]);
        site.disk(1_010 + at * 10, "ccd01", 50.0);
    }
    assert!(site.watch.node(&name("ccd02")).unwrap().metric("disk_percent").unwrap().unknown);
    assert!(site.standing("disk").nodes().any(|node| *node == name("ccd02")), "unknown is not resolved");
}

#[test]
fn a_shadow_tells_and_counts_what_it_would_have_blocked() {
    let mut site = Site::new(&format!("{CCD}{DISK}shadow = true\n"));
    assert_eq!(
        site.disk(0, "ccd01", 97.0),
        [
            "gate_would_close: gate disk would have closed (a shadow; blocks exposure): ccd01 disk_percent 97 > 90"
        ]
    );
    assert!(site.gates.closed().next().is_none());
    let told = site.disk(40, "ccd01", 5.0);
    assert!(told[0].starts_with("gate_would_open: gate disk would have opened after 40 s"), "{told:?}");
    let standing = site.standing("disk");
    assert_eq!(standing.would_have_closed(site.at(50)), Tally { times: 1, total: Duration::from_secs(40) });
    assert_eq!(standing.closed(site.at(50)), Tally::default());
}

#[test]
fn an_override_opens_and_ends_by_itself_or_by_hand() {
    let mut site = Site::new(&format!("{CCD}{DISK}"));
    site.disk(0, "ccd01", 97.0);
    for (gate, seconds, why) in [
        ("dusk", 60, "there is no gate \"dusk\" (gates: disk)"),
        ("disk", 0, "within 7 days"),
        ("disk", 604_801, "within 7"),
    ] {
        let error = site.gates.override_gate(site.at(1), gate, seconds, "x", "li").unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(site.gates.release(site.at(1), "disk", "li"), Err(OperateError::NotOverridden("disk".into())));
    let told = site.gates.override_gate(site.at(10), "disk", 60, "supernova", "li").unwrap();
    assert_eq!(
        words(&told),
        [
            "gate_overridden: li overrides gate disk until 2026-11-18T11:07:50Z: supernova",
            "gate_opened: gate disk opened after 10 s: overridden by li",
            "gate_would_close: gate disk would have closed (overridden by li; blocks exposure): ccd01 disk_percent 97 > 90",
        ]
    );
    site.disk(15, "ccd01", 97.0);
    site.disk(40, "ccd01", 97.0);
    assert_eq!((site.timers(69), site.position("disk")), (vec![], Position::WouldClose));
    assert_eq!(
        site.timers(70),
        [
            "gate_override_ended: the override of gate disk is over (supernova, by li)",
            "gate_would_open: gate disk would have opened after 60 s: no longer overridden",
            "gate_closed: gate disk closed and blocks exposure: ccd01 disk_percent 97 > 90",
        ]
    );
    assert_eq!(site.gates.next_timeout(), None);
    site.gates.override_gate(site.at(71), "disk", 60, "supernova", "li").unwrap();
    let told = site.gates.release(site.at(72), "disk", "wang").unwrap();
    assert!(words(&told)[0].contains("wang ended the override of gate disk (supernova, by li)"), "{told:?}");
    assert_eq!(site.position("disk"), Position::Closed);
    assert_eq!(site.gates.operated_changes(), 4);
}

#[test]
fn a_restart_closes_what_the_stored_levels_call_for_and_no_more() {
    let gates = "[[gate]]\nname = 'any'\nnodes = ['*']\nblock = ['exposure']\n\
                 [[gate]]\nname = 'muted'\nnodes = ['door']\nblock = ['telescope']\n\
                 [[gate]]\nname = 'passed'\nnodes = ['ccd*']\nstop = true\n";
    let tables = format!("{CCD}{gates}");
    let mut before = Site::new(&tables);
    before.disk(0, "ccd01", 97.0);
    before.disk(0, "door", 97.0);
    before.mute(1, "door", 3_600);
    before.gates.override_gate(before.at(2), "passed", 3_600, "x", "li").unwrap();
    let (mut site, told) = before.restarted(100, &tables);
    assert_eq!(
        told,
        [
            "gate_closed: gate any closed and blocks exposure: ccd01 disk_percent 97 > 90",
            "gate_would_close: gate passed would have closed (overridden by li; stops everything): ccd01 disk_percent 97 > 90"
        ]
    );
    assert_eq!(site.disk(105, "ccd01", 20.0).len(), 2, "both open");
    // Nothing was wrong: nobody is judged before his time.
    let (mut well, told) = site.restarted(200, &tables);
    assert_eq!((told, well.timers(230)), (vec![], vec![]));
    assert_eq!(well.timers(231).len(), 2, "ccd01 was known, and does not come");
    // Nobody was ever heard: nobody is missed.
    let (mut first, told) = Site::new(&tables).restarted(300, &tables);
    assert_eq!((told, first.timers(900)), (vec![], vec![]));
    // An override whose time passed while the hub was away.
    let (late, told) = before.restarted(9_000, &tables);
    assert!(
        told[0].starts_with("gate_override_ended") && late.position("passed") == Position::Closed,
        "{told:?}"
    );
}

#[test]
fn a_reload_keeps_what_stands_and_lets_go_of_what_is_gone() {
    let mut site = Site::new(&format!("{CCD}{DISK}{}", DISK.replace("'disk'", "'gone'")));
    site.disk(0, "ccd01", 97.0);
    site.gates.override_gate(site.at(1), "gone", 60, "x", "li").unwrap();
    let reload = |site: &mut Site, at: u64, tables: &str| {
        let File { rule, group, gate } = File::read(tables);
        let updates = site.watch.reload(site.at(at), Rules::new(rule), Groups::new(group));
        let mut told = words(&site.gates.reload(site.at(at), &site.watch, gate));
        told.extend(site.told(at, &updates));
        told
    };
    assert_eq!(
        reload(&mut site, 10, &format!("{CCD}{DISK}")),
        ["gate_would_open: gate gone would have opened after 9 s: it is no longer in the configuration"]
    );
    assert_eq!(site.standing("disk").since_ms(), Some(site.at(0).unix_ms));
    assert_eq!(
        reload(&mut site, 20, &format!("{CCD}{}", DISK.replace("exposure", "readout"))),
        [
            "gate_opened: gate disk opened after 20 s: the configuration has another gate of this name",
            "gate_closed: gate disk closed and blocks readout: ccd01 disk_percent 97 > 90"
        ]
    );
    let eased = format!("{CCD}{DISK}[[rule]]\nmetrics = ['disk_percent']\nerror = 99\n")
        .replace("exposure", "readout");
    assert_eq!(
        reload(&mut site, 30, &eased),
        ["gate_opened: gate disk opened after 10 s: the configuration was read again"]
    );
    assert_eq!(reload(&mut site, 40, ""), [""; 0]);
    assert!(site.gates.is_empty());
}
