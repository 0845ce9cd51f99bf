//! What leaves the journal, and when: by its archives, by age, and never by a clock that jumped.

use std::time::Duration;

use crate::common::{T0, sample, samples};
use crate::journal::{everything, folder, open};

#[test]
fn only_what_every_archive_has_and_what_is_old_is_pruned() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    journal.use_archives(&["a", "b"]).unwrap();
    let first = journal.last_position() + 1;
    journal.append(&samples("ccd01", 0..100)).unwrap();
    let hour = Duration::from_secs(3_600);
    let long_after = T0 + 86_400_000;

    let nothing = journal.prune(hour, long_after).unwrap();
    assert_eq!((nothing.rows, nothing.more), (0, false), "no archive has anything");
    journal.set_cursor("a", first + 99).unwrap();
    journal.set_cursor("b", first + 49).unwrap();
    journal.set_cursor("b", first + 9).unwrap();
    assert_eq!(journal.cursor("b"), Some(first + 49), "a cursor never goes back");
    assert_eq!(journal.prune(hour, T0 + 3_600_000).unwrap().rows, 0, "none is old");
    assert_eq!(journal.prune(hour, T0 + 3_600_000 + 200_000).unwrap().rows, 20, "one each ten seconds");
    assert_eq!(journal.prune(hour, long_after).unwrap().rows, 30, "up to the slower cursor");
    journal.use_archives(&["a"]).unwrap();
    assert_eq!(journal.cursor("b"), None);
    assert_eq!(journal.prune(hour, long_after).unwrap().rows, 49, "all but the newest");
    assert_eq!(everything(&path), [sample("ccd01", 1, 99)]);
    drop(journal);
    let (mut journal, _) = open(&path);
    assert_eq!(
        journal.append(&[sample("ccd01", 1, 100)]).unwrap().position,
        first + 100,
        "no position twice"
    );
}

#[test]
fn nothing_is_pruned_by_a_clock_that_jumped_and_restarts_do_not_change_that() {
    let (_folder, path) = folder();
    let day = 86_400_000;
    let minute = Duration::from_secs(60);
    let keep = Duration::from_secs(3 * 86_400);
    let ten_years_on = T0 + 3_650 * day;
    {
        let (mut journal, _) = open(&path);
        journal.use_archives(&["a"]).unwrap();
        let mut clock = journal.age_clock(T0);
        let last = journal.append(&samples("ccd01", 0..100)).unwrap().position;
        journal.set_cursor("a", last).unwrap();
        journal.set_age_clock({
            clock.read(T0 + 60_000, minute);
            clock
        });
        assert_eq!(journal.prune(keep, T0 + 60_000).unwrap().rows, 0);
    }
    for start in 0..3 {
        let (mut journal, _) = open(&path);
        let mut clock = journal.age_clock(ten_years_on);
        let present = clock.read(ten_years_on + start * day / 2, minute);
        journal.set_age_clock(clock);
        assert_eq!(journal.prune(keep, present).unwrap().rows, 0);
        assert_eq!(everything(&path).len(), 100);
    }
    // Put right, days pass as they should.
    let (mut journal, _) = open(&path);
    let mut clock = journal.age_clock(T0);
    let mut pruned = 0;
    for day_after in 1..=4 {
        let present = clock.read(T0 + day_after * day, Duration::from_secs(86_400));
        pruned += journal.prune(keep, present).unwrap().rows;
    }
    assert_eq!(pruned, 99);
}

#[test]
fn a_journal_of_an_older_program_believes_its_newest_row() {
    let (_folder, path) = folder();
    let mut journal = open(&path).0;
    journal.append(&samples("ccd01", 0..10)).unwrap();
    drop(journal);
    let newest = T0 + 90_000;
    assert_eq!(open(&path).0.age_clock(newest + 1).believed_ms(), newest);
}

#[test]
fn rows_from_the_future_do_not_stop_pruning() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    let mut ahead = samples("a", 0..1_500);
    for sample in &mut ahead {
        sample.time_ms += 1_000_000_000_000;
    }
    journal.append(&ahead).unwrap();
    journal.append(&samples("b", 0..1_500)).unwrap();
    let mut rows = 0;
    loop {
        let step = journal.prune(Duration::ZERO, T0 + 100_000_000).unwrap();
        assert!(step.rows <= 1_000, "small steps");
        rows += step.rows;
        if !step.more {
            break;
        }
    }
    assert_eq!(rows, 1_499);
    assert_eq!(everything(&path).len(), 1_501);
}
