//! `db status`: how large the archive is and what waits for it.

use std::cmp::Ordering;
use std::fmt::Write;

use anyhow::Context;
use indicatif::{DecimalBytes, HumanCount};
use lamon_store::journal::JournalReader;
use lamon_store::{Archive, ArchiveReader, ArchiveUrl, archive_version};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::HubConfig;

/// Prints it.
pub(super) async fn show(config: &HubConfig) -> anyhow::Result<()> {
    let mut text = String::new();
    let journal = journal(config, &mut text);
    let archive = archive(config, &mut text).await;
    lamon_daemon::answer::print(text);
    journal.and(archive)
}

/// The archive.
async fn archive(config: &HubConfig, text: &mut String) -> anyhow::Result<()> {
    let url = &config.database.url;
    writeln!(text, "archive   {url}")?;
    servers(url, text).await?;
    let mut reader = ArchiveReader::open(url).await.with_context(|| format!("cannot read {url}"))?;
    let own = archive_version();
    let found = reader.version().await.with_context(|| format!("{url} has no tables of lamon yet"))?;
    let verdict = match found.cmp(&own) {
        Ordering::Less => "older than this program: the hub brings them up to date when it starts",
        Ordering::Equal => "of this version",
        Ordering::Greater => "newer than this program, which leaves them alone: install the newer version",
    };
    let name = found.clone().unwrap_or_else(|| "none".into());
    writeln!(text, "tables    {name} ({verdict}); lamon {}", lamon_daemon::VERSION)?;
    if found < own {
        return Ok(());
    }
    let size = reader.size().await?;
    write!(text, "size      {}", DecimalBytes(size.bytes))?;
    match size.free_bytes {
        0 => writeln!(text)?,
        free => writeln!(text, ", {} of it free for rows to come", DecimalBytes(free))?,
    }
    let keep = &config.archive;
    writeln!(
        text,
        "  {:12} {:>15} {:>12}  {:20}  {:20}  kept",
        "tier", "about rows", "size", "oldest", "newest"
    )?;
    for (tier, keep) in size.tiers.iter().zip([keep.samples, keep.ten_minutes, keep.hours]) {
        writeln!(
            text,
            "  {:12} {:>15} {:>12}  {:20}  {:20}  {keep}",
            tier.tier.table(),
            HumanCount(tier.rows).to_string(),
            tier.bytes.map_or_else(|| "-".into(), |bytes| DecimalBytes(bytes).to_string()),
            time(tier.oldest_ms),
            time(tier.newest_ms),
        )?;
    }
    writeln!(text, "nodes     {}", reader.nodes().await?.len())?;
    writeln!(text, "due       {} rollups, those of the present included", HumanCount(size.rollups_due))?;
    let dead = reader.dead_letter_count().await?;
    writeln!(text, "refused   {} samples (table dead_letter)", HumanCount(dead))?;
    Ok(())
}

/// Which of several servers would take rows. The hub's log, its bus and its RTS2 value `database_server` say which one it
/// uses: the first, from the one that it used last.
async fn servers(url: &ArchiveUrl, text: &mut String) -> anyhow::Result<()> {
    let servers = Archive::survey(url).await;
    if servers.len() > 1 {
        for (server, answer) in servers {
            match answer {
                Ok(()) => writeln!(text, "server    {server} takes rows")?,
                Err(error) => writeln!(text, "server    {error}")?,
            }
        }
    }
    Ok(())
}

/// The journal, and how far the archive has come in it.
fn journal(config: &HubConfig, text: &mut String) -> anyhow::Result<()> {
    let path = config.journal_path();
    let Ok(metadata) = std::fs::metadata(&path) else {
        writeln!(text, "journal   {} is not there yet: no hub has run here", path.display())?;
        return Ok(());
    };
    let failed = || format!("cannot read the journal {}", path.display());
    let mut reader = JournalReader::open(&path).with_context(failed)?;
    writeln!(text, "journal   {}, {}", path.display(), DecimalBytes(metadata.len()))?;
    let Some(cursor) = reader.cursor(&config.database.url.name()).with_context(failed)? else {
        writeln!(text, "cursor    none: this archive has not been filled from this journal")?;
        return Ok(());
    };
    let backlog = reader.backlog(cursor).with_context(failed)?;
    writeln!(text, "cursor    {cursor}")?;
    write!(text, "backlog   {} samples", HumanCount(backlog.rows))?;
    match backlog.oldest_ms {
        Some(_) => writeln!(text, ", the oldest of {}", time(backlog.oldest_ms))?,
        None => writeln!(text)?,
    }
    Ok(())
}

/// A time for people, UTC, to the second.
fn time(time_ms: Option<i64>) -> String {
    let text = time_ms.map(|time_ms| {
        let time = OffsetDateTime::from_unix_timestamp(time_ms.div_euclid(1_000)).ok();
        time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| time_ms.to_string())
    });
    text.unwrap_or_else(|| "-".into())
}
