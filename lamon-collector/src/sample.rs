//! A sample inside the hub: all metrics of one node at one instant, on the hub's own timeline.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lamon_wire::names::{MetricName, NodeName};

/// An instant on both of the hub's clocks: the monotonic one judges, the wall clock is for people and tables.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The monotonic clock; silence is judged by it.
    pub monotonic: Instant,
    /// The wall clock, unix milliseconds UTC.
    pub unix_ms: i64,
}

impl Now {
    /// Reads both clocks. Only tasks call this; what they call gets it as an argument.
    #[must_use]
    pub fn read() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            monotonic: Instant::now(),
            unix_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// A time for people, to the second: `2026-11-22T19:04:05Z`.
#[must_use]
pub fn utc(unix_ms: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(unix_ms.div_euclid(1_000)).ok();
    time.and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_else(|| "an unknown time".into())
}

/// What tells samples of a node apart, for ever: none is stored twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// Drawn at random by an agent that starts with nothing kept; by the hub for senders of text.
    pub epoch: u32,
    /// Counts within the epoch.
    pub sequence: u64,
}

/// How a sample came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// In its turn.
    Ordered,
    /// Ahead of a backlog; it comes again in its turn.
    Ahead,
    /// As a line of text; its sequence numbers are the hub's.
    Text,
}

/// All metrics of one node at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whose metrics.
    pub node: NodeName,
    /// Which of the node's samples.
    pub identity: Identity,
    /// When it was taken, unix milliseconds UTC by the hub's clock.
    pub taken_ms: i64,
    /// How old it was when it came, by clocks that are never set.
    pub age: Duration,
    /// Time between the node's samples; `None` when the sender of a text line does not say.
    pub interval: Option<Duration>,
    /// How it came.
    pub arrival: Arrival,
    /// The values, finite, each metric once.
    pub metrics: Vec<(MetricName, f64)>,
}

impl Sample {
    /// The shortest interval that is believed: with a shorter one every sample would be late by the time it travelled.
    pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

    /// How many intervals old a sample may be on arrival and still be judged.
    pub const LATE_INTERVALS: u32 = 3;

    /// Whether it is too old to say how the node is now: stored and published, but raising no alarm.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.interval.is_some_and(|interval| self.age > interval * Self::LATE_INTERVALS)
    }

    /// The same sample as the store takes it.
    #[must_use]
    pub fn to_stored(&self) -> lamon_store::Sample {
        lamon_store::Sample {
            node: self.node.shared(),
            epoch: self.identity.epoch,
            sequence: self.identity.sequence,
            time_ms: self.taken_ms,
            metrics: self.metrics.iter().map(|(name, value)| (name.shared(), *value)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn wire_and_store_mean_the_same_core() {
        assert_eq!(lamon_wire::metric::CORE, lamon_store::CORE_METRICS);
    }
}
