//! `replay`: stored samples through other limits, beside those that hold.

mod rules;
mod table;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use lamon_daemon::answer;
use lamon_store::ArchiveReader;
use lamon_wire::names::NodeName;
use serde::Serialize;

use super::HubArgs;
use super::export::{now_ms, time_of};
use super::operated::Operated;
use crate::config::HubConfig;
use crate::replay::{Count, Judge, Slice, Slices};
use crate::sample::utc;
use crate::watch::Line;

/// Shown below the help.
pub(super) const EXAMPLES: &str = "Examples:\n  \
    replay --from 7d                                   what the present limits made of the last week\n  \
    replay --rules new.toml --from 30d                 and what those of new.toml would have made of the last month\n  \
    replay --rules new.toml --from 2026-11-21 --to 2026-11-22 --node ccd01 --list\n\n\
    new.toml is a whole hub.toml, or only what shall be other: without [[group]], [[tag]], [[gate]] or [site] those of the present\n\
    configuration hold. Nothing is changed.";

/// What to replay.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The file with the limits to try; only the present ones when left out.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// From when on: 2026-11-21T10:00:00Z, 2026-11-21 (its beginning, UTC), or 7d (so long ago).
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    from: i64,
    /// Until when, not included; written as --from. Now when left out.
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    to: Option<i64>,
    /// Only this node; may be given several times. All nodes when left out.
    #[arg(long, value_name = "NAME", value_parser = NodeName::new)]
    node: Vec<NodeName>,
    /// Also print every message that there would have been, with its time in UTC: of --rules, or else of the present limits.
    #[arg(long)]
    list: bool,
    /// One JSON object, for scripts.
    #[arg(long, conflicts_with = "list")]
    json: bool,
}

/// For how long before the time that is asked for samples are read, so that nodes and changes per hour are known.
const WARM_UP_MS: i64 = 3_600_000;

/// What came of it.
#[derive(Debug, Serialize)]
struct Outcome {
    from_ms: i64,
    to_ms: i64,
    nodes: usize,
    samples: u64,
    present: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    tried: Option<Count>,
}

/// Replays.
pub(super) async fn run(config: &HubConfig, hub: &HubArgs, args: &ReplayArgs) -> anyhow::Result<()> {
    let tried = args.rules.as_deref().map(|file| rules::load(hub.config.as_deref(), file)).transpose()?;
    let to_ms = args.to.unwrap_or_else(now_ms);
    if args.from >= to_ms {
        bail!("--from is not before --to");
    }
    let url = &config.database.url;
    let mut reader = ArchiveReader::open(url).await.with_context(|| format!("cannot read {url}"))?;
    let known: Vec<_> = reader.nodes().await?.iter().filter_map(|node| NodeName::new(node).ok()).collect();
    if let Some(unknown) = args.node.iter().find(|node| !known.contains(node)) {
        bail!("{url} has nothing of a node {unknown}");
    }
    let nodes = if args.node.is_empty() { known } else { args.node.clone() };
    let start_ms = args.from.saturating_sub(WARM_UP_MS);
    let judge = |config: &HubConfig| Judge::new(config, start_ms, args.from);
    // The present limits are those in force, with what operators set.
    let in_force = HubConfig { rules: Operated::read(config).rules, ..config.clone() };
    let (mut present, mut other) = (judge(&in_force), tried.as_ref().map(judge));
    let mut list = |at_ms: i64, line: &Line| answer::line(format_args!("{}  {}", utc(at_ms), line.text));
    let mut quiet = |_: i64, _: &Line| {};
    let bar = bar(start_ms, to_ms);
    let mut outcome = Outcome {
        from_ms: args.from,
        to_ms,
        nodes: nodes.len(),
        samples: 0,
        present: Count::default(),
        tried: None,
    };
    let list_present = args.list && other.is_none();
    let mut slices = Slices::new(reader, nodes, start_ms, to_ms);
    while let Some(Slice { to_ms, samples }) = slices.next().await.context("cannot read the samples")? {
        for sample in &samples {
            outcome.samples += u64::from(sample.taken_ms >= args.from);
            if list_present {
                present.handle_sample(sample, &mut list);
            } else {
                present.handle_sample(sample, &mut quiet);
            }
            if let Some(other) = &mut other {
                if args.list {
                    other.handle_sample(sample, &mut list);
                } else {
                    other.handle_sample(sample, &mut quiet);
                }
            }
        }
        bar.set_position(to_ms.saturating_sub(start_ms).unsigned_abs());
    }
    bar.finish_and_clear();
    outcome.present =
        if list_present { present.finish(to_ms, &mut list) } else { present.finish(to_ms, &mut quiet) };
    outcome.tried =
        other.map(
            |other| {
                if args.list { other.finish(to_ms, &mut list) } else { other.finish(to_ms, &mut quiet) }
            },
        );
    if args.json {
        answer::line(serde_json::to_string(&outcome).context("the answer does not become JSON")?);
    } else {
        let name = args.rules.as_ref().map(|file| file.file_name().unwrap_or_default().to_string_lossy());
        answer::print(table::show(&outcome, name.as_deref()));
    }
    Ok(())
}

/// How far it is, on standard error, when that is a terminal.
fn bar(from_ms: i64, to_ms: i64) -> ProgressBar {
    let bar = ProgressBar::new(to_ms.saturating_sub(from_ms).unsigned_abs());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} % {eta}") {
        bar.set_style(style);
    }
    bar
}
