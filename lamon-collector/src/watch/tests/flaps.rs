//! Levels that flip.

use super::*;

#[test]
fn a_level_that_flips_is_told_once_and_held_at_its_worst() {
    let mut site = Site::new("");
    let (mut told, mut said) = (Vec::new(), 0);
    for step in 0..40_u32 {
        let percent = if step % 2 == 0 { 50.0 } else { 95.0 };
        let updates = site.sample(f64::from(step) * 10.0, "a", &[("disk_percent", percent)]);
        told.extend(events(&updates));
        said += changes(&updates).len();
    }
    assert_eq!(
        told,
        [
            "flapping: a disk_percent changed its level more than 6 times in 10 minutes: held at error until it is steady"
        ]
    );
    assert_eq!((said, site.level("a"), site.metric("a", "disk_percent").flapping()), (7, Level::Error, true));
    for step in 0..61_u32 {
        let updates = site.sample(410.0 + f64::from(step) * 10.0, "a", &[("disk_percent", 50.0)]);
        told.extend(events(&updates));
    }
    assert_eq!(told.last().unwrap(), "steady: a disk_percent is steady again: good");
    assert_eq!(site.level("a"), Level::Good);
}

proptest! {
    /// Flapping never hides an error: what is judged is shown, or something worse.
    #[test]
    fn flapping_hides_nothing(steps in proptest::collection::vec((0..3_usize, 1.0..120.0_f64), 1..120)) {
        let (mut plain, mut site) = (Level::Good, Site::new(""));
        let limits = Limits { direction: Direction::Above, warning: Some(80.0), error: Some(90.0), clear: 2.0 };
        let mut clock = 0.0;
        for (value, wait) in steps {
            clock += wait;
            let value = [50.0, 85.0, 95.0][value];
            plain = limits.judge(value, plain);
            site.sample(clock, "a", &[("disk_percent", value)]);
            prop_assert!(site.level("a") >= plain);
            prop_assert!(site.level("a") == plain || site.metric("a", "disk_percent").flapping());
        }
    }
}
