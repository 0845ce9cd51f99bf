//! `export`: what the archive has of some nodes, as a table for other programs.
//!
//! Rows are read page by page, so that memory stays small however much it is, and the hub is never held up. For CSV all are read
//! twice: first for the names of the metrics, which the head of the table needs, then to be written.
//!
//! | file | what it holds |
//! |---|---|
//! | `parquet` | a table in Parquet's form |
//! | `output` | where it goes; a file has its name only when it is whole |

mod output;
mod parquet;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use lamon_daemon::seconds::Seconds;
use lamon_daemon::signals::shutdown;
use lamon_store::reading::{Row, Walk};
use lamon_store::{ArchiveReader, Tier};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::output::Output;
use self::parquet::ParquetTable;
use crate::config::HubConfig;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "Examples:\n  \
    export --node ccd01 --from 2026-11-21T10:00:00Z --to 2026-11-22 > night.csv\n  \
    export --from 365d --tier 1h --metric disk_percent --output year.csv\n  \
    export --from 30d --format parquet --output month.parquet";

/// What to export.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Only this node; may be given several times. All nodes when left out.
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,
    /// Only this metric; may be given several times. All metrics when left out.
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    /// From when on: 2026-11-21T10:00:00Z, 2026-11-21 (its beginning, UTC), or 7d (so long ago).
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    from: i64,
    /// Until when, not included; written as --from. Now when left out.
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    to: Option<i64>,
    /// From which tier: rollups have four columns for each metric, mean, min, max and count.
    #[arg(long, value_enum, default_value = "samples")]
    tier: ExportTier,
    /// The form of the table.
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// Where to write; standard output when left out. A file is there only when it is whole.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Forms of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Commas between values, a head with names, times in UTC as RFC 3339 has them.
    Csv,
    /// Apache Parquet: typed columns, compressed. Metrics that are no core metrics come as JSON in the column metrics, unless
    /// --metric names them.
    Parquet,
}

/// The tiers as they are named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportTier {
    /// Samples as they came.
    Samples,
    /// Rows of ten minutes.
    #[value(name = "10m")]
    TenMinutes,
    /// Rows of an hour.
    #[value(name = "1h")]
    Hour,
}

impl From<ExportTier> for Tier {
    fn from(tier: ExportTier) -> Self {
        match tier {
            ExportTier::Samples => Self::Samples,
            ExportTier::TenMinutes => Self::TenMinutes,
            ExportTier::Hour => Self::Hour,
        }
    }
}

/// Reads and writes.
pub(super) async fn run(config: &HubConfig, args: &ExportArgs) -> anyhow::Result<()> {
    if args.output.is_none() {
        if args.format == Format::Parquet && io::stdout().is_terminal() {
            bail!("a terminal cannot show Parquet: name a file by --output");
        }
        return export(config, args).await;
    }
    let ended = shutdown().context("cannot listen for signals")?;
    tokio::select! {
        done = export(config, args) => done,
        () = ended.cancelled() => bail!("interrupted; nothing was written"),
    }
}

async fn export(config: &HubConfig, args: &ExportArgs) -> anyhow::Result<()> {
    let url = &config.database.url;
    let mut reader = ArchiveReader::open(url).await.with_context(|| format!("cannot read {url}"))?;
    let known = reader.nodes().await?;
    if let Some(unknown) = args.node.iter().find(|node| !known.contains(node)) {
        bail!("{url} has nothing of a node {unknown}");
    }
    let nodes = if args.node.is_empty() { known } else { args.node.clone() };
    let to_ms = args.to.unwrap_or_else(now_ms);
    // Each node once from the beginning to the end, or twice.
    let readings = if args.format == Format::Csv { 2 } else { 1 };
    let bar = Bar::new(nodes.len() * readings, args.from, to_ms);
    let mut export = Export { reader, args, to_ms, bar };
    let written = match args.format {
        Format::Csv => export.csv(&nodes).await,
        Format::Parquet => export.parquet(&nodes).await,
    };
    match written {
        // Whoever read has read enough: head, mostly.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        other => other,
    }
}

/// What an export reads from.
struct Export<'a> {
    reader: ArchiveReader,
    args: &'a ExportArgs,
    to_ms: i64,
    bar: Bar,
}

impl Export<'_> {
    async fn csv(&mut self, nodes: &[String]) -> anyhow::Result<()> {
        let args = self.args;
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        for (done, node) in nodes.iter().enumerate() {
            let gather = |rows: &[Row]| {
                for (name, _) in rows.iter().flat_map(|row| &row.metrics) {
                    if !names.contains(name) {
                        names.insert(Arc::clone(name));
                    }
                }
                Ok(())
            };
            self.each_page(node, done, gather).await?;
        }
        let wanted =
            |name: &Arc<str>| args.metric.is_empty() || args.metric.iter().any(|metric| **metric == **name);
        let names: Vec<Arc<str>> = names.into_iter().filter(wanted).collect();
        let out = BufWriter::new(Output::open(args.output.as_deref())?);
        let csv = csv::Writer::from_writer(out);
        let mut table = Table { csv, tier: args.tier.into(), names, whole: args.metric.is_empty() };
        table.head()?;
        for (done, node) in nodes.iter().enumerate() {
            let write = |rows: &[Row]| rows.iter().try_for_each(|row| table.row(node, row));
            self.each_page(node, nodes.len() + done, write).await?;
        }
        table.csv.flush()?;
        let out = table.csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }

    async fn parquet(&mut self, nodes: &[String]) -> anyhow::Result<()> {
        let args = self.args;
        let out = BufWriter::new(Output::open(args.output.as_deref())?);
        let mut table = ParquetTable::new(out, args.tier.into(), &args.metric)?;
        for (done, node) in nodes.iter().enumerate() {
            let write = |rows: &[Row]| rows.iter().try_for_each(|row| table.row(node, row));
            self.each_page(node, done, write).await?;
        }
        let out = table.finish()?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }

    /// Hands over every row of a node, page by page.
    async fn each_page(
        &mut self,
        node: &str,
        done: usize,
        mut take: impl FnMut(&[Row]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let metric = match self.args.metric.as_slice() {
            [metric] => Some(metric.as_str()),
            _ => None,
        };
        let mut walk = Walk::new(self.args.tier.into(), node, metric, self.args.from, self.to_ms);
        while let Some(rows) = self.reader.next_rows(&mut walk).await? {
            take(&rows)?;
            if let Some(last) = rows.last() {
                self.bar.at(done, last.time_ms);
            }
        }
        Ok(())
    }
}

/// The table that is written.
struct Table<W: Write> {
    csv: csv::Writer<W>,
    tier: Tier,
    /// In order.
    names: Vec<Arc<str>>,
    /// Whether these are to be all metrics.
    whole: bool,
}

impl<W: Write> Table<W> {
    fn head(&mut self) -> csv::Result<()> {
        let names = self.names.iter().flat_map(|name| match self.tier {
            Tier::Samples => vec![name.to_string()],
            _ => ["mean", "min", "max", "count"].map(|part| format!("{name}_{part}")).into(),
        });
        self.csv.write_record(["time", "node"].map(str::to_owned).into_iter().chain(names))
    }

    fn row(&mut self, node: &str, row: &Row) -> anyhow::Result<()> {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.time_ms) * 1_000_000);
        let time = time.ok().and_then(|time| time.format(&Rfc3339).ok());
        self.csv.write_field(time.unwrap_or_else(|| row.time_ms.to_string()))?;
        self.csv.write_field(node)?;
        for (name, _) in &row.metrics {
            // Late samples may bring one between the two readings.
            if self.names.binary_search(name).is_err() && self.whole {
                bail!("{node} got a new metric {name} while it was read: export again");
            }
        }
        for name in &self.names {
            let stat = row.metrics.iter().find(|(own, _)| own == name).map(|(_, stat)| *stat);
            let fields = match (stat, self.tier) {
                (Some(stat), Tier::Samples) => vec![stat.mean.to_string()],
                (Some(stat), _) => {
                    let numbers = [stat.mean, stat.min, stat.max].map(|number| number.to_string());
                    numbers.into_iter().chain([stat.count.to_string()]).collect()
                }
                (None, Tier::Samples) => vec![String::new()],
                (None, _) => vec![String::new(); 4],
            };
            for field in fields {
                self.csv.write_field(field)?;
            }
        }
        // Ends the row.
        self.csv.write_record(None::<&[u8]>)?;
        Ok(())
    }
}

/// How far it is, on a terminal; nowhere else.
struct Bar {
    bar: ProgressBar,
    from_ms: i64,
    span_ms: u64,
}

impl Bar {
    fn new(parts: usize, from_ms: i64, to_ms: i64) -> Self {
        let span_ms = to_ms.saturating_sub(from_ms).max(1).unsigned_abs();
        // On standard error, and only when that is a terminal.
        let bar = ProgressBar::new(span_ms.saturating_mul(parts as u64));
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} % {eta}") {
            bar.set_style(style);
        }
        Self { bar, from_ms, span_ms }
    }

    fn at(&self, part: usize, time_ms: i64) {
        let within = time_ms.saturating_sub(self.from_ms).max(0).unsigned_abs().min(self.span_ms);
        self.bar.set_position(self.span_ms.saturating_mul(part as u64).saturating_add(within));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A time as it is written on the command line, as milliseconds since 1970.
pub(super) fn time_of(text: &str) -> Result<i64, String> {
    let ms =
        |time: OffsetDateTime| i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX);
    // A date alone is its beginning.
    let written = [text.to_owned(), format!("{text}T00:00:00Z")];
    if let Some(time) = written.iter().find_map(|text| OffsetDateTime::parse(text, &Rfc3339).ok()) {
        return Ok(ms(time));
    }
    match text.parse::<Seconds>() {
        Ok(ago) => {
            let ago_ms = i64::try_from(ago.duration().as_millis()).unwrap_or(i64::MAX);
            Ok(now_ms().saturating_sub(ago_ms))
        }
        Err(_) => Err("write 2026-11-21T10:00:00Z, 2026-11-21 or 7d (so long ago)".into()),
    }
}

pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        io.or(csv) == Some(io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_three_ways() {
        assert_eq!(time_of("2026-11-22"), Ok(1_795_305_600_000));
        assert_eq!(time_of("2026-11-22T08:00:00.5+08:00"), Ok(1_795_305_600_500));
        let day_ago = time_of("1d").unwrap();
        assert!((now_ms() - day_ago - 86_400_000).abs() < 60_000);
        for bad in ["", "yesterday", "2026-13-01", "2026-11-22 08:00 +01"] {
            assert!(time_of(bad).is_err(), "{bad}");
        }
    }
}
