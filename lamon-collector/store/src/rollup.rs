//! Rollups: what a node's metrics were over ten minutes or an hour. Pure: rows go in, one row comes out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::sample::{CORE_COUNT, CORE_METRICS, CORE_NAMES};

/// What a metric was over a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stat {
    /// The mean of all values.
    pub mean: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// How many values.
    pub count: u64,
}

impl Stat {
    /// A single value.
    #[must_use]
    pub const fn of(value: f64) -> Self {
        Self { mean: value, min: value, max: value, count: 1 }
    }
}

/// One row of a rollup.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollup {
    /// The node.
    pub node: Arc<str>,
    /// The beginning of its while, milliseconds since 1970-01-01 UTC.
    pub time_ms: i64,
    /// The metrics: the core ones in the order of [`CORE_METRICS`], then the others by name. A metric without a value
    /// in the while is absent.
    pub metrics: Vec<(Arc<str>, Stat)>,
}

impl Rollup {
    /// What one metric was.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Stat> {
        self.metrics.iter().find(|(own, _)| **own == *name).map(|(_, stat)| *stat)
    }
}

/// The metrics of a row in the form of its columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Columns {
    /// Of the core metrics.
    pub(crate) core: [Option<Stat>; CORE_COUNT],
    /// Of the others, as JSON.
    pub(crate) rest: Option<String>,
}

/// How the JSON of the others looks: `{"temp_cpu":[mean,min,max,count]}`.
#[derive(Serialize, Deserialize)]
struct Quad(f64, f64, f64, u64);

impl Columns {
    /// The columns as metrics.
    ///
    /// # Errors
    ///
    /// When `rest` is no JSON as lamon writes it.
    pub(crate) fn into_metrics(self) -> Result<Vec<(Arc<str>, Stat)>, serde_json::Error> {
        let mut metrics: Vec<(Arc<str>, Stat)> = CORE_NAMES
            .iter()
            .zip(self.core)
            .filter_map(|(name, stat)| stat.map(|stat| (Arc::clone(name), stat)))
            .collect();
        if let Some(rest) = self.rest {
            let rest: BTreeMap<String, Quad> = serde_json::from_str(&rest)?;
            metrics
                .extend(rest.into_iter().map(|(name, Quad(mean, min, max, count))| {
                    (name.into(), Stat { mean, min, max, count })
                }));
        }
        Ok(metrics)
    }
}

/// Gathers rows of one node.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    core: [Option<Sums>; CORE_COUNT],
    rest: HashMap<Arc<str>, Sums>,
}

impl Gathering {
    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.core.iter().all(Option::is_none)
    }

    /// Adds what a metric was, of a sample or of a finer row.
    pub(crate) fn add(&mut self, name: &Arc<str>, stat: Stat) {
        match CORE_METRICS.iter().position(|own| **own == **name).and_then(|index| self.core.get_mut(index)) {
            Some(Some(sums)) => sums.add(stat),
            Some(empty) => *empty = Some(Sums::of(stat)),
            None => match self.rest.get_mut(name) {
                Some(sums) => sums.add(stat),
                None => drop(self.rest.insert(Arc::clone(name), Sums::of(stat))),
            },
        }
    }

    /// The row. It depends on the order of what was added in the last bits of the means only; whoever adds in the order
    /// of time gets the same row each time.
    pub(crate) fn finish(self) -> Columns {
        let rest: BTreeMap<&str, Quad> = self
            .rest
            .iter()
            .map(|(name, sums)| {
                let Stat { mean, min, max, count } = sums.stat();
                (&**name, Quad(mean, min, max, count))
            })
            .collect();
        let others = !rest.is_empty();
        Columns {
            core: self.core.map(|sums| sums.map(|sums| sums.stat())),
            // Names and finite numbers can always be written.
            rest: others.then(|| serde_json::to_string(&rest).ok()).flatten(),
        }
    }
}

/// A metric while it is gathered.
#[derive(Clone, Copy, Debug)]
struct Sums {
    sum: f64,
    min: f64,
    max: f64,
    count: u64,
}

impl Sums {
    fn of(stat: Stat) -> Self {
        Self { sum: weighted(stat), min: stat.min, max: stat.max, count: stat.count }
    }

    fn add(&mut self, stat: Stat) {
        self.sum += weighted(stat);
        self.min = self.min.min(stat.min);
        self.max = self.max.max(stat.max);
        self.count = self.count.saturating_add(stat.count);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
    fn stat(&self) -> Stat {
        let Self { sum, min, max, count } = *self;
        let mean = sum / (count.max(1) as f64);
        // A mean lies between the extremes also when the sum was rounded, or too large for a number.
        let mean = if mean.is_nan() { min / 2.0 + max / 2.0 } else { mean.clamp(min, max) };
        Stat { mean, min, max, count }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples stay far below 2^53")]
fn weighted(stat: Stat) -> f64 {
    stat.mean * (stat.count as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gathered(values: &[f64]) -> Stat {
        let mut gathering = Gathering::default();
        let name: Arc<str> = "temp_cpu".into();
        for value in values {
            gathering.add(&name, Stat::of(*value));
        }
        gathering.finish().into_metrics().unwrap()[0].1
    }

    #[test]
    fn values_become_mean_extremes_and_count() {
        assert_eq!(gathered(&[1.0, 2.0, 6.0]), Stat { mean: 3.0, min: 1.0, max: 6.0, count: 3 });
        assert_eq!(gathered(&[0.1; 7]), Stat { mean: 0.1, min: 0.1, max: 0.1, count: 7 });
        for extreme in [[f64::MAX; 3], [f64::MIN; 3], [f64::MAX, f64::MAX, f64::MIN]] {
            let Stat { mean, min, max, .. } = gathered(&extreme);
            assert!(mean.is_finite() && (min..=max).contains(&mean), "{extreme:?}: {mean}");
        }
    }

    #[test]
    fn nothing_is_an_empty_row() {
        let gathering = Gathering::default();
        assert!(gathering.is_empty());
        assert_eq!(gathering.finish(), Columns::default());
    }

    proptest! {
        #[test]
        fn hours_of_ten_minutes_are_hours_of_samples(
            parts in proptest::collection::vec(proptest::collection::vec(-1e6..1e6, 1..20), 1..6)
        ) {
            let name: Arc<str> = "load1".into();
            let (mut direct, mut by_parts) = (Gathering::default(), Gathering::default());
            for part in &parts {
                let mut ten_minutes = Gathering::default();
                for value in part {
                    direct.add(&name, Stat::of(*value));
                    ten_minutes.add(&name, Stat::of(*value));
                }
                for (name, stat) in ten_minutes.finish().into_metrics().unwrap() {
                    by_parts.add(&name, stat);
                }
            }
            let direct = direct.finish().into_metrics().unwrap()[0].1;
            let by_parts = by_parts.finish().into_metrics().unwrap()[0].1;
            prop_assert_eq!((direct.min, direct.max, direct.count), (by_parts.min, by_parts.max, by_parts.count));
            prop_assert!((direct.mean - by_parts.mean).abs() < 1e-6);
        }
    }
}
