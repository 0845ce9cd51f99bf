//! Limits that operators set, on a watch with real rules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::MetricName;

use super::*;
use crate::sample::{Arrival, Identity};
use crate::watch::rules::Rule;

const RULES: [&str; 2] = [
    "name = 'free'\nmetrics = ['disk_*_free']\ndirection = 'below'\nwarning = '20 GB'\nerror = '10 GB'",
    "metrics = ['load1']\nnodes = ['lamp']\noff = true",
];

struct Site {
    watch: Watch,
    start: Instant,
    sequence: u64,
}

fn rules() -> Rules {
    Rules::new(RULES.iter().map(|text| toml::from_str::<Rule>(text).unwrap()).collect())
}

impl Site {
    fn new() -> Self {
        Self { watch: Watch::new(rules(), Groups::default()), start: Instant::now(), sequence: 0 }
    }

    fn now(&self) -> Now {
        Now { monotonic: self.start, unix_ms: 1_795_363_200_000 }
    }

    fn sample(&mut self, node: &str, metric: &str, value: f64) {
        self.sequence += 1;
        let sample = Sample {
            node: NodeName::new(node).unwrap(),
            identity: Identity { epoch: 1, sequence: self.sequence },
            taken_ms: self.now().unix_ms,
            age: Duration::ZERO,
            interval: Some(Duration::from_secs(86_400)),
            arrival: Arrival::Ordered,
            metrics: vec![(MetricName::new(metric).unwrap(), value)],
        };
        self.watch.handle_sample(self.now(), &Arc::new(sample)).unwrap();
    }

    fn set(
        &mut self,
        target: &str,
        warning: Option<&str>,
        error: Option<&str>,
    ) -> Result<(String, Vec<Update>), OperateError> {
        let (target, metric) =
            target.split_once(' ').map_or((target, None), |(node, metric)| (node, Some(metric)));
        self.watch.set_limits(self.now(), (target, metric), (warning, error), Some("tests"), "li")
    }

    fn reset(&mut self, target: &str) -> Result<(String, Vec<Update>), OperateError> {
        let (target, metric) =
            target.split_once(' ').map_or((target, None), |(node, metric)| (node, Some(metric)));
        self.watch.reset_limits(self.now(), (target, metric), "li")
    }

    fn level(&self, node: &str) -> Level {
        self.watch.node(&NodeName::new(node).unwrap()).unwrap().level()
    }
}

#[test]
fn limits_stand_over_the_file_until_they_are_reset_and_every_value_is_judged_by_them_at_once() {
    let mut site = Site::new();
    site.sample("ccd01", "disk_percent", 85.0);
    site.sample("door", "disk_percent", 85.0);
    assert_eq!((site.level("ccd01"), site.level("door")), (Level::Warning, Level::Warning));
    let (text, updates) = site.set("disk", Some("60"), Some("70")).unwrap();
    assert_eq!(text, "disk: warning > 60, error > 70 (was warning > 80, error > 90)");
    assert!(
        matches!(&updates[0], Update::Event(Event { node: None, metric: None, kind: EventKind::LimitsSet, text })
            if text == "li set limits of disk: warning > 60, error > 70 (was warning > 80, error > 90): tests"),
        "{updates:?}"
    );
    let risen = |update: &Update| matches!(update, Update::Levels { changes, .. } if changes.iter().any(|change| change.to == Level::Error));
    assert_eq!(updates.iter().filter(|update| risen(update)).count(), 2);

    // One value begins with what its rule is then, and what is left out stays.
    let (text, _) = site.set("ccd01 disk_percent", None, Some("95")).unwrap();
    assert_eq!(text, "ccd01 disk_percent: warning > 60, error > 95 (was warning > 60, error > 70)");
    assert_eq!((site.level("ccd01"), site.level("door")), (Level::Warning, Level::Error));
    let (node, metric) = (NodeName::new("ccd01").unwrap(), MetricName::new("disk_percent").unwrap());
    let explained = site.watch.explain(&node, &metric).to_string();
    for words in [
        "set by an operator, for this node and metric); set by li on 2026-11-22T16:00:00Z: tests",
        "rule disk gives way",
    ] {
        assert!(explained.contains(words), "{explained}");
    }

    // A reload lets them stand, and so does a restart.
    site.watch.reload(site.now(), rules(), Groups::default());
    assert_eq!((site.level("ccd01"), site.level("door")), (Level::Warning, Level::Error));
    let mut next = Site::new();
    assert_eq!(next.watch.restore_limits(next.now(), site.watch.limits().to_vec()), []);
    next.sample("ccd01", "disk_percent", 85.0);
    next.sample("door", "disk_percent", 85.0);
    assert_eq!((next.level("ccd01"), next.level("door")), (Level::Warning, Level::Error));

    // By the name of the rule that it became, too.
    let changes = site.watch.operated_changes();
    let (text, _) = site.set("disk_percent_of_ccd01", Some("99"), Some("none")).unwrap();
    assert_eq!(text, "ccd01 disk_percent: warning > 99 (was warning > 60, error > 95)");
    assert_eq!(site.watch.operated_changes(), changes + 1);
    assert_eq!(site.watch.limits().len(), 2);
    assert_eq!(site.set("disk", Some("60"), Some("70")).unwrap().0, "disk has these limits already");
    assert_eq!(site.watch.operated_changes(), changes + 1, "nothing is to be kept");
    site.reset("disk_percent_of_ccd01").unwrap();
    assert_eq!(site.level("ccd01"), Level::Error);
    let (text, updates) = site.reset("disk").unwrap();
    assert_eq!(text, "disk: warning > 80, error > 90");
    assert!(matches!(&updates[0], Update::Event(Event { kind: EventKind::LimitsReset, .. })));
    assert_eq!((site.level("ccd01"), site.level("door")), (Level::Warning, Level::Warning));
    assert!(site.watch.limits().is_empty());
}

#[test]
fn units_are_understood_and_what_makes_no_sense_is_refused_with_a_sentence() {
    let mut site = Site::new();
    site.sample("ccd01", "disk_root_free", 15e9);
    site.sample("lamp", "load1", 1.0);
    assert_eq!(site.set("free", Some("2 TB"), Some("1 TB")).unwrap().0.split(' ').next(), Some("free:"));
    assert_eq!(site.level("ccd01"), Level::Error);
    site.set("ccd01 disk_root_free", Some("none"), Some("5GB")).unwrap();
    assert_eq!(site.level("ccd01"), Level::Good);
    let kept = site.watch.limits().to_vec();
    let endless = "9".repeat(400);
    for (target, warning, error, why) in [
        ("disk", Some("nan"), Some("90"), "\"nan\" is no limit"),
        ("disk", Some(endless.as_str()), None, "limits are finite numbers"),
        ("disk", Some("95"), Some("90"), "error must lie beyond warning"),
        ("disk", Some("95"), None, "error must lie beyond warning"),
        ("free", Some("1 GB"), Some("5 GB"), "error must lie beyond warning"),
        ("disk", Some("80 GB"), None, "disk_percent is not measured in the unit"),
        ("ccd01 disk_root_free", Some("80 %"), None, "disk_root_free is not measured in the unit"),
        ("disk", Some("much"), None, "\"much\" is no limit"),
        ("disk", Some(""), None, "\"\" is no limit"),
        ("disk", Some("none"), Some("none"), "set a warning, an error, or both"),
        (
            "dsk",
            Some("1"),
            None,
            "there is no rule \"dsk\"; the rules are disk_root_free_of_ccd01, free, load1_of_lamp, disk",
        ),
        ("ccd01", Some("1"), None, "ccd01 is a node: name the metric too"),
        ("ccd02 load1", Some("1"), None, "the hub knows no node \"ccd02\""),
        ("ccd01 load1", Some("1"), None, "ccd01 has no metric \"load1\""),
        ("load1_of_lamp", Some("1"), None, "is off and has no limits to change"),
    ] {
        let said = site.set(target, warning, error).unwrap_err().to_string();
        assert!(said.contains(why), "{target}: {said}");
    }
    assert_eq!(site.watch.limits(), kept, "nothing changed");
    assert_eq!(site.reset("disk").unwrap_err().to_string(), "no operator set limits of disk");
    let nobody = site.watch.set_limits(site.now(), ("disk", None), (Some("1"), None), Some("a\nb"), "li");
    assert_eq!(nobody.unwrap_err(), OperateError::Reason);
}

#[test]
fn the_margin_is_for_values_that_move_not_for_limits_that_do() {
    let mut site = Site::new();
    site.sample("ccd01", "disk_percent", 97.0);
    assert_eq!(site.level("ccd01"), Level::Error);
    // Within the margin of 2 below the new limit, and yet not past it.
    site.set("disk", None, Some("98")).unwrap();
    assert_eq!(site.level("ccd01"), Level::Warning);
    site.sample("ccd01", "disk_percent", 98.0);
    site.sample("ccd01", "disk_percent", 97.0);
    assert_eq!(site.level("ccd01"), Level::Error, "the value moved");
    // A reload with the same limits, or with others for other values, changes nothing.
    site.watch.reload(site.now(), rules(), Groups::default());
    site.set("swap", Some("1"), None).unwrap();
    assert_eq!(site.level("ccd01"), Level::Error);
    site.reset("disk").unwrap();
    assert_eq!(site.level("ccd01"), Level::Error);
}

#[test]
fn limits_whose_rule_is_gone_are_kept_and_told() {
    let mut site = Site::new();
    site.sample("ccd01", "disk_root_free", 15e9);
    site.set("free", Some("3 GB"), Some("2 GB")).unwrap();
    assert_eq!(site.level("ccd01"), Level::Good);
    let updates = site.watch.reload(site.now(), Rules::default(), Groups::default());
    assert!(
        matches!(&updates[0], Update::Event(Event { kind: EventKind::LimitsUnused, text, .. })
            if text.contains("limits of free are not used") && text.contains("there is no rule \"free\"")),
        "{updates:?}"
    );
    site.watch.reload(site.now(), rules(), Groups::default());
    assert_eq!(site.level("ccd01"), Level::Good, "they hold again with their rule");
    site.watch.reload(site.now(), Rules::default(), Groups::default());
    site.reset("free").unwrap();
    assert!(site.watch.limits().is_empty(), "what is not used can be reset");
}

#[test]
fn one_limit_of_what_is_free_is_below() {
    let mut site = Site::new();
    site.watch.reload(site.now(), Rules::default(), Groups::default());
    site.sample("ccd01", "disk_root_free", 33e9);
    site.set("ccd01 disk_root_free", None, Some("5 GB")).unwrap();
    assert_eq!(site.level("ccd01"), Level::Good, "much is free");
    site.sample("ccd01", "disk_root_free", 4e9);
    assert_eq!(site.level("ccd01"), Level::Error);
    site.sample("lamp", "load1", 9.0);
    site.set("lamp load1", None, Some("8")).unwrap();
    assert_eq!(site.level("lamp"), Level::Error);
}
