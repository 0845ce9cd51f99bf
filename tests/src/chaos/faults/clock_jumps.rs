//! Clocks that jump by hours, forth and back: first the nodes' wall clocks, which must not move a single sample in time; then the
//! hub's own, while it takes samples, commits and archives, and now and then over a kill.

use crate::chaos::audit::Auditor;
use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::wall_clock::WallClock;
use crate::chaos::{Fault, Ground, Report};
use crate::hub::Hub;

pub(super) const FAULT: Fault = Fault {
    name: "clock-jumps",
    what: "wall clocks of nodes, then the hub's, set by up to 12 hours",
    run: |ground| Box::pin(run(ground)),
};

/// The farthest that a clock is set off, milliseconds: 12 hours.
const FARTHEST_MS: i64 = 12 * 3_600_000;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let half = ground.times.div_ceil(2);
    let rest = ground.times - half;
    let mut report = nodes(&mut ground, half).await?;
    let hub = the_hub(&mut ground, rest).await?;
    report.times += hub.times;
    report.audit.add(hub.audit);
    report.remarks.extend(hub.remarks);
    Ok(report)
}

async fn nodes(ground: &mut Ground, times: u32) -> anyhow::Result<Report> {
    let mut site = Site::of(Hub::collector(), "nodes", ground);
    let fleet = Fleet::start(Load::steady(), &mut ground.random);
    fleet.aim(Some(site.start().await?));
    for _ in 0..times {
        fleet.clock().step(ground.random.i64(-FARTHEST_MS..=FARTHEST_MS));
        // Half of them tell it in a pong, half in the hello of another connection.
        if ground.random.bool() {
            site.kill();
            fleet.aim(Some(site.start().await?));
        }
        fleet.gets_on(50).await?;
        ground.pause(1, 600).await;
        ground.step();
    }
    let audit = site.settle_and_count(&fleet).await?;
    let remark = "the nodes' clocks moved no sample in time".to_owned();
    Ok(Report { times, audit, remarks: vec![remark] })
}

async fn the_hub(ground: &mut Ground, times: u32) -> anyhow::Result<Report> {
    let clock = WallClock::new(&ground.folder)?;
    let builder = Hub::collector().environment(&clock.environment());
    let mut site = Site::of(builder, "hub", ground);
    let fleet = Fleet::start(Load::steady(), &mut ground.random);
    fleet.aim(Some(site.start().await?));
    fleet.gets_on(50).await?;
    let mut farthest_ms = 0;
    for _ in 0..times {
        let step_ms = ground.random.i64(-FARTHEST_MS..=FARTHEST_MS);
        farthest_ms = farthest_ms.max(step_ms.abs());
        clock.set(step_ms)?;
        if ground.random.u8(0..4) == 0 {
            site.kill();
            fleet.aim(Some(site.start().await?));
        }
        fleet.gets_on(50).await?;
        ground.pause(1, 1_200).await;
        ground.step();
    }
    clock.set(0)?;
    fleet.gets_on(50).await?;
    fleet.settle().await?;
    site.forwarded().await?;
    let mut auditor = Auditor::new(fleet.lines(), fleet.clock().monotonic_ms());
    auditor.times_within(farthest_ms);
    let journal = auditor.journal(&site.journal()).await?;
    let archive = auditor.archive(site.archive()).await?;
    let moved = auditor.moved();
    anyhow::ensure!(times == 0 || moved > 0, "the hub's clock was never seen to be off: nothing was tested");
    let remark = format!("{moved} rows have the times of the hub's wrong clock, as they must");
    Ok(Report { times, audit: auditor.both(&journal, &archive), remarks: vec![remark] })
}
