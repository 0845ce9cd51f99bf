//! `db backup`: copies of the journal and of a SQLite archive, each of one instant, while the hub runs.
//!
//! The journal is copied first: the archive's copy then has all that the journal's believes it to have, and rows that it has
//! twice are the same.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{DecimalBytes, ProgressBar, ProgressStyle};
use lamon_daemon::signals::shutdown;
use lamon_store::backup;
use tokio::sync::oneshot;

use crate::config::HubConfig;

/// Room that is left on the disk: a full one would stop whoever else writes there.
const SPARE_BYTES: u64 = 64 << 20;

/// Between two looks at how far a copy is.
const LOOK: Duration = Duration::from_millis(200);

/// Where to.
#[derive(Debug, Clone, Args)]
pub struct BackupArgs {
    /// The folder for the copies, made when it is not there; copies of before are replaced when the new ones are whole.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// A file and its copy.
struct Item {
    from: PathBuf,
    to: PathBuf,
    /// While it is written.
    part: Part,
    bytes: u64,
}

/// A file that is there only until it has its name.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes the copies.
pub(super) async fn run(config: &HubConfig, args: &BackupArgs) -> anyhow::Result<()> {
    let ended = shutdown().context("cannot listen for signals")?;
    let folder = &args.folder;
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let items = items(config, folder)?;
    if items.is_empty() {
        bail!("there is nothing to copy: no hub has run here");
    }
    let bytes: u64 = items.iter().map(|item| item.bytes).sum();
    let room = rustix::fs::statvfs(folder.as_path())
        .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
        .with_context(|| format!("cannot ask how much room {} has", folder.display()))?;
    if room < bytes.saturating_add(SPARE_BYTES) {
        bail!(
            "the copies take {} and {} of room are left for others, but the disk of {} has {} only",
            DecimalBytes(bytes),
            DecimalBytes(SPARE_BYTES),
            folder.display(),
            DecimalBytes(room)
        );
    }
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3} % {eta} {msg}") {
        bar.set_style(style);
    }
    let mut before = 0;
    for item in &items {
        bar.set_message(item.from.display().to_string());
        let mut copying = copy(item)?;
        loop {
            tokio::select! {
                copied = &mut copying => break copied.context("the copy ended early")??,
                // The thread that copies ends with the process.
                () = ended.cancelled() => bail!("interrupted; what was copied before this stays"),
                () = tokio::time::sleep(LOOK) => {
                    let written = fs::metadata(&item.part.0).map_or(0, |part| part.len());
                    bar.set_position(before + written.min(item.bytes));
                }
            }
        }
        let size = fs::metadata(&item.part.0).map_or(0, |part| part.len());
        let named = fs::rename(&item.part.0, &item.to).and_then(|()| File::open(folder)?.sync_all());
        named.with_context(|| format!("cannot write {}", item.to.display()))?;
        before += item.bytes;
        // Nobody needs to read it for the copy to go on.
        let _ = bar.suspend(|| writeln!(io::stdout(), "{}, {}", item.to.display(), DecimalBytes(size)));
    }
    bar.finish_and_clear();
    let url = &config.database.url;
    if url.sqlite_path().is_none() {
        lamon_daemon::answer::line(format_args!(
            "the archive is in {url}: copy it with the server's own tools, mariadb-dump for one"
        ));
    }
    Ok(())
}

/// What there is to copy, the journal first.
fn items(config: &HubConfig, folder: &Path) -> anyhow::Result<Vec<Item>> {
    let archive = config.database.url.sqlite_path().map(Path::to_owned);
    let mut items: Vec<Item> = Vec::new();
    for from in std::iter::once(config.journal_path()).chain(archive).filter(|path| path.exists()) {
        let Some(name) = from.file_name() else { continue };
        let to = folder.join(name);
        let same = fs::canonicalize(&to).ok().is_some_and(|to| fs::canonicalize(&from).ok() == Some(to));
        if same || items.iter().any(|item| item.to == to) {
            bail!("{} cannot be copied to {}", from.display(), to.display());
        }
        let part = folder.join(format!(".{}.part-{}", name.to_string_lossy(), std::process::id()));
        // Left by a process of the same number that was killed.
        let _ = fs::remove_file(&part);
        let bytes = backup::copy_bytes(&from)?;
        items.push(Item { from, to, part: Part(part), bytes });
    }
    Ok(items)
}

/// Copies on a thread of its own, which nobody waits for when the program is interrupted.
fn copy(item: &Item) -> anyhow::Result<oneshot::Receiver<Result<(), backup::BackupError>>> {
    let (tell, copied) = oneshot::channel();
    let (from, part) = (item.from.clone(), item.part.0.clone());
    let work = move || {
        let _ = tell.send(backup::copy(&from, &part));
    };
    std::thread::Builder::new().name("backup".into()).spawn(work).context("cannot start a thread")?;
    Ok(copied)
}
