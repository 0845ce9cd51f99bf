//! Rollups as rows of a table: their columns are four for each core metric, so the statements are made of the list of
//! core metrics instead of being written out.

use std::{fmt::Write, sync::LazyLock};

use diesel::{
    QueryableByName,
    backend::Backend,
    deserialize::{self, FromSql},
    row::NamedRow,
    sql_types::{BigInt, Double, Text},
};

use crate::{
    db::Value,
    rollup::{Columns, Stat},
    sample::{CORE_COUNT, CORE_METRICS},
    tier::Tier,
};

/// The columns of each core metric: mean, min, max, count.
static NAMES: LazyLock<[[String; 4]; CORE_COUNT]> = LazyLock::new(|| {
    CORE_METRICS.map(|metric| ["mean", "min", "max", "count"].map(|part| format!("{metric}_{part}")))
});

/// All columns of a rollup's table, in order, with commas between.
pub(crate) static ROLLUP_COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let mut columns = "node, time_ms".to_owned();
    for name in NAMES.iter().flatten() {
        let _never_fails = write!(columns, ", {name}");
    }
    columns + ", metrics"
});

/// The columns of `samples` that a sample is made of.
pub(crate) static SAMPLE_COLUMNS: LazyLock<String> =
    LazyLock::new(|| format!("time_ms, epoch, sequence, {}, metrics", CORE_METRICS.join(", ")));

/// The statement that writes a row over what is there.
pub(crate) fn replace(tier: Tier) -> String {
    // node, time_ms, the core metrics, metrics.
    let marks = vec!["?"; 3 + 4 * CORE_COUNT].join(", ");
    format!("REPLACE INTO {} ({}) VALUES ({marks})", tier.table(), *ROLLUP_COLUMNS)
}

/// The values for [`replace`].
pub(crate) fn values(node: &str, time_ms: i64, columns: Columns) -> Vec<Value> {
    let mut values = vec![node.into(), time_ms.into()];
    for stat in columns.core {
        values.extend([
            Value::Real(stat.map(|stat| stat.mean)),
            Value::Real(stat.map(|stat| stat.min)),
            Value::Real(stat.map(|stat| stat.max)),
            Value::MaybeInt(stat.map(|stat| i64::try_from(stat.count).unwrap_or(i64::MAX))),
        ]);
    }
    values.push(columns.rest.into());
    values
}

/// A row of a rollup as it is read.
pub(crate) struct StoredRollup {
    pub(crate) node: String,
    pub(crate) time_ms: i64,
    pub(crate) columns: Columns,
}

/// A row of `samples` as it is read by name.
pub(crate) struct StoredRow {
    pub(crate) time_ms: i64,
    pub(crate) epoch: i64,
    pub(crate) sequence: i64,
    pub(crate) core: [Option<f64>; CORE_COUNT],
    pub(crate) metrics: Option<String>,
}

impl<DB: Backend> QueryableByName<DB> for StoredRollup
where
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    String: FromSql<Text, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut core = [None; CORE_COUNT];
        for (stat, [mean, min, max, count]) in core.iter_mut().zip(NAMES.iter()) {
            if let Some(mean) = maybe::<DB, Double, f64>(row, mean)? {
                *stat = Some(Stat {
                    mean,
                    min: NamedRow::get::<Double, f64>(row, min)?,
                    max: NamedRow::get::<Double, f64>(row, max)?,
                    count: NamedRow::get::<BigInt, i64>(row, count)?.try_into()?,
                });
            }
        }
        Ok(Self {
            node: NamedRow::get::<Text, String>(row, "node")?,
            time_ms: NamedRow::get::<BigInt, i64>(row, "time_ms")?,
            columns: Columns { core, rest: maybe::<DB, Text, String>(row, "metrics")? },
        })
    }
}

impl<DB: Backend> QueryableByName<DB> for StoredRow
where
    i64: FromSql<BigInt, DB>,
    f64: FromSql<Double, DB>,
    String: FromSql<Text, DB>,
{
    fn build<'a>(row: &impl NamedRow<'a, DB>) -> deserialize::Result<Self> {
        let mut core = [None; CORE_COUNT];
        for (value, name) in core.iter_mut().zip(CORE_METRICS) {
            *value = maybe::<DB, Double, f64>(row, name)?;
        }
        Ok(Self {
            time_ms: NamedRow::get::<BigInt, i64>(row, "time_ms")?,
            epoch: NamedRow::get::<BigInt, i64>(row, "epoch")?,
            sequence: NamedRow::get::<BigInt, i64>(row, "sequence")?,
            core,
            metrics: maybe::<DB, Text, String>(row, "metrics")?,
        })
    }
}

/// A column that may be NULL.
fn maybe<'a, DB: Backend, ST, T: FromSql<ST, DB>>(
    row: &impl NamedRow<'a, DB>,
    name: &str,
) -> deserialize::Result<Option<T>>
where
    ST: diesel::sql_types::SqlType<IsNull = diesel::sql_types::is_nullable::NotNull>,
{
    NamedRow::get::<diesel::sql_types::Nullable<ST>, Option<T>>(row, name)
}
