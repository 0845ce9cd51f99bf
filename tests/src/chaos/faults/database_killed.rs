//! `kill -9` of MariaDB at random instants: while it recovers, in the middle of batches, while nothing comes.

use lamon_store::testing::Mariadb;
use tokio::task::spawn_blocking;

use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault =
    Fault { name: "database-killed", what: "kill -9 of MariaDB", run: |ground| Box::pin(run(ground)) };

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut server = spawn_blocking(Mariadb::start).await??;
    let mut site = Site::new(&ground).archiving_to(&server);
    let fleet = Fleet::start(Load { agents: 4, ..Load::steady() }, &mut ground.random);
    fleet.aim(Some(site.start().await?));
    for _ in 0..ground.times {
        ground.pause(100, 4_000).await;
        server =
            spawn_blocking(move || server.kill().and_then(|()| server.restart()).map(|()| server)).await??;
        ground.step();
    }
    fleet.gets_on(100).await?;
    let audit = site.settle_and_count(&fleet).await?;
    Ok(Report { times: ground.times, audit, ..Report::default() })
}
