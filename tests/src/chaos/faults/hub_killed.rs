//! `kill -9` of the hub at random instants: while it starts, while it takes in what waited, in the middle of commits.

use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "hub-killed",
    what: "kill -9 of the hub, SQLite archive",
    run: |ground| Box::pin(run(ground)),
};

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut site = Site::new(&ground);
    let fleet = Fleet::start(Load::steady(), &mut ground.random);
    for _ in 0..ground.times {
        fleet.aim(Some(site.start().await?));
        ground.pause(1, 1_500).await;
        site.kill();
        fleet.aim(None);
        ground.step();
    }
    fleet.aim(Some(site.start().await?));
    fleet.gets_on(100).await?;
    let audit = site.settle_and_count(&fleet).await?;
    Ok(Report { times: ground.times, audit, ..Report::default() })
}
