//! Night and day: as centrald says where there is one, else by the Sun.

use super::Core;
use crate::sample::Now;
use crate::watch::Phase;

impl Core {
    /// Tells the watch whether it is night. Where nobody knows, it stays what it was.
    pub(super) fn look_at_the_sky(&mut self) {
        let now = Now::read();
        let said = *self.sky.borrow_and_update();
        let by_sun = || {
            let site = self.config.site?;
            Some(if site.is_night(now.unix_ms) { Phase::Night } else { Phase::Day })
        };
        let Some(phase) = said.or_else(by_sun) else { return };
        if phase != self.watch.phase() {
            tracing::info!("it is {phase} now, by {}", if said.is_some() { "centrald" } else { "the Sun" });
        }
        let updates = self.watch.handle_phase(now, phase);
        self.show(&updates);
    }
}
