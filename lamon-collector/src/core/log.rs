//! What of the updates the log gets.

use lamon_daemon::limit::LogLimit;
use tracing::{info, warn};

use crate::sample::Now;
use crate::watch::{Level, Update};

/// Writes an update that an operator would want to find in the log, unless too many come at once.
pub(super) fn log(limit: &mut LogLimit, now: Now, update: &Update) {
    let quiet = match update {
        Update::Sampled { .. } | Update::Condition | Update::Heartbeat | Update::Standing { .. } => true,
        Update::Levels { changes, .. } => changes.is_empty(),
        Update::Silent { alone, .. } | Update::Back { alone, .. } => !alone,
        _ => false,
    };
    if quiet {
        return;
    }
    let Some(held_back) = limit.admit(now.monotonic) else { return };
    if held_back > 0 {
        warn!(held_back, "lines were left out of the log, because too many came at once");
    }
    match update {
        Update::Joined { node } => info!(%node, "node joined"),
        Update::Silent { node, after, .. } => warn!(%node, after_seconds = after.as_secs(), "node silent"),
        Update::Back { node, after, .. } => info!(%node, after_seconds = after.as_secs(), "node back"),
        Update::Levels { node, changes } => {
            for change in changes {
                if change.to > change.from {
                    warn!(%node, "{change}");
                } else {
                    info!(%node, "{change}");
                }
            }
        }
        Update::Event(event) if event.kind.level() > Level::Good => warn!("{}", event.text),
        Update::Event(event) => info!("{}", event.text),
        Update::Gone { node } => info!(%node, "node forgotten"),
        Update::Sampled { .. } | Update::Condition | Update::Heartbeat | Update::Standing { .. } => {}
    }
}
