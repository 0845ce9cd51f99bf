//! The sample: the unit that is journalled, archived and read back.

use std::sync::{Arc, LazyLock};

/// The metrics that every operating system has. They have columns of their own, in this order; all others share the
/// JSON column `metrics`.
pub const CORE_METRICS: [&str; CORE_COUNT] = [
    "cpu_percent",
    "memory_percent",
    "swap_percent",
    "disk_percent",
    "nic_in",
    "nic_out",
    "load1",
    "processes",
    "uptime",
    "clock_offset",
];

/// How many core metrics there are.
pub(crate) const CORE_COUNT: usize = 10;

/// The names of [`CORE_METRICS`], shared by all samples that are read back.
pub(crate) static CORE_NAMES: LazyLock<[Arc<str>; CORE_COUNT]> =
    LazyLock::new(|| CORE_METRICS.map(Arc::from));

/// All metrics of one node at one instant.
///
/// Node, epoch and sequence number identify a sample; in an archive the time belongs to the key as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The node's name, 1 to 32 ASCII characters, lower case.
    pub node: Arc<str>,
    /// A random number that an agent draws when it starts with nothing kept: sequence numbers count within it.
    pub epoch: u32,
    /// Rises by one with each sample of the epoch.
    pub sequence: u64,
    /// When it was taken, in milliseconds since 1970-01-01 UTC, on the hub's timeline.
    pub time_ms: i64,
    /// Name and value, each name once. The unit belongs to the name.
    ///
    /// Values are stored to the last bit, with two exceptions that both databases share: a value that is not finite
    /// is stored as absent, and negative zero as zero. Read back, the core metrics come first, in the order of
    /// [`CORE_METRICS`], then the others in the order that they had.
    pub metrics: Vec<(Arc<str>, f64)>,
}

impl Sample {
    /// The value of one metric, when the sample has it.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.metrics.iter().find(|(own, _)| **own == *name).map(|(_, value)| *value)
    }
}
