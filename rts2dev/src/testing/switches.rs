//! centrald's own state: on and off, the part of the day, and how a change of it is told
//! (RTS2 src/centrald/centrald.cpp, `changeState`, `maskCentralState`, `stateChanged`).

use rts2_proto::{DeviceState, Line, MessageType, QuotedString, Text, ValueData};

use super::action::Actions;
use super::core::Core;
use super::options::{OnOff, PartOfDay};
use super::own_values::Own;
use crate::shared::unix_seconds;

impl Core {
    /// Somebody switches it.
    pub(super) fn switch(&mut self, on_off: OnOff, user: &str, out: &mut Actions) {
        let part = self.state.intersection(DeviceState::SERVERD_STATUS_MASK);
        let new = on_off.bits().union(part);
        self.announce(
            MessageType::INFO,
            &format!("State switched to {} by {user}", new.describe_centrald()),
            out,
        );
        out.say(format!("{user} switches to {}", on_off.name()));
        let mask = DeviceState::SERVERD_ONOFF_MASK.union(DeviceState::SERVERD_STATUS_MASK);
        self.mask_central_state(mask, new, user, out);
    }

    /// The Sun moved (`idle`).
    pub(super) fn set_part_of_day(&mut self, part: PartOfDay, out: &mut Actions) {
        if PartOfDay::of(self.state) == Some(part) {
            return;
        }
        out.say(format!("it is {} now", part.name()));
        self.values.set_next_state(part);
        self.mask_central_state(DeviceState::SERVERD_STATUS_MASK, part.bits(), "by idle routine", out);
        self.values.touch(self.now);
        out.send_all_lines(self.values.take_changed());
    }

    fn mask_central_state(
        &mut self,
        mask: DeviceState,
        new: DeviceState,
        description: &str,
        out: &mut Actions,
    ) {
        let now = unix_seconds(self.now);
        let dark = PartOfDay::of(self.state).is_some_and(PartOfDay::is_open);
        // RTS2 asks for one bit of the two, so that a soft off counts as not switched off yet.
        if dark && !self.state.intersects(OnOff::Standby.bits()) {
            self.values.add_switched_standby(now);
            self.send_changed(Own::SwitchedStandby, out);
        }
        self.mask_state(mask, new, description, out);
        let observes = new.intersection(DeviceState::SERVERD_STATUS_MASK) == PartOfDay::Night.bits()
            && !new.intersects(OnOff::Standby.bits());
        let since = if observes { now } else { f64::NAN };
        self.values.set(Own::LastNightOn, ValueData::Time(since));
        self.send_changed(Own::LastNightOn, out);
    }

    /// Changes bits of the state and tells everybody, unless only blocked operations changed
    /// (RTS2 lib/rts2/daemon.cpp, `maskState`).
    pub(super) fn mask_state(
        &mut self,
        mask: DeviceState,
        new: DeviceState,
        description: &str,
        out: &mut Actions,
    ) {
        let old = self.state;
        let state = old.masked(mask.union(DeviceState::ERROR_MASK), new);
        if state == old {
            return;
        }
        self.state = state;
        if !old.symmetric_difference(state).difference(DeviceState::BOP_MASK).is_empty() {
            let text = format!(
                "State changed from {} to {} description {description}",
                old.describe_centrald(),
                state.describe_centrald()
            );
            self.announce(MessageType::INFO, &text, out);
            let description = QuotedString::cleaned(description);
            out.send_all(&Line::Status { state, text: Some(Text::from(&description)) });
        }
        let good = !state.contains(DeviceState::BAD_WEATHER);
        let open = PartOfDay::of(state).is_some_and(PartOfDay::is_open);
        if good && OnOff::of(state) == OnOff::On && open {
            self.start_open(out);
        } else {
            self.start_close();
        }
    }

    /// There is nothing to open: `open_sequence` is empty, and that is the end of opening.
    pub(super) fn start_open(&mut self, out: &mut Actions) {
        self.values.set(Own::OpenClose, ValueData::Selection(0));
        self.send_changed(Own::OpenClose, out);
    }

    /// Nor is there anything to close; the real one goes on closing for ever, and tells nobody until it is asked.
    pub(super) fn start_close(&mut self) {
        self.values.set(Own::OpenClose, ValueData::Selection(2));
    }

    pub(super) fn send_changed(&mut self, value: Own, out: &mut Actions) {
        if let Some(line) = self.values.take_change(value) {
            out.send_all_lines(line);
        }
    }
}
