//! Tables of samples and times against the levels they make, on a clock that the test moves.

use lamon_wire::names::MetricName;
use proptest::prelude::*;

use super::*;
use crate::sample::{Arrival, Identity};

mod common;
mod held;
mod kept;
mod messages;
mod replay;

const INTERVAL: Duration = Duration::from_secs(10);

/// A watch with its clock.
struct Site {
    watch: Watch,
    start: Instant,
    sequence: u64,
}

impl Site {
    fn new(rules: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            rule: Vec<Rule>,
            #[serde(default)]
            group: Vec<Group>,
            #[serde(default)]
            tag: Vec<Tag>,
        }
        let file: File = toml::from_str(rules).unwrap();
        let watch = Watch::new(Rules::new(file.rule), Groups::new(file.group).with_tags(file.tag));
        Self { watch, start: Instant::now(), sequence: 0 }
    }

    fn at(&self, seconds: f64) -> Now {
        #[expect(clippy::cast_possible_truncation, reason = "a test's seconds are few")]
        let ms = (seconds * 1e3) as i64;
        Now { monotonic: self.start + Duration::from_secs_f64(seconds), unix_ms: 1_795_000_000_000 + ms }
    }

    fn sample(&mut self, seconds: f64, node: &str, metrics: &[(&str, f64)]) -> Vec<Update> {
        self.sequence += 1;
        let sample = Arc::new(self.made(seconds, node, self.sequence, metrics));
        self.watch.handle_sample(self.at(seconds), &sample).unwrap()
    }

    fn made(&self, seconds: f64, node: &str, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
        Sample {
            node: name(node),
            identity: Identity { epoch: 7, sequence },
            taken_ms: self.at(seconds).unix_ms,
            age: Duration::ZERO,
            interval: Some(INTERVAL),
            arrival: Arrival::Ordered,
            metrics: metrics.iter().map(|(name, value)| (MetricName::new(name).unwrap(), *value)).collect(),
        }
    }

    fn metric(&self, node: &str, metric: &str) -> &Metric {
        self.watch.node(&name(node)).unwrap().metric(metric).unwrap()
    }

    fn level(&self, node: &str) -> Level {
        self.watch.node(&name(node)).unwrap().level()
    }
}

fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

fn changes(updates: &[Update]) -> Vec<String> {
    let levels = updates.iter().filter_map(|update| match update {
        Update::Levels { changes, .. } => Some(changes.iter().map(ToString::to_string)),
        _ => None,
    });
    levels.flatten().collect()
}

fn events(updates: &[Update]) -> Vec<String> {
    let events = updates.iter().filter_map(|update| match update {
        Update::Event(event) => Some(format!("{}: {}", event.kind.as_str(), event.text)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_disk_fills_and_is_emptied() {
    let mut site = Site::new("");
    for (at, value, level, said) in [
        (0.0, 79.0, Level::Good, None),
        (10.0, 80.5, Level::Warning, Some("disk_percent 80.5 % over 80: warning")),
        (20.0, 79.0, Level::Warning, None),
        (30.0, 91.2, Level::Error, Some("disk_percent 91.2 % over 90: error")),
        (40.0, 77.0, Level::Good, Some("disk_percent 77 % is good again after 10 s in error")),
    ] {
        let updates = site.sample(at, "ccd01", &[("cpu_percent", 100.0), ("disk_percent", value)]);
        assert_eq!(changes(&updates), said.into_iter().collect::<Vec<_>>(), "at {at}");
        assert_eq!(site.level("ccd01"), level, "at {at}");
    }
}

#[test]
fn silence_comes_after_three_intervals_and_ends_with_any_arrival() {
    let mut site = Site::new("");
    let updates = site.sample(0.0, "ccd01", &[("cpu_percent", 1.0)]);
    assert!(
        matches!(&updates[..], [Update::Joined { .. }, Update::Sampled { late: false, .. }]),
        "{updates:?}"
    );
    let due = site.watch.next_timeout().unwrap();
    assert_eq!(due, site.at(31.0).monotonic);
    assert_eq!(site.watch.handle_timeout(site.at(30.9)), []);
    assert_eq!(
        site.watch.handle_timeout(site.at(31.0)),
        [Update::Silent { node: name("ccd01"), after: Duration::from_secs(31), alone: true }]
    );
    assert_eq!((site.level("ccd01"), site.watch.next_timeout()), (Level::Silent, None));
    assert_eq!(site.watch.handle_timeout(site.at(99.0)), [], "told once");
    assert!((site.watch.node(&name("ccd01")).unwrap().metrics[0].value - 1.0).abs() < 1e-9, "values stay");
    let updates = site.sample(60.0, "ccd01", &[("cpu_percent", 2.0)]);
    let after = Duration::from_secs(60);
    assert_eq!(updates[0], Update::Back { node: name("ccd01"), after, level: Level::Good, alone: true });
    assert_eq!(site.level("ccd01"), Level::Good);
}

#[test]
fn an_agent_that_said_hello_and_nothing_more_is_missed_too() {
    let mut site = Site::new("");
    let joined = site.watch.handle_hello(site.at(0.0), &name("a"), Some(INTERVAL)).unwrap();
    assert_eq!(joined, [Update::Joined { node: name("a") }]);
    assert_eq!(site.watch.handle_timeout(site.at(31.0)).len(), 1);
}

#[test]
fn an_outage_is_no_interval_of_a_sender_that_does_not_say_its_own() {
    let mut site = Site::new("");
    let line = |site: &mut Site, seconds: f64| {
        site.sequence += 1;
        let mut sample = site.made(seconds, "door", site.sequence, &[("disk_percent", 1.0)]);
        (sample.interval, sample.arrival) = (None, Arrival::Text);
        site.watch.handle_sample(site.at(seconds), &Arc::new(sample)).unwrap()
    };
    for minute in 0..4_u32 {
        line(&mut site, f64::from(minute) * 60.0);
    }
    assert_eq!(site.watch.handle_timeout(site.at(361.0)).len(), 1, "silent after three minutes");
    line(&mut site, 36_000.0);
    line(&mut site, 36_060.0);
    assert_eq!(site.watch.handle_timeout(site.at(36_060.0 + 181.0)).len(), 1, "and again");
}

#[test]
fn late_samples_end_silence_but_raise_no_alarm() {
    let mut site = Site::new("");
    site.sample(0.0, "ccd01", &[("disk_percent", 50.0)]);
    site.watch.handle_timeout(site.at(100.0));
    let mut late = site.made(20.0, "ccd01", 2, &[("disk_percent", 99.0)]);
    late.age = Duration::from_secs(81);
    let late = Arc::new(late);
    let updates = site.watch.handle_sample(site.at(101.0), &late).unwrap();
    assert!(
        matches!(&updates[..], [Update::Back { .. }, Update::Sampled { late: true, new_metrics: false, .. }]),
        "{updates:?}"
    );
    assert_eq!(site.level("ccd01"), Level::Good);
    assert_eq!(site.watch.node(&name("ccd01")).unwrap().heard_ms, site.at(101.0).unix_ms);
}

#[test]
fn a_metric_that_stops_coming_keeps_its_level_and_is_unknown() {
    let mut site = Site::new("");
    site.sample(0.0, "a", &[("cpu_percent", 1.0), ("disk_percent", 95.0)]);
    for (at, unknown, told) in [(10.0, false, 0), (20.0, false, 0), (30.0, true, 1), (40.0, true, 0)] {
        let updates = site.sample(at, "a", &[("cpu_percent", 1.0)]);
        assert_eq!(events(&updates).len(), told, "at {at}: {updates:?}");
        assert_eq!(site.metric("a", "disk_percent").unknown, unknown, "at {at}");
        assert_eq!(site.level("a"), Level::Error);
    }
    let updates = site.sample(50.0, "a", &[("disk_percent", 20.0), ("cpu_percent", 1.0)]);
    assert_eq!(events(&updates), ["known: a disk_percent comes again: 20"]);
    assert_eq!(site.level("a"), Level::Good);
}

#[test]
fn a_metric_that_comes_seldom_is_not_missed() {
    let mut site = Site::new("");
    for step in 0..60_u32 {
        let mut metrics = vec![("cpu_percent", 1.0)];
        if step % 6 == 0 {
            metrics.push(("disk_percent", 1.0));
        }
        let updates = site.sample(f64::from(step) * 10.0, "a", &metrics);
        // The first time nobody can know how seldom it comes.
        assert!(step < 18 || events(&updates).is_empty(), "{step}: {updates:?}");
    }
}

#[test]
fn a_backlog_behind_a_live_sample_is_published_and_never_judged() {
    let mut site = Site::new("");
    site.sample(0.0, "a", &[("disk_percent", 10.0)]);
    let mut ahead = site.made(20.0, "a", 9, &[("disk_percent", 20.0)]);
    ahead.arrival = Arrival::Ahead;
    site.watch.handle_sample(site.at(20.0), &Arc::new(ahead)).unwrap();
    let backlog = Arc::new(site.made(10.0, "a", 5, &[("disk_percent", 99.0)]));
    let updates = site.watch.handle_sample(site.at(20.1), &backlog).unwrap();
    assert!(matches!(&updates[..], [Update::Sampled { late: true, .. }]), "{updates:?}");
    assert_eq!(site.level("a"), Level::Good);
    let again = Arc::new(site.made(20.0, "a", 9, &[("disk_percent", 20.0)]));
    assert_eq!(site.watch.handle_sample(site.at(20.2), &again).unwrap(), [], "it was shown ahead");
}

#[test]
fn values_that_would_have_one_name_are_refused() {
    let mut site = Site::new("");
    let refused = |site: &mut Site, node: &str, metric: &str| {
        site.sequence += 1;
        let sample = Arc::new(site.made(0.0, node, site.sequence, &[(metric, 1.0)]));
        site.watch.handle_sample(site.at(0.0), &sample).err().map(|error| error.to_string())
    };
    assert_eq!(refused(&mut site, "ccd-1", "cpu_percent"), None);
    for (node, metric, sentence) in [
        (
            "ccd_1",
            "cpu_percent",
            "the value ccd_1_level would be that of ccd_1 and of ccd-1: rename one of them",
        ),
        (
            "ccd",
            "1_cpu_percent",
            "the value ccd_1_cpu_percent would be that of ccd and of ccd-1: rename one of them",
        ),
        (
            "nodes",
            "cpu_percent",
            "the value nodes_good would be that of nodes and of the hub itself: rename one of them",
        ),
    ] {
        assert_eq!(refused(&mut site, node, metric).as_deref(), Some(sentence));
    }
    assert_eq!(refused(&mut site, "a", "b_level"), None);
    let sentence = "the value a_b_level would be that of a_b and of a: rename one of them";
    assert_eq!(refused(&mut site, "a_b", "cpu_percent").as_deref(), Some(sentence));
    assert_eq!(refused(&mut site, "a", "c_cpu_percent"), None);
    assert_eq!(refused(&mut site, "a_c", "disk_percent"), None);
    let sentence = "the value a_c_cpu_percent would be that of a_c and of a: rename one of them";
    assert_eq!(refused(&mut site, "a_c", "cpu_percent").as_deref(), Some(sentence));
}

#[test]
fn the_table_of_nodes_is_bounded() {
    let mut site = Site::new("");
    for number in 0..MAX_NODES {
        site.sample(0.0, &format!("n{number}"), &[]);
    }
    assert_eq!(site.watch.handle_hello(site.at(0.0), &name("one-more"), None), Err(AdmitError::Full));
    assert_eq!(site.watch.handle_hello(site.at(0.0), &name("n7"), None), Ok(Vec::new()));
}

#[test]
fn summaries_count_and_name_the_worst() {
    let mut site = Site::new("[[group]]\nname = 'ccd'\nnodes = ['ccd*']");
    site.sample(0.0, "ccd01", &[("cpu_percent", 1.0), ("disk_percent", 91.25)]);
    site.sample(0.0, "ccd02", &[("disk_percent", 85.0)]);
    site.sample(0.0, "door", &[("disk_percent", 5.0)]);
    let all = site.watch.summary(None);
    assert_eq!((all.level, all.nodes, all.at_level), (Level::Error, 3, [1, 1, 1, 0]));
    assert_eq!(all.worst, "ccd01 disk_percent 91.25 > 90");
    assert_eq!(
        site.watch.summary(Some("other")),
        Summary { nodes: 1, at_level: [1, 0, 0, 0], ..Summary::default() }
    );
    site.sample(30.0, "door", &[("disk_percent", 5.0)]);
    site.watch.handle_timeout(site.at(40.0));
    let all = site.watch.summary(None);
    assert_eq!((all.level, all.at_level, all.worst.as_str()), (Level::Silent, [1, 0, 0, 2], "ccd01 silent"));
}

#[test]
fn a_reload_judges_at_once_and_moves_nodes_between_groups() {
    let mut site = Site::new("");
    site.sample(0.0, "ccd01", &[("disk_percent", 70.0)]);
    let rule: Rule = toml::from_str("metrics = ['disk_percent']\nwarning = 60").unwrap();
    let group: Group = toml::from_str("name = 'ccd'\nnodes = ['ccd*']").unwrap();
    let updates = site.watch.reload(site.at(1.0), Rules::new(vec![rule]), Groups::new(vec![group]));
    assert_eq!(changes(&updates), ["disk_percent 70 % over 60: warning"]);
    assert_eq!(&*site.watch.node(&name("ccd01")).unwrap().group, "ccd");
}

#[test]
fn a_rule_waits_for_its_time_and_anew_after_silence() {
    let mut site = Site::new("[[rule]]\nmetrics = ['load1']\nwarning = 5\nfor = '20s'");
    for (at, load, level) in [
        (0.0, 9.0, Level::Good),
        (10.0, 9.0, Level::Good),
        (20.0, 9.0, Level::Warning),
        (30.0, 1.0, Level::Good),
        (40.0, 9.0, Level::Good),
    ] {
        site.sample(at, "a", &[("load1", load)]);
        assert_eq!(site.level("a"), level, "at {at}");
    }
    site.watch.handle_timeout(site.at(90.0));
    site.sample(91.0, "a", &[("load1", 9.0)]);
    assert_eq!(site.level("a"), Level::Good, "nobody knows how it was meanwhile");
    let explained = site.watch.explain(&name("a"), &MetricName::new("load1").unwrap());
    assert_eq!(
        explained.to_string(),
        "a load1 (group other): good since 2026-11-18T11:07:10Z; 9 at 2026-11-18T11:08:11Z\n  \
         past warning for 0 s, which wants 20s\n  \
         value: rule load1 holds: load1: warning > 5, for 20s (of the file, for the metric on every node)"
    );
    site.sample(101.0, "a", &[("load1", 9.0)]);
    site.sample(111.0, "a", &[("load1", 9.0)]);
    assert_eq!(site.level("a"), Level::Warning);
}

#[test]
fn a_process_is_missed_with_the_second_sample() {
    let mut site = Site::new("");
    for (at, count, level) in [
        (0.0, 1.0, Level::Good),
        (10.0, 0.0, Level::Good),
        (20.0, 1.0, Level::Good),
        (30.0, 0.0, Level::Good),
        (40.0, 0.0, Level::Error),
        (50.0, 2.0, Level::Good),
    ] {
        site.sample(at, "a", &[("proc_camd", count)]);
        assert_eq!(site.level("a"), level, "at {at}");
    }
}

#[test]
fn a_change_by_the_hour_has_a_rule_beside_that_of_the_value() {
    let mut site = Site::new("[[rule]]\nmetrics = ['disk_percent']\nrate = '10m'\nwarning = 20\nclear = 5");
    let mut said = Vec::new();
    for step in 0..60_u32 {
        let percent = if step < 40 { 40.0 } else { 40.0 + f64::from(step - 40) * 0.25 };
        said.extend(changes(&site.sample(f64::from(step) * 10.0, "a", &[("disk_percent", percent)])));
    }
    assert_eq!(said, ["disk_percent 43 % changing by 20.77 per hour, over 20: warning"]);
    let updates = site.sample(610.0, "a", &[("disk_percent", 91.0)]);
    assert_eq!(changes(&updates), ["disk_percent 91 % over 90: error"], "the value has its own");
}

#[test]
fn rules_for_the_night_rest_by_day() {
    let mut site = Site::new("[[rule]]\nmetrics = ['load1']\nwarning = 5\nwhen = 'night'");
    site.sample(0.0, "a", &[("load1", 9.0)]);
    assert_eq!(site.level("a"), Level::Warning);
    let updates = site.watch.handle_phase(site.at(1.0), Phase::Day);
    assert_eq!((changes(&updates).len(), site.level("a")), (1, Level::Good));
    assert_eq!(site.watch.handle_phase(site.at(2.0), Phase::Day), []);
    site.watch.handle_phase(site.at(3.0), Phase::Night);
    assert_eq!(site.level("a"), Level::Warning);
}

#[test]
fn a_level_that_flips_is_told_once_and_held_at_its_worst() {
    let mut site = Site::new("");
    let (mut told, mut said) = (Vec::new(), 0);
    for step in 0..40_u32 {
        let percent = if step % 2 == 0 { 50.0 } else { 95.0 };
        let updates = site.sample(f64::from(step) * 10.0, "a", &[("disk_percent", percent)]);
        told.extend(events(&updates));
        said += changes(&updates).len();
    }
    assert_eq!(
        told,
        [
            "flapping: a disk_percent changed its level more than 6 times in 10 minutes: held at error until it is steady"
        ]
    );
    assert_eq!((said, site.level("a"), site.metric("a", "disk_percent").flapping()), (7, Level::Error, true));
    for step in 0..61_u32 {
        let updates = site.sample(410.0 + f64::from(step) * 10.0, "a", &[("disk_percent", 50.0)]);
        told.extend(events(&updates));
    }
    assert_eq!(told.last().unwrap(), "steady: a disk_percent is steady again: good");
    assert_eq!(site.level("a"), Level::Good);
}

proptest! {
    /// Flapping never hides an error: what is judged is shown, or something worse.
    #[test]
    fn flapping_hides_nothing(steps in proptest::collection::vec((0..3_usize, 1.0..120.0_f64), 1..120)) {
        let (mut plain, mut site) = (Level::Good, Site::new(""));
        let limits = Limits { direction: Direction::Above, warning: Some(80.0), error: Some(90.0), clear: 2.0 };
        let mut clock = 0.0;
        for (value, wait) in steps {
            clock += wait;
            let value = [50.0, 85.0, 95.0][value];
            plain = limits.judge(value, plain);
            site.sample(clock, "a", &[("disk_percent", value)]);
            prop_assert!(site.level("a") >= plain);
            prop_assert!(site.level("a") == plain || site.metric("a", "disk_percent").flapping());
        }
    }

    /// Whatever comes and goes, each node has one place in the queue of silences, and silence is told once.
    #[test]
    fn silence_is_told_once_for_each_quiet_time(steps in proptest::collection::vec((0..4_u8, 0.0..50.0_f64), 1..80)) {
        let mut site = Site::new("");
        let mut clock = 0.0;
        let mut last: BTreeMap<u8, f64> = BTreeMap::new();
        let mut silent: BTreeSet<u8> = BTreeSet::new();
        for (node, wait) in steps {
            clock += wait;
            let told = site.watch.handle_timeout(site.at(clock));
            let told: BTreeSet<u8> = told.iter().filter_map(|update| match update {
                Update::Silent { node, .. } => Some(node.as_str()[1..].parse().unwrap()),
                Update::Event(_) => None,
                other => panic!("{other:?}"),
            }).collect();
            let expected = last.iter().filter(|(node, heard)| clock - **heard >= 31.0 && !silent.contains(node));
            prop_assert_eq!(&told, &expected.map(|(node, _)| *node).collect());
            silent.extend(told);
            let updates = site.sample(clock, &format!("n{node}"), &[("cpu_percent", 1.0)]);
            let back = updates.iter().any(|update| matches!(update, Update::Back { .. }));
            prop_assert_eq!(back, silent.remove(&node));
            last.insert(node, clock);
        }
    }
}
