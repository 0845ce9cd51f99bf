//! The values that sum up all nodes, or those of a group.

use lamon_collector::watch::{Level, Summary};
use rts2dev::{DeclareError, DeviceHandle, Selection, Value};

use super::rts2_level;

/// Summary values of one device.
pub(super) struct SummaryValues {
    level: Value<Selection>,
    nodes: Value<i32>,
    /// In the order of [`Level::ALL`].
    at_level: [Value<i32>; 4],
    worst: Value<String>,
    muted: Value<i32>,
}

impl SummaryValues {
    pub(super) fn declare(device: &DeviceHandle) -> Result<Self, DeclareError> {
        let levels = Level::ALL.map(Level::as_str);
        let count = |level: Level| {
            device.integer(&format!("nodes_{level}"), &format!("how many nodes are {level}")).declare()
        };
        Ok(Self {
            level: device
                .selection("level", "the worst level of any node that is not muted", &levels)
                .declare()?,
            nodes: device.integer("nodes", "how many nodes were heard since the hub's start").declare()?,
            at_level: [
                count(Level::Good)?,
                count(Level::Warning)?,
                count(Level::Error)?,
                count(Level::Silent)?,
            ],
            worst: device.string("worst", "what is gravest").declare()?,
            muted: device
                .integer("nodes_muted", "how many nodes are muted: they hold nobody up")
                .declare()?,
        })
    }

    pub(super) fn show(&self, summary: &Summary) {
        let level = rts2_level(summary.level);
        self.level.set_with_level(Selection(number(summary.level)), level);
        self.nodes.set(count(summary.nodes));
        for ((value, level), number) in self.at_level.iter().zip(Level::ALL).zip(summary.at_level) {
            let shown = if number > 0 { level } else { Level::Good };
            value.set_with_level(count(number), rts2_level(shown));
        }
        self.muted.set(count(summary.muted));
        self.worst.set_with_level(summary.worst.as_str(), level);
    }
}

/// A level's place in the selections that show it.
pub(super) fn number(level: Level) -> i32 {
    match level {
        Level::Good => 0,
        Level::Warning => 1,
        Level::Error => 2,
        Level::Silent => 3,
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
