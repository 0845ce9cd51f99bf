//! The spool against a real folder: lives that end at any instant, and what the next finds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use lamon_wire::frames::{AgentFrame, Boot, TableEntry};
use lamon_wire::names::MetricName;
use lamon_wire::reading::Reading;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::sampler::Sample;

const DELAY: Duration = Duration::from_secs(60);

/// One life of an agent, as far as its ring and its spool.
struct Life {
    ring: Ring,
    spool: Spool,
    epoch: u32,
    now_ms: u64,
    hub: Option<Anchor>,
    tables: [Arc<Table>; 2],
}

fn table(id: u16) -> Arc<Table> {
    let entry = TableEntry {
        name: MetricName::new(&format!("temp_{id}")).unwrap(),
        label: String::new(),
        decimals: 0,
    };
    Arc::new(Table { id, metrics: vec![entry] })
}

impl Life {
    fn begin(folder: &Path, boot: u8, limit: u64) -> Self {
        let mut ring = Ring::new(1 << 20);
        let node = NodeName::new("ccd-01").unwrap();
        let (spool, kept) = Spool::open(folder, &node, limit, DELAY, [boot; 16], &mut ring).unwrap();
        let epoch = kept.unwrap_or_else(|| fastrand::u32(..));
        Self { ring, spool, epoch, now_ms: 1_000, hub: None, tables: [table(1), table(2)] }
    }

    /// A sample of this value, taken now.
    fn take(&mut self, value: u32) -> u64 {
        let table = Arc::clone(&self.tables[usize::try_from(value / 5 % 2).unwrap()]);
        let readings = vec![Reading::new(f64::from(value), 0)];
        self.ring.push(Sample { table, monotonic_ms: self.now_ms, readings })
    }

    fn now(&self) -> Now {
        let wall_ms = 1_795_000_000_000 + i64::try_from(self.now_ms).unwrap();
        Now { monotonic_us: self.now_ms * 1_000, wall_us: wall_ms * 1_000 }
    }

    /// Lets so much time pass, and the disk do what is due.
    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        while self.spool.deadline_ms(&self.ring).is_some_and(|due| due <= self.now_ms) {
            let now = self.now();
            self.spool.handle_timeout(now, self.hub, self.epoch, &mut self.ring);
            let written = block_on(self.spool.written());
            self.spool.handle_written(now, written, &mut self.ring);
        }
    }

    fn end(mut self) {
        block_on(self.spool.finish(self.hub, self.epoch, &mut self.ring));
    }

    /// All that the ring has: number, clock, stamp, value.
    fn all(&mut self) -> Vec<(u64, Boot, u64, f64)> {
        let mut all = Vec::new();
        self.ring.resume(None).unwrap();
        loop {
            let (boot, mut out) = (self.ring.next_boot(), Vec::new());
            if !self.ring.write_samples(u64::MAX, true, &mut out).unwrap() {
                return all;
            }
            let Ok(AgentFrame::Samples(samples)) = AgentFrame::parse(&out[2..]) else { panic!("samples") };
            let mut ms = samples.monotonic_ms;
            for (number, row) in (samples.first..).zip(samples.rows) {
                ms += u64::from(row.after_ms);
                all.push((number, boot, ms, row.readings[0].value(0).unwrap()));
            }
        }
    }

    fn values(&mut self) -> Vec<f64> {
        self.all().into_iter().map(|(.., value)| value).collect()
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "spool"));
    paths.sort();
    paths
}

#[test]
fn nothing_is_written_while_the_hub_acknowledges() {
    let folder = TempDir::new().unwrap();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    for value in 0..20 {
        let number = life.take(value);
        life.pass(10_000);
        life.ring.write_samples(10, true, &mut Vec::new()).unwrap();
        life.ring.acknowledge(number).unwrap();
    }
    assert_eq!(segments(folder.path()), [""; 0].map(PathBuf::from));
    life.end();
    assert_eq!(segments(folder.path()), [""; 0].map(PathBuf::from));
}

#[test]
fn what_waited_for_the_delay_outlives_a_crash_and_all_of_it_an_end() {
    let folder = TempDir::new().unwrap();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    for value in 0..9 {
        life.take(value);
        life.pass(10_000);
    }
    let (epoch, before) = (life.epoch, life.all());
    drop(life);
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    // Those of 0 to 20 s, of which the first had waited for a minute, were written together with what had come since.
    assert_eq!((life.epoch, life.all()), (epoch, before[..6].to_vec()));
    let number = life.take(100);
    assert!(number > 1 << 32, "{number}");
    assert_eq!(life.ring.tally(), lamon_wire::frames::Tally { taken: 7, acknowledged: 0, lost: 0 });
    life.end();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    assert_eq!(life.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 100.0]);
    assert!(life.take(101) > number + (1 << 32));
    // Acknowledged in part, noted at the end; then wholly, and nothing is left.
    life.ring.write_samples(100, true, &mut Vec::new()).unwrap();
    life.ring.acknowledge(2).unwrap();
    life.end();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    assert_eq!(life.values(), [2.0, 3.0, 4.0, 5.0, 100.0, 101.0]);
    assert_eq!(life.ring.tally(), lamon_wire::frames::Tally { taken: 8, acknowledged: 2, lost: 0 });
    let last = life.all().last().unwrap().0;
    life.ring.acknowledge(last).unwrap();
    life.pass(0);
    assert_eq!(segments(folder.path()).len(), 0);
    let next = Life::begin_again(life, folder.path());
    assert_ne!(next.epoch, epoch, "with nothing kept a new epoch is drawn");
}

impl Life {
    fn begin_again(before: Self, folder: &Path) -> Self {
        drop(before);
        Self::begin(folder, 1, 1 << 20)
    }
}

#[test]
fn samples_of_an_earlier_boot_are_dated_by_the_hub_or_else_by_the_node() {
    let folder = TempDir::new().unwrap();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    life.take(1);
    life.end();
    let mut life = Life::begin(folder.path(), 2, 1 << 20);
    life.take(2);
    life.pass(60_000);
    let hub = Anchor { monotonic_ms: 61_500, unix_ms: 77 };
    life.hub = Some(hub);
    life.take(3);
    life.end();
    let mut life = Life::begin(folder.path(), 3, 1 << 20);
    life.take(4);
    let seen: Vec<_> = life.all().into_iter().map(|(_, boot, ms, value)| (boot, ms, value)).collect();
    let [(Boot::Earlier(first), 1_000, _), second, third, fourth] = seen[..] else { panic!("{seen:?}") };
    assert!(
        Now::read().wall_ms().abs_diff(first.unix_ms) < 3_600_000,
        "by the node's clock at its end: {first:?}"
    );
    let by_hub = Boot::Earlier(hub);
    assert_eq!(
        [second, third],
        [(by_hub, 1_000, 2.0), (by_hub, 61_000, 3.0)],
        "also what came before its word"
    );
    assert_eq!(fourth, (Boot::This, 1_000, 4.0));
}

#[test]
fn a_torn_tail_costs_what_was_torn() {
    let folder = TempDir::new().unwrap();
    let mut life = Life::begin(folder.path(), 1, 1 << 20);
    life.take(0);
    life.pass(60_000);
    life.take(1);
    life.pass(60_000);
    drop(life);
    let path = segments(folder.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    for length in (0..whole.len()).rev() {
        fs::write(&path, &whole[..length]).unwrap();
        let mut life = Life::begin(folder.path(), 1, 1 << 20);
        let values = life.values();
        assert!([0.0, 1.0].starts_with(&values) && values.len() < 2, "{length}: {values:?}");
        drop(life);
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(Life::begin(folder.path(), 1, 1 << 20).values(), [0.0, 1.0]);
}

#[test]
fn a_disk_that_does_not_take_it_is_tried_again() {
    let parent = TempDir::new().unwrap();
    let (folder, away) = (parent.path().join("spool"), parent.path().join("away"));
    let mut life = Life::begin(&folder, 1, 1 << 20);
    fs::rename(&folder, &away).unwrap();
    life.take(0);
    life.pass(60_000);
    assert_eq!((life.ring.on_disk(), life.ring.len()), (0, 1));
    life.take(1);
    life.pass(30_000);
    fs::rename(&away, &folder).unwrap();
    life.pass(29_999);
    assert_eq!(life.ring.on_disk(), 0, "not at once");
    life.pass(1);
    assert_eq!((life.ring.on_disk(), life.ring.len()), (2, 2));
    drop(life);
    assert_eq!(Life::begin(&folder, 1, 1 << 20).values(), [0.0, 1.0]);
}

#[test]
fn one_agent_has_it_and_nobody_else_reads_it() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("a/b");
    let mut life = Life::begin(&folder, 1, 1 << 20);
    life.take(0);
    life.pass(60_000);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let node = NodeName::new("ccd-01").unwrap();
    let open = || Spool::open(&folder, &node, 1 << 20, DELAY, [1; 16], &mut Ring::new(1 << 20)).map(drop);
    let error = open().unwrap_err();
    assert!(
        matches!(error, OpenError::InUse(_)) && error.to_string().contains("in use by another"),
        "{error}"
    );
    drop(life);
    // Another node's samples are not this one's: a disk that was copied.
    let other = NodeName::new("ccd").unwrap();
    let mut ring = Ring::new(1 << 20);
    let (_, kept) = Spool::open(&folder, &other, 1 << 20, DELAY, [1; 16], &mut ring).unwrap();
    assert_eq!((kept, ring.len(), segments(&folder).len()), (None, 0, 1));
}

#[test]
fn it_takes_no_more_room_than_it_may() {
    const LIMIT: u64 = 8_000;
    let folder = TempDir::new().unwrap();
    let mut life = Life::begin(folder.path(), 1, LIMIT);
    for value in 0..5_000 {
        life.take(value);
        life.pass(10_000);
        let bytes: u64 = segments(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(bytes <= LIMIT + LIMIT / SEGMENTS, "{bytes}");
    }
    assert_eq!(life.ring.tally().lost, 0, "in memory all are");
    life.end();
    let mut life = Life::begin(folder.path(), 1, LIMIT);
    let values = life.values();
    assert!(values.len() > 300 && values.ends_with(&[4_998.0, 4_999.0]), "the newest: {values:?}");
    let first = 5_000 - u32::try_from(values.len()).unwrap();
    assert_eq!(values, (first..5_000).map(f64::from).collect::<Vec<_>>());
    assert_eq!(life.ring.tally().lost, u64::from(first), "and the others are told as lost");
}

#[derive(Debug, Clone)]
enum Step {
    Take { after_ms: u64 },
    Acknowledge { part: u64 },
    Crash { boots: bool },
    End,
    NewEpoch,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..40_000_u64).prop_map(|after_ms| Step::Take { after_ms }),
        3 => (0..=4_u64).prop_map(|part| Step::Acknowledge { part }),
        2 => any::<bool>().prop_map(|boots| Step::Crash { boots }),
        1 => Just(Step::End),
        1 => Just(Step::NewEpoch),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes: what waited for the delay is found again, in order, once, and no number is used twice.
    #[test]
    fn every_life_finds_what_the_one_before_promised(steps in proptest::collection::vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let mut boot = 1;
        let mut life = Life::begin(folder.path(), boot, 1 << 20);
        // Epoch and number of each value that was ever taken; the values that wait, with the time until they are safe.
        let mut used = std::collections::HashSet::new();
        let mut waiting: Vec<(u32, u64)> = Vec::new();
        let mut next = 0_u32;
        for step in steps {
            match step {
                Step::Take { after_ms } => {
                    life.pass(after_ms);
                    let number = life.take(next);
                    prop_assert!(used.insert((life.epoch, number)));
                    waiting.push((next, life.now_ms + 60_000));
                    next += 1;
                }
                Step::Acknowledge { part } => {
                    let all = life.all();
                    let count = all.len() * usize::try_from(part).unwrap() / 4;
                    if let Some((number, ..)) = count.checked_sub(1).and_then(|last| all.get(last)) {
                        life.ring.acknowledge(*number).unwrap();
                        waiting.drain(..count);
                        life.pass(0);
                    }
                }
                Step::Crash { boots } => {
                    let (epoch, now_ms) = (life.epoch, life.now_ms);
                    drop(life);
                    boot += u8::from(boots);
                    life = Life::begin(folder.path(), boot, 1 << 20);
                    life.now_ms = if boots { 1_000 } else { now_ms };
                    let found = life.values();
                    // What is acknowledged may come again: hubs know it by its number.
                    let found: Vec<u32> = found.into_iter().map(|value| format!("{value}").parse().unwrap()).collect();
                    prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
                    let kept = |value: &u32| found.contains(value);
                    prop_assert!(waiting.iter().filter(|(_, safe)| *safe <= now_ms).all(|(value, _)| kept(value)));
                    prop_assert!(found.is_empty() || life.epoch == epoch);
                    waiting = found.into_iter().map(|value| (value, 0)).collect();
                }
                Step::End => {
                    let now_ms = life.now_ms;
                    life.end();
                    life = Life::begin(folder.path(), boot, 1 << 20);
                    life.now_ms = now_ms;
                    let expected: Vec<f64> = waiting.iter().map(|(value, _)| f64::from(*value)).collect();
                    prop_assert!(life.values().ends_with(&expected));
                    let found = life.values();
                    waiting = found.iter().map(|value| (format!("{value}").parse().unwrap(), 0)).collect();
                }
                Step::NewEpoch => {
                    let before = life.ring.len();
                    life.epoch = life.epoch.wrapping_add(1);
                    life.ring.begin_epoch();
                    life.spool.begin_epoch();
                    let gone = before - life.ring.len();
                    waiting.drain(..usize::try_from(gone).unwrap());
                    for (number, ..) in life.all() {
                        used.insert((life.epoch, number));
                    }
                    life.pass(60_000);
                }
            }
        }
    }
}
