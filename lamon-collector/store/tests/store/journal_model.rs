//! The journal against a simple model, under random operations.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use crate::common::{T0, bits, sample};
use lamon_store::{Journal, JournalOptions, JournalReader, Sample, journal::Durability};
use proptest::prelude::*;

const NODES: [&str; 3] = ["ccd01", "dome", "tcs-2"];
const ARCHIVES: [&str; 2] = ["sqlite:a", "mysql:b"];

#[derive(Clone, Debug)]
enum Step {
    /// Node, epoch, sequence of each sample; any order, repeated or not.
    Append(Vec<(usize, u32, u64)>),
    /// The journal's process ends and starts.
    Reopen,
    /// It is killed, and starts.
    Killed,
    /// An archive has come so many rows further.
    Forward(usize, usize),
    /// Prune at so many milliseconds after T0, keeping nothing younger.
    Prune(i64),
    /// The file is moved aside.
    MoveAside,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec((0..NODES.len(), 0..3_u32, 0..60_u64), 0..25).prop_map(Step::Append),
        1 => Just(Step::Reopen),
        1 => Just(Step::Killed),
        2 => (0..ARCHIVES.len(), 0..40_usize).prop_map(|(archive, rows)| Step::Forward(archive, rows)),
        2 => (0..700_000_i64).prop_map(Step::Prune),
        1 => Just(Step::MoveAside),
    ]
}

/// What the journal should hold.
#[derive(Default)]
struct Model {
    rows: BTreeMap<i64, Sample>,
    committed: HashMap<(usize, u32), u64>,
    /// For each epoch, the position that came last.
    touched: HashMap<(usize, u32), i64>,
    cursors: [i64; 2],
    /// The lower cursor when rows were last pruned.
    pruned_to: i64,
    /// The highest position ever seen.
    highest: i64,
}

impl Model {
    fn append(&mut self, journal: &mut Journal, keys: &[(usize, u32, u64)]) {
        let batch: Vec<Sample> =
            keys.iter().map(|&(node, epoch, sequence)| sample(NODES[node], epoch, sequence)).collect();
        let before = self.committed.clone();
        let mut expected = Vec::new();
        for (&(node, epoch, sequence), sample) in keys.iter().zip(&batch) {
            let above = before.get(&(node, epoch)).is_none_or(|&committed| sequence > committed);
            if above && !expected.contains(&sample) {
                expected.push(sample);
                let committed = self.committed.entry((node, epoch)).or_default();
                *committed = sequence.max(*committed);
            }
        }
        let done = journal.append(&batch).unwrap();
        assert_eq!(done.stored, expected.len());
        assert_eq!(done.duplicates, batch.len() - expected.len());
        assert!(done.position >= self.highest);
        let first = done.position - i64::try_from(expected.len()).unwrap() + 1;
        assert!(expected.is_empty() || first > self.highest, "no position twice");
        for (position, sample) in (first..).zip(expected) {
            self.rows.insert(position, sample.clone());
            let node = NODES.iter().position(|name| **name == *sample.node).unwrap();
            self.touched.insert((node, sample.epoch), position);
        }
        self.highest = self.highest.max(done.position);
    }

    fn forward(&mut self, journal: &mut Journal, archive: usize, count: usize) {
        let cursor = self.cursors[archive];
        if let Some((&position, _)) = self.rows.range(cursor + 1..).take(count).last() {
            journal.set_cursor(ARCHIVES[archive], position).unwrap();
            self.cursors[archive] = position;
        }
    }

    /// Cursors may be where they were, never further; none was before what was pruned.
    fn fall_back(&mut self, journal: &Journal) {
        for (cursor, name) in self.cursors.iter_mut().zip(ARCHIVES) {
            let kept = journal.cursor(name).unwrap();
            assert!(kept <= *cursor && kept >= self.pruned_to.min(*cursor), "{kept} for {cursor}");
            *cursor = kept;
        }
    }

    fn prune(&mut self, journal: &mut Journal, now_ms: i64) {
        let passed = self.cursors[0].min(self.cursors[1]).min(journal.last_position() - 1);
        self.pruned_to = self.cursors[0].min(self.cursors[1]);
        let before = self.rows.len();
        self.rows.retain(|&position, sample| position > passed || sample.time_ms >= now_ms);
        let mut pruned = 0;
        loop {
            let step = journal.prune(Duration::ZERO, now_ms).unwrap();
            pruned += step.rows;
            if !step.more {
                break;
            }
        }
        assert_eq!(pruned, before - self.rows.len());
        // Epochs without rows may be forgotten, but not the newest of a node.
        let oldest = self.rows.keys().next().copied().unwrap_or(journal.last_position());
        for node in 0..NODES.len() {
            let newest = self.touched.iter().filter(|(key, _)| key.0 == node).map(|(_, &p)| p).max();
            let ended = |position: i64| position < oldest && Some(position) != newest;
            self.committed.retain(|key, _| key.0 != node || !ended(self.touched[key]));
        }
        self.touched.retain(|key, _| self.committed.contains_key(key));
    }

    fn check(&self, journal: &Journal, reader: &mut JournalReader) {
        let rows = reader.read_after(0, 10_000).unwrap();
        let expected: Vec<_> = self.rows.iter().map(|(position, sample)| (*position, bits(sample))).collect();
        let found: Vec<_> = rows.iter().map(|(position, sample)| (*position, bits(sample))).collect();
        assert_eq!(found, expected);
        for (node, name) in NODES.iter().enumerate() {
            for epoch in 0..3 {
                assert_eq!(journal.committed(name, epoch), self.committed.get(&(node, epoch)).copied());
            }
        }
        for (archive, name) in ARCHIVES.iter().enumerate() {
            let cursor = self.cursors[archive];
            assert_eq!(journal.cursor(name), Some(cursor));
            if cursor > 0 {
                let backlog = reader.backlog(cursor).unwrap();
                let after = self.rows.range(cursor + 1..);
                assert_eq!(backlog.rows, after.clone().count() as u64);
                assert_eq!(backlog.oldest_ms, after.map(|(_, sample)| sample.time_ms).next());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_does_what_its_model_does(steps in proptest::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let options = JournalOptions { durability: Durability::Normal, max_bytes: None };
        let (mut journal, _) = Journal::open(&path, options).unwrap();
        journal.use_archives(&ARCHIVES).unwrap();
        let mut reader = JournalReader::open(&path).unwrap();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Append(keys) => model.append(&mut journal, &keys),
                Step::Reopen => {
                    journal.flush().unwrap();
                    drop(journal);
                    journal = Journal::open(&path, options).unwrap().0;
                }
                Step::Killed => {
                    drop(journal);
                    journal = Journal::open(&path, options).unwrap().0;
                    model.fall_back(&journal);
                }
                Step::Forward(archive, count) => model.forward(&mut journal, archive, count),
                Step::Prune(after) => model.prune(&mut journal, T0 + after),
                Step::MoveAside => {
                    journal.move_aside().unwrap();
                    model.rows.clear();
                    model.cursors = [0, 0];
                    model.pruned_to = 0;
                }
            }
            model.check(&journal, &mut reader);
        }
    }
}
