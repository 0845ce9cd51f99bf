//! `for`: whatever values come, no level rises before its condition has held as long as its rule wants.

use super::*;

/// Good, past warning, past error; none between a limit and its margin, where a level that was there already stays.
const LOADS: [f64; 3] = [1.0, 6.0, 10.0];

fn rule(hold: &str) -> Site {
    Site::new(&format!("[[rule]]\nmetrics = ['load1']\nwarning = 5\nerror = 9\nclear = 1\nfor = '{hold}'"))
}

/// Sends the samples, and returns after each the level before, the level then, and all that was sent.
fn rises(mut site: Site, steps: &[(usize, f64)], mut each: impl FnMut(Level, &[(f64, f64)])) {
    let (mut clock, mut sent, mut before) = (0.0, Vec::new(), Level::Good);
    for (load, wait) in steps {
        clock += wait;
        sent.push((clock, LOADS[*load]));
        site.sample(clock, "a", &[("load1", LOADS[*load])]);
        let level = site.level("a");
        if level > before {
            each(level, &sent);
        }
        before = level;
    }
}

fn limit(level: Level) -> f64 {
    if level == Level::Error { 9.0 } else { 5.0 }
}

proptest! {
    // No wait is so long that the node is silent: that begins counting anew.
    #[test]
    fn no_level_rises_before_its_time(steps in proptest::collection::vec((0..3_usize, 1.0..25.0_f64), 1..150)) {
        let mut early = None;
        rises(rule("30s"), &steps, |level, sent| {
            let now = sent.last().unwrap().0;
            let since = sent.iter().rev().take_while(|(_, load)| *load >= limit(level)).last();
            if since.is_none_or(|(since, _)| now - since < 30.0 - 1e-6) {
                early = Some((level, sent.to_vec()));
            }
        });
        prop_assert_eq!(early, None);
    }

    #[test]
    fn no_level_rises_before_so_many_samples(steps in proptest::collection::vec((0..3_usize, 1.0..25.0_f64), 1..150)) {
        let mut early = None;
        rises(rule("2 of 3"), &steps, |level, sent| {
            let last = sent.iter().rev().take(3);
            if last.filter(|(_, load)| *load >= limit(level)).count() < 2 {
                early = Some((level, sent.to_vec()));
            }
        });
        prop_assert_eq!(early, None);
    }
}

#[test]
fn levels_do_rise_when_it_held() {
    let mut seen = Vec::new();
    let steps: Vec<_> = [1, 1, 1, 1, 2, 2, 2, 2].map(|load| (load, 12.0)).into();
    rises(rule("30s"), &steps, |level, sent| seen.push((level, sent.len())));
    assert_eq!(seen, [(Level::Warning, 4), (Level::Error, 8)]);
}
