//! Tables of values, and the levels and rules that they meet.

use proptest::prelude::*;

use super::*;
use crate::watch::{Groups, Level};

fn rule(text: &str) -> Rule {
    toml::from_str(text).unwrap()
}

fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

fn metric(name: &str) -> MetricName {
    MetricName::new(name).unwrap()
}

#[test]
fn limits_are_reached_at_once_and_left_by_the_margin() {
    let rule = rule("metrics = ['disk_percent']\nwarning = 80\nerror = 90\nclear = 2");
    let mut level = Level::Good;
    for (value, expected) in [
        (79.9, Level::Good),
        (80.0, Level::Warning),
        (79.0, Level::Warning),
        (90.0, Level::Error),
        (88.5, Level::Error),
        (f64::NAN, Level::Error),
        (87.9, Level::Warning),
        (78.1, Level::Warning),
        (77.9, Level::Good),
        (78.5, Level::Good),
        (95.0, Level::Error),
        (10.0, Level::Good),
    ] {
        level = rule.limits.judge(value, level);
        assert_eq!(level, expected, "at {value}");
    }
}

#[test]
fn below_and_beyond() {
    let below = rule("metrics = ['disk_free']\ndirection = 'below'\nwarning = 20\nerror = 10\nclear = 1");
    assert_eq!(below.limits.judge(20.0, Level::Good), Level::Good);
    assert_eq!(below.limits.judge(19.9, Level::Good), Level::Warning);
    assert_eq!(below.limits.judge(20.5, Level::Warning), Level::Warning);
    assert_eq!(below.limits.judge(21.5, Level::Warning), Level::Good);
    assert_eq!(below.limits.judge(9.0, Level::Good), Level::Error);
    assert_eq!(below.passed(Level::Error).unwrap(), "< 10");
    let beyond = rule("metrics = ['clock_offset']\ndirection = 'beyond'\nwarning = 1\nerror = 10");
    assert_eq!(beyond.limits.judge(-1.5, Level::Good), Level::Warning);
    assert_eq!(beyond.limits.judge(-11.0, Level::Good), Level::Error);
}

#[test]
fn the_most_particular_rule_holds_and_of_equals_the_later() {
    let file = [
        "metrics = ['disk_percent']\nwarning = 1",
        "nodes = ['ccd*']\nmetrics = ['disk_percent']\nwarning = 2",
        "nodes = ['@ccd']\nmetrics = ['*']\nwarning = 3",
        "nodes = ['ccd01']\nmetrics = ['disk_*']\nwarning = 4",
        "nodes = ['ccd01']\nmetrics = ['disk_percent']\nwarning = 5",
        "nodes = ['tcs*']\nmetrics = ['disk_percent']\nwarning = 6",
        "nodes = ['*1']\nmetrics = ['disk_percent']\nwarning = 7",
    ];
    let rules = Rules::new(file.iter().map(|text| rule(text)).collect());
    let found = |name: &str, group: &str, what: &str| {
        rules
            .find(&node(name), group, &metric(what), Phase::Night)
            .and_then(|id| rules.get(id))
            .and_then(|rule| rule.limits.warning)
    };
    assert_eq!(found("ccd01", "ccd", "disk_percent"), Some(5.0));
    assert_eq!(found("ccd01", "ccd", "disk_root_percent"), Some(4.0));
    assert_eq!(found("ccd02", "ccd", "disk_percent"), Some(3.0));
    assert_eq!(found("ccd02", "ccd", "cpu_percent"), Some(3.0));
    assert_eq!(found("ccd02", "other", "disk_percent"), Some(2.0));
    assert_eq!(found("tcs1", "other", "disk_percent"), Some(7.0));
    assert_eq!(found("door", "other", "disk_percent"), Some(1.0));
    assert_eq!(found("door", "other", "memory_percent"), Some(90.0));
    assert_eq!(found("door", "other", "cpu_percent"), None);
}

#[test]
fn an_off_rule_takes_the_limits_away() {
    let rules = Rules::new(vec![rule("nodes = ['tape']\nmetrics = ['disk_*']\noff = true")]);
    let id = rules.find(&node("tape"), "other", &metric("disk_percent"), Phase::Night).unwrap();
    assert_eq!(rules.get(id).unwrap().limits.judge(99.0, Level::Error), Level::Good);
    assert_eq!(rules.get(id).unwrap().to_string(), "disk_* of tape: off");
}

#[test]
fn senseless_rules_are_refused_with_a_sentence() {
    for (text, message) in [
        ("metrics = []\nwarning = 1", "names at least one metric"),
        ("metrics = ['a']", "has a warning, an error, or off"),
        ("metrics = ['a']\nwarning = 1\noff = true", "nothing that goes with limits"),
        ("metrics = ['a']\nwarning = inf", "finite"),
        ("metrics = ['a']\nwarning = 90\nerror = 80", "error must lie beyond warning"),
        ("metrics = ['a']\ndirection = 'below'\nwarning = 80\nerror = 90", "error must lie beyond warning"),
        ("metrics = ['a']\nwarning = 1\nclear = -1", "margin"),
        ("metrics = ['a']\nwarning = 1\nfor = 3", "expected a string"),
        ("metrics = ['a']\nwarning = 1\nfor = 'soon'", "no time to wait"),
        ("metrics = ['a']\nwarning = 1\nrate = '1s'", "1m to 1d"),
        ("metrics = ['disk_percent']\nwarning = '20 GB'", "not measured in the unit"),
        (
            "metrics = ['disk_percent']\nwarning = 1\nand = { metric = 'disk_*_free', below = '20 GB' }",
            "wants one *",
        ),
        ("metrics = ['a']\nwarning = 1\nand = { metric = 'b' }", "below or above"),
        ("metrics = ['a']\nwarning = 1\nname = 'A b'", "no name of a rule"),
        ("metrics = ['[']\nwarning = 1", "unclosed character class"),
        ("metrics = ['a']\nnodes = ['@']\nwarning = 1", "name of a group"),
    ] {
        let error = toml::from_str::<Rule>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn a_level_never_rises_below_its_limit(values in proptest::collection::vec(0.0..120.0_f64, 1..60)) {
        let rule = rule("metrics = ['a']\nwarning = 80\nerror = 90\nclear = 5");
        let mut level = Level::Good;
        for value in values {
            let next = rule.limits.judge(value, level);
            if next > level {
                let limit = if next == Level::Error { 90.0 } else { 80.0 };
                prop_assert!(value >= limit);
            }
            if next < level {
                let limit = if level == Level::Error { 85.0 } else { 75.0 };
                prop_assert!(value < limit);
            }
            level = next;
        }
    }
}

#[test]
fn a_disk_is_unwell_when_it_is_full_and_has_little_room() {
    let rule = rule(
        "metrics = ['disk_*_percent']\nwarning = 80\nerror = 90\nand = { metric = 'disk_*_free', below = '20 GB', clear = '1 GB' }",
    );
    let judge = |percent: f64, free: Option<f64>, before| {
        let other = |name: &str| (name == "disk_home_free").then_some(free).flatten();
        rule.judge(&metric("disk_home_percent"), percent, before, other)
    };
    for (percent, free, before, level) in [
        (95.0, Some(400e9), Level::Good, Level::Good),
        (95.0, Some(19e9), Level::Good, Level::Error),
        (85.0, Some(19e9), Level::Good, Level::Warning),
        (70.0, Some(1e9), Level::Good, Level::Good),
        (95.0, Some(20.5e9), Level::Error, Level::Error),
        (95.0, Some(21.5e9), Level::Error, Level::Good),
        // Where nobody tells how much is free, the first limit alone counts.
        (95.0, None, Level::Good, Level::Error),
    ] {
        assert_eq!(judge(percent, free, before), level, "{percent} {free:?} {before}");
    }
    assert_eq!(rule.to_string(), "disk_*_percent: warning > 80, error > 90, and disk_*_free < 20000000000");
}

#[test]
fn built_in_rules_are_for_what_agents_send() {
    let rules = Rules::default();
    for (name, rule) in [
        ("disk_percent", Some("disk")),
        ("disk_home_percent", Some("disk")),
        ("disk_home_inodes_percent", Some("inodes")),
        ("disk_home_free", None),
        ("proc_camd", Some("process")),
        ("restarts_camd", None),
        ("processes", None),
        ("clock_offset", Some("clock")),
        ("cpu_percent", None),
    ] {
        let found = rules.find(&node("a"), "other", &metric(name), Phase::Night);
        assert_eq!(found.and_then(|id| rules.get(id)).map(Rule::name), rule, "{name}");
    }
    let id = rules.find(&node("a"), "other", &metric("proc_camd"), Phase::Day).unwrap();
    let judge = |count: f64| rules.get(id).unwrap().limits().judge(count, Level::Good);
    assert_eq!((judge(0.0), judge(1.0), judge(3.0)), (Level::Error, Level::Good, Level::Good));
}

#[test]
fn rules_of_one_name_are_told_apart() {
    let disk = "metrics = ['disk_percent']\nwarning = 1";
    let rules = Rules::new(vec![
        rule(disk),
        rule(&format!("{disk}\nnodes = ['@ccd']")),
        rule(disk),
        rule("metrics = ['*']\noff = true"),
    ]);
    let names: Vec<_> = rules.iter().map(|ruled| ruled.rule.name()).collect();
    assert_eq!(names[..4], ["disk_percent", "disk_percent_of_ccd", "disk_percent_2", "all"]);
}

#[test]
fn what_an_operator_sets_stands_over_the_file() {
    let file = Rules::new(vec![
        rule(
            "nodes = ['ccd*']\nmetrics = ['disk_percent']\nwarning = 50\nerror = 60\nclear = 2\nfor = '2 of 3'",
        ),
        rule("nodes = ['ccd*']\nmetrics = ['load1']\noff = true"),
    ]);
    let groups = Groups::default();
    let limits = |rules: &Rules, name: &str, what: &str| {
        let id = rules.find(&node(name), "other", &metric(what), Phase::Day)?;
        rules.get(id).map(|rule| (rule.limits.warning, rule.limits.error, rule.hold().to_string()))
    };
    let of_rule = |name: &str, warning: f64, error: f64| Override {
        target: Target::Rule(name.into()),
        warning: Some(warning),
        error: Some(error),
    };
    let of_value = |name: &str, what: &str, warning, error| Override {
        target: Target::Value { node: node(name), metric: metric(what) },
        warning,
        error,
    };
    let changes = [
        of_value("ccd01", "disk_percent", Some(70.0), Some(75.0)),
        of_rule("disk_percent_of_ccd", 55.0, 65.0),
        of_rule("memory", 1.0, 2.0),
        of_value("ccd01", "cpu_percent", Some(30.0), Some(20.0)),
        of_rule("gone", 1.0, 2.0),
        of_rule("load1_of_ccd", 1.0, 2.0),
        of_rule("swap", 2.0, 1.0),
        of_rule("swap", f64::NAN, 1.0),
    ];
    let (rules, left_out) = file.with_overrides(&groups, &changes);
    let left_out: Vec<_> = left_out.into_iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(
        left_out,
        [
            "there is no rule \"gone\"",
            "rule \"load1_of_ccd\" is off and has no limits to change",
            "error must lie beyond warning (is direction = \"below\" meant?)",
            "limits are finite numbers"
        ]
    );
    assert_eq!(
        limits(&rules, "ccd01", "disk_percent"),
        Some((Some(70.0), Some(75.0), "2 of 3 samples".into()))
    );
    assert_eq!(
        limits(&rules, "ccd02", "disk_percent"),
        Some((Some(55.0), Some(65.0), "2 of 3 samples".into()))
    );
    assert_eq!(limits(&rules, "door", "memory_percent"), Some((Some(1.0), Some(2.0), "at once".into())));
    let id = rules.find(&node("ccd01"), "other", &metric("cpu_percent"), Phase::Day).unwrap();
    assert_eq!(rules.get(id).unwrap().to_string(), "cpu_percent of ccd01: warning < 30, error < 20");
    assert_eq!(limits(&file, "ccd01", "disk_percent").unwrap().0, Some(50.0), "the file stays as it is");
    let explained = rules.explain(&groups, None, &node("ccd01"), &metric("disk_percent")).to_string();
    assert_eq!(
        explained,
        "ccd01 disk_percent (group other): no value is known here\n  \
         value: rule disk_percent_of_ccd01 holds: disk_percent of ccd01: warning > 70, error > 75, for 2 of 3 samples, \
         clears by 2 (set by an operator, for this node and metric); before an operator changed it: warning > 55, error > 65\n  \
         value: rule disk_percent_of_ccd gives way to a more particular or later one: disk_percent of ccd*: warning > 55, \
         error > 65, for 2 of 3 samples, clears by 2 (of the file, for nodes by a glob); before an operator changed it: \
         warning > 50, error > 60\n  \
         value: rule disk gives way to a more particular or later one: disk_percent, disk_*_percent: warning > 80, \
         error > 90, clears by 2 (built in, for the metric on every node)"
    );
}

proptest! {
    /// A level rises only when its condition held for its time, and falls only with a sample that is better.
    #[test]
    fn a_level_rises_only_after_its_time(
        past in 1..5_u32,
        more in 0..5_u32,
        steps in proptest::collection::vec((0..3_usize, 1..30_u64), 1..80),
        timed in any::<bool>(),
    ) {
        let of = past + more;
        let wait = std::time::Duration::from_secs(u64::from(of) * 10);
        let hold = if timed { Hold::Time(wait) } else { Hold::Samples { past, of } };
        let (start, mut clock) = (std::time::Instant::now(), 0);
        let (mut held, mut shown) = (Held::default(), Level::Good);
        let mut history: Vec<(u64, Level)> = Vec::new();
        for (reached, gap) in steps {
            clock += gap;
            let reached = Level::ALL[reached];
            history.push((clock, reached));
            let next = held.step(hold, start + std::time::Duration::from_secs(clock), reached, shown);
            if next > shown {
                prop_assert!(reached >= next, "by a sample that reaches it");
                if timed {
                    let since = history.iter().rev().take_while(|(_, level)| *level >= next).last().unwrap().0;
                    prop_assert!(clock - since >= wait.as_secs());
                } else {
                    let count = history.iter().rev().take(of as usize).filter(|(_, level)| *level >= next).count();
                    prop_assert!(count >= past as usize);
                }
            }
            if next < shown {
                prop_assert!(reached < shown);
            }
            shown = next;
        }
    }
}
