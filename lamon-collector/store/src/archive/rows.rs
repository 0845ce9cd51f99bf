//! The rows of an archive, the same for both databases: what is written, what is read, and which samples no
//! database would take.

use diesel::prelude::{Insertable, Queryable, Selectable};

use crate::{
    insert::InsertSample,
    record::{Names, SampleCore, join, split, to_json},
    sample::Sample,
    schema::{dead_letter, samples},
};

/// Longest name of a node, as the tables have it.
const MAX_NODE_CHARS: usize = 32;

/// Longest JSON of metrics. A frame of an agent has 64 KiB, which is 200 KiB of JSON at most; and a row must fit into
/// one packet of a MySQL server, 1 MiB on the oldest.
const MAX_METRICS_BYTES: usize = 512 << 10;

/// What `dead_letter` keeps of a sample's JSON.
const MAX_DEAD_BYTES: usize = 64 << 10;

/// What `dead_letter` keeps of a node's name, in characters.
const MAX_DEAD_NODE_CHARS: usize = 255;

/// What `dead_letter` keeps of a reason.
const MAX_REASON_BYTES: usize = 1_000;

impl<'a> InsertSample<'a> {
    /// A sample as a row.
    ///
    /// # Errors
    ///
    /// The reason, when no database would take it. Saying so here keeps the two databases alike, and keeps a row that
    /// is larger than a server's packet from ending the connection.
    pub(super) fn new(sample: &'a Sample, hub: &'a str) -> Result<Self, String> {
        let length = sample.node.chars().count();
        if !(1..=MAX_NODE_CHARS).contains(&length) || !sample.node.is_ascii() {
            return Err(format!("the node's name is not 1 to {MAX_NODE_CHARS} ASCII characters"));
        }
        let (core, metrics) = split(sample);
        if let Some(text) = &metrics
            && text.len() > MAX_METRICS_BYTES
        {
            return Err(format!("{} bytes of metrics, {MAX_METRICS_BYTES} at most", text.len()));
        }
        Ok(Self {
            node: &sample.node,
            time_ms: sample.time_ms,
            epoch: i64::from(sample.epoch),
            sequence: sample.sequence.cast_signed(),
            hub,
            core,
            metrics,
        })
    }

    /// About how many bytes the row takes on its way to a server.
    pub(super) fn bytes(&self) -> usize {
        /// Numbers, lengths and the null bitmap.
        const FIXED: usize = 160;
        FIXED + self.node.len() + self.hub.len() + self.metrics.as_ref().map_or(0, String::len)
    }
}

/// A row of `samples` as it is read.
#[derive(Queryable, Selectable)]
#[diesel(table_name = samples)]
pub(crate) struct StoredSample {
    node: String,
    time_ms: i64,
    epoch: i64,
    sequence: i64,
    #[diesel(embed)]
    core: SampleCore,
    metrics: Option<String>,
}

impl StoredSample {
    /// The row as a sample.
    ///
    /// # Errors
    ///
    /// A clause, when something else than lamon wrote the row.
    pub(crate) fn into_sample(self, names: &mut Names) -> Result<Sample, String> {
        let Self { node, time_ms, epoch, sequence, core, metrics } = self;
        let metrics = join(core.into(), metrics.as_deref(), names)
            .map_err(|error| format!("the row of {node} at {time_ms} has bad metrics: {error}"))?;
        let epoch =
            u32::try_from(epoch).map_err(|_| format!("the row of {node} at {time_ms} has a bad epoch"))?;
        Ok(Sample { node: names.shared(&node), epoch, sequence: sequence.cast_unsigned(), time_ms, metrics })
    }
}

/// A row of `dead_letter` to write.
#[derive(Insertable)]
#[diesel(table_name = dead_letter)]
pub(super) struct NewDeadLetter<'a> {
    node: String,
    time_ms: i64,
    epoch: i64,
    sequence: i64,
    hub: &'a str,
    reason: &'a str,
    sample: String,
}

impl<'a> NewDeadLetter<'a> {
    /// A sample that was refused, cut to what the table takes for certain.
    pub(super) fn new(sample: &Sample, hub: &'a str, reason: &'a str) -> Self {
        let mut json = to_json(sample);
        json.truncate(json.floor_char_boundary(MAX_DEAD_BYTES));
        Self {
            node: sample.node.chars().take(MAX_DEAD_NODE_CHARS).collect(),
            time_ms: sample.time_ms,
            epoch: i64::from(sample.epoch),
            sequence: sample.sequence.cast_signed(),
            hub,
            reason: reason.get(..reason.floor_char_boundary(MAX_REASON_BYTES)).unwrap_or_default(),
            sample: json,
        }
    }
}

/// A sample that an archive refused.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = dead_letter)]
pub struct DeadLetter {
    /// The node's name, cut to 255 characters.
    pub node: String,
    /// When the sample was taken, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The agent's epoch.
    pub epoch: i64,
    /// The number within the epoch; the bits of an unsigned number.
    pub sequence: i64,
    /// The hub that handed it over.
    pub hub: String,
    /// What was wrong with it.
    pub reason: String,
    /// The sample as JSON, cut to 64 KiB.
    pub sample: String,
}
