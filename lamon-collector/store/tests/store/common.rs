//! Samples for the tests.

use std::sync::Arc;

use lamon_store::Sample;

/// 2026-11-22 00:00:00 UTC.
pub(crate) const T0: i64 = 1_795_305_600_000;

/// A sample ten seconds after the one before, with some core and some other metrics that tell it from all others.
pub(crate) fn sample(node: &str, epoch: u32, sequence: u64) -> Sample {
    let number = sequence as f64;
    with_metrics(
        node,
        epoch,
        sequence,
        &[("cpu_percent", number / 7.0), ("uptime", number * 10.0), ("temp_cpu", 40.0 + number / 3.0)],
    )
}

/// A sample with these metrics.
pub(crate) fn with_metrics(node: &str, epoch: u32, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
    Sample {
        node: node.into(),
        epoch,
        sequence,
        time_ms: T0 + i64::try_from(sequence % 1_000_000_000).unwrap() * 10_000,
        metrics: metrics.iter().map(|(name, value)| (Arc::from(*name), *value)).collect(),
    }
}

/// Many samples of one node.
pub(crate) fn samples(node: &str, sequences: std::ops::Range<u64>) -> Vec<Sample> {
    sequences.map(|sequence| sample(node, 1, sequence)).collect()
}

/// Everything that identifies two samples as the same, to the last bit.
pub(crate) fn bits(sample: &Sample) -> (String, u32, u64, i64, Vec<(String, u64)>) {
    let metrics = sample.metrics.iter().map(|(name, value)| (name.to_string(), value.to_bits())).collect();
    (sample.node.to_string(), sample.epoch, sample.sequence, sample.time_ms, metrics)
}
