//! The journal on real files: what survives a restart, a damaged file, a torn tail, a full disk.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::common::{T0, bits, sample, samples};
use diesel::{Connection, RunQueryDsl, SqliteConnection, sql_query};
use lamon_store::{
    Journal, JournalOptions, JournalReader, Sample,
    journal::{AppendError, Committed, Counts, Durability, NodeAccount, OpenError, Opened},
    registers::Event,
};
use tempfile::TempDir;

pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    (folder, path)
}

pub(crate) fn open(path: &Path) -> (Journal, Opened) {
    Journal::open(path, JournalOptions::default()).unwrap()
}

pub(crate) fn everything(path: &Path) -> Vec<Sample> {
    let rows = JournalReader::open(path).unwrap().read_after(0, 1_000_000).unwrap();
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "positions rise");
    rows.into_iter().map(|(_, sample)| sample).collect()
}

#[test]
fn what_is_appended_is_there_after_a_restart() {
    let (_folder, path) = folder();
    let written = samples("ccd01", 1..11);
    {
        let (mut journal, opened) = open(&path);
        assert_eq!(opened, Opened::Fresh);
        assert_eq!(journal.committed("ccd01", 1), None);
        let committed = journal.append(&written).unwrap();
        assert_eq!((committed.stored, committed.duplicates), (10, 0));
        assert_eq!(committed.position, journal.last_position());
    }
    let (mut journal, opened) = open(&path);
    assert_eq!(opened, Opened::Existing);
    assert_eq!(journal.committed("ccd01", 1), Some(10));
    assert_eq!(journal.committed("ccd01", 2), None);
    let read = everything(&path);
    assert_eq!(read.iter().map(bits).collect::<Vec<_>>(), written.iter().map(bits).collect::<Vec<_>>());
    let before = journal.last_position();
    let again = journal.append(&samples("ccd01", 5..13)).unwrap();
    assert_eq!(again, Committed { stored: 2, duplicates: 6, position: before + 2 });
    assert_eq!(everything(&path).len(), 12);
}

#[test]
fn sequence_numbers_of_any_size_are_kept() {
    let (_folder, path) = folder();
    let written = [sample("a", u32::MAX, u64::MAX - 1), sample("a", u32::MAX, u64::MAX)];
    open(&path).0.append(&written).unwrap();
    let (mut journal, _) = open(&path);
    assert_eq!(journal.committed("a", u32::MAX), Some(u64::MAX));
    assert_eq!(journal.append(&written).unwrap().duplicates, 2);
    assert_eq!(everything(&path).iter().map(bits).collect::<Vec<_>>(), written.map(|s| bits(&s)));
}

#[test]
fn one_process_owns_a_journal() {
    let (_folder, path) = folder();
    let (journal, _) = open(&path);
    assert!(matches!(Journal::open(&path, JournalOptions::default()), Err(OpenError::InUse { .. })));
    drop(journal);
    assert_eq!(open(&path).1, Opened::Existing);
}

#[test]
fn a_damaged_file_is_moved_aside_and_a_new_one_begun() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 5] = [
        ("no database at all", |bytes| bytes.fill(b'x')),
        ("a broken header", |bytes| bytes[20..60].fill(0xff)),
        ("a broken page", |bytes| {
            let middle = bytes.len() / 2 / 4_096 * 4_096;
            bytes[middle..middle + 4_096].fill(0xa5);
        }),
        ("a cut file", |bytes| bytes.truncate(bytes.len() / 2)),
        ("only its beginning", |bytes| bytes.truncate(50)),
    ];
    for (what, damage) in damages {
        let (_folder, path) = folder();
        open(&path).0.append(&samples("ccd01", 1..2_000)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();

        let (mut journal, opened) = open(&path);
        let Opened::MovedAside { to, reason } = opened else { panic!("{what}: {opened:?}") };
        assert!(!reason.is_empty());
        assert!(to.file_name().unwrap().to_str().unwrap().starts_with("journal.db.damaged-"), "{to:?}");
        assert_eq!(fs::read(&to).unwrap(), bytes, "{what}: nothing is lost for whoever repairs it");
        assert_eq!(journal.append(&samples("ccd01", 5..8)).unwrap().stored, 3, "{what}");
        drop(journal);
        assert_eq!(open(&path).1, Opened::Existing, "{what}");
        assert_eq!(everything(&path).len(), 3);
    }
}

#[test]
fn a_torn_tail_costs_only_what_was_not_acknowledged() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    for batch in 0..20 {
        journal.append(&samples("ccd01", batch * 10 + 1..batch * 10 + 11)).unwrap();
    }
    // The journal is still open: its files are as a power cut leaves them.
    let database = fs::read(&path).unwrap();
    let log = fs::read(path.with_file_name("journal.db-wal")).unwrap();
    assert!(log.len() > 40_000);
    let mut last = 0;
    for cut in [0, 10, 4_000, log.len() / 3, log.len() / 2, log.len() - 1, log.len()] {
        let (_crashed, copy) = folder();
        fs::write(&copy, &database).unwrap();
        fs::write(copy.with_file_name("journal.db-wal"), &log[..cut]).unwrap();
        let (mut journal, opened) = open(&copy);
        assert!(!matches!(opened, Opened::MovedAside { .. }), "{opened:?}");
        let there = u64::try_from(everything(&copy).len()).unwrap();
        assert_eq!(there % 10, 0, "whole batches only");
        assert!(there >= last);
        last = there;
        assert_eq!(journal.committed("ccd01", 1).unwrap_or(0), there);
        let rest = journal.append(&samples("ccd01", 1..201)).unwrap();
        assert_eq!(rest.stored as u64, 200 - there);
    }
    assert_eq!(last, 200);
}

#[test]
fn moved_aside_at_work_it_keeps_what_is_committed_and_positions_rise() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    journal.use_archives(&["sqlite:a", "mysql:b"]).unwrap();
    let old = journal.append(&samples("ccd01", 1..101)).unwrap().position;
    journal.set_cursor("sqlite:a", old).unwrap();
    let mut reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.read_after(0, 1_000).unwrap().len(), 100);

    let to = journal.move_aside().unwrap();
    assert_eq!(everything(&to).len(), 100, "the old file can still be read");
    assert_eq!(journal.committed("ccd01", 1), Some(100));
    assert_eq!(journal.cursor("mysql:b"), Some(0));
    let new = journal.append(&samples("ccd01", 90..111)).unwrap();
    assert_eq!((new.stored, new.duplicates), (10, 11));

    // A forwarder that still has a position of the old file loses nothing.
    let rows = reader.read_after(old, 1_000).unwrap();
    assert_eq!(rows.iter().map(|(_, s)| s.sequence).collect::<Vec<_>>(), (101..111).collect::<Vec<_>>());
    assert_eq!(reader.backlog(old).unwrap().rows, 10);
    journal.set_cursor("sqlite:a", old).unwrap();
    journal.flush().unwrap();
    drop(journal);
    let (journal, _) = open(&path);
    assert_eq!(journal.committed("ccd01", 1), Some(110));
    assert_eq!(journal.cursor("sqlite:a"), Some(old));
}

#[test]
fn accounts_outlive_a_restart_and_a_file_that_was_moved_aside() {
    let (_keep, path) = folder();
    let (mut journal, _) = open(&path);
    let counts = |taken, stored, lost| Counts { taken, stored, lost };
    let account = |node: &str, epoch, taken| NodeAccount {
        node: node.into(),
        epoch,
        present: counts(taken, 2, 1),
        past: counts(u64::MAX, 5, 6),
    };
    journal.save_accounts(&[account("a", 1, 3), account("b", u32::MAX, 4)]).unwrap();
    journal.save_accounts(&[account("a", 2, 5)]).unwrap();
    let expected = [account("a", 2, 5), account("b", u32::MAX, 4)];
    drop(journal);
    let (mut journal, _) = open(&path);
    assert_eq!(journal.accounts(), expected);
    journal.move_aside().unwrap();
    drop(journal);
    assert_eq!(open(&path).0.accounts(), expected);
}

#[test]
fn a_file_taken_away_under_a_fault_does_not_lose_what_is_known() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    journal.use_archives(&["a"]).unwrap();
    let position = journal.append(&samples("ccd01", 1..11)).unwrap().position;
    // A fault closes the file; meanwhile somebody removes it.
    journal.set_cursor("a", position + 5).unwrap_err();
    for suffix in ["", "-wal", "-shm"] {
        let _maybe = fs::remove_file(path.with_file_name(format!("journal.db{suffix}")));
    }
    assert_eq!(journal.append(&samples("ccd01", 1..12)).unwrap().stored, 1);
    assert_eq!(journal.cursor("a"), Some(0));
}

#[test]
fn damage_found_at_work_is_told_apart_and_moving_aside_cures_it() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    journal.use_archives(&["a"]).unwrap();
    let position = journal.append(&samples("ccd01", 1..2_001)).unwrap().position;
    // Closes the file, so that what is done to it now is seen at the next use.
    journal.set_cursor("a", position + 5).unwrap_err();
    fs::write(&path, [b'x'; 20_000]).unwrap();
    let next = samples("ccd01", 2_000..2_003);
    for _ in 0..2 {
        let error = journal.append(&next).unwrap_err();
        assert!(matches!(error, AppendError::Damaged(_)), "{error:?}");
    }
    let to = journal.move_aside().unwrap();
    assert_eq!(fs::read(to).unwrap(), [b'x'; 20_000]);
    let committed = journal.append(&next).unwrap();
    assert_eq!((committed.stored, committed.duplicates), (2, 1));
    assert!(committed.position > position);
}

#[test]
fn a_journal_of_its_largest_size_says_so_and_goes_on_when_there_is_room() {
    let (_folder, path) = folder();
    let options = JournalOptions { durability: Durability::Normal, max_bytes: Some(256 << 10) };
    let (mut journal, _) = Journal::open(&path, options).unwrap();
    journal.use_archives(&["a"]).unwrap();
    let mut next = 1;
    let error = loop {
        match journal.append(&samples("ccd01", next..next + 100)) {
            Ok(committed) => {
                assert_eq!(committed.stored, 100);
                next += 100;
            }
            Err(error) => break error,
        }
        assert!(next < 100_000, "256 KiB cannot hold that much");
    };
    assert!(matches!(error, AppendError::DiskFull), "{error:?}");
    assert!(next > 500, "it had room for some");
    assert_eq!(journal.committed("ccd01", 1), Some(next - 1), "nothing of the failed batch");
    assert_eq!(everything(&path).len() as u64, next - 1);
    assert!(matches!(journal.append(&samples("ccd01", next..next + 100)), Err(AppendError::DiskFull)));

    journal.set_cursor("a", journal.last_position()).unwrap();
    while journal.prune(Duration::ZERO, i64::MAX).unwrap().more {}
    assert_eq!(journal.append(&samples("ccd01", next..next + 100)).unwrap().stored, 100);
    assert_eq!(everything(&path).len(), 101, "the newest of before, and the new ones");
}

/// Unmounts when the test ends, however it ends.
struct Tmpfs(PathBuf);

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_says_so_and_all_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
        .arg(folder.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        println!("not allowed to mount a small disk: only the journal's own limit is tested");
        return;
    }
    let disk = Tmpfs(folder.path().to_owned());
    let ballast = disk.0.join("ballast");
    let path = disk.0.join("journal.db");
    let (mut journal, _) = open(&path);
    journal.append(&samples("ccd01", 1..101)).unwrap();

    fill(&ballast);
    let mut next = 101;
    let error = loop {
        match journal.append(&samples("ccd01", next..next + 100)) {
            Ok(_) => next += 100,
            Err(error) => break error,
        }
        assert!(next < 100_000);
    };
    assert!(matches!(error, AppendError::DiskFull), "{error:?}");
    drop(journal);
    // Starting on a full disk neither throws the journal away nor succeeds by half.
    let started = Journal::open(&path, JournalOptions::default());
    assert!(!matches!(started, Ok((_, Opened::MovedAside { .. }))), "{started:?}");
    drop(started);

    fs::remove_file(&ballast).unwrap();
    let (mut journal, opened) = open(&path);
    assert_eq!(opened, Opened::Existing);
    assert_eq!(journal.committed("ccd01", 1), Some(next - 1));
    assert_eq!(journal.append(&samples("ccd01", next..next + 100)).unwrap().stored, 100);
    assert_eq!(everything(&path).len() as u64, next + 99);

    // Full while at work, and room again, without a restart.
    fill(&ballast);
    while journal.append(&samples("ccd01", next..next + 400)).is_ok() {
        next += 400;
        assert!(next < 100_000);
    }
    fs::remove_file(&ballast).unwrap();
    journal.append(&samples("ccd01", 1..next + 400)).unwrap();
    assert_eq!(everything(&path).len() as u64, next + 399);
}

/// Takes all room that is left.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = fs::File::create(path).unwrap();
    while file.write_all(&[0; 4_096]).is_ok() {}
}

#[test]
fn places_that_cannot_hold_a_journal_are_errors_and_nothing_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("missing/journal.db");
    let error = Journal::open(&nowhere, JournalOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
    let error = Journal::open(folder.path(), JournalOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
    assert!(folder.path().is_dir());
}

#[test]
fn a_newer_journal_is_refused_and_left_alone() {
    let (folder, path) = folder();
    open(&path).0.append(&samples("ccd01", 1..3)).unwrap();
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')")
        .execute(&mut connection)
        .unwrap();
    drop(connection);
    let error = Journal::open(&path, JournalOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    assert!(error.to_string().contains("20991231000000"), "{error}");
    assert_eq!(everything(&path).len(), 2);
    let damaged = fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("damaged"));
    assert_eq!(damaged.count(), 0);
}

#[test]
fn the_backlog_counts_from_any_cursor() {
    let (_folder, path) = folder();
    let (mut journal, _) = open(&path);
    let mut reader = JournalReader::open(&path).unwrap();
    let empty = reader.backlog(0).unwrap();
    assert_eq!((empty.rows, empty.oldest_ms), (0, None));
    let last = journal.append(&samples("a", 0..50)).unwrap().position;
    let all = reader.backlog(0).unwrap();
    assert_eq!((all.rows, all.oldest_ms), (50, Some(T0)));
    let some = reader.backlog(last - 10).unwrap();
    assert_eq!((some.rows, some.oldest_ms), (10, Some(T0 + 400_000)));
    assert_eq!(reader.backlog(last).unwrap().rows, 0);
    assert_eq!(reader.read_after(last - 10, 3).unwrap().len(), 3);
}

#[test]
fn events_wait_in_the_journal_until_the_archive_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    let event = |time_ms, text: &str| Event {
        time_ms,
        number: 0,
        node: Some("ccd01".into()),
        metric: None,
        kind: "silent".into(),
        level: "silent".into(),
        text: text.into(),
    };
    journal
        .append_events(&[event(T0, "a"), event(T0, "b"), event(T0 - 5, "the clock was set back")])
        .unwrap();
    journal.append(&samples("ccd01", 0..10)).unwrap();
    let mut reader = JournalReader::open(&path).unwrap();
    let waiting = reader.events(2).unwrap();
    assert_eq!(waiting.iter().map(|event| event.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    journal.drop_events(waiting[1].number).unwrap();

    // After a restart they are still there, and numbers go on rising, also when none is left.
    drop(journal);
    let (mut journal, _) = Journal::open(&path, JournalOptions::default()).unwrap();
    let left = reader.events(10).unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].number > waiting[1].number);
    journal.drop_events(left[0].number).unwrap();
    assert!(reader.events(10).unwrap().is_empty());
    journal.append_events(&[event(T0 + 1, "c")]).unwrap();
    assert!(reader.events(10).unwrap()[0].number > left[0].number);
}

/// Whoever moves a hub that ended may copy the file alone; a reader that is still there must not keep rows out of it.
#[test]
fn what_is_folded_is_in_the_file_alone_though_somebody_reads() {
    let (folder, path) = folder();
    let (mut journal, _) = open(&path);
    journal.append(&samples("ccd01", 1..11)).unwrap();
    let mut reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.read_after(0, 100).unwrap().len(), 10);
    journal.append(&samples("ccd01", 11..21)).unwrap();
    journal.fold().unwrap();
    drop(journal);
    let copy = folder.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    assert_eq!(everything(&copy).len(), 20);
    drop(reader);
}
