//! A sample as columns: how it is taken apart for a row and put together again. Shared by journal and archives.

use std::{collections::HashSet, sync::Arc};

use diesel::prelude::{Queryable, Selectable};
use serde::{
    Serialize, Serializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};

use crate::sample::{CORE_COUNT, CORE_METRICS, CORE_NAMES, Sample};

/// The values of the core metrics, in the order of [`CORE_METRICS`].
pub(crate) type CoreValues = [Option<f64>; CORE_COUNT];

/// Most names that [`Names`] keeps: a hundred nodes with forty metrics of their own have 4,000. Beyond it begins anew,
/// so that names that never come back do not pile up.
const MAX_NAMES: usize = 8_192;

/// Makes the columns of the core metrics a struct for one table; diesel binds each struct to a table.
macro_rules! core_columns {
    ($(#[$doc:meta])* $name:ident, $table:path) => {
        $(#[$doc])*
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = $table)]
        pub(crate) struct $name {
            cpu_percent: Option<f64>,
            memory_percent: Option<f64>,
            swap_percent: Option<f64>,
            disk_percent: Option<f64>,
            nic_in: Option<f64>,
            nic_out: Option<f64>,
            load1: Option<f64>,
            processes: Option<f64>,
            uptime: Option<f64>,
            clock_offset: Option<f64>,
        }

        impl From<$name> for CoreValues {
            fn from(columns: $name) -> Self {
                [
                    columns.cpu_percent,
                    columns.memory_percent,
                    columns.swap_percent,
                    columns.disk_percent,
                    columns.nic_in,
                    columns.nic_out,
                    columns.load1,
                    columns.processes,
                    columns.uptime,
                    columns.clock_offset,
                ]
            }
        }
    };
}

core_columns!(
    /// The core columns of the journal's table `entries`.
    EntryCore,
    crate::journal::schema::entries
);
core_columns!(
    /// The core columns of the archive's table `samples`.
    SampleCore,
    crate::schema::samples
);

/// Takes the metrics of a sample apart: the core values, and a JSON object of the others if there are any.
pub(crate) fn split(sample: &Sample) -> (CoreValues, Option<String>) {
    let mut core = [None; CORE_COUNT];
    let mut others = false;
    for (name, value) in &sample.metrics {
        let Some(value) = storable(*value) else { continue };
        match CORE_METRICS.iter().position(|own| **own == **name).and_then(|index| core.get_mut(index)) {
            Some(slot) => *slot = Some(value),
            None => others = true,
        }
    }
    let rest = others.then(|| serde_json::to_string(&Others(sample)).ok()).flatten();
    (core, rest)
}

/// Puts a sample's metrics together again; the reverse of [`split`].
///
/// # Errors
///
/// When `rest` is not a JSON object of names and numbers.
pub(crate) fn join(
    core: CoreValues,
    rest: Option<&str>,
    names: &mut Names,
) -> Result<Vec<(Arc<str>, f64)>, serde_json::Error> {
    let mut metrics: Vec<(Arc<str>, f64)> = CORE_NAMES
        .iter()
        .zip(core)
        .filter_map(|(name, value)| value.map(|value| (Arc::clone(name), value)))
        .collect();
    if let Some(rest) = rest {
        let mut json = serde_json::Deserializer::from_str(rest);
        Metrics { names, into: &mut metrics }.deserialize(&mut json)?;
        json.end()?;
    }
    Ok(metrics)
}

/// The whole sample as one JSON object, for the table `dead_letter`.
pub(crate) fn to_json(sample: &Sample) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        node: &'a str,
        epoch: u32,
        sequence: u64,
        time_ms: i64,
        #[serde(serialize_with = "every_metric")]
        metrics: &'a Sample,
    }
    fn every_metric<S: Serializer>(sample: &Sample, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(sample.metrics.iter().map(|(name, value)| (&**name, value)))
    }
    serde_json::to_string(&Whole {
        node: &sample.node,
        epoch: sample.epoch,
        sequence: sample.sequence,
        time_ms: sample.time_ms,
        metrics: sample,
    })
    .unwrap_or_default()
}

/// What a database can give back: none for a value that is not finite, and zero for negative zero, because SQLite
/// keeps whole numbers as integers, which have no sign of zero.
fn storable(value: f64) -> Option<f64> {
    value.is_finite().then_some(if value == 0.0 { 0.0 } else { value })
}

/// The metrics without columns of their own, written as a JSON object.
struct Others<'a>(&'a Sample);

impl Serialize for Others<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.metrics.iter().filter_map(|(name, value)| {
            let other = !CORE_METRICS.contains(&&**name);
            storable(*value).filter(|_| other).map(|value| (&**name, value))
        }))
    }
}

/// Reads a JSON object of names and numbers to the end of a list.
struct Metrics<'a> {
    names: &'a mut Names,
    into: &'a mut Vec<(Arc<str>, f64)>,
}

impl<'de> DeserializeSeed<'de> for Metrics<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Metrics<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object of metric names and numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(self.names))? {
            self.into.push((name, map.next_value()?));
        }
        Ok(())
    }
}

/// Reads one name, without a copy of its own.
struct Name<'a>(&'a mut Names);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Arc<str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Arc<str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Arc<str>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a metric name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Arc<str>, E> {
        Ok(self.0.shared(name))
    }
}

/// Names that occur again and again, each kept once: reading a backlog then allocates no names.
#[derive(Debug, Default)]
pub(crate) struct Names(HashSet<Arc<str>>);

impl Names {
    /// The one shared copy of a name.
    pub(crate) fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        if self.0.len() >= MAX_NAMES {
            self.0.clear();
        }
        let shared: Arc<str> = Arc::from(name);
        self.0.insert(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(metrics: &[(&str, f64)]) -> Sample {
        Sample {
            node: "ccd01".into(),
            epoch: 7,
            sequence: 3,
            time_ms: 1_700_000_000_123,
            metrics: metrics.iter().map(|(name, value)| (Arc::from(*name), *value)).collect(),
        }
    }

    #[test]
    fn core_metrics_get_columns_and_the_rest_one_json() {
        let (core, rest) =
            split(&sample(&[("temp_cpu", 41.5), ("clock_offset", -0.25), ("cpu_percent", 3.0)]));
        assert_eq!(core[0], Some(3.0));
        assert_eq!(core[9], Some(-0.25));
        assert_eq!(core.iter().flatten().count(), 2);
        assert_eq!(rest.as_deref(), Some(r#"{"temp_cpu":41.5}"#));
        assert_eq!(split(&sample(&[("uptime", 1.0)])).1, None);
    }

    #[test]
    fn what_is_not_finite_is_absent_and_negative_zero_is_zero() {
        let (core, rest) =
            split(&sample(&[("cpu_percent", f64::NAN), ("temp_a", f64::INFINITY), ("temp_b", -0.0)]));
        assert_eq!(core, [None; CORE_COUNT]);
        assert_eq!(rest.as_deref(), Some(r#"{"temp_b":0.0}"#));
    }

    #[test]
    fn json_of_another_shape_is_refused() {
        for bad in ["", "[]", "{\"a\":\"b\"}", "{\"a\":null}", "{\"a\":1} x"] {
            assert!(join([None; CORE_COUNT], Some(bad), &mut Names::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_shared_and_bounded() {
        let mut names = Names::default();
        assert!(Arc::ptr_eq(&names.shared("temp_a"), &names.shared("temp_a")));
        for index in 0..=MAX_NAMES {
            names.shared(&index.to_string());
        }
        assert!(names.0.len() <= MAX_NAMES);
    }

    proptest! {
        #[test]
        fn split_and_join_give_every_bit_back(
            values in proptest::collection::vec(proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL, 0..30)
        ) {
            let metrics: Vec<(Arc<str>, f64)> = values
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    (CORE_METRICS.get(index).map_or_else(|| format!("m{index}"), |n| (*n).to_owned()).into(), *value)
                })
                .collect();
            let original = Sample { metrics, ..sample(&[]) };
            let (core, rest) = split(&original);
            let joined = join(core, rest.as_deref(), &mut Names::default()).unwrap();
            let bits = |list: &[(Arc<str>, f64)]| -> Vec<(Arc<str>, u64)> {
                list.iter().map(|(name, value)| (Arc::clone(name), value.to_bits())).collect()
            };
            prop_assert_eq!(bits(&joined), bits(&original.metrics));
        }
    }
}
