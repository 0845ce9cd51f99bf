//! Whatever happens, every gate stands as a plain reading of its sentence says.

use super::*;

const NODES: [&str; 4] = ["ccd01", "ccd02", "door", "lamp"];

/// The gates of the model, in plain words: for whom, how many, how unwell, whether silence counts, whether it only tells.
struct Plain {
    name: &'static str,
    wants: fn(&str) -> bool,
    metrics: &'static [&'static str],
    count: usize,
    level: Level,
    silent: bool,
    shadow: bool,
}

const PLAIN: [Plain; 4] = [
    Plain {
        name: "any",
        wants: |_| true,
        metrics: &[],
        count: 1,
        level: Level::Error,
        silent: true,
        shadow: false,
    },
    Plain {
        name: "two",
        wants: |node| node.starts_with("ccd"),
        metrics: &[],
        count: 2,
        level: Level::Warning,
        silent: true,
        shadow: false,
    },
    Plain {
        name: "disk",
        wants: |node| node == "ccd02" || node == "door",
        metrics: &["disk_percent"],
        count: 1,
        level: Level::Warning,
        silent: false,
        shadow: false,
    },
    Plain {
        name: "shade",
        wants: |_| true,
        metrics: &["memory_percent"],
        count: 1,
        level: Level::Error,
        silent: true,
        shadow: true,
    },
];

const TABLES: &str = "\
[[group]]\nname = 'ccd'\nnodes = ['ccd*']\n\
[[rule]]\nmetrics = ['disk_percent']\nwarning = 80\nerror = 90\nclear = 2\nfor = '2 of 3'\nnodes = ['ccd01']\n\
[[gate]]\nname = 'any'\nnodes = ['*']\nblock = ['exposure']\n\
[[gate]]\nname = 'two'\nnodes = ['@ccd']\ncount = 2\nlevel = 'warning'\nbad_weather = true\n\
[[gate]]\nname = 'disk'\nnodes = ['ccd02', 'do*']\nmetrics = ['disk_percent']\nlevel = 'warning'\nsilent = false\nstop = true\n\
[[gate]]\nname = 'shade'\nnodes = ['*']\nmetrics = ['memory_percent']\nblock = ['readout']\nshadow = true\n";

#[derive(Debug, Clone)]
enum Step {
    Sample(usize, f64, f64),
    LateSample(usize, f64),
    Nothing,
    Mute(usize, u64),
    Unmute(usize),
    Acknowledge(usize),
    Forget(usize),
    Override(usize, u64),
    Release(usize),
    Reload(bool),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0..NODES.len();
    prop_oneof![
        8 => (node.clone(), 60.0..100.0_f64, 60.0..100.0_f64).prop_map(|(node, disk, memory)| Step::Sample(node, disk, memory)),
        1 => (node.clone(), 60.0..100.0_f64).prop_map(|(node, disk)| Step::LateSample(node, disk)),
        2 => Just(Step::Nothing),
        1 => (node.clone(), 1..100_u64).prop_map(|(node, seconds)| Step::Mute(node, seconds)),
        1 => node.clone().prop_map(Step::Unmute),
        1 => node.clone().prop_map(Step::Acknowledge),
        1 => node.prop_map(Step::Forget),
        1 => (0..PLAIN.len(), 1..100_u64).prop_map(|(gate, seconds)| Step::Override(gate, seconds)),
        1 => (0..PLAIN.len()).prop_map(Step::Release),
        1 => any::<bool>().prop_map(Step::Reload),
        1 => Just(Step::Restart),
    ]
}

/// What the test knows by itself: until when each gate is overridden, and how long it was closed and would have been.
#[derive(Default)]
struct Known {
    until: [Option<u64>; 4],
    closed: [u64; 4],
    would: [u64; 4],
}

fn expected(site: &Site, known: &Known, place: usize, clock: u64) -> Position {
    let Plain { wants, metrics, count, level, silent, shadow, .. } = PLAIN[place];
    let counts = site.watch.nodes().filter(|node| {
        let unwell = node.metrics.iter().any(|metric| {
            metric.level >= level && (metrics.is_empty() || metrics.contains(&metric.name.as_str()))
        });
        !node.muted && wants(node.name.as_str()) && (unwell || (silent && node.silent))
    });
    let overridden = known.until[place].is_some_and(|until| until > clock);
    match (counts.count() >= count, shadow || overridden) {
        (false, _) => Position::Open,
        (true, false) => Position::Closed,
        (true, true) => Position::WouldClose,
    }
}

/// Does a step, and returns what was told of gates.
fn perform(site: &mut Site, known: &mut Known, clock: u64, step: &Step) -> Vec<String> {
    let now = site.at(clock);
    match *step {
        Step::Sample(node, disk, memory) => {
            site.sample(clock, NODES[node], &[("disk_percent", disk), ("memory_percent", memory)])
        }
        Step::LateSample(node, disk) => {
            site.late_sample(clock, NODES[node], &[("disk_percent", disk)], Duration::from_secs(99))
        }
        Step::Nothing => Vec::new(),
        Step::Mute(node, seconds) => site.mute(clock, NODES[node], seconds),
        Step::Unmute(node) => {
            let updates =
                site.watch.unmute(now, NODES[node], "li").map_or_else(|_| Vec::new(), |(_, updates)| updates);
            site.told(clock, &updates)
        }
        Step::Acknowledge(node) => {
            let updates =
                site.watch.acknowledge(now, NODES[node], None, None, "known", "li").unwrap_or_default();
            site.told(clock, &updates)
        }
        Step::Forget(node) => {
            let updates = site.watch.forget(NODES[node], "li").unwrap_or_default();
            site.told(clock, &updates)
        }
        Step::Override(gate, seconds) => {
            known.until[gate] = Some(clock + seconds);
            let updates = site.gates.override_gate(now, PLAIN[gate].name, seconds, "x", "li").unwrap();
            words(&updates)
        }
        Step::Release(gate) => {
            let held = known.until[gate].take().is_some_and(|until| until > clock);
            let released = site.gates.release(now, PLAIN[gate].name, "li");
            assert_eq!(released.is_ok(), held, "an override is there until its end");
            words(&released.unwrap_or_default())
        }
        Step::Reload(strict) => {
            let limit = if strict { "error = 90" } else { "error = 99" };
            let File { rule, group, gate } = File::read(&TABLES.replace("error = 90", limit));
            let updates = site.watch.reload(now, Rules::new(rule), Groups::new(group));
            let mut told = words(&site.gates.reload(now, &site.watch, gate));
            let more = site.told(clock, &updates);
            assert!(more.is_empty(), "a reload tells all by itself: {more:?}");
            told.extend(more);
            told
        }
        Step::Restart => {
            let (after, told) = site.restarted(clock, TABLES);
            *site = after;
            (known.closed, known.would) = Default::default();
            told
        }
    }
}

proptest! {
    // Rules have many globs, and each case makes some watches.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_gate_stands_as_its_sentence_says(steps in proptest::collection::vec((0..25_u64, step()), 1..80)) {
        let mut site = Site::new(TABLES);
        let (mut known, mut clock) = (Known::default(), 0);
        let mut before = [Position::Open; 4];
        for (wait, step) in steps {
            clock += wait;
            for (place, position) in before.iter().enumerate() {
                match position {
                    Position::Open => {}
                    Position::Closed => known.closed[place] += wait,
                    Position::WouldClose => known.would[place] += wait,
                }
            }
            let mut told = site.timers(clock);
            let restart = matches!(step, Step::Restart);
            told.extend(perform(&mut site, &mut known, clock, &step));
            for (place, Plain { name, .. }) in PLAIN.iter().enumerate() {
                let standing = site.standing(name);
                prop_assert_eq!(standing.position(), expected(&site, &known, place, clock), "{} after {:?}", name, step);
                let muted = standing.nodes().any(|node| site.watch.node(node).is_none_or(|node| node.muted));
                prop_assert!(!muted, "a muted node counts for {}", name);
                let now = site.at(clock);
                prop_assert_eq!(standing.closed(now).total.as_secs(), known.closed[place]);
                prop_assert_eq!(standing.would_have_closed(now).total.as_secs(), known.would[place]);
                // What is told of the gate leads from how it stood to how it stands.
                let (mut position, about) = (if restart { Position::Open } else { before[place] }, format!(": gate {name} "));
                for line in told.iter().filter(|line| line.contains(&about)) {
                    let (from, to) = match line.split_once(':').unwrap().0 {
                        "gate_closed" => (Position::Open, Position::Closed),
                        "gate_opened" => (Position::Closed, Position::Open),
                        "gate_would_close" => (Position::Open, Position::WouldClose),
                        "gate_would_open" => (Position::WouldClose, Position::Open),
                        _ => continue,
                    };
                    if !restart {
                        prop_assert_eq!(position, from, "{}: {:?}", line, told);
                    }
                    position = to;
                }
                prop_assert_eq!(position, standing.position(), "{}: {:?}", name, told);
                before[place] = standing.position();
            }
            prop_assert!(site.gates.next_timeout().is_none_or(|next| next > site.at(clock).monotonic));
        }
    }
}
