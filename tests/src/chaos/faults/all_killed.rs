//! Everything is killed at once, as by a loss of power: hub, MariaDB and agents with a spool; then they come back in any order.

use lamon_store::testing::Mariadb;
use tokio::task::spawn_blocking;

use crate::chaos::fleet::{Fleet, Load};
use crate::chaos::real_agents::{Node, count};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};

pub(super) const FAULT: Fault = Fault {
    name: "all-killed",
    what: "hub, MariaDB and agents with a spool killed at once",
    run: |ground| Box::pin(run(ground)),
};

/// Real agents, beside the simulated ones.
const AGENTS: u32 = 2;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut server = spawn_blocking(Mariadb::start).await??;
    let mut site = Site::new(&ground).archiving_to(&server);
    let fleet = Fleet::start(Load { agents: 4, ..Load::steady() }, &mut ground.random);
    let mut nodes = Vec::new();
    for number in 0..AGENTS {
        nodes.push(Node::new(&format!("real{number:02}"), &ground.folder).await?);
    }
    for time in 0..=ground.times {
        if time > 0 {
            site.kill();
            server.kill()?;
            for node in &mut nodes {
                node.tap.aim(None);
                node.kill()?;
            }
            fleet.aim(None);
        }
        let mut steps = [0, 1, 2];
        ground.random.shuffle(&mut steps);
        for step in steps {
            match step {
                0 => {
                    let hub = site.start().await?;
                    fleet.aim(Some(hub));
                    nodes.iter().for_each(|node| node.tap.aim(Some(hub)));
                }
                1 if time > 0 => {
                    server = spawn_blocking(move || server.restart().map(|()| server)).await??;
                }
                2 => {
                    for node in &mut nodes {
                        node.start()?;
                    }
                }
                _ => {}
            }
            ground.pause(1, 500).await;
        }
        if time < ground.times {
            ground.pause(1, 3_000).await;
            ground.step();
        }
    }
    fleet.gets_on(100).await?;
    fleet.settle().await?;
    let (real, remark) = count(&mut nodes, &site).await?;
    let mut audit = site.settle_and_count(&fleet).await?;
    audit.add(real);
    Ok(Report { times: ground.times, audit, remarks: vec![remark] })
}
