//! What of the updates the log gets.

use std::time::Duration;

use lamon_daemon::limit::LogLimit;
use tracing::{info, warn};

use crate::per_node::{NodeLimits, left_out};
use crate::sample::Now;
use crate::watch::{Level, Update};

/// As many lines at once as a hundred nodes with a common cause make, then one a second.
const BURST: u32 = 200;

/// Writes updates to the log. The bus has them all.
#[derive(Debug)]
pub(super) struct Log {
    all: LogLimit,
    nodes: NodeLimits,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { all: LogLimit::new(BURST, Duration::from_secs(1)), nodes: NodeLimits::default() }
    }

    /// Writes an update that an operator would want to find in the log, unless too many come at once.
    pub(super) fn write(&mut self, now: Now, update: &Update) {
        for line in update.told() {
            let Some(of_node) = self.nodes.admit(now, &line) else { continue };
            let Some(held_back) = self.all.admit(now.monotonic) else { continue };
            if let Some(text) = left_out(&line, of_node) {
                warn!("{text}");
            }
            if held_back > 0 {
                warn!(held_back, "lines were left out of the log, because too many came at once");
            }
            if line.level > Level::Good { warn!("{}", line.text) } else { info!("{}", line.text) }
        }
    }
}
