//! What people are told.

use super::*;

fn told(updates: &[Update]) -> Vec<String> {
    updates.iter().flat_map(Update::told).map(|line| line.text).collect()
}

#[test]
fn a_disk_that_fills_says_what_is_left_of_it() {
    let mut site = Site::new("");
    let sample = |site: &mut Site, at: f64, percent: f64, free: f64| {
        let root = ("disk_root_percent", 20.0);
        let disks =
            [("disk_home_percent", percent), ("disk_home_free", free), root, ("disk_root_free", 9e12)];
        site.sample(at, "ccd01", &[&[("disk_percent", percent)][..], &disks].concat())
    };
    assert_eq!(told(&sample(&mut site, 0.0, 50.0, 230e9)).len(), 1, "it joined");
    site.watch.handle_outlook(&name("ccd01"), "disk_home_percent", Some(2.5));
    site.watch.handle_outlook(&name("nobody"), "disk_home_percent", Some(0.0));
    // The disk by its name is told; of the fullest disk, which is the same, there is a record.
    for (at, percent, free, said) in [
        (10.0, 91.2, 41e9, "91.2 % over 90: error (free 41 GB, full in 3 nights)"),
        (11_530.0, 85.0, 70e9, "85 %: warning, after 3 h 12 min in error"),
        (11_540.0, 30.0, 300e9, "30 % is good again after 10 s in warning"),
    ] {
        let updates = sample(&mut site, at, percent, free);
        let by_name = format!("ccd01 disk_home_percent {said}");
        let written = updates.iter().flat_map(Update::lines).map(|line| line.text);
        let mut written: Vec<_> = written.filter(|text| text.contains("disk_")).collect();
        written.sort_unstable();
        assert_eq!(written, [by_name.clone(), format!("ccd01 disk_percent {said}")]);
        let told: Vec<_> = told(&updates).into_iter().filter(|text| text.contains("disk_")).collect();
        assert_eq!(told, [by_name]);
    }
}

#[test]
fn how_long_a_level_lasted_counts_what_was_before_a_restart() {
    let mut before = Site::new("");
    before.sample(0.0, "a", &[("disk_percent", 95.0)]);
    let mut site = Site::new("");
    site.watch.restore_levels(site.at(3_600.0), before.watch.levels());
    let updates = site.sample(4_200.0, "a", &[("disk_percent", 10.0)]);
    assert_eq!(told(&updates).last().unwrap(), "a disk_percent 10 % is good again after 1 h 10 min in error");
}

#[test]
fn muted_nodes_have_no_part_in_what_is_told_of_others() {
    let mut site = Site::new("[[tag]]\nname = 'switch b2'\nnodes = ['ccd*']");
    for at in [0.0, 10.0] {
        for node in ["ccd01", "ccd02", "ccd03", "a", "b", "c"] {
            site.sample(at, node, &[("cpu_percent", 1.0)]);
        }
    }
    site.watch
        .mute(site.at(11.0), "ccd02", &lamon_control::When::For { seconds: 3_600 }, "works", "li")
        .unwrap();
    for node in ["a", "b", "c"] {
        site.sample(30.0, node, &[("cpu_percent", 1.0)]);
    }
    let mut lines = told(&site.watch.handle_timeout(site.at(41.0)));
    lines.extend(told(&site.watch.handle_timeout(site.at(41.0))));
    assert_eq!(
        lines,
        ["ccd02 is silent: nothing heard for 31 s", "switch b2: 2 nodes silent: ccd01, ccd03"],
        "the muted one's own line is for the log and the record"
    );
    let updates = ["ccd01", "ccd02", "ccd03"].map(|node| site.sample(50.0, node, &[("cpu_percent", 1.0)]));
    assert_eq!(
        updates.iter().flat_map(|updates| told(updates)).collect::<Vec<_>>(),
        [
            "ccd02 is heard again after 40 s of silence: good",
            "switch b2: 2 nodes are back, 9 s after the silence was told"
        ]
    );
}
