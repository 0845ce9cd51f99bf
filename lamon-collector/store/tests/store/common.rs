//! Samples for the tests.

use std::sync::Arc;

use lamon_store::{
    Archive, Sample,
    upkeep::{Retention, Upkept},
};

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

/// 2020-01-01 00:00:00 UTC: long over by any clock, so that every while that a test fills has ended.
pub(crate) const PAST: i64 = 1_577_836_800_000;

/// An hour in milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

/// A day in milliseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// A sample of these metrics at a time.
pub(crate) fn at(node: &str, time_ms: i64, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
    Sample { time_ms, ..with_metrics(node, 1, sequence, metrics) }
}

/// Does all upkeep that there is to do.
pub(crate) async fn upkeep(archive: &mut Archive, retention: &Retention, now_ms: i64) -> Upkept {
    let mut sum = Upkept::default();
    // A search for old rows may be under way that began at an earlier time: the next one is whole.
    for _ in 0..2 {
        for _ in 0..100_000 {
            let step = archive.upkeep(retention, now_ms).await.unwrap();
            sum.rolled += step.rolled;
            sum.deleted += step.deleted;
            if !step.more {
                break;
            }
        }
    }
    sum
}

/// Nothing is ever deleted.
pub(crate) const FOR_EVER: Retention =
    Retention { samples: None, ten_minutes: None, hour: None, events: None, dead_letters: None };
