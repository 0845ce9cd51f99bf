//! Samples as fast as the hub acknowledges them, each agent within its window, in frames as agents send a backlog.

use std::net::SocketAddr;
use std::time::Instant;

use lamon_tests::simulated::{Identity, SimulatedAgent};
use lamon_wire::frames::HubFrame;
use tokio::task::JoinSet;

use super::{Busy, Done, node_name, readings, table};
use crate::child::{answer, next_line};

/// What to load.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    hub: SocketAddr,
    /// Nodes, each with a connection.
    #[arg(long, default_value_t = 100)]
    nodes: u32,
    /// Samples in all.
    #[arg(long)]
    samples: u64,
}

/// Samples of a frame, as agents send a backlog.
pub(crate) const FRAME: u64 = 32;

/// Answers `true` when all is set up; on the next line does it, and answers [`Done`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut agents = Vec::new();
        for number in 0..options.nodes {
            let identity = Identity::new(&node_name(number), fastrand::u32(..));
            let mut agent = SimulatedAgent::connect(options.hub, &identity).await?;
            agent.send_table(1, &table()).await?;
            agents.push(agent);
        }
        answer(&true)?;
        next_line();
        let (busy, began) = (Busy::watch(), Instant::now());
        let mut nodes = JoinSet::new();
        let each = options.samples / u64::from(options.nodes);
        for (seed, agent) in agents.into_iter().enumerate() {
            nodes.spawn(node(agent, fastrand::Rng::with_seed(u64::try_from(seed)?), each));
        }
        while let Some(node) = nodes.join_next().await {
            node??;
        }
        answer(&Done {
            samples: each * u64::from(options.nodes),
            seconds: began.elapsed().as_secs_f64(),
            busiest_percent: busy.busiest_percent(),
        })
    })
}

/// One node, until all its samples are acknowledged.
async fn node(mut agent: SimulatedAgent, mut random: fastrand::Rng, count: u64) -> anyhow::Result<()> {
    let window = u64::from(agent.welcome().window);
    let (mut next, mut acknowledged) = (1, 0);
    while acknowledged < count {
        while next <= count && next + FRAME.min(window) <= acknowledged + window + 1 {
            let rows = FRAME.min(window).min(count - next + 1);
            let samples = (0..rows).map(|_| readings(&mut random)).collect();
            agent.send_samples(1, next, samples).await?;
            next += rows;
        }
        match agent.next().await? {
            Some(HubFrame::Ack(upto)) => acknowledged = upto,
            Some(_) => {}
            None => anyhow::bail!("the hub closed a connection"),
        }
    }
    Ok(())
}
