//! `kill -9` of real agents with a spool at random instants, while their hub is there, and while it is away. Everything that the
//! hub acknowledged is stored once, and so is everything that was on the node's disk when the agent was killed; no number is
//! ever used for two samples.

use crate::chaos::real_agents::{Node, count};
use crate::chaos::site::Site;
use crate::chaos::{Fault, Ground, Report};
use tokio::task::JoinSet;

pub(super) const FAULT: Fault = Fault {
    name: "agent-killed",
    what: "kill -9 of real agents with a spool, their hub now there and now away",
    run: |ground| Box::pin(run(ground)),
};

/// How many agents are killed side by side: each takes a sample a second.
const AGENTS: u32 = 5;

async fn run(mut ground: Ground) -> anyhow::Result<Report> {
    let mut site = Site::new(&ground);
    let hub = site.start().await?;
    let ground_times = ground.times;
    let mut killings = JoinSet::new();
    for number in 0..AGENTS.min(ground_times) {
        let times = (ground_times - number).div_ceil(AGENTS);
        let mut node = Node::new(&format!("real{number:02}"), &ground.folder).await?;
        let mut random = ground.random.fork();
        let done = ground.counter();
        killings.spawn(async move {
            for _ in 0..times {
                node.tap.aim(random.bool().then_some(hub));
                node.start()?;
                tokio::time::sleep(std::time::Duration::from_millis(random.u64(100..5_000))).await;
                node.kill()?;
                done();
            }
            node.tap.aim(Some(hub));
            node.start()?;
            anyhow::Ok(node)
        });
    }
    let mut nodes = Vec::new();
    while let Some(node) = killings.join_next().await {
        nodes.push(node??);
    }
    let (audit, remark) = count(&mut nodes, &site).await?;
    Ok(Report { times: ground.times, audit, remarks: vec![remark] })
}
