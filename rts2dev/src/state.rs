//! The state of a device, and what it does to an observatory.
//!
//! The state is one word of bits (RTS2 include/status.h). A device changes some of them; centrald merges the words of all
//! devices, tells each what is blocked for it, and decides about weather and stops. Every change here replaces the
//! bits that it names and leaves the others, but for [`ERROR_KILL`](DeviceState::ERROR_KILL): that says that work was
//! killed, and ends with the next change (RTS2 lib/rts2/daemon.cpp, `maskState`; that clears all error bits at every change,
//! which hides a hardware error behind the next unrelated change and is not done here). The text says why; programs and
//! logs show it; a change to the same bits sends nothing, whatever the text. Of several changes in quick succession only
//! the last is sent, with its text, as with values: a pulse that is to be seen has to last.
//!
//! All of it is forgotten by centrald the moment the device's connection breaks: a block is a request, not a lock. Where
//! a missing device must mean a closed dome, name it in `required_devices` of rts2.ini.

use rts2_proto::DeviceState;

use crate::handle::DeviceHandle;
use crate::value::Time;

impl DeviceHandle {
    /// Blocks or frees exposures: while blocked, no camera begins one; scripts wait, and go on the moment it is freed.
    /// Exposures that run are not touched. In rts2.ini, `blocked_by` of a camera may leave this device out.
    pub fn block_exposure(&self, block: bool, text: &str) {
        self.switch(DeviceState::BOP_EXPOSURE, block, text);
    }

    /// Blocks or frees readouts: a camera whose exposure ended waits with reading it out.
    pub fn block_readout(&self, block: bool, text: &str) {
        self.switch(DeviceState::BOP_READOUT, block, text);
    }

    /// Blocks or frees movements of the telescope: a new target waits. What moves goes on; see
    /// [`stop_everything`](Self::stop_everything).
    pub fn block_tel_move(&self, block: bool, text: &str) {
        self.switch(DeviceState::BOP_TEL_MOVE, block, text);
    }

    /// Blocks or frees the closing of the dome, also in bad weather: for a device that would be hit by it.
    pub fn block_close(&self, block: bool, text: &str) {
        self.switch(DeviceState::BLOCK_CLOSE, block, text);
    }

    /// Blocks or frees the opening of the dome.
    pub fn block_open(&self, block: bool, text: &str) {
        self.switch(DeviceState::BLOCK_OPEN, block, text);
    }

    /// Votes for bad weather: one such vote, and centrald goes to bad weather: the dome closes and observations end.
    /// `kind` says which sort, as any of [`WR_RAIN`](DeviceState::WR_RAIN), `WR_WIND`, `WR_HUMIDITY` and `WR_CLOUD`; other
    /// bits of it are ignored. Every centrald also gets the text as the reason, in `weather_update` (RTS2
    /// lib/rts2/device.cpp, `setWeatherState`); a new text alone is sent, too.
    pub fn bad_weather(&self, kind: DeviceState, text: &str) {
        let kind = kind.intersection(DeviceState::WR_MASK);
        self.mask_state(
            DeviceState::WR_MASK | DeviceState::BAD_WEATHER,
            kind | DeviceState::BAD_WEATHER,
            text,
        );
    }

    /// Takes the vote for bad weather back. The dome may open again when no other device votes for it, and when the
    /// devices that measure weather have waited as long as they are told to.
    pub fn good_weather(&self, text: &str) {
        self.mask_state(DeviceState::WR_MASK | DeviceState::BAD_WEATHER, DeviceState::empty(), text);
    }

    /// Stops everything that moves, at once, or lets it move again: telescope, dome, and all else that can hurt
    /// somebody. For emergencies: an open dome stays open.
    pub fn stop_everything(&self, stop: bool, text: &str) {
        self.switch(DeviceState::STOP_EVERYTHING, stop, text);
    }

    /// Says that the hardware failed, or works again: operators see the device in red, and programs that need it do
    /// without. `killall` clears it, too.
    pub fn hardware_error(&self, failed: bool, text: &str) {
        self.switch(DeviceState::ERROR_HW, failed, text);
    }

    /// Says that the device cannot work yet, or can. `killall` clears it, too.
    pub fn not_ready(&self, not_ready: bool, text: &str) {
        self.switch(DeviceState::NOT_READY, not_ready, text);
    }

    /// Says that the work was killed, as `killall` does, or clears that: whoever waits for the work knows that it will
    /// not be done. The next change of other bits clears it, too.
    pub fn killed(&self, killed: bool, text: &str) {
        self.switch(DeviceState::ERROR_KILL, killed, text);
    }

    /// Replaces the bits of `mask` among those that belong to the kind of device
    /// ([`STATUS_MASK`](DeviceState::STATUS_MASK); of a sensor,
    /// [`SENSOR_INPROGRESS`](DeviceState::SENSOR_INPROGRESS) says that it works). Other bits are ignored.
    pub fn set_status(&self, mask: DeviceState, bits: DeviceState, text: &str) {
        let mask = mask.intersection(DeviceState::STATUS_MASK);
        self.mask_state(mask, bits.intersection(mask), text);
    }

    /// Replaces the bits of `mask` by those of `bits` that are in it; the others stay.
    pub fn mask_state(&self, mask: DeviceState, bits: DeviceState, text: &str) {
        self.shared.change_state(mask, bits.intersection(mask), None, text);
    }

    /// Says that the device began something at `start` and expects to end it at `end`; clients draw how far it is. It
    /// stands until the next progress or [`clear_progress`](Self::clear_progress), also through changes of the state.
    /// Times that are not set clear it. RTS2 lib/rts2/daemon.cpp, `sendProgressAll`.
    pub fn progress(&self, start: Time, end: Time) {
        let none = DeviceState::empty();
        self.shared.change_state(none, none, Some(period(start, end)), "");
    }

    /// [`mask_state`](Self::mask_state) and [`progress`](Self::progress) in one: the state goes out with the times.
    pub fn mask_state_with_progress(
        &self,
        mask: DeviceState,
        bits: DeviceState,
        start: Time,
        end: Time,
        text: &str,
    ) {
        self.shared.change_state(mask, bits.intersection(mask), Some(period(start, end)), text);
    }

    /// Says that nothing is in progress any more. (RTS2 itself never says so: its clients then show 100% for ever. They
    /// do understand it.)
    pub fn clear_progress(&self) {
        let none = DeviceState::empty();
        self.shared.change_state(none, none, Some(None), "");
    }

    /// Sets the whole state word at once, with a text that says why (empty for none). For single bits the other methods
    /// are safer: they leave alone what other parts of the program set. With
    /// [`BAD_WEATHER`](DeviceState::BAD_WEATHER) the text also goes to centrald as the reason.
    pub fn set_state(&self, state: DeviceState, text: &str) {
        self.shared.change_state(DeviceState::all(), state, None, text);
    }

    /// The state word.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        self.shared.lock().table.state()
    }

    fn switch(&self, bit: DeviceState, on: bool, text: &str) {
        self.mask_state(bit, if on { bit } else { DeviceState::empty() }, text);
    }
}

/// Start and expected end, unix seconds, where both are times.
fn period(start: Time, end: Time) -> Option<(f64, f64)> {
    (start.0.is_finite() && end.0.is_finite()).then_some((start.0, end.0))
}
