//! When each node was first and last heard, and what its agent said of itself, until the archive has it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lamon_store::Sample;
use lamon_store::registers::NodeRecord;
use tokio::time::Instant;

/// How many hellos wait for the forwarder: one of each node, when all come back while the archive is away.
pub(crate) const HELLOS: usize = crate::watch::MAX_NODES;

/// How often it is written: a row of each node a minute, not with every sample.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// What is not written yet. At most one record for each node.
pub(crate) struct Heard {
    nodes: BTreeMap<Arc<str>, NodeRecord>,
    write_at: Instant,
}

impl Heard {
    /// Nothing yet; the first is written at once.
    pub(crate) fn new() -> Self {
        Self { nodes: BTreeMap::new(), write_at: Instant::now() }
    }

    /// Takes up samples on their way to the archive.
    pub(crate) fn samples(&mut self, samples: &[Sample]) {
        for sample in samples {
            self.add(&sample.node, sample.time_ms, None, None);
        }
    }

    /// Takes up what an agent said of itself at a time (milliseconds since 1970).
    pub(crate) fn hello(&mut self, hello: NodeRecord) {
        self.add(&hello.node.as_str().into(), hello.last_heard_ms, hello.os, hello.agent_version);
    }

    fn add(&mut self, node: &Arc<str>, time_ms: i64, os: Option<String>, agent_version: Option<String>) {
        let record = self.nodes.entry(Arc::clone(node)).or_insert_with(|| NodeRecord {
            node: node.to_string(),
            first_heard_ms: time_ms,
            last_heard_ms: time_ms,
            os: None,
            agent_version: None,
        });
        record.first_heard_ms = record.first_heard_ms.min(time_ms);
        record.last_heard_ms = record.last_heard_ms.max(time_ms);
        record.os = os.or(record.os.take());
        record.agent_version = agent_version.or(record.agent_version.take());
    }

    /// What is to be written now; empty when it is not time yet.
    pub(crate) fn due(&self) -> Vec<NodeRecord> {
        if Instant::now() < self.write_at { Vec::new() } else { self.nodes.values().cloned().collect() }
    }

    /// All of that is written.
    pub(crate) fn written(&mut self) {
        self.nodes.clear();
        self.write_at = Instant::now() + WRITE_EVERY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time_ms: i64) -> Sample {
        Sample { node: "ccd01".into(), epoch: 1, sequence: 1, time_ms, metrics: Vec::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_has_one_record_a_minute() {
        let mut heard = Heard::new();
        heard.samples(&[sample(20), sample(10), sample(30)]);
        heard.hello(NodeRecord {
            node: "ccd01".into(),
            first_heard_ms: 25,
            last_heard_ms: 25,
            os: Some("Debian".into()),
            agent_version: Some("0.1.0".into()),
        });
        heard.samples(&[sample(28)]);
        let due = heard.due();
        assert_eq!(due.len(), 1);
        assert_eq!(
            (due[0].first_heard_ms, due[0].last_heard_ms, due[0].os.as_deref()),
            (10, 30, Some("Debian"))
        );
        heard.written();
        heard.samples(&[sample(40)]);
        assert!(heard.due().is_empty());
        tokio::time::advance(WRITE_EVERY).await;
        assert_eq!((heard.due()[0].first_heard_ms, heard.due()[0].os.as_deref()), (40, None));
    }
}
