//! What outlives the hub: levels, silence, and who is known.

use super::*;

/// The same site after the hub was started again, 100 s later by both clocks, through the form that is stored.
fn restarted(before: &Site, rules: &str) -> (Site, Vec<Update>) {
    let stored = serde_json::to_vec(&before.watch.levels()).unwrap();
    let mut site = Site::new(rules);
    site.start = before.start;
    let updates =
        site.watch.restore_levels(site.at(100.0), serde_json::from_slice::<Vec<KeptNode>>(&stored).unwrap());
    site.sequence = before.sequence;
    (site, updates)
}

#[test]
fn a_level_stands_over_a_restart_until_a_good_sample() {
    let mut before = Site::new("");
    before.sample(0.0, "ccd01", &[("cpu_percent", 1.0), ("disk_percent", 95.0), ("clock_offset", 0.0)]);
    let (mut site, updates) = restarted(&before, "");
    assert_eq!(updates, [Update::Levels { node: name("ccd01"), changes: vec![] }], "shown, and no alarm");
    assert_eq!(site.level("ccd01"), Level::Error);
    assert_eq!(site.metric("ccd01", "disk_percent").since_ms, site.at(0.0).unix_ms);
    for (at, percent, level) in
        [(101.0, 89.0, Level::Error), (111.0, 87.0, Level::Warning), (121.0, 50.0, Level::Good)]
    {
        let updates = site.sample(at, "ccd01", &[("cpu_percent", 1.0), ("disk_percent", percent)]);
        assert_eq!(matches!(updates[0], Update::Joined { .. }), at < 105.0, "{updates:?}");
        assert_eq!(site.level("ccd01"), level, "at {at}");
    }
    assert_eq!(site.watch.node(&name("ccd01")).unwrap().metrics.len(), 2);
}

#[test]
fn what_was_counted_begins_anew_but_lowers_nothing() {
    let rules = "[[rule]]\nmetrics = ['load1']\nwarning = 5\nerror = 9\nfor = '3 of 3'";
    let mut before = Site::new(rules);
    for at in 0..3_u32 {
        before.sample(f64::from(at) * 10.0, "a", &[("load1", 9.5)]);
        before.sample(f64::from(at) * 10.0, "b", &[("load1", if at > 0 { 9.5 } else { 1.0 })]);
    }
    let (mut site, _) = restarted(&before, rules);
    for (at, node, load, level) in [
        (101.0, "a", 9.5, Level::Error),
        (101.0, "b", 9.5, Level::Good),
        (111.0, "a", 6.0, Level::Warning),
        (111.0, "b", 9.5, Level::Good),
        (121.0, "a", 1.0, Level::Good),
        (121.0, "b", 9.5, Level::Error),
    ] {
        site.sample(at, node, &[("load1", load)]);
        assert_eq!(site.level(node), level, "{node} at {at}");
    }
}

#[test]
fn nodes_that_were_known_are_missed_and_those_that_were_silent_stay_so() {
    let mut before = Site::new("");
    before.sample(0.0, "gone", &[("disk_percent", 95.0)]);
    before.watch.handle_timeout(before.at(40.0));
    before.sample(50.0, "here", &[("disk_percent", 1.0)]);
    before.sample(50.0, "late", &[("disk_percent", 1.0)]);
    let (mut site, _) = restarted(&before, "");
    let levels = |site: &Site| ["gone", "here", "late"].map(|node| site.level(node));
    assert_eq!(levels(&site), [Level::Silent, Level::Good, Level::Good], "a start judges nobody");
    site.sample(105.0, "here", &[("disk_percent", 1.0)]);
    let hello = |site: &mut Site| site.watch.handle_hello(site.at(105.0), &name("here"), None).unwrap();
    assert_eq!(hello(&mut site), [], "it joined once");
    assert_eq!(site.watch.handle_timeout(site.at(130.9)), []);
    assert_eq!(site.watch.handle_timeout(site.at(131.0)).len(), 1);
    assert_eq!(levels(&site), [Level::Silent, Level::Good, Level::Silent]);
    let updates = site.sample(140.0, "gone", &[("disk_percent", 95.0)]);
    let back = updates.iter().find_map(|update| match update {
        Update::Back { after, .. } => Some(after.as_secs()),
        _ => None,
    });
    assert_eq!(back, Some(140), "by the wall clock, since the hub did not run all the time");
    assert_eq!(site.level("gone"), Level::Error);
}

#[test]
fn a_boot_is_seen_also_when_it_was_while_the_hub_did_not_run() {
    let mut before = Site::new("");
    before.sample(0.0, "a", &[("disk_percent", 1.0)]);
    assert_eq!(before.watch.handle_boot(&name("a"), [1; 16]), [], "the first is none");
    assert_eq!(before.watch.handle_boot(&name("a"), [1; 16]), [], "another connection of it");
    let (mut site, _) = restarted(&before, "");
    assert_eq!(events(&site.watch.handle_boot(&name("a"), [2; 16])), ["reboot: a was booted anew"]);
    assert_eq!(site.watch.handle_boot(&name("unknown"), [2; 16]), []);
}

#[test]
fn the_level_of_a_change_stands_until_the_change_is_known() {
    let rules = "[[rule]]\nmetrics = ['disk_percent']\nrate = '10m'\nwarning = 20\nclear = 5";
    let mut before = Site::new(rules);
    for step in 0..60_u32 {
        before.sample(f64::from(step), "a", &[("disk_percent", f64::from(step))]);
        before.sample(f64::from(step) + 600.0, "a", &[("disk_percent", f64::from(step) + 10.0)]);
    }
    assert_eq!(before.level("a"), Level::Warning);
    let (mut site, _) = restarted(&before, rules);
    for step in 0..61_u32 {
        site.sample(101.0 + f64::from(step) * 10.0, "a", &[("disk_percent", 50.0)]);
        let level = if step < 30 { Level::Warning } else { Level::Good };
        assert_eq!(site.level("a"), level, "{step}");
    }
}
