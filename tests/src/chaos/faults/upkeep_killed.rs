//! `kill -9` of the hub while its archive is at its upkeep: rollups are made of a past that comes in all the time. In the end
//! they must say what the samples say.

use std::time::Duration;

use lamon_store::ArchiveReader;
use lamon_store::testing::Mariadb;
use tokio::task::spawn_blocking;

use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::rollups;
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};
use crate::hub::Hub;
use crate::wait::eventually;

pub(super) const FAULT: Fault = Fault {
    name: "upkeep-killed",
    what: "kill -9 of the hub in the middle of rollups, SQLite and MariaDB in turn",
    run: |ground| Box::pin(run(ground)),
};

/// Agents that each come with a past.
const AGENTS: u32 = 4;

/// How many samples each has waiting for every kill, and the time between two of them in seconds: two in ten minutes, so
/// that there are many rollups to make.
const WAITING: u64 = 200;
const EVERY_SECONDS: u64 = 300;

/// The youngest is this old, in seconds: its hour is over.
const YOUNGEST_SECONDS: u64 = 2 * 3_600;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let half = ground.times.div_ceil(2);
    let rest = ground.times - half;
    let server = spawn_blocking(Mariadb::start).await??;
    let sqlite = under(&mut ground, None, half).await?;
    let mut report = under(&mut ground, Some(&server), rest).await?;
    report.times += sqlite.times;
    report.audit.add(sqlite.audit);
    report.remarks.extend(sqlite.remarks);
    Ok(report)
}

async fn under(ground: &mut Ground, server: Option<&Mariadb>, times: u32) -> anyhow::Result<Report> {
    let name = if server.is_some() { "mariadb" } else { "sqlite" };
    let mut site = Site::of(Hub::collector(), name, ground);
    if let Some(server) = server {
        site = site.archiving_to(server);
    }
    // Nothing but the past: all that comes is due at once.
    let load = Load { agents: AGENTS, pause: Duration::from_millis(50), burst: 0 };
    let fleet = Fleet::start(load, &mut ground.random);
    let mut in_the_middle = 0;
    for time in 0..times {
        // Each past begins in the middle of the one before: rollups that were made are made again.
        let from = YOUNGEST_SECONDS + u64::from(time) * 600;
        let ages = (0..WAITING).map(|place| from + place * EVERY_SECONDS);
        let ages: Vec<_> = ages.rev().map(Duration::from_secs).collect();
        fleet.feed(&ages);
        fleet.aim(Some(site.start().await?));
        // As soon as there are rollups to make, which takes some tenths of a second.
        let due = eventually("rollups that are due", || async {
            let mut reader = ArchiveReader::open(site.archive()).await.ok()?;
            reader.rollups_due().await.ok().filter(|due| *due > 0)
        });
        due.await;
        ground.pause(0, 250).await;
        site.kill();
        fleet.aim(None);
        in_the_middle += u32::from(ArchiveReader::open(site.archive()).await?.rollups_due().await? > 0);
        ground.step();
    }
    fleet.aim(Some(site.start().await?));
    let mut audit = site.settle_and_count(&fleet).await?;
    rollups::made(site.archive()).await?;
    let compared = rollups::compare(site.archive(), &fleet.lines(), &mut audit).await?;
    let remarks = vec![format!(
        "{in_the_middle} of {times} kills under {name} left rollups to be made; in the end all {compared} agree with their samples"
    )];
    Ok(Report { times, audit, remarks })
}
