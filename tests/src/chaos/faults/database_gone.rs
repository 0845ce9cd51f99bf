//! The database is away for longer than the raw retention, and than the journal keeps what is archived: agents come with weeks
//! that they had kept. When it is back, every sample is in the archive once, or, when it is older than samples are kept, in its
//! rollups once.

use std::time::Duration;

use lamon_store::testing::Mariadb;
use lamon_store::{ArchiveReader, Sample};
use tokio::task::spawn_blocking;

use crate::chaos::audit::{Auditor, Found, read_journal};
use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::rollups;
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "database-gone",
    what: "MariaDB away for 30 days with 2 days of raw retention, then killed while it catches up",
    run: |ground| Box::pin(run(ground)),
};

/// How long the archive keeps samples, the shortest that is allowed.
const RETENTION: &str = "[archive]\nsamples = \"2d\"";

/// How long the database is away, in seconds; agents' times are believed for a day more.
const AWAY_SECONDS: u64 = 30 * 86_400;

/// The youngest sample is this old, in seconds: its hour is over.
const YOUNGEST_SECONDS: u64 = 2 * 3_600;

/// Samples of each agent for each time that the database goes away.
const SAMPLES: u64 = 700;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    // Each time has a month of its own on a database of its own; a few say as much as fifty.
    let times = ground.times.div_ceil(10);
    let mut report = Report { times, ..Report::default() };
    let mut server = spawn_blocking(Mariadb::start).await??;
    let (mut kept, mut rolled) = (0, 0);
    for time in 0..times {
        let database = format!("away{time}");
        let url = server.database(&database)?;
        let mut site = Site::of(crate::hub::Hub::collector(), &database, &ground)
            .archiving_in(&url, &server.url_text(&database))
            .with(RETENTION);
        server.kill()?;
        let load = Load { agents: 4, pause: Duration::from_millis(50), burst: 0 };
        let fleet = Fleet::start(load, &mut ground.random);
        let mut ages: Vec<_> =
            std::iter::repeat_with(|| ground.random.u64(YOUNGEST_SECONDS * 1_000..AWAY_SECONDS * 1_000))
                .take(usize::try_from(SAMPLES)?)
                .map(Duration::from_millis)
                .collect();
        ages.sort_unstable_by(|one, other| other.cmp(one));
        fleet.feed(&ages);
        fleet.aim(Some(site.start().await?));
        fleet.settle().await?;
        site.hub()?.says("samples wait in the journal");
        // Everything is still in the journal, however old: the archive lacks it.
        let mut auditor = Auditor::new(fleet.lines(), fleet.clock().monotonic_ms());
        let journal = auditor.journal(&site.journal()).await?;
        let rows = read_journal(&site.journal()).await?;
        server = spawn_blocking(move || server.restart().map(|()| server)).await??;
        for _ in 0..2 {
            ground.pause(50, 1_500).await;
            server = spawn_blocking(move || server.kill().and_then(|()| server.restart()).map(|()| server))
                .await??;
        }
        site.forwarded().await?;
        rollups::made(site.archive()).await?;
        let archive = auditor.archive(site.archive()).await?;
        let missing: Vec<_> = auditor.acknowledged().filter(|identity| !journal.has(*identity)).collect();
        for identity in missing {
            auditor.lost(identity, "the journal");
        }
        lacks_only_old_ones(&mut auditor, &archive, &rows).await;
        let mut reader = ArchiveReader::open(site.archive()).await?;
        for node in rollups::nodes(&fleet.lines()) {
            let own: Vec<_> = rows.iter().filter(|row| *row.node == *node).cloned().collect();
            rolled += rollups::compare_node(&mut reader, node, &own, &mut auditor.audit).await?;
        }
        kept += archive.len();
        (auditor.audit.journal, auditor.audit.archive) = (journal.len(), archive.len());
        report.audit.add(auditor.audit);
        site.kill();
        ground.step();
    }
    report.remarks = vec![format!(
        "of what came late {kept} samples are still kept raw, the rest was older than 2 d; all are in {rolled} rollups once"
    )];
    Ok(report)
}

/// What the archive lacks must be older than samples are kept.
async fn lacks_only_old_ones(auditor: &mut Auditor, archive: &Found, rows: &[Sample]) {
    let two_days_ms = i64::try_from(lamon_store::upkeep::MIN_KEEP.as_millis()).unwrap_or(i64::MAX);
    let cutoff_ms = auditor.now_ms() - two_days_ms;
    let missing: Vec<_> = rows
        .iter()
        .filter(|row| row.time_ms > cutoff_ms)
        .filter_map(|row| auditor.identify(row))
        .filter(|identity| !archive.has(*identity))
        .collect();
    for identity in missing {
        auditor.lost(identity, "the archive");
    }
}
