//! What one simulated agent took in one epoch: which samples, what was in them, and how far the hub acknowledged.
//!
//! Values follow from epoch and sequence number, so that whoever finds a row can tell what must be in it.

use lamon_wire::reading::Reading;

/// The metrics of the two tables between which agents change, each with its decimals: core metrics, which have columns of
/// their own, and others.
const TABLES: [&[(&str, u8)]; 2] = [
    &[("uptime", 0), ("cpu_percent", 2), ("disk_percent", 2), ("nic_in", 0)],
    &[("uptime", 0), ("cpu_percent", 2), ("temp_chaos", 3), ("disk_data_free", 0), ("load1", 2)],
];

/// So many samples come under one table, then as many under the other.
const TABLE_SAMPLES: u64 = 40;

/// One sample in so many lacks a value.
const GAP_EVERY: u64 = 7;

/// The table under which a sample goes: its number, from 1.
#[must_use]
pub fn table_of(sequence: u64) -> u16 {
    if (sequence / TABLE_SAMPLES).is_multiple_of(2) { 1 } else { 2 }
}

/// The metrics of a table with their decimals.
#[must_use]
pub fn metrics(table: u16) -> &'static [(&'static str, u8)] {
    let [first, second] = TABLES;
    if table == 1 { first } else { second }
}

/// What is in a sample.
#[must_use]
pub fn readings(epoch: u32, sequence: u64) -> Vec<Reading> {
    let mut random = fastrand::Rng::with_seed((u64::from(epoch) << 32) ^ sequence.wrapping_mul(0x9e37_79b9));
    let value = |(place, (name, decimals)): (usize, &(&str, u8))| match *name {
        "uptime" => Reading::new(f64::from(u32::try_from(sequence).unwrap_or(u32::MAX)), *decimals),
        _ if place == 2 && sequence.is_multiple_of(GAP_EVERY) => Reading::NONE,
        "nic_in" | "disk_data_free" => Reading::new(random.f64() * 1e12, *decimals),
        // Far below the limits of the built-in rules: levels are not what is tested.
        _ => Reading::new(random.f64() * 45.0, *decimals),
    };
    metrics(table_of(sequence)).iter().enumerate().map(value).collect()
}

/// What must be stored of a sample, by name.
#[must_use]
pub fn values(epoch: u32, sequence: u64) -> Vec<(&'static str, f64)> {
    let named = metrics(table_of(sequence)).iter().zip(readings(epoch, sequence));
    let mut values: Vec<_> =
        named.filter_map(|((name, decimals), reading)| Some((*name, reading.value(*decimals)?))).collect();
    values.sort_by_key(|(name, _)| *name);
    values
}

/// One epoch of one agent.
#[derive(Debug, Clone)]
pub struct Line {
    /// The node.
    pub node: String,
    /// The epoch.
    pub epoch: u32,
    /// When each sample was taken, milliseconds of the node's monotonic clock; the first has number 1.
    taken: Vec<u64>,
    /// Up to which sample bytes were handed to the network.
    sent: u64,
    /// Up to which sample the hub said that it is on disk.
    acknowledged: u64,
    /// What the hub said that cannot be.
    complaints: Vec<String>,
}

impl Line {
    /// An epoch that begins.
    #[must_use]
    pub fn new(node: &str, epoch: u32) -> Self {
        let (taken, complaints) = (Vec::new(), Vec::new());
        Self { node: node.into(), epoch, taken, sent: 0, acknowledged: 0, complaints }
    }

    /// A sample is taken.
    pub fn take(&mut self, monotonic_ms: u64) {
        self.taken.push(monotonic_ms);
    }

    /// How many were taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        u64::try_from(self.taken.len()).unwrap_or(u64::MAX)
    }

    /// When a sample was taken.
    #[must_use]
    pub fn taken_at(&self, sequence: u64) -> Option<u64> {
        self.taken.get(usize::try_from(sequence.checked_sub(1)?).ok()?).copied()
    }

    /// How many were sent, at least once.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// How many were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// What the hub said that cannot be.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Samples up to this one are handed to the network.
    pub fn send(&mut self, upto: u64) {
        self.sent = self.sent.max(upto);
    }

    /// The hub says that it has everything up to this one on disk.
    pub fn acknowledge(&mut self, upto: u64) {
        if upto > self.sent {
            self.complain(&format!("{upto} was acknowledged, but {} was the last sent", self.sent));
        }
        self.acknowledged = self.acknowledged.max(upto.min(self.sent));
    }

    /// The hub greets, and tells what it has of this epoch, if it knows.
    pub fn greet(&mut self, committed: Option<u64>) {
        let Some(committed) = committed else { return };
        if committed < self.acknowledged {
            self.complain(&format!("{} was acknowledged, then {committed} was on disk", self.acknowledged));
        }
        self.acknowledge(committed);
    }

    fn complain(&mut self, what: &str) {
        /// More say nothing new.
        const MOST: usize = 20;
        if self.complaints.len() < MOST {
            self.complaints.push(format!("{} epoch {}: {what}", self.node, self.epoch));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_from_the_identity_and_differ() {
        assert_eq!(values(3, 9), values(3, 9));
        assert_ne!(values(3, 9), values(4, 9));
        assert_ne!(values(3, 9), values(3, 10));
        assert_eq!(values(3, 14).len() + 1, metrics(1).len(), "one lacks");
        assert_eq!(readings(3, TABLE_SAMPLES).len(), metrics(2).len());
    }

    #[test]
    fn what_cannot_be_is_noted() {
        let mut line = Line::new("a", 1);
        (0..5).for_each(|ms| line.take(ms));
        line.send(3);
        line.greet(None);
        line.greet(Some(2));
        assert_eq!((line.acknowledged(), line.complaints().len()), (2, 0));
        line.acknowledge(4);
        assert_eq!((line.acknowledged(), line.complaints().len()), (3, 1));
        line.greet(Some(1));
        assert_eq!((line.acknowledged(), line.complaints().len()), (3, 2));
        assert_eq!((line.taken_at(0), line.taken_at(1), line.taken_at(6)), (None, Some(0), None));
    }
}
