//! Lines of text, as fast as the hub says `ok` to each; or, with `--raw`, as fast as a bare reader takes them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Busy, Done, METRICS, node_name};
use crate::child::{answer, next_line};

/// What to load.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    hub: SocketAddr,
    #[arg(long)]
    seconds: f64,
    /// Nobody answers.
    #[arg(long, default_value_t = false, action = clap::ArgAction::Set)]
    raw: bool,
}

/// Nodes, each with a connection.
pub(crate) const NODES: u32 = 100;

/// Lines of a connection that are sent ahead of their answers.
const AHEAD: usize = 64;

/// Lines that a bare reader gets at once.
const AT_ONCE: usize = 1_000;

/// Answers `true` when all is set up; on the next line does it, and answers [`Done`].
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let done = if options.raw { raw(options)? } else { to_hub(options)? };
    answer(&done)
}

/// A line of ten metrics.
pub(crate) fn line(number: u32) -> String {
    let mut line = format!("node={}", node_name(number));
    for (place, name) in lamon_wire::metric::CORE.into_iter().take(METRICS).enumerate() {
        line.push_str(&format!(" {name}={}.25", (place * 7 + 3) % 45));
    }
    line + "\n"
}

fn raw(options: &Options) -> anyhow::Result<Done> {
    let mut stream = std::net::TcpStream::connect(options.hub)?;
    let lines: String = (0..NODES).cycle().take(AT_ONCE).map(line).collect();
    answer(&true)?;
    next_line();
    let (busy, began) = (Busy::watch(), Instant::now());
    let mut samples = 0;
    while began.elapsed().as_secs_f64() < options.seconds {
        stream.write_all(lines.as_bytes())?;
        samples += u64::try_from(AT_ONCE)?;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    // The reader closes when it read the last line.
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(Done { samples, seconds: began.elapsed().as_secs_f64(), busiest_percent: busy.busiest_percent() })
}

fn to_hub(options: &Options) -> anyhow::Result<Done> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        answer(&true)?;
        next_line();
        let (busy, began) = (Busy::watch(), Instant::now());
        let mut nodes = JoinSet::new();
        for number in 0..NODES {
            nodes.spawn(node(options.hub, line(number), began, options.seconds));
        }
        let mut samples = 0;
        while let Some(node) = nodes.join_next().await {
            samples += node??;
        }
        Ok(Done { samples, seconds: began.elapsed().as_secs_f64(), busiest_percent: busy.busiest_percent() })
    })
}

/// One sender, until all its lines are answered; how many they were.
async fn node(hub: SocketAddr, line: String, began: Instant, seconds: f64) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(hub).await?;
    stream.set_nodelay(true)?;
    let mut read = vec![0; 4_096];
    let (mut sent, mut answered) = (0, 0);
    loop {
        if began.elapsed().as_secs_f64() < seconds {
            let room = AHEAD - (sent - answered);
            stream.write_all(line.repeat(room).as_bytes()).await?;
            sent += room;
        } else if answered == sent {
            return Ok(u64::try_from(answered)?);
        }
        let count = stream.read(&mut read).await?;
        let answers = read.get(..count).unwrap_or_default();
        anyhow::ensure!(
            count > 0 && !answers.contains(&b'e'),
            "the hub answered: {}",
            String::from_utf8_lossy(answers)
        );
        answered += answers.iter().filter(|byte| **byte == b'\n').count();
    }
}
