//! The state word of a device, with what goes with it: progress, the reason of bad weather, and what is blocked.

use rts2_proto::{DeviceState, Line, QuotedString, Text};

use super::{Item, Table};

impl Table {
    /// Replaces the bits of the mask in the state word, and the progress where one is given. `false` when both stay the
    /// same: as in RTS2, a new text alone is no change, but for the reason of bad weather. A change ends what a `killall`
    /// left behind.
    pub(crate) fn change_state(
        &mut self,
        mask: DeviceState,
        bits: DeviceState,
        progress: Option<Option<(f64, f64)>>,
        text: &str,
    ) -> bool {
        let mut state = self.state.masked(mask, bits);
        let changed = state != self.state;
        if changed && !mask.contains(DeviceState::ERROR_KILL) {
            // Clients wait for this bit to come: it has to go before, or they miss the next `killall`.
            state = state.difference(DeviceState::ERROR_KILL);
        }
        let progressed = progress.is_some_and(|progress| progress != self.progress);
        self.progress = progress.unwrap_or(self.progress);
        let mut reasoned = false;
        if !state.contains(DeviceState::BAD_WEATHER) {
            self.weather_reason = None;
        } else if mask.contains(DeviceState::BAD_WEATHER) {
            let reason = Some(QuotedString::cleaned(text)).filter(|reason| !reason.as_str().is_empty());
            reasoned = reason.is_some() && reason != self.weather_reason;
            self.weather_reason = reason.or(self.weather_reason.take());
        }
        if changed {
            self.state = state;
            self.state_line = self.state_line(text);
            self.order.remove(&self.state_changed);
            self.version += 1;
            self.state_changed = self.version;
            self.order.insert(self.version, Item::State);
        }
        // RTS2 sends it behind a state that had it, too.
        if progressed {
            self.order.remove(&self.progress_changed);
            self.version += 1;
            self.progress_changed = self.version;
            self.order.insert(self.version, Item::Progress);
        }
        changed || progressed || reasoned
    }

    /// Number of the last change of the state word.
    pub(crate) fn state_changed(&self) -> u64 {
        self.state_changed
    }

    pub(crate) fn state(&self) -> DeviceState {
        self.state
    }

    pub(crate) fn weather_reason(&self) -> Option<&QuotedString> {
        self.weather_reason.as_ref()
    }

    /// Sets the mask of blocked operations. RTS2 passes on every `B` that comes, changed or not.
    pub(crate) fn set_bop(&mut self, bop: DeviceState) {
        self.bop = bop;
        self.order.remove(&self.bop_changed);
        self.version += 1;
        self.bop_changed = self.version;
        self.order.insert(self.version, Item::Bop);
    }

    /// Appends `S state`, or `R` with the progress, without the text of the last change.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.status_line(None).write_to(out);
    }

    /// Appends `P start end`; times that are not set clear it.
    pub(super) fn write_progress(&self, out: &mut Vec<u8>) {
        let (start, end) = self.progress.unwrap_or((f64::NAN, f64::NAN));
        Line::Progress { start, end }.write_to(out);
    }

    /// Appends `B state bop`, and the progress where there is one: what a client gets behind the values when it is
    /// authorized (RTS2 lib/rts2/device.cpp, `authorizationOK`).
    pub(crate) fn write_full_state(&self, out: &mut Vec<u8>) {
        self.write_bop(out);
        if self.progress.is_some() {
            self.write_progress(out);
        }
    }

    /// Appends `B state bop`.
    pub(super) fn write_bop(&self, out: &mut Vec<u8>) {
        Line::BopState { state: self.state, bop: self.bop }.write_to(out);
    }

    pub(super) fn state_line(&self, text: &str) -> Vec<u8> {
        let text = QuotedString::cleaned(text);
        let text = (!text.as_str().is_empty()).then_some(&text).map(Text::from);
        self.status_line(text).to_bytes()
    }

    fn status_line<'t>(&self, text: Option<Text<'t>>) -> Line<'t> {
        let state = self.state;
        match self.progress {
            Some((start, end)) => Line::StatusProgress { state, start, end, text },
            None => Line::Status { state, text },
        }
    }
}
