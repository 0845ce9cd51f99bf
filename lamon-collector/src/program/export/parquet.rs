//! A table in Parquet's form: typed columns, compressed, in groups of rows.
//!
//! The columns are those of the database: `time`, `node`, one for each core metric, of rollups four, and `metrics`, a JSON
//! object of the others. Metrics that were asked for by name have columns instead. Only parquet's own writer of columns is
//! used, not arrow's arrays, which would be many crates more for the same file.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use lamon_store::reading::Row;
use lamon_store::{CORE_METRICS, Stat, Tier};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

/// Most rows of a group: enough that a column of one compresses well, and that a year of one node is few of them.
const GROUP_ROWS: usize = 50_000;

/// Most bytes of names and JSON in a group. With the numbers of so many rows an export stays below some 60 MB of memory.
const GROUP_BYTES: usize = 16 << 20;

/// The table that is written.
pub(super) struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    tier: Tier,
    /// The metrics with columns of their own.
    names: Vec<String>,
    /// Whether the others come as JSON.
    whole: bool,
    group: Group,
}

/// Rows that are not written yet, by columns.
#[derive(Default)]
struct Group {
    times: Vec<i64>,
    nodes: Vec<ByteArray>,
    /// Of each metric with columns of its own, what it was in each row.
    stats: Vec<Vec<Option<Stat>>>,
    rests: Vec<Option<ByteArray>>,
    bytes: usize,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a table of all metrics, or, when `metrics` has any, of those.
    pub(super) fn new(out: W, tier: Tier, metrics: &[String]) -> anyhow::Result<Self> {
        let whole = metrics.is_empty();
        let names: Vec<String> = if whole { CORE_METRICS.map(str::to_owned).into() } else { unique(metrics) };
        let said = [("lamon.version", lamon_daemon::VERSION), ("lamon.tier", tier.table())];
        let said = said.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_key_value_metadata(Some(said.into()))
            .build();
        let writer = SerializedFileWriter::new(out, schema(tier, &names, whole)?, Arc::new(properties))?;
        let group = Group::of(names.len());
        Ok(Self { writer, tier, names, whole, group })
    }

    /// Adds a row.
    pub(super) fn row(&mut self, node: &str, row: &Row) -> anyhow::Result<()> {
        let group = &mut self.group;
        group.times.push(row.time_ms);
        group.nodes.push(node.into());
        for (name, stats) in self.names.iter().zip(&mut group.stats) {
            stats.push(row.metrics.iter().find(|(own, _)| **own == **name).map(|(_, stat)| *stat));
        }
        group.bytes += node.len();
        if self.whole {
            let rest = rest(self.tier, row)?;
            group.bytes += rest.as_ref().map_or(0, ByteArray::len);
            group.rests.push(rest);
        }
        if group.times.len() >= GROUP_ROWS || group.bytes >= GROUP_BYTES { self.write() } else { Ok(()) }
    }

    /// Writes what is left, and the end.
    pub(super) fn finish(mut self) -> anyhow::Result<W> {
        self.write()?;
        self.writer.into_inner().context("cannot end the table")
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let group = std::mem::replace(&mut self.group, Group::of(self.names.len()));
        if group.times.is_empty() {
            return Ok(());
        }
        let mut out = self.writer.next_row_group()?;
        required::<Int64Type, W>(&mut out, &group.times)?;
        required::<ByteArrayType, W>(&mut out, &group.nodes)?;
        for stats in &group.stats {
            let part = |part: fn(&Stat) -> f64| stats.iter().map(move |stat| stat.as_ref().map(part));
            optional::<DoubleType, W>(&mut out, part(|stat| stat.mean))?;
            if self.tier != Tier::Samples {
                optional::<DoubleType, W>(&mut out, part(|stat| stat.min))?;
                optional::<DoubleType, W>(&mut out, part(|stat| stat.max))?;
                let counts = stats.iter().map(|stat| stat.map(|stat| stat.count.cast_signed()));
                optional::<Int64Type, W>(&mut out, counts)?;
            }
        }
        if self.whole {
            optional::<ByteArrayType, W>(&mut out, group.rests.into_iter())?;
        }
        out.close()?;
        Ok(())
    }
}

impl Group {
    fn of(metrics: usize) -> Self {
        Self { stats: vec![Vec::new(); metrics], ..Self::default() }
    }
}

/// The metrics without columns of their own, as JSON; none when there are none.
fn rest(tier: Tier, row: &Row) -> anyhow::Result<Option<ByteArray>> {
    let others = row.metrics.iter().filter(|(name, _)| !CORE_METRICS.contains(&&**name));
    let json: serde_json::Map<String, serde_json::Value> = others
        .map(|(name, Stat { mean, min, max, count })| {
            let value = match tier {
                Tier::Samples => (*mean).into(),
                _ => serde_json::json!([mean, min, max, count]),
            };
            (name.to_string(), value)
        })
        .collect();
    if json.is_empty() {
        return Ok(None);
    }
    Ok(Some(serde_json::to_string(&json)?.into_bytes().into()))
}

fn schema(tier: Tier, names: &[String], whole: bool) -> Result<TypePtr, ParquetError> {
    let column = |name: &str, physical, logical, repetition| {
        let column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        column.with_logical_type(logical).build().map(Arc::new)
    };
    let time = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let mut columns = vec![
        column("time", Physical::INT64, Some(time), Repetition::REQUIRED)?,
        column("node", Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED)?,
    ];
    for name in names {
        if tier == Tier::Samples {
            columns.push(column(name, Physical::DOUBLE, None, Repetition::OPTIONAL)?);
        } else {
            for part in ["mean", "min", "max"] {
                let name = format!("{name}_{part}");
                columns.push(column(&name, Physical::DOUBLE, None, Repetition::OPTIONAL)?);
            }
            columns.push(column(&format!("{name}_count"), Physical::INT64, None, Repetition::OPTIONAL)?);
        }
    }
    if whole {
        columns.push(column("metrics", Physical::BYTE_ARRAY, Some(LogicalType::Json), Repetition::OPTIONAL)?);
    }
    Type::group_type_builder("lamon").with_fields(columns).build().map(Arc::new)
}

/// Each name once, in the order of the first.
fn unique(names: &[String]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

/// Writes the next column, which has a value in each row.
fn required<T: DataType, W: Write + Send>(
    out: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<(), ParquetError> {
    let Some(mut column) = out.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// Writes the next column, which may have none.
fn optional<T: DataType, W: Write + Send>(
    out: &mut SerializedRowGroupWriter<'_, W>,
    rows: impl Iterator<Item = Option<T::T>>,
) -> Result<(), ParquetError> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for row in rows {
        levels.push(i16::from(row.is_some()));
        values.extend(row);
    }
    let Some(mut column) = out.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    column.close()
}
