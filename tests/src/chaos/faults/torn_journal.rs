//! The journal is torn while the hub is down, as a loss of power or a bad disk leaves it. What is promised:
//!
//! - **a torn tail**: bytes behind the last commit, of one that was never finished, or cut off in its middle. Nothing that was
//!   acknowledged is lost;
//! - **commits torn off**: the write-ahead log loses commits that the disk had said were safe. The hub goes on from the last that
//!   is whole; what was torn off and not archived before is gone;
//! - **garbled pages** of the file: it is moved aside, an event says so, and a new one begun. What only that file had stays in it.
//!
//! After each the hub starts, goes on, and stores nothing twice.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::chaos::audit::{Audit, Auditor, read_journal};
use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "torn-journal",
    what: "a torn tail, commits torn off, garbled pages, in turn",
    run: |ground| Box::pin(run(ground)),
};

/// How the journal is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Tail,
    Commits,
    Pages,
}

/// Samples as rows name them.
type Rows = HashSet<(String, u32, u64)>;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut site = Site::new(&ground);
    let fleet = Fleet::start(Load { agents: 4, ..Load::steady() }, &mut ground.random);
    let mut torn = Rows::new();
    let mut moved = 0;
    for time in 0..ground.times {
        fleet.aim(Some(site.start().await?));
        fleet.gets_on(50).await?;
        ground.pause(1, 2_500).await;
        site.kill();
        fleet.aim(None);
        let damage = match time % 3 {
            0 => Damage::Tail,
            1 => Damage::Commits,
            _ => Damage::Pages,
        };
        let before = rows(&site.journal()).await?;
        tear(&site.journal(), damage, &mut ground.random).with_context(|| format!("{damage:?}"))?;
        fleet.aim(Some(site.start().await?));
        // It goes on, at once.
        fleet.gets_on(20).await?;
        let aside = aside(&site.journal())?.len();
        if aside > moved {
            site.hub()?.says("moved to");
        }
        moved = aside;
        site.kill();
        fleet.aim(None);
        let after = rows(&site.journal()).await?;
        let lacking: Vec<_> = before.difference(&after).cloned().collect();
        anyhow::ensure!(damage != Damage::Tail || lacking.is_empty(), "a torn tail took {lacking:?}");
        torn.extend(lacking);
        ground.step();
    }
    fleet.aim(Some(site.start().await?));
    fleet.settle().await?;
    site.forwarded().await?;
    let audit = count(&site, &fleet, &torn).await?;
    let remarks = vec![
        format!(
            "{} samples were in what was torn off or garbled, those that had been archived are in the archive once",
            torn.len()
        ),
        format!("{moved} journals were moved aside, and said so"),
    ];
    Ok(Report { times: ground.times, audit, remarks })
}

/// As always, but what the damage took from the journal is excused there, and in the archive too when it has not come there
/// before. A hub that lost commits may tell less than it acknowledged: that is the damage's doing as well.
async fn count(site: &Site, fleet: &Fleet, torn: &Rows) -> anyhow::Result<Audit> {
    let lines = fleet.lines();
    let mut auditor = Auditor::new(lines.clone(), fleet.clock().monotonic_ms());
    auditor.forgive();
    let journal = auditor.journal(&site.journal()).await?;
    let archive = auditor.archive(site.archive()).await?;
    let excused: HashSet<_> = lines
        .iter()
        .enumerate()
        .flat_map(|(place, line)| {
            let name = move |number| (line.node.clone(), line.epoch, number);
            (1..=line.acknowledged())
                .filter(move |number| torn.contains(&name(*number)))
                .map(move |number| (place, number))
        })
        .collect();
    Ok(auditor.both_but(&journal, &archive, &excused))
}

async fn rows(journal: &Path) -> anyhow::Result<Rows> {
    let rows = read_journal(journal).await?;
    Ok(rows.into_iter().map(|row| (row.node.to_string(), row.epoch, row.sequence)).collect())
}

fn tear(journal: &Path, damage: Damage, random: &mut fastrand::Rng) -> anyhow::Result<()> {
    /// What stands before the first frame of SQLite's write-ahead log, and a frame with its page.
    const WAL_HEADER: u64 = 32;
    const WAL_FRAME: u64 = 24 + 4_096;
    let wal = PathBuf::from(format!("{}-wal", journal.display()));
    let length = fs::metadata(&wal).map_or(0, |metadata| metadata.len());
    match damage {
        Damage::Tail => {
            let mut garbage = vec![0; random.usize(1..20_000)];
            random.fill(&mut garbage);
            OpenOptions::new().create(true).append(true).open(&wal)?.write_all(&garbage)?;
        }
        Damage::Commits => {
            // Somewhere in the frames: SQLite takes what is whole before it.
            let at = random.u64(0..=length.saturating_sub(WAL_HEADER)) + WAL_HEADER.min(length);
            if random.bool() {
                OpenOptions::new().write(true).open(&wal)?.set_len(at)?;
            } else if at < length {
                garble(&wal, &[at], random)?;
            }
        }
        Damage::Pages => {
            // What is only in the log would heal the pages under it: as much as is whole goes into the file first.
            fold(journal)?;
            let length = fs::metadata(journal)?.len();
            let places: Vec<u64> = (0..length / WAL_FRAME).map(|page| page * 4_096).collect();
            garble(journal, &places, random)?;
        }
    }
    Ok(())
}

/// Writes nonsense at these places.
fn garble(path: &Path, places: &[u64], random: &mut fastrand::Rng) -> anyhow::Result<()> {
    use std::os::unix::fs::FileExt as _;

    let file = OpenOptions::new().write(true).open(path)?;
    for place in places {
        let nonsense: [u8; 100] = std::array::from_fn(|_| random.u8(..));
        file.write_all_at(&nonsense, *place)?;
    }
    Ok(())
}

/// Has SQLite write its log into the file, as the hub's end would.
fn fold(journal: &Path) -> anyhow::Result<()> {
    use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};

    let mut connection = SqliteConnection::establish(&journal.to_string_lossy())?;
    connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// The files that the hub moved aside.
fn aside(journal: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = journal.parent().context("a journal without a folder")?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if name.contains(".damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm") {
            files.push(path);
        }
    }
    Ok(files)
}
