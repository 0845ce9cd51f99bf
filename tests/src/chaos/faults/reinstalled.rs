//! An agent is installed anew, again and again: the same node with the same sequence numbers from 1, in a new epoch. Now and
//! then while the hub has something of the epoch before on its way, and now and then with a killed hub between.

use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "reinstalled",
    what: "an agent with the same numbers in a new epoch",
    run: |ground| Box::pin(run(ground)),
};

/// How many nodes have their agents installed anew.
const NODES: u32 = 3;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut site = Site::new(&ground);
    let mut fleet = Fleet::new();
    let load = Load { agents: NODES, ..Load::steady() };
    fleet.aim(Some(site.start().await?));
    for _ in 0..ground.times {
        // What the agents before had not got acknowledged goes with them: nobody was promised it.
        fleet.uninstall().await;
        if ground.random.u8(0..4) == 0 {
            site.kill();
            fleet.aim(Some(site.start().await?));
        }
        for number in 1..=NODES {
            let epoch = ground.random.u32(..);
            fleet.add(&format!("chaos{number:02}"), epoch, load, &mut ground.random);
        }
        ground.pause(1, 600).await;
        ground.step();
    }
    fleet.gets_on(100).await?;
    let audit = site.settle_and_count(&fleet).await?;
    Ok(Report { times: ground.times, audit, ..Report::default() })
}
