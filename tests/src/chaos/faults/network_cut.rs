//! The network between agents and hub is cut, mostly in the middle of a frame, on all connections all the time.

use tokio::time::{Duration, sleep};

use crate::chaos::cutter::Cutter;
use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "network-cut",
    what: "connections cut in the middle of a frame, for each time 20 of them",
    run: |ground| Box::pin(run(ground)),
};

/// How many connections are cut for each time: a cut costs next to nothing.
const CUTS: u32 = 20;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut site = Site::new(&ground);
    let fleet = Fleet::start(Load::steady(), &mut ground.random);
    let cutter = Cutter::start(ground.random.fork()).await?;
    let hub = site.start().await?;
    cutter.aim(Some(hub));
    fleet.aim(Some(cutter.address()));
    for time in 1..=ground.times {
        while cutter.cuts().0 < time * CUTS {
            sleep(Duration::from_millis(10)).await;
        }
        ground.step();
    }
    let (times, in_frame) = cutter.cuts();
    fleet.aim(Some(hub));
    let audit = site.settle_and_count(&fleet).await?;
    Ok(Report { times, audit, remarks: vec![format!("{in_frame} of the cuts were within a frame")] })
}
