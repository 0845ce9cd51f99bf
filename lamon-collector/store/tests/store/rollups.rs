//! Rollups are the same however the samples came: late, twice, in any order, with restarts in between; and with samples
//! deleted as they grow old. Checked against a model that computes them from all samples.

use std::{collections::BTreeMap, time::Duration};

use lamon_store::{
    Archive, ArchiveReader, ArchiveUrl, Rollup, Sample, Stat, Tier, testing::Mariadb, upkeep::Retention,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::common::{DAY, FOR_EVER, HOUR, PAST, at, upkeep};

/// Something that happens to an archive.
#[derive(Clone, Debug)]
enum Happening {
    /// These of the samples come, by their places.
    Come(Vec<usize>),
    /// Some steps of upkeep, this long after the beginning.
    Steps(usize, i64),
    /// A step that is cut short after so many microseconds.
    CutShort(u64, i64),
    /// The hub begins anew.
    Restart,
}

/// Samples of three nodes over some time, with the metrics that each happens to have.
fn samples(span_ms: i64) -> impl Strategy<Value = Vec<Sample>> {
    let metrics = (
        prop::option::of(-100.0..100.0),
        prop::option::of(prop_oneof![Just(0.1), Just(1e12), -1e3..1e3]),
        prop::option::weighted(0.2, 0.0..1.0),
    );
    prop::collection::vec((0..3_u8, 0..span_ms, metrics), 1..60).prop_map(|list| {
        let each = list.into_iter().zip(1..).map(|((node, after_ms, (cpu, temp, other)), sequence)| {
            let metrics = [("cpu_percent", cpu), ("temp_a", temp), ("other b", other)];
            let metrics: Vec<_> =
                metrics.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            at(&format!("n{node}"), PAST + after_ms, sequence, &metrics)
        });
        each.collect()
    })
}

fn happenings(span_ms: i64) -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => prop::collection::vec(0..60_usize, 1..20).prop_map(Happening::Come),
        2 => (1..12_usize, 0..span_ms + HOUR).prop_map(|(steps, after)| Happening::Steps(steps, after)),
        1 => (0..2_000_u64, 0..span_ms + HOUR).prop_map(|(micros, after)| Happening::CutShort(micros, after)),
        1 => Just(Happening::Restart),
    ];
    prop::collection::vec(one, 0..20)
}

/// What the rollups of a tier have to be: computed from all samples at once.
fn expected(samples: &[Sample], tier: Tier) -> BTreeMap<(String, i64), BTreeMap<String, Stat>> {
    let mut values: BTreeMap<(String, i64), BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for sample in samples {
        let begin = sample.time_ms - sample.time_ms.rem_euclid(tier.width_ms());
        for (name, value) in &sample.metrics {
            let row = values.entry((sample.node.to_string(), begin)).or_default();
            row.entry(name.to_string()).or_default().push(*value);
        }
    }
    let stat = |values: Vec<f64>| Stat {
        mean: values.iter().sum::<f64>() / values.len() as f64,
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        count: values.len() as u64,
    };
    let row = |row: BTreeMap<String, Vec<f64>>| {
        row.into_iter().map(|(name, values)| (name, stat(values))).collect()
    };
    values.into_iter().map(|(key, metrics)| (key, row(metrics))).collect()
}

async fn rollups(url: &ArchiveUrl, tier: Tier, prefix: &str) -> Vec<Rollup> {
    let mut reader = ArchiveReader::open(url).await.unwrap();
    let mut all = Vec::new();
    for node in reader.nodes().await.unwrap().into_iter().filter(|node| node.starts_with(prefix)) {
        all.extend(reader.rollups(tier, &node, i64::MIN, i64::MAX, usize::MAX).await.unwrap());
    }
    all
}

/// Lets it all happen, then all samples come that did not yet, and compares.
async fn check(
    url: &ArchiveUrl,
    prefix: &str,
    mut samples: Vec<Sample>,
    happenings: &[Happening],
    retention: &Retention,
    again: bool,
) {
    for sample in &mut samples {
        sample.node = format!("{prefix}{}", sample.node).into();
    }
    let mut archive = Archive::connect(url, "hub1").await.unwrap();
    let mut there = vec![false; samples.len()];
    for happening in happenings {
        match happening {
            Happening::Come(places) => {
                let places: Vec<usize> = places
                    .iter()
                    .copied()
                    .filter(|place| there.get(*place).is_some_and(|there| again || !there))
                    .collect();
                let batch: Vec<Sample> = places.iter().map(|place| samples[*place].clone()).collect();
                places.iter().for_each(|place| there[*place] = true);
                archive.append(&batch).await.unwrap();
            }
            Happening::Steps(steps, after_ms) => {
                for _ in 0..*steps {
                    archive.upkeep(retention, PAST + after_ms).await.unwrap();
                }
            }
            Happening::CutShort(micros, after_ms) => {
                let step = archive.upkeep(retention, PAST + after_ms);
                let _maybe = tokio::time::timeout(Duration::from_micros(*micros), step).await;
            }
            Happening::Restart => archive = Archive::connect(url, "hub1").await.unwrap(),
        }
    }
    let rest: Vec<Sample> =
        samples.iter().zip(&there).filter(|(_, there)| !**there).map(|(sample, _)| sample.clone()).collect();
    archive.append(&rest).await.unwrap();
    upkeep(&mut archive, retention, PAST + 30 * DAY).await;
    for tier in Tier::ROLLUPS {
        let found = rollups(url, tier, prefix).await;
        let expected = expected(&samples, tier);
        if tier == Tier::TenMinutes && retention.ten_minutes.is_some() {
            assert!(found.is_empty(), "all of it is old: {found:?}");
            continue;
        }
        assert_eq!(found.len(), expected.len(), "{tier}");
        for Rollup { node, time_ms, metrics } in found {
            let expected = &expected[&(node.to_string(), time_ms)];
            assert_eq!(metrics.len(), expected.len(), "{tier} {node} {time_ms}");
            for (name, stat) in metrics {
                let wanted = expected[&*name];
                assert_eq!(
                    (stat.min, stat.max, stat.count),
                    (wanted.min, wanted.max, wanted.count),
                    "{name}"
                );
                let scale = wanted.min.abs().max(wanted.max.abs());
                assert!((stat.mean - wanted.mean).abs() <= 1e-12 * scale, "{name}: {stat:?} for {wanted:?}");
            }
        }
    }
}

/// Cases with everything kept: what was recomputed has the same bits as what was computed once.
async fn check_bits(url: &ArchiveUrl, prefix: &str, samples: &[Sample], happenings: &[Happening]) {
    let [one, other] = ["a", "b"].map(|part| format!("{prefix}{part}"));
    check(url, &one, samples.to_vec(), happenings, &FOR_EVER, true).await;
    check(url, &other, samples.to_vec(), &[], &FOR_EVER, true).await;
    for tier in Tier::ROLLUPS {
        let [one, other] = [rollups(url, tier, &one).await, rollups(url, tier, &other).await];
        let metrics =
            |rows: Vec<Rollup>| rows.into_iter().map(|row| (row.time_ms, row.metrics)).collect::<Vec<_>>();
        assert_eq!(metrics(one), metrics(other));
    }
}

/// Everything is old in the end: samples after two days, rows of ten minutes after three.
const SHORT: Retention = Retention {
    samples: Some(Duration::from_secs(2 * 86_400)),
    ten_minutes: Some(Duration::from_secs(3 * 86_400)),
    hour: None,
    events: None,
    dead_letters: None,
};

fn run(cases: u32, span_ms: i64, mut case: impl AsyncFnMut(u32, Vec<Sample>, Vec<Happening>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let number = std::cell::Cell::new(0);
    let case = std::cell::RefCell::new(&mut case);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&(samples(span_ms), happenings(span_ms)), |(samples, happenings)| {
            number.set(number.get() + 1);
            runtime.block_on(case.borrow_mut()(number.get(), samples, happenings));
            Ok(())
        })
        .unwrap();
}

#[test]
fn rollups_in_sqlite_are_those_of_all_samples() {
    run(24, 3 * HOUR, async |_, samples, happenings| {
        let folder = tempfile::tempdir().unwrap();
        check_bits(&ArchiveUrl::sqlite(folder.path().join("a.db")), "", &samples, &happenings).await;
    });
}

#[test]
fn rollups_in_sqlite_outlive_their_samples() {
    run(24, 6 * DAY, async |_, samples, happenings| {
        let folder = tempfile::tempdir().unwrap();
        let url = ArchiveUrl::sqlite(folder.path().join("a.db"));
        check(&url, "", samples, &happenings, &SHORT, false).await;
        assert_eq!(ArchiveReader::open(&url).await.unwrap().count().await.unwrap(), 0);
    });
}

#[test]
fn rollups_in_mariadb_are_those_of_all_samples() {
    let server = Mariadb::start().unwrap();
    run(6, 3 * HOUR, async |number, samples, happenings| {
        check_bits(&server.url(), &format!("c{number}"), &samples, &happenings).await;
    });
    // Where a table has no partitions, rows are deleted as in SQLite.
    for table in ["samples", "samples_10m", "samples_1h"] {
        server.execute(&format!("ALTER TABLE {table} REMOVE PARTITIONING")).unwrap();
    }
}
