//! The hub's own clock, judged by those of its nodes: when most of them are off by the same, it is not they who are wrong.

use std::time::{Duration, Instant};

use super::Watch;
use super::update::{Event, EventKind};
use crate::sample::{Now, Sample};

/// The metric that tells how far a node's clock is off, hub minus node in seconds.
pub(super) const CLOCK_OFFSET: &str = "clock_offset";

/// The least offset that makes anybody look, in seconds.
pub(super) const LOOK_AT: f64 = 0.5;

/// Below this common offset the hub's clock is trusted again, in seconds.
const TRUST_AT: f64 = 0.3;

/// How far apart clocks may be that are off by the same, in seconds, or a fifth of what they are off.
const ALIKE: f64 = 0.2;

/// The least nodes that can outvote the hub.
const LEAST: usize = 3;

/// How often it is looked at most: it costs a walk over all nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether the hub's clock is suspected.
#[derive(Debug, Default)]
pub(super) struct HubClock {
    suspected: Option<f64>,
    looked: Option<Instant>,
}

impl HubClock {
    /// By how much all clocks are off together, in seconds: what each node's is judged without.
    pub(super) fn common(&self) -> f64 {
        self.suspected.unwrap_or(0.0)
    }

    /// Whether a node's offset is a reason to look at all of them.
    pub(super) fn wants_look(&mut self, now: Instant, offset: f64) -> bool {
        let rested = self.looked.is_none_or(|before| now.saturating_duration_since(before) >= LOOK_EVERY);
        let wanted = rested && (self.suspected.is_some() || offset.abs() >= LOOK_AT);
        if wanted {
            self.looked = Some(now);
        }
        wanted
    }

    /// Looks at the offsets of all nodes that are heard.
    pub(super) fn look(&mut self, mut offsets: Vec<f64>) -> Option<Event> {
        offsets.sort_by(f64::total_cmp);
        let middle = *offsets.get(offsets.len() / 2)?;
        let alike = |offset: &&f64| (**offset - middle).abs() <= ALIKE.max(middle.abs() / 5.0);
        let (count, all) = (offsets.iter().filter(alike).count(), offsets.len());
        let together = all >= LEAST && count * 2 > all;
        let (kind, text) = match self.suspected {
            None if together && middle.abs() >= LOOK_AT => (
                EventKind::HubClockSuspected,
                format!(
                    "the clocks of {count} of {all} nodes are off by the same {middle:.1} s: the hub's own is suspected, and \
                     theirs are judged by each other"
                ),
            ),
            Some(_) if !together || middle.abs() < TRUST_AT => {
                self.suspected = None;
                let text = "the hub's own clock is no longer suspected".into();
                return Some(Event::new(None, EventKind::HubClockTrusted, text));
            }
            None => return None,
            Some(_) => {
                self.suspected = Some(middle);
                return None;
            }
        };
        self.suspected = Some(middle);
        Some(Event::new(None, kind, text))
    }
}

impl Watch {
    /// Looks at the clocks of all nodes, when that of this one gives a reason.
    pub(super) fn look_at_clocks(&mut self, now: Now, sample: &Sample) -> Option<Event> {
        let offset = sample.metrics.iter().find(|(name, _)| name.as_str() == CLOCK_OFFSET)?.1;
        if !self.hub_clock.wants_look(now.monotonic, offset) {
            return None;
        }
        let heard = self.nodes.values().filter(|node| !node.silent);
        let offsets = heard.filter_map(|node| node.metric(CLOCK_OFFSET));
        let offsets = offsets.filter(|metric| !metric.unknown).map(|metric| metric.value).collect();
        self.hub_clock.look(offsets)
    }
}
