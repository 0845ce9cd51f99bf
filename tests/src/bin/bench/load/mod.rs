//! What loads a hub: children that speak the real protocol of agents.

pub(crate) mod acknowledged;
pub(crate) mod calm;
mod clock;
pub(crate) mod flood;
pub(crate) mod lines;
pub(crate) mod storm;
pub(crate) mod timed;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lamon_wire::reading::Reading;
use serde::{Deserialize, Serialize};

/// How often nodes sample where nobody says otherwise.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// Metrics of each sample, of which the hub adds `clock_offset`.
pub(crate) const METRICS: usize = 10;

/// Decimals of every reading.
pub(crate) const DECIMALS: u8 = 2;

/// Nodes of a group: their values stay far below what an RTS2 device holds.
const GROUP: u32 = 100;

/// What a child tells when it is done.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Samples, or messages.
    pub(crate) samples: u64,
    /// From the first send until the last was through.
    pub(crate) seconds: f64,
    /// CPU of the child's busiest thread, in percent of a core: near 100 the load generator was the limit.
    pub(crate) busiest_percent: f64,
}

impl Done {
    /// Samples a second.
    pub(crate) fn rate(&self) -> f64 {
        crate::report::number(self.samples) / self.seconds
    }
}

/// The names of the metrics: the core metrics, without the one that the hub adds.
pub(crate) fn table() -> Vec<(&'static str, u8)> {
    lamon_wire::metric::CORE
        .into_iter()
        .filter(|name| *name != "clock_offset")
        .map(|name| (name, DECIMALS))
        .collect()
}

/// Values that change from sample to sample and stay within the built-in limits.
pub(crate) fn readings(random: &mut fastrand::Rng) -> Vec<Reading> {
    (0..METRICS - 1).map(|_| Reading::new(random.f64() * 45.0, DECIMALS)).collect()
}

/// The name of a node.
pub(crate) fn node_name(number: u32) -> String {
    format!("load{number:05}")
}

/// Groups of the hub's configuration for so many nodes.
pub(crate) fn groups(nodes: u32) -> String {
    let mut text = String::new();
    for group in 0..nodes.div_ceil(GROUP) {
        let _ = write!(text, "[[group]]\nname = \"g{group:03}\"\nnodes = [\"load{group:03}??\"]\n");
    }
    text
}

/// How busy each thread of this process was, to find the busiest.
#[derive(Debug)]
pub(crate) struct Busy {
    began: Instant,
    before: Vec<(String, u64)>,
}

impl Busy {
    /// From here on.
    pub(crate) fn watch() -> Self {
        Self { began: Instant::now(), before: threads() }
    }

    /// The busiest thread's CPU since then, in percent of a core.
    pub(crate) fn busiest_percent(&self) -> f64 {
        let before =
            |id: &str| self.before.iter().find(|(known, _)| known == id).map_or(0, |(_, time)| *time);
        let most = threads().iter().map(|(id, time)| time.saturating_sub(before(id))).max().unwrap_or(0);
        Duration::from_nanos(most).as_secs_f64() * 100.0 / self.began.elapsed().as_secs_f64()
    }
}

fn threads() -> Vec<(String, u64)> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let times = tasks.map_while(Result::ok).filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
        Some((task.file_name().to_string_lossy().into_owned(), nanoseconds))
    });
    times.collect()
}
