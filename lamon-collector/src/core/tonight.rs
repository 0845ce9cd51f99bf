//! Whether the night finds everything ready: looked at each heartbeat, and told hours before the Sun sets.

use super::{Core, event};
use crate::face::Condition;
use crate::past::Disks;
use crate::sample::Now;
use crate::tonight::Tonight;
use crate::watch::{EventKind, Phase};

/// How long before night people are told, in milliseconds: time to empty a disk, or to call somebody.
const AHEAD_MS: i64 = 4 * 3_600_000;

impl Core {
    /// Takes up what nights add to disks, and looks at tonight at once.
    pub(super) fn look_at_disks(&mut self) {
        let disks = self.disks.borrow_and_update().clone();
        if let Disks::Known(disks) = &disks {
            for disk in disks.iter() {
                self.watch.handle_outlook(&disk.node, &disk.metric, Some(disk.per_night));
            }
        }
        self.health.disks = match disks {
            Disks::NotTried => Condition::NotTried,
            Disks::Fails(why) => Condition::Fails(why),
            Disks::Known(_) => Condition::Works,
        };
        self.look_at_tonight();
    }

    /// Looks whether everything is ready.
    pub(super) fn look_at_tonight(&mut self) {
        self.health.tonight = Tonight::of(&self.watch, &self.health, &self.health.disks);
        let now = Now::read();
        // By night it is too late, and in the morning too early. Where nobody knows the Sun, any time will do.
        let day = self.watch.phase() == Phase::Day;
        let wanted = self.config.site.is_none_or(|site| day && site.is_night(now.unix_ms + AHEAD_MS));
        let ready = self.health.tonight.ready;
        if self.notice.look(now, ready, wanted) {
            let (kind, text) = if ready {
                (EventKind::Ready, "ready for tonight".into())
            } else {
                (EventKind::NotReady, format!("not ready for tonight: {}", self.health.tonight.not_ready))
            };
            self.show(&[event(None, kind, text)]);
        }
    }
}
