//! Tables of samples and times against the levels they make, on a clock that the test moves.

use lamon_wire::names::MetricName;
use proptest::prelude::*;

use self::site::{INTERVAL, Site, changes, events, name};
use super::*;
use crate::sample::Arrival;

mod common;
mod flaps;
mod held;
mod kept;
mod messages;
mod replay;
mod silence;
mod site;

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
