//! `db copy`: one database into another, while hubs work with both.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use lamon_daemon::answer;
use lamon_store::ArchiveUrl;
use lamon_store::copying::Copying;

use crate::config::HubConfig;

/// The longest pause after a step.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Shown below the help.
pub(super) const EXAMPLES: &str = "To move from SQLite to MySQL: write the new [database] url into hub.toml, restart the hub, \
    then copy what was before:\n  \
    db copy --from sqlite:/var/lib/lamon/archive.sqlite\n\
    A copy that was interrupted is begun again: what is there already stays.";

/// From where, and where to.
#[derive(Debug, Clone, Args)]
pub struct CopyArgs {
    /// The database to read, written as [database] url is.
    #[arg(long, value_name = "URL", value_parser = url_of)]
    from: ArchiveUrl,
    /// The database to write; the one that the configuration names when left out.
    #[arg(long, value_name = "URL", value_parser = url_of)]
    to: Option<ArchiveUrl>,
    /// A file with the password for --from: everybody on this computer can read what a command line says.
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<std::path::PathBuf>,
    /// A file with the password for --to.
    #[arg(long, value_name = "FILE", requires = "to")]
    to_password_file: Option<std::path::PathBuf>,
}

/// Copies.
pub(super) async fn run(config: &HubConfig, args: &CopyArgs) -> anyhow::Result<()> {
    let with = |url: &ArchiveUrl, file: &Option<std::path::PathBuf>| match file {
        Some(file) => url.clone().with_password_file(file),
        None => Ok(url.clone()),
    };
    let from = with(&args.from, &args.from_password_file).context("--from")?;
    let to = match &args.to {
        Some(to) => with(to, &args.to_password_file).context("--to")?,
        None => config.database.url.clone(),
    };
    let failed = || format!("cannot copy {from} to {to}");
    let mut copying = Copying::begin(&from, &to, config.name.as_str()).await.with_context(failed)?;
    let bar = ProgressBar::new(copying.rows());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} % {eta} {msg}") {
        bar.set_style(style);
    }
    // Of each table what was read and what was new, in the order of their coming.
    let mut sums: Vec<(&str, usize, usize)> = Vec::new();
    loop {
        let begin = Instant::now();
        let step = copying
            .step()
            .await
            .with_context(|| format!("{}; what was copied stays, and the same command goes on", failed()))?;
        let Some(step) = step else { break };
        match sums.iter_mut().find(|(table, ..)| *table == step.table) {
            Some((_, read, written)) => (*read, *written) = (*read + step.read, *written + step.written),
            None => sums.push((step.table, step.read, step.written)),
        }
        if step.table.starts_with("samples") {
            bar.inc(step.read as u64);
        }
        bar.set_message(format!("{} {}", step.table, step.node.unwrap_or_default()));
        // SQLite lets one write at a time, and nobody waits there in turn: the hub gets as much time as the copy.
        if to.sqlite_path().is_some() && step.read > 0 {
            tokio::time::sleep(begin.elapsed().min(LONGEST_PAUSE)).await;
        }
    }
    bar.finish_and_clear();
    for (table, read, written) in sums.into_iter().filter(|(table, ..)| *table != "retained") {
        let [read, written] = [read, written].map(|count| HumanCount(count as u64).to_string());
        answer::line(format_args!("{table:12} {read:>15} rows, {written} of them new in {to}"));
    }
    Ok(())
}

fn url_of(text: &str) -> Result<ArchiveUrl, String> {
    ArchiveUrl::parse(text).map_err(|error| error.to_string())
}
