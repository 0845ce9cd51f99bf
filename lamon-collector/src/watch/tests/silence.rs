//! Nodes and metrics that are not heard any more.

use super::*;

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

proptest! {
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
