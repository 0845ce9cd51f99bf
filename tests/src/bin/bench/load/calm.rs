//! Nodes as they are every day: a sample each interval, spread evenly over it, until the parent ends.

use std::net::SocketAddr;
use std::time::Duration;

use lamon_tests::simulated::{Identity, SimulatedAgent};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval_at, sleep_until};

use super::{INTERVAL, node_name, readings, table};
use crate::child::{answer, next_line};

/// What to load.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    hub: SocketAddr,
    #[arg(long)]
    nodes: u32,
}

/// Answers once, when every node sent twice.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nodes = JoinSet::new();
        // Connections come one by one; none begins to sample before the last is there.
        let begin = Instant::now() + Duration::from_millis(500 + u64::from(options.nodes) * 2);
        for number in 0..options.nodes {
            let phase = INTERVAL.mul_f64(f64::from(number) / f64::from(options.nodes.max(1)));
            let identity =
                Identity { interval: INTERVAL, ..Identity::new(&node_name(number), fastrand::u32(..)) };
            let agent = SimulatedAgent::connect(options.hub, &identity).await?;
            nodes.spawn(node(agent, number, begin + phase));
        }
        sleep_until(begin + INTERVAL * 2).await;
        answer(&true)?;
        let ended = tokio::task::spawn_blocking(next_line);
        tokio::select! {
            _ = ended => Ok(()),
            Some(node) = nodes.join_next() => node?,
        }
    })
}

/// One node, for ever.
async fn node(mut agent: SimulatedAgent, number: u32, first: Instant) -> anyhow::Result<()> {
    agent.send_table(1, &table()).await?;
    let mut random = fastrand::Rng::with_seed(number.into());
    let mut ticks = interval_at(first, INTERVAL);
    let mut sequence = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                sequence += 1;
                agent.send_samples(1, sequence, vec![readings(&mut random)]).await?;
            }
            frame = agent.next() => anyhow::ensure!(frame?.is_some(), "the hub closed a connection"),
        }
    }
}
