//! One cause, one message; and what is the hub's own fault.

use super::*;

const SWITCHES: &str = "\
[[tag]]\nname = 'switch b2'\nnodes = ['ccd*']\n\
[[tag]]\nname = 'circuit 7'\nnodes = ['ccd01', 'ccd02']\n\
[[group]]\nname = 'dome'\nnodes = ['door*']\n";

/// A site of these nodes, each heard every ten seconds, a little after the other, until 30 s.
fn alive(rules: &str, nodes: &[&str]) -> Site {
    let mut site = Site::new(rules);
    for round in 0..4_u32 {
        for (place, node) in nodes.iter().enumerate() {
            site.sample(f64::from(round) * 10.0 + place as f64 * 0.5, node, &[("cpu_percent", 1.0)]);
        }
    }
    site
}

/// Lets time pass in steps of its timers; the nodes of `alive` go on. Returns what is told, with its time, and how many nodes fell
/// silent.
fn pass(site: &mut Site, from: f64, until: f64, alive: &[&str]) -> (Vec<(f64, String)>, usize) {
    let (mut told, mut fallen) = (Vec::new(), 0);
    let mut clock = from;
    while clock < until {
        let mut updates = site.watch.handle_timeout(site.at(clock));
        for node in alive {
            updates.extend(site.sample(clock, node, &[("cpu_percent", 1.0)]));
        }
        for update in updates {
            match update {
                Update::Silent { node, alone, .. } => {
                    fallen += 1;
                    if alone {
                        told.push((clock, format!("{node} alone")));
                    }
                }
                Update::Back { node, alone: true, .. } => told.push((clock, format!("{node} back alone"))),
                Update::Event(event) => {
                    told.push((clock, format!("{}: {}", event.kind.as_str(), event.text)));
                }
                _ => {}
            }
        }
        clock += 0.5;
    }
    (told, fallen)
}

#[test]
fn a_node_that_falls_silent_alone_is_told_at_once() {
    let mut site = alive(SWITCHES, &["ccd01", "ccd02", "door"]);
    let (told, _) = pass(&mut site, 40.0, 80.0, &["ccd02", "door"]);
    assert_eq!(told, [(61.0, "ccd01 alone".into())]);
}

#[test]
fn nodes_of_a_switch_are_one_message_and_come_back_as_one() {
    let nodes = ["ccd01", "ccd02", "ccd03", "a", "b", "c"];
    let mut site = alive(SWITCHES, &nodes);
    let (told, fallen) = pass(&mut site, 40.0, 80.0, &["a", "b", "c"]);
    assert_eq!(told, [(62.0, "common_silence: switch b2: 3 nodes silent: ccd01, ccd02, ccd03".into())]);
    assert_eq!(fallen, 3, "the levels did not wait");
    let (told, _) = pass(&mut site, 80.0, 110.0, &["a", "b", "c", "ccd01", "ccd03"]);
    assert_eq!(
        told,
        [(
            95.0,
            "common_back: switch b2: 2 nodes are back, 33 s after the silence was told; 1 still silent: ccd02"
                .into()
        )]
    );
    let (told, _) = pass(&mut site, 110.0, 112.0, &["a", "b", "c", "ccd01", "ccd02", "ccd03"]);
    assert_eq!(
        told,
        [(110.0, "common_back: switch b2: 1 node is back, 48 s after the silence was told".into())]
    );
}

#[test]
fn a_group_and_the_moment_are_causes_too() {
    let nodes = ["door1", "door2", "x", "ccd01", "a", "b", "c", "d", "e"];
    let mut site = alive(SWITCHES, &nodes);
    let (told, fallen) = pass(&mut site, 40.0, 80.0, &["a", "b", "c", "d", "e"]);
    assert_eq!(
        told,
        [
            (62.5, "common_silence: 2 nodes silent: ccd01, x".into()),
            (62.5, "common_silence: group dome: 2 nodes silent: door1, door2".into()),
        ]
    );
    assert_eq!(fallen, 4);
}

#[test]
fn when_most_are_silent_the_hub_itself_is_asked() {
    let nodes = ["ccd01", "ccd02", "a", "b", "c"];
    let mut site = alive(SWITCHES, &nodes);
    let (told, fallen) = pass(&mut site, 40.0, 200.0, &["c"]);
    assert_eq!(fallen, 4);
    assert_eq!(
        told,
        [(62.5, "hub_cut_off: 4 of 5 nodes fell silent together: is the hub itself cut off from its network? (a, b, ccd01, ccd02)".into())]
    );
    let (told, fallen) = pass(&mut site, 200.0, 240.0, &[]);
    assert_eq!((told, fallen), (vec![], 1), "no further news while the hub hears nobody");
    let (told, _) = pass(&mut site, 240.0, 241.0, &nodes);
    assert_eq!(
        told,
        [(
            240.0,
            "common_back: the hub hears again: 5 nodes are back, 2 min 57 s after the silence was told"
                .into()
        )]
    );
}

#[test]
fn a_hub_that_stood_still_blames_nobody() {
    let mut site = alive("", &["a", "b"]);
    let paused = site.watch.handle_pause(site.at(100.0), Duration::from_secs(65));
    assert_eq!(
        events(&paused),
        ["hub_paused: the hub stood still for 65 s: nodes have an interval to be heard again"]
    );
    assert_eq!(site.watch.handle_timeout(site.at(100.0)), []);
    site.sample(105.0, "a", &[("cpu_percent", 1.0)]);
    let (told, fallen) = pass(&mut site, 105.5, 120.0, &["a"]);
    assert_eq!((told, fallen), (vec![(111.0, "b alone".into())], 1));
}

#[test]
fn clocks_that_are_off_together_are_the_hubs() {
    let mut site = Site::new("");
    let mut told = Vec::new();
    for (at, common, own) in [
        (0.0, 0.0, 0.0),
        (10.0, 3.0, 0.0),
        (20.0, 3.0, 0.0),
        (30.0, 3.0, 12.0),
        (40.0, 3.0, 12.0),
        (50.0, 0.0, 0.0),
    ] {
        for (place, node) in ["a", "b", "c", "d"].iter().enumerate() {
            let own = if place == 3 { own } else { 0.0 };
            let updates = site.sample(at + place as f64 * 1.5, node, &[("clock_offset", common + own)]);
            told.extend(events(&updates));
            told.extend(changes(&updates).into_iter().map(|change| format!("{node} {change}")));
        }
    }
    assert_eq!(
        told,
        [
            "hub_clock_suspected: the clocks of 3 of 4 nodes are off by the same 3.0 s: the hub's own is suspected, and theirs are judged by each other",
            "d clock_offset 15 s beyond 10 s: error",
            "hub_clock_trusted: the hub's own clock is no longer suspected",
            "d clock_offset 0 s is good again after 10 s in error"
        ]
    );
}

proptest! {
    /// Whoever comes and goes: of each silence somebody is told, by itself or with others, and timers never pile up.
    #[test]
    fn every_silence_is_told(steps in proptest::collection::vec((0..8_usize, 0.1..30.0_f64), 1..60)) {
        let names = ["ccd01", "ccd02", "ccd03", "door1", "door2", "x", "y", "z"];
        let mut site = Site::new(SWITCHES);
        let mut clock = 0.0;
        let (mut untold, mut cut_off) = (BTreeSet::new(), false);
        for (node, wait) in steps.into_iter().chain([(0, 200.0), (0, 20.0), (0, 20.0)]) {
            clock += wait;
            for update in site.watch.handle_timeout(site.at(clock)) {
                match update {
                    // What joins the hub's own silence is told by that.
                    Update::Silent { node, alone: false, .. } if !cut_off => drop(untold.insert(node.to_string())),
                    Update::Event(event) if event.kind != EventKind::CommonBack => {
                        cut_off |= event.kind == EventKind::HubCutOff;
                        untold.retain(|node| !event.text.contains(node.as_str()));
                    }
                    _ => {}
                }
            }
            for update in site.sample(clock, names[node], &[("cpu_percent", 1.0)]) {
                if let Update::Back { node, .. } = update {
                    cut_off = false;
                    untold.remove(node.as_str());
                }
            }
        }
        prop_assert!(untold.is_empty(), "{untold:?}");
    }
}
