//! Rollups against the samples that they are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::ensure;
use lamon_store::{ArchiveReader, ArchiveUrl, Sample, Stat, Tier};
use tokio::time::{Duration, Instant, sleep};

use super::audit::{Audit, read_archive};
use super::fleet::STANDSTILL;
use super::line::Line;

/// How far means may be apart, relatively: sums depend on their order in the last bits.
const MEAN_ERROR: f64 = 1e-9;

/// Rows by the beginning of their while, each with its metrics.
pub type Rollups = BTreeMap<i64, BTreeMap<Arc<str>, Stat>>;

/// Waits until no rollup is due. Nothing may come that is younger than the hour that is over.
///
/// # Errors
///
/// When nothing goes on.
pub async fn made(archive: &ArchiveUrl) -> anyhow::Result<()> {
    let (mut moved, mut before) = (Instant::now(), u64::MAX);
    loop {
        let due = ArchiveReader::open(archive).await?.rollups_due().await?;
        if due == 0 {
            return Ok(());
        }
        if due != before {
            (moved, before) = (Instant::now(), due);
        }
        ensure!(moved.elapsed() < STANDSTILL, "{due} rollups are due and none is made");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Compares all rollups of these lines' nodes with those that the archive's own samples give. How many were compared.
///
/// # Errors
///
/// When the archive cannot be read.
pub async fn compare(archive: &ArchiveUrl, lines: &[Line], audit: &mut Audit) -> anyhow::Result<usize> {
    let mut reader = ArchiveReader::open(archive).await?;
    let mut compared = 0;
    for node in nodes(lines) {
        let samples = read_archive(&mut reader, node).await?;
        compared += compare_node(&mut reader, node, &samples, audit).await?;
    }
    Ok(compared)
}

/// Compares the rollups of a node with those that these samples give.
///
/// # Errors
///
/// When the archive cannot be read.
pub async fn compare_node(
    reader: &mut ArchiveReader,
    node: &str,
    samples: &[Sample],
    audit: &mut Audit,
) -> anyhow::Result<usize> {
    let mut compared = 0;
    for tier in Tier::ROLLUPS {
        let expected = rolled(samples, tier.width_ms());
        let rows = reader.rollups(tier, node, i64::MIN, i64::MAX, lamon_store::reading::MAX_ROWS).await?;
        let stored: Rollups =
            rows.into_iter().map(|row| (row.time_ms, row.metrics.into_iter().collect())).collect();
        compared += expected.len();
        let times: BTreeSet<_> = expected.keys().chain(stored.keys()).collect();
        for time_ms in times {
            let (expected, stored) = (expected.get(time_ms), stored.get(time_ms));
            if !same(expected, stored) {
                audit.wrong(format!(
                    "{tier} of {node} at {time_ms}: {stored:?}, but its samples say {expected:?}"
                ));
            }
        }
    }
    Ok(compared)
}

/// The nodes of lines, each once.
#[must_use]
pub fn nodes(lines: &[Line]) -> BTreeSet<&str> {
    lines.iter().map(|line| line.node.as_str()).collect()
}

/// What samples give.
fn rolled(samples: &[Sample], width_ms: i64) -> Rollups {
    let mut rollups = Rollups::new();
    for sample in samples {
        let row = rollups.entry(sample.time_ms.div_euclid(width_ms) * width_ms).or_default();
        for (name, value) in &sample.metrics {
            row.entry(Arc::clone(name)).and_modify(|stat| add(stat, *value)).or_insert(Stat::of(*value));
        }
    }
    rollups
}

#[expect(clippy::cast_precision_loss, reason = "some thousand values")]
fn add(stat: &mut Stat, value: f64) {
    stat.count += 1;
    stat.mean += (value - stat.mean) / stat.count as f64;
    stat.min = stat.min.min(value);
    stat.max = stat.max.max(value);
}

fn same(one: Option<&BTreeMap<Arc<str>, Stat>>, other: Option<&BTreeMap<Arc<str>, Stat>>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    let equal = |(one, other): (&Stat, &Stat)| {
        (one.mean - other.mean).abs() <= MEAN_ERROR * one.mean.abs().max(1.0)
            && (one.min, one.max, one.count) == (other.min, other.max, other.count)
    };
    one.keys().eq(other.keys()) && one.values().zip(other.values()).all(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_give_rollups() {
        let sample = |time_ms, value| Sample {
            node: "a".into(),
            epoch: 1,
            sequence: 1,
            time_ms,
            metrics: vec![("load1".into(), value)],
        };
        let rollups = rolled(&[sample(5, 1.0), sample(9, 3.0), sample(10, 7.0)], 10);
        let load1 = |begin: i64| rollups[&begin]["load1"];
        assert_eq!(load1(0), Stat { mean: 2.0, min: 1.0, max: 3.0, count: 2 });
        assert_eq!(load1(10), Stat::of(7.0));
        assert!(same(rollups.get(&0), rollups.get(&0)));
        assert!(!same(rollups.get(&0), rollups.get(&10)) && !same(rollups.get(&0), None));
    }
}
