//! Copies of SQLite files while they are written to.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use lamon_store::{Journal, JournalOptions, JournalReader, Sample, backup};

use crate::common::samples;

fn everything(path: &std::path::Path) -> Vec<Sample> {
    let rows = JournalReader::open(path).unwrap().read_after(0, usize::MAX >> 1).unwrap();
    rows.into_iter().map(|(_, sample)| sample).collect()
}

#[test]
fn a_copy_made_under_load_is_whole_and_of_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let [path, to] = ["journal.db", "copy.db"].map(|name| folder.path().join(name));
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    // Every commit has ten samples of each of two nodes.
    let mut commit = |number: u64| {
        let batch = number * 10 + 1..number * 10 + 11;
        let both = [samples("a", batch.clone()), samples("b", batch)].concat();
        journal.append(&both).unwrap();
    };
    (0..500).for_each(&mut commit);
    let done = AtomicBool::new(false);
    let commits = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut number = 500;
            while !done.load(Relaxed) {
                commit(number);
                number += 1;
            }
            number
        });
        backup::copy(&path, &to).unwrap();
        done.store(true, Relaxed);
        writer.join().unwrap()
    });
    let copied = everything(&to);
    let last = u64::try_from(copied.len()).unwrap() / 20;
    assert!((500..=commits).contains(&last), "{last} of {commits} commits");
    assert_eq!(copied, everything(&path)[..copied.len()], "whole commits, in order");
    assert_eq!(copied.len() % 20, 0);
    // A hub starts on it, and goes on where the copy ends.
    let (mut again, _) = Journal::open(&to, JournalOptions::default()).unwrap();
    assert_eq!(again.committed("a", 1), Some(last * 10));
    assert_eq!(again.append(&samples("a", last * 10..last * 10 + 2)).unwrap().stored, 1);
    assert_eq!(backup::copy_bytes(&to).unwrap() % 4_096, 0);
    let error = backup::copy(&folder.path().join("nothing.db"), &folder.path().join("x")).unwrap_err();
    assert!(error.to_string().contains("nothing.db cannot be read"), "{error}");
}
