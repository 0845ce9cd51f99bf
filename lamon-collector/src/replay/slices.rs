//! The samples of all nodes in the order of time, a while at a time: memory is that of a while, however long the stretch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lamon_store::reading::Walk;
use lamon_store::{ArchiveError, ArchiveReader, Tier};
use lamon_wire::names::{MetricName, NodeName};

use crate::sample::{Arrival, Identity, Sample};

/// How many rows a while should have: some megabytes with forty metrics each.
const ROWS: usize = 5_000;

/// The shortest while: beyond a thousand nodes it has more rows than it should.
const SHORTEST_MS: i64 = 10_000;

/// The longest while.
const LONGEST_MS: i64 = 86_400_000;

/// How many names of metrics are kept; beyond it, begins anew.
const MAX_NAMES: usize = 8_192;

/// Reads an archive while by while.
#[derive(Debug)]
pub struct Slices {
    reader: ArchiveReader,
    nodes: Vec<NodeName>,
    at_ms: i64,
    to_ms: i64,
    width_ms: i64,
    /// Text senders have no numbers of their own: the order of time gives them.
    sequence: u64,
    names: HashMap<Arc<str>, Option<MetricName>>,
}

/// The samples of a while.
#[derive(Debug)]
pub struct Slice {
    /// Until when it goes, not included.
    pub to_ms: i64,
    /// In the order of time, of equals by node.
    pub samples: Vec<Arc<Sample>>,
}

impl Slices {
    /// Reads these nodes from `from_ms` on, before `to_ms`.
    #[must_use]
    pub fn new(reader: ArchiveReader, nodes: Vec<NodeName>, from_ms: i64, to_ms: i64) -> Self {
        let width_ms = 600_000;
        Self { reader, nodes, at_ms: from_ms, to_ms, width_ms, sequence: 0, names: HashMap::new() }
    }

    /// The next while; none behind the last.
    ///
    /// # Errors
    ///
    /// See [`ArchiveError`].
    pub async fn next(&mut self) -> Result<Option<Slice>, ArchiveError> {
        if self.at_ms >= self.to_ms {
            return Ok(None);
        }
        let to_ms = self.at_ms.saturating_add(self.width_ms).min(self.to_ms);
        let mut samples = Vec::new();
        for place in 0..self.nodes.len() {
            let Some(node) = self.nodes.get(place).cloned() else { break };
            let mut walk = Walk::new(Tier::Samples, node.as_str(), None, self.at_ms, to_ms);
            while let Some(rows) = self.reader.next_rows(&mut walk).await? {
                for row in rows {
                    let metrics = row.metrics.iter();
                    let metrics = metrics.filter_map(|(name, stat)| Some((self.name(name)?, stat.mean)));
                    let metrics = metrics.collect();
                    samples.push((row.time_ms, node.clone(), metrics));
                }
            }
        }
        samples.sort_by(|(a_ms, a, _), (b_ms, b, _)| (a_ms, a).cmp(&(b_ms, b)));
        self.width_ms = match samples.len() {
            rows if rows > ROWS * 2 => (self.width_ms / 2).max(SHORTEST_MS),
            rows if rows < ROWS / 2 => (self.width_ms * 2).min(LONGEST_MS),
            _ => self.width_ms,
        };
        self.at_ms = to_ms;
        let samples = samples.into_iter().map(|(taken_ms, node, metrics)| {
            self.sequence += 1;
            Arc::new(Sample {
                node,
                identity: Identity { epoch: 0, sequence: self.sequence },
                taken_ms,
                age: Duration::ZERO,
                // What the archive does not have is learnt from the distances.
                interval: None,
                arrival: Arrival::Text,
                metrics,
            })
        });
        Ok(Some(Slice { to_ms, samples: samples.collect() }))
    }

    /// The name of a metric, made once; what is none is left out.
    fn name(&mut self, text: &Arc<str>) -> Option<MetricName> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        if self.names.len() >= MAX_NAMES {
            self.names.clear();
        }
        let name = MetricName::new(text).ok();
        self.names.insert(Arc::clone(text), name.clone());
        name
    }
}
