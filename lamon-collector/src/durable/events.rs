//! The face that writes events down: to the journal's thread, and from there to the archive's table `events`.

use std::time::Duration;

use lamon_daemon::limit::LogLimit;
use lamon_store::registers::Event;
use tokio::sync::mpsc;
use tracing::warn;

use crate::face::{Face, Picture};
use crate::per_node::NodeLimits;
use crate::watch::{Line, Update};

/// How many events wait for the journal's thread: those of a thousand nodes with one cause.
pub(crate) const EVENTS: usize = 2_048;

/// As many at once, then one a second: a value that flips each second for a year is the most that the archive gets.
const BURST: u32 = 2_000;

/// Hands events to the journal's thread. It never waits: what finds no room is in the log and on the bus all the same.
pub(crate) struct EventFace {
    events: mpsc::Sender<Event>,
    limit: LogLimit,
    nodes: NodeLimits,
    /// Events that found no room, until that is told.
    lost: u64,
}

impl EventFace {
    pub(crate) fn new(events: mpsc::Sender<Event>) -> Self {
        Self {
            events,
            limit: LogLimit::new(BURST, Duration::from_secs(1)),
            nodes: NodeLimits::default(),
            lost: 0,
        }
    }

    fn tell(&mut self, picture: &Picture<'_>, line: Line) {
        let Some(of_node) = self.nodes.admit(picture.now, &line) else { return };
        let Some(held_back) = self.limit.admit(picture.now.monotonic) else { return };
        self.lost += held_back + of_node;
        let event = Event {
            time_ms: picture.now.unix_ms,
            // The journal gives it.
            number: 0,
            node: line.node.map(|node| node.to_string()),
            metric: line.metric.map(|metric| metric.to_string()),
            kind: line.kind.to_owned(),
            level: line.level.as_str().to_owned(),
            text: line.text,
        };
        match self.events.try_send(event) {
            Ok(()) if self.lost > 0 => {
                warn!(lost = self.lost, "events were not written down, because too many came at once");
                self.lost = 0;
            }
            Ok(()) => {}
            Err(_) => self.lost += 1,
        }
    }
}

impl Face for EventFace {
    fn update(&mut self, picture: &Picture<'_>, update: &Update) {
        for line in update.lines() {
            self.tell(picture, line);
        }
    }
}
