//! `processes` (how many there are), `proc_<name>` (how many of a watched name run) and `restarts_<name>` (how often it was
//! started again) from the folders of /proc.
//!
//! A process counts for a watched name when
//!
//! - its `comm` is that name; the kernel cuts `comm` to 15 bytes, so a longer name is compared by its first 15 and then
//!   by the base name of its program; or
//! - the base name of its program (`/proc/<pid>/exe`) is that name, for programs that rename themselves. The agent may
//!   read this only of its own user's processes, or as root.
//!
//! A script that is started by its own name (`#!`) has that name as its `comm`; one that is given to an interpreter
//! (`python3 door.py`) has the interpreter's. Threads are not counted; a zombie does not run. `processes` counts all
//! process ids, the kernel's threads too, as `ps -e` does. With `hidepid` the agent sees what /proc shows its user.
//!
//! Looking through /proc takes 75 µs for 150 processes and grows with them. The kernel knows their number and tells it in
//! 2 µs, as links of /proc: `proc_root_getattr` in fs/proc/root.c adds the processes of the whole system to the links
//! of an ordinary folder, two and one for each folder within. In a container, or with `hidepid`, /proc shows fewer than
//! that. So the links are believed only after a look that found as many processes as they say, and for a few minutes.

use std::fs;
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::Instant;

use lamon_wire::names::Slugs;
use rustix::fs::{FileType, Mode, OFlags, RawDir, SeekFrom};

use super::restarts::Restarts;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The kernel keeps this many bytes of a process's name (TASK_COMM_LEN less its zero).
const COMM_BYTES: usize = 15;

/// The buffer for directory entries, in bytes: about 300 processes a call.
const DIRECTORY_BUFFER_BYTES: usize = 8 * 1_024;

/// How many samples believe the links of /proc before it is looked through again, because a driver that is loaded may
/// make a folder there: five minutes of samples at ten seconds.
const LOOK_EVERY: u32 = 30;

/// Looks through /proc.
#[derive(Debug)]
pub(super) struct Processes {
    folder: Option<OwnedFd>,
    links: Option<Links>,
    slugs: Slugs,
    watched: Vec<Watched>,
    own: usize,
    path: String,
    name: Vec<u8>,
}

/// What the links of /proc count besides processes.
#[derive(Debug, Clone, Copy)]
struct Links {
    others: u64,
    /// For how many samples more this is believed.
    left: u32,
}

#[derive(Debug)]
struct Watched {
    name: String,
    metric: DeviceMetric,
    running: u32,
    restarts_metric: DeviceMetric,
    restarts: Restarts,
}

impl Processes {
    pub(super) fn new(own: &[String]) -> Self {
        let mut slugs = Slugs::default();
        let watched: Vec<Watched> = own.iter().filter_map(|name| Watched::new(name, &mut slugs)).collect();
        Self {
            folder: None,
            links: None,
            slugs,
            own: watched.len(),
            watched,
            path: String::new(),
            name: Vec::new(),
        }
    }

    /// Watches `more` names besides the configuration's own, in place of those of the last call.
    pub(super) fn watch(&mut self, more: &[String]) {
        self.watched.truncate(self.own);
        for name in more {
            if !self.watched.iter().any(|watched| watched.name == *name) {
                self.watched.extend(Watched::new(name, &mut self.slugs));
            }
        }
    }

    /// The names that are watched.
    pub(super) fn watched(&self) -> impl Iterator<Item = &str> {
        self.watched.iter().map(|watched| watched.name.as_str())
    }

    pub(super) fn read(&mut self, sheet: &mut Sheet) {
        for watched in &mut self.watched {
            watched.running = 0;
        }
        let count = self.count_links().or_else(|| self.look_through());
        sheet.core(Core::Processes, count.map(f64::from));
        let now = Instant::now();
        for watched in &mut self.watched {
            sheet.device(&watched.metric, count.map(|_| f64::from(watched.running)));
            let restarts = count.map(|_| f64::from(watched.restarts.settle(now)));
            sheet.device(&watched.restarts_metric, restarts);
        }
    }

    /// The number of processes by the links of /proc, while that is known to be right and nothing else is wanted.
    fn count_links(&mut self) -> Option<u32> {
        let links = self.links.as_mut().filter(|links| links.left > 0 && self.watched.is_empty())?;
        links.left -= 1;
        let count = links_of_proc()?.checked_sub(links.others)?;
        u32::try_from(count).ok()
    }

    fn look_through(&mut self) -> Option<u32> {
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                rustix::fs::open("/proc", flags, Mode::empty()).ok()?
            }
        };
        rustix::fs::seek(&folder, SeekFrom::Start(0)).ok()?;
        let links = links_of_proc();
        let mut buffer = [MaybeUninit::uninit(); DIRECTORY_BUFFER_BYTES];
        let mut entries = RawDir::new(&folder, &mut buffer);
        let (mut count, mut folders) = (0, 0);
        while let Some(entry) = entries.next() {
            let entry = entry.ok()?;
            let name = entry.file_name().to_bytes();
            if name.iter().all(u8::is_ascii_digit) && !name.is_empty() {
                count += 1;
                if !self.watched.is_empty() {
                    self.path.clear();
                    self.path.push_str("/proc/");
                    self.path.push_str(str::from_utf8(name).unwrap_or_default());
                    self.look_at_one();
                }
            } else if entry.file_type() == FileType::Directory {
                // With the folder itself and the one above, two of which are always there.
                folders += 1;
            }
        }
        self.links = believed(links, count, folders);
        self.folder = Some(folder);
        Some(count)
    }

    /// Counts the process at `self.path` for the names it has. One that ends meanwhile counts for none.
    fn look_at_one(&mut self) {
        let Self { watched, path, name: comm, .. } = self;
        let base = path.len();
        let mut read = |file: &str, limit: u64| {
            path.truncate(base);
            path.push_str(file);
            comm.clear();
            fs::File::open(&*path).and_then(|file| file.take(limit).read_to_end(comm)).is_ok()
        };
        if !read("/comm", 64) {
            return;
        }
        let comm = comm.strip_suffix(b"\n").unwrap_or(comm);
        path.truncate(base);
        path.push_str("/exe");
        let program = fs::read_link(&*path).ok();
        let program = program.as_deref().and_then(|path| path.file_name()).map(OsStrExt::as_bytes);
        // A program that was replaced on disk while it runs.
        let program = program.map(|name| name.strip_suffix(b" (deleted)").unwrap_or(name));
        if !watched.iter().any(|watched| matches(watched.name.as_bytes(), comm, program)) {
            return;
        }
        path.truncate(base);
        path.push_str("/stat");
        let Some(stat) = fs::read(&*path).ok().filter(|stat| runs(stat)) else { return };
        let id = path.split('/').nth(2).and_then(|id| id.parse().ok());
        for watched in watched.iter_mut().filter(|w| matches(w.name.as_bytes(), comm, program)) {
            watched.running += 1;
            if let (Some(id), Some(started)) = (id, started(&stat)) {
                watched.restarts.note((id, started));
            }
        }
    }
}

/// Whether the links of /proc are the processes that a look found and its other folders, `.` and `..` among them. Where a
/// process came or went during the look they are not, and the next look decides.
fn believed(links: Option<u64>, processes: u32, folders: u64) -> Option<Links> {
    (links? == u64::from(processes) + folders).then_some(Links { others: folders, left: LOOK_EVERY })
}

fn links_of_proc() -> Option<u64> {
    fs::metadata("/proc").ok().map(|metadata| metadata.nlink())
}

impl Watched {
    fn new(name: &str, slugs: &mut Slugs) -> Option<Self> {
        let [metric] = DeviceMetric::of(slugs, "proc", name, [""])?;
        let [restarts_metric] = DeviceMetric::of(slugs, "restarts", name, [""])?;
        Some(Self { name: name.into(), metric, running: 0, restarts_metric, restarts: Restarts::default() })
    }
}

fn matches(wanted: &[u8], comm: &[u8], program: Option<&[u8]>) -> bool {
    let same_program = program == Some(wanted);
    match wanted.get(..COMM_BYTES) {
        // Where the program cannot be read, the first 15 bytes must do.
        Some(cut) if wanted.len() > COMM_BYTES => same_program || (program.is_none() && comm == cut),
        _ => same_program || comm == wanted,
    }
}

/// When the process of a `/proc/<pid>/stat` was started, in clock ticks since the boot: field 22 (proc_pid_stat(5)).
fn started(stat: &[u8]) -> Option<u64> {
    let after = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2..))?;
    str::from_utf8(after).ok()?.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Whether the state in a `/proc/<pid>/stat` is that of a process that has not ended: not Z, X or x (proc_pid_stat(5)).
fn runs(stat: &[u8]) -> bool {
    // The name stands in parentheses and may contain some.
    let after = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
    after.is_some_and(|state| !matches!(state, b'Z' | b'X' | b'x'))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_match_by_comm_and_by_program() {
        let long = b"rts2-executor-of-the-dome";
        for (wanted, comm, program, matched) in [
            (&b"sshd"[..], &b"sshd"[..], None, true),
            (b"sshd", b"sshd-session", None, false),
            (b"ssh", b"sshd", None, false),
            (b"node", b"MainThread", Some(&b"node"[..]), true),
            (b"door.py", b"door.py", Some(b"python3.11"), true),
            (long, b"rts2-executor-o", None, true),
            (long, b"rts2-executor-o", Some(long), true),
            (long, b"rts2-executor-o", Some(b"rts2-executor-of-the-hall"), false),
            (b"fifteen-bytes-x", b"fifteen-bytes-x", None, true),
        ] {
            assert_eq!(matches(wanted, comm, program), matched, "{wanted:?} {comm:?}");
        }
    }

    #[test]
    fn links_are_believed_only_where_they_count_what_is_seen() {
        for (what, links, processes, folders, right) in [
            ("this system", Some(163), 152, 11, true),
            ("a container: /proc shows its own alone", Some(163), 4, 11, false),
            ("hidepid: /proc shows the user's own alone", Some(163), 20, 11, false),
            ("one ended meanwhile", Some(162), 152, 11, false),
            ("no answer", None, 152, 11, false),
        ] {
            assert_eq!(believed(links, processes, folders).is_some(), right, "{what}");
        }
    }

    #[test]
    fn links_count_what_a_look_counts() {
        let mut processes = Processes::new(&[]);
        // Others' processes come and go: until both counts are of one moment.
        for _ in 0..10_000 {
            let seen = processes.look_through();
            if processes.count_links().is_some_and(|links| Some(links) == seen) {
                for _ in 1..LOOK_EVERY {
                    assert!(processes.count_links().is_some());
                }
                assert_eq!(processes.count_links(), None, "it is time to look again");
                return;
            }
        }
        // Where /proc hides processes the links never agree, and every sample looks.
        assert!(processes.links.is_none());
    }

    #[test]
    fn zombies_do_not_run() {
        for (stat, running) in [
            (&b"7 (sshd) S 1 7"[..], true),
            (b"7 (a) Z b) R 1", true),
            (b"7 (sshd) Z 1 7", false),
            (b"7 (sshd) X 1 7", false),
            (b"7 (sshd)", false),
            (b"", false),
        ] {
            assert_eq!(runs(stat), running, "{}", stat.escape_ascii());
        }
    }

    #[test]
    fn the_start_is_field_22() {
        let stat = b"4242 (a (b) c) S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 12345 678";
        assert_eq!(started(stat), Some(987_654));
        assert_eq!(started(b"4242 (a) S 1"), None);
    }

    fn count_of(processes: &mut Processes) -> Vec<(String, Option<f64>)> {
        let mut sheet = Sheet::default();
        processes.read(&mut sheet);
        sheet.entries().map(|(name, _, value)| (name.into(), value)).collect()
    }

    #[test]
    fn a_watched_program_is_seen_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("lamon-sleeper-with-a-long-name");
        // Copied by another process: a program that a thread of this one has open for writing cannot be started.
        assert!(Command::new("cp").arg("/bin/sleep").arg(&program).status().unwrap().success());
        let name = "lamon-sleeper-with-a-long-name".to_owned();
        let mut processes = Processes::new(std::slice::from_ref(&name));
        processes.watch(&["lamon-nothing".into(), name.clone()]);
        assert_eq!(processes.watched().collect::<Vec<_>>(), [name.as_str(), "lamon-nothing"]);

        let mut child = Command::new(&program).arg("600").spawn().unwrap();
        // The name is that of the test until the child has become the program.
        while count_of(&mut processes)[1].1 == Some(0.0) {
            std::thread::yield_now();
        }
        let seen = count_of(&mut processes);
        assert!(seen[0].1.unwrap() >= 2.0);
        let metric = |name: &str, value| (name.to_owned(), Some(value));
        assert_eq!(
            seen[1..],
            [
                metric("proc_lamon_sleeper_with_a", 1.0),
                metric("restarts_lamon_sleeper_with_a", 0.0),
                metric("proc_lamon_nothing", 0.0),
                metric("restarts_lamon_nothing", 0.0)
            ]
        );

        child.kill().unwrap();
        // Dead but not yet waited for it is a zombie, and then it is none at all.
        while count_of(&mut processes)[1].1 != Some(0.0) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        processes.watch(&[]);
        let mut child = Command::new(&program).arg("600").spawn().unwrap();
        // Whoever looked saw it running before, and now anew.
        while count_of(&mut processes)[2].1 != Some(1.0) {
            std::thread::yield_now();
        }
        assert_eq!(count_of(&mut processes).len(), 3);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_state_or_not(stat in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (runs(&stat), started(&stat));
        }
    }
}
