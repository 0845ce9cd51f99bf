//! What is on disk of each node: the highest sequence number of each epoch, kept in memory so that an agent's
//! greeting and each duplicate is answered without a read. Pure: the journal writes the same to its file.

use std::{collections::HashMap, sync::Arc};

use crate::sample::Sample;

/// Most epochs of one node. An agent draws a new one only when it starts with nothing kept, so an older one than the
/// sixteenth will not come back.
const MAX_EPOCHS_PER_NODE: usize = 16;

/// Most epochs of all nodes, about 5 MB: five for each of 10,000 nodes. What has been silent longest goes first; if it
/// does come back, the archives' key still drops its duplicates.
const MAX_EPOCHS: usize = 50_000;

/// One epoch of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch {
    /// The agent's random number.
    pub(super) epoch: u32,
    /// The highest sequence number on disk.
    pub(super) sequence: u64,
    /// The journal's position of the row that came last.
    pub(super) position: i64,
}

/// All epochs of all nodes.
#[derive(Debug, Default)]
pub(super) struct CommittedMap {
    nodes: HashMap<Arc<str>, Vec<Epoch>>,
    epochs: usize,
}

impl CommittedMap {
    /// The highest sequence number on disk of an epoch.
    pub(super) fn get(&self, node: &str, epoch: u32) -> Option<u64> {
        self.nodes.get(node)?.iter().find(|own| own.epoch == epoch).map(|own| own.sequence)
    }

    /// All epochs, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Epoch)> {
        self.nodes.iter().flat_map(|(node, epochs)| epochs.iter().map(move |epoch| (node, epoch)))
    }

    /// Takes in what is now on disk, and returns the epochs that had to make room for it.
    pub(super) fn set(&mut self, node: &Arc<str>, newest: Epoch) -> Vec<(Arc<str>, u32)> {
        let mut forgotten = Vec::new();
        let epochs = self.nodes.entry(Arc::clone(node)).or_default();
        if let Some(own) = epochs.iter_mut().find(|own| own.epoch == newest.epoch) {
            *own = newest;
            return forgotten;
        }
        if epochs.len() >= MAX_EPOCHS_PER_NODE
            && let Some(index) =
                (0..epochs.len()).min_by_key(|&index| epochs.get(index).map(|own| own.position))
        {
            forgotten.push((Arc::clone(node), epochs.swap_remove(index).epoch));
            self.epochs -= 1;
        }
        epochs.push(newest);
        self.epochs += 1;
        if self.epochs > MAX_EPOCHS {
            // A sixteenth at once, so that the search for the oldest is rare.
            let mut positions: Vec<i64> = self.iter().map(|(_, epoch)| epoch.position).collect();
            let (_, limit, _) = positions.select_nth_unstable(MAX_EPOCHS / 16);
            let limit = *limit;
            forgotten.extend(self.forget(|_, epoch| epoch.position < limit));
        }
        forgotten
    }

    /// Forgets the epochs that ended below a position: those of which the journal has no row any more, and which are
    /// not their node's newest. Returns them.
    pub(super) fn forget_ended(&mut self, position: i64) -> Vec<(Arc<str>, u32)> {
        self.forget(|newest, epoch| epoch.position < position && epoch.position < newest)
    }

    /// Forgets what `which` says, given the newest position of the epoch's node and the epoch.
    fn forget(&mut self, which: impl Fn(i64, &Epoch) -> bool) -> Vec<(Arc<str>, u32)> {
        let mut forgotten = Vec::new();
        self.nodes.retain(|node, epochs| {
            let newest = epochs.iter().map(|own| own.position).max().unwrap_or_default();
            epochs.retain(|own| {
                let gone = which(newest, own);
                if gone {
                    forgotten.push((Arc::clone(node), own.epoch));
                }
                !gone
            });
            !epochs.is_empty()
        });
        self.epochs -= forgotten.len();
        forgotten
    }

    /// The samples of a batch that are not on disk yet, in order: those above what is committed, each once.
    pub(super) fn new_ones<'a>(&self, samples: &'a [Sample]) -> Vec<&'a Sample> {
        let mut seen: HashMap<(&str, u32), Seen> = HashMap::new();
        samples
            .iter()
            .filter(|sample| {
                seen.entry((&sample.node, sample.epoch))
                    .or_insert_with(|| Seen {
                        committed: self.get(&sample.node, sample.epoch),
                        batch: Vec::new(),
                    })
                    .is_new(sample.sequence)
            })
            .collect()
    }
}

/// What is known of one epoch while a batch is looked through.
struct Seen {
    /// On disk before the batch.
    committed: Option<u64>,
    /// Sequence numbers of the batch so far, rising.
    batch: Vec<u64>,
}

impl Seen {
    /// Whether a sequence number is seen for the first time. Samples come in order but for two connections of one
    /// node that overlap, so the search is rare.
    fn is_new(&mut self, sequence: u64) -> bool {
        if self.committed.is_some_and(|committed| sequence <= committed) {
            return false;
        }
        if self.batch.last().is_none_or(|&last| sequence > last) {
            self.batch.push(sequence);
            return true;
        }
        match self.batch.binary_search(&sequence) {
            Ok(_) => false,
            Err(index) => {
                self.batch.insert(index, sequence);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(node: &str, epoch: u32, sequence: u64) -> Sample {
        Sample { node: node.into(), epoch, sequence, time_ms: 0, metrics: Vec::new() }
    }

    fn epoch(epoch: u32, sequence: u64, position: i64) -> Epoch {
        Epoch { epoch, sequence, position }
    }

    #[test]
    fn only_what_is_above_the_committed_is_new_and_only_once() {
        let mut map = CommittedMap::default();
        map.set(&"a".into(), epoch(1, 5, 10));
        let batch =
            [(1, 5), (1, 8), (1, 7), (1, 8), (1, 7), (1, 6), (2, 1), (2, 1)].map(|(e, s)| sample("a", e, s));
        let new: Vec<(u32, u64)> = map.new_ones(&batch).iter().map(|s| (s.epoch, s.sequence)).collect();
        assert_eq!(new, [(1, 8), (1, 7), (1, 6), (2, 1)]);
    }

    #[test]
    fn a_node_keeps_its_newest_epochs() {
        let mut map = CommittedMap::default();
        for index in 0..20_u32 {
            let forgotten = map.set(&"a".into(), epoch(index, 1, i64::from(index)));
            assert_eq!(forgotten.len(), usize::from(index >= 16));
        }
        assert_eq!(map.get("a", 3), None);
        assert_eq!(map.get("a", 4), Some(1));
        assert_eq!(map.iter().count(), 16);
    }

    #[test]
    fn ended_epochs_are_forgotten_but_never_the_newest() {
        let mut map = CommittedMap::default();
        for (number, position) in [(1, 10), (2, 20), (3, 30)] {
            map.set(&"a".into(), epoch(number, 1, position));
        }
        assert_eq!(map.forget_ended(25).len(), 2);
        assert_eq!(map.forget_ended(1_000), []);
        assert_eq!(map.get("a", 3), Some(1));
    }

    #[test]
    fn the_whole_is_bounded_and_the_silent_go_first() {
        let mut map = CommittedMap::default();
        let mut forgotten = 0;
        for index in 0..=50_000_i64 {
            forgotten += map.set(&format!("n{index}").into(), epoch(1, 1, index)).len();
        }
        assert_eq!(map.iter().count() + forgotten, 50_001);
        assert_eq!(map.epochs, map.iter().count());
        assert!(forgotten > 0);
        assert_eq!(map.get("n0", 1), None);
        assert_eq!(map.get("n50000", 1), Some(1));
    }
}
