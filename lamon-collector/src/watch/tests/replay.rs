//! A stretch of samples, told twice, makes the same updates; whatever the wall clock does, silence does not mind.

use super::*;

const RULES: &str = "\
[[rule]]\nmetrics = ['load1']\nwarning = 5\nerror = 9\nclear = 1\nfor = '2 of 3'\n\
[[rule]]\nmetrics = ['disk_*_percent']\nwarning = 80\nerror = 90\nand = { metric = 'disk_*_free', below = '20 GB' }\n\
[[rule]]\nnodes = ['n1']\nmetrics = ['memory_percent']\nrate = '10m'\nwarning = 20\n\
[[group]]\nname = 'odd'\nnodes = ['n1', 'n3']\n";

/// One step of a stretch: after so long a node sends such a sample, or the phase changes.
type Step = (f64, u8, [f64; 4], bool);

fn step() -> impl Strategy<Value = Step> {
    (0.0..40.0_f64, 0..6_u8, [0.0..12.0_f64, 60.0..100.0, 0.0..40e9, 0.0..100.0], any::<bool>())
}

/// Everything that the watch said, in words.
fn told(steps: &[Step], start: Instant, wall_ms: impl Fn(usize) -> i64) -> Vec<String> {
    let mut site = Site::new(RULES);
    site.start = start;
    let (mut clock, mut said) = (0.0, Vec::new());
    for (number, (wait, node, [load, disk, free, memory], with_disk)) in steps.iter().enumerate() {
        clock += wait;
        let now = Now { unix_ms: wall_ms(number), ..site.at(clock) };
        let mut updates = site.watch.handle_timeout(now);
        if *node == 5 {
            updates.extend(site.watch.handle_phase(now, if *with_disk { Phase::Night } else { Phase::Day }));
        } else {
            let mut metrics = vec![("load1", *load), ("memory_percent", *memory)];
            if *with_disk {
                metrics.extend([("disk_home_percent", *disk), ("disk_home_free", *free)]);
            }
            let sample = site.made(0.0, &format!("n{node}"), number as u64 + 1, &metrics);
            updates.extend(site.watch.handle_sample(now, &Arc::new(sample)).unwrap());
        }
        said.extend(updates.iter().map(|update| format!("{update:?}")));
    }
    said
}

proptest! {
    #[test]
    fn the_same_stretch_makes_the_same_updates(steps in proptest::collection::vec(step(), 1..80)) {
        let start = Instant::now();
        let first = told(&steps, start, |_| 1_795_000_000_000);
        prop_assert_eq!(&first, &told(&steps, start, |_| 1_795_000_000_000));
        // A wall clock that is set to and fro judges nothing.
        prop_assert_eq!(&first, &told(&steps, start, |number| if number % 2 == 0 { 0 } else { 4_000_000_000_000 }));
    }
}
