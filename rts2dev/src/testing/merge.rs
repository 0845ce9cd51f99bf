//! How the states of all peers become centrald's weather and stop, and what each device may not do
//! (RTS2 src/centrald/centrald.cpp, `weatherChanged`, `stopChanged`, `bopMaskChanged`, `getStateForConnection`).

use rts2_proto::{DeviceState, DeviceType, Line, MessageType, QuotedString, Text};

use super::action::Actions;
use super::core::Core;
use super::own_values::Own;
use super::peer::{Peer, PeerId, Who};

/// Operations that people want to hear about, in their words.
const OPERATIONS: [(DeviceState, &str); 3] = [
    (DeviceState::BOP_EXPOSURE, "expose"),
    (DeviceState::BOP_READOUT, "read out"),
    (DeviceState::BOP_TEL_MOVE, "move"),
];

impl Core {
    /// A peer sent its state (`ConnCentrald::setState`).
    ///
    /// Quirk `EarlyState`: RTS2's devices send a state before they register. Strangers count therefore, and what they
    /// block or see is believed.
    pub(super) fn peer_state(
        &mut self,
        id: PeerId,
        state: DeviceState,
        text: Option<Text<'_>>,
        out: &mut Actions,
    ) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let reason = text.map(|text| QuotedString::from(text).to_string());
        let changed = peer.state.symmetric_difference(state);
        peer.state = state;
        peer.told_state = true;
        peer.reason = reason.clone().unwrap_or_default();
        let name = peer.name().to_owned();
        say_state(peer, changed, out);
        if changed.contains(DeviceState::NOT_READY) && !state.contains(DeviceState::NOT_READY) {
            self.weather_changed(&name, Some("device ready"), out);
            self.stop_changed(out);
        }
        if changed.contains(DeviceState::BAD_WEATHER) {
            self.weather_changed(&name, reason.as_deref(), out);
        }
        if changed.contains(DeviceState::STOP_EVERYTHING) {
            self.stop_changed(out);
        }
        if changed.intersects(DeviceState::BOP_MASK) {
            self.bop_changed(out);
        }
    }

    /// Whether a peer may block a device (rts2.ini, `blocked_by`).
    pub(super) fn may_block(&self, peer: &Peer, device: PeerId) -> bool {
        let Some(Who::Device { name, .. }) = self.peers.get(&device).map(|device| &device.who) else {
            return true;
        };
        self.blocked_by.get(name).is_none_or(|by| by.iter().any(|by| by == peer.name()))
    }

    /// The state with the operations that are blocked for this peer; only devices have such.
    pub(super) fn state_for(&self, id: PeerId) -> DeviceState {
        if !self.peers.get(&id).is_some_and(Peer::is_device) {
            return self.state;
        }
        let own = self.state.difference(DeviceState::BOP_MASK.union(DeviceState::ERROR_MASK));
        let blocking = self.peers.values().filter(|peer| !peer.blocks().is_empty());
        blocking.filter(|peer| self.may_block(peer, id)).fold(own, |all, peer| all.union(peer.blocks()))
    }

    /// Merges the weather. `device` is the one whose state or connection changed, `text` what it says about that.
    pub(super) fn weather_changed(&mut self, device: &str, text: Option<&str>, out: &mut Actions) {
        let failed = self.failed(Peer::is_good_weather);
        let is_bad = |peer: &Peer| peer.name() == device && !peer.is_good_weather();
        if self.values.bad_weather_reason().is_empty() && self.peers.values().any(is_bad) {
            let text = text.unwrap_or("NULL");
            self.values.set_bad_weather(device, text);
            let text = format!("received bad weather from {device} claiming that {device}: '{text}'");
            self.announce(MessageType::INFO, &text, out);
        }
        self.values.set_names(Own::BadWeatherDevices, &failed);
        self.send_changed(Own::BadWeatherDevices, out);
        let bad = if failed.is_empty() { DeviceState::empty() } else { DeviceState::BAD_WEATHER };
        let before = self.state;
        self.mask_state(DeviceState::BAD_WEATHER, bad, "weather state update from weatherChanged", out);
        if failed.is_empty() {
            self.values.set_bad_weather("", "");
        } else {
            self.announce(MessageType::DEBUG, &format!("failed devices: {}", failed.join(" ")), out);
        }
        if before != self.state {
            out.say(match failed.as_slice() {
                [] => "the weather is good".to_owned(),
                failed => format!("the weather is bad: {}", self.with_reasons(failed)),
            });
        }
        self.send_changed(Own::BadWeatherReason, out);
        self.send_changed(Own::BadWeatherDevice, out);
    }

    /// Merges what stops everything.
    pub(super) fn stop_changed(&mut self, out: &mut Actions) {
        let failed = self.failed(Peer::can_move);
        let stop = if failed.is_empty() { DeviceState::empty() } else { DeviceState::STOP_EVERYTHING };
        let before = self.state;
        self.mask_state(DeviceState::STOP_EVERYTHING, stop, "stop state update from stopChanged", out);
        if !failed.is_empty() {
            let text = format!("devices stopping telescope: {}", failed.join(" "));
            self.announce(MessageType::DEBUG, &text, out);
        }
        if before != self.state {
            out.say(match failed.as_slice() {
                [] => "everything may move again".to_owned(),
                failed => format!("everything stops: {}", self.with_reasons(failed)),
            });
        }
    }

    /// Tells every device what is blocked for it, and everybody the state.
    pub(super) fn bop_changed(&mut self, out: &mut Actions) {
        self.state.remove(DeviceState::BOP_MASK.union(DeviceState::ERROR_MASK));
        let devices: Vec<PeerId> =
            self.peers.iter().filter(|(_, peer)| peer.is_device()).map(|(id, _)| *id).collect();
        for id in devices {
            let bop = self.state_for(id);
            out.send(id, &Line::BopState { state: self.state, bop });
            self.say_blocked(id, bop, out);
        }
        out.send_all(&Line::Status { state: self.state, text: None });
    }

    /// Required devices that are missing, and peers that are not well, required or not.
    fn failed(&self, is_well: impl Fn(&Peer) -> bool) -> Vec<String> {
        let mut missing = self.values.required_devices();
        let mut unwell: Vec<String> = Vec::new();
        for peer in self.peers.values() {
            match missing.iter().position(|name| name == peer.name()) {
                Some(at) if is_well(peer) => {
                    missing.remove(at);
                }
                // RTS2 looks for the name in both lists, so that one stranger who is well hides another who is not.
                None if !is_well(peer) && !unwell.iter().any(|name| name == peer.name()) => {
                    unwell.push(peer.name().to_owned());
                }
                Some(_) | None => {}
            }
        }
        missing.append(&mut unwell);
        missing
    }

    /// `NODES (no disk left), D1 (missing)`
    fn with_reasons(&self, names: &[String]) -> String {
        let with_reason = |name: &String| {
            let peer = self.peers.values().find(|peer| peer.name() == name);
            match peer.map(|peer| peer.reason.as_str()) {
                None => format!("{name} (missing)"),
                Some("") => name.clone(),
                Some(reason) => format!("{name} ({reason})"),
            }
        };
        names.iter().map(with_reason).collect::<Vec<_>>().join(", ")
    }

    /// Says what cameras and telescopes may not do, and who is to blame; others would have nothing to do anyway.
    fn say_blocked(&mut self, id: PeerId, bop: DeviceState, out: &mut Actions) {
        let Some(peer) = self.peers.get(&id) else { return };
        let Who::Device { name, device_type, .. } = &peer.who else { return };
        let told = peer.told_bop;
        for (bit, word) in OPERATIONS {
            let concerns = match device_type {
                DeviceType::Ccd => bit != DeviceState::BOP_TEL_MOVE,
                DeviceType::Mount => bit == DeviceState::BOP_TEL_MOVE,
                _ => false,
            };
            if !concerns || told.contains(bit) == bop.contains(bit) {
                continue;
            }
            if bop.contains(bit) {
                let blocks = |peer: &&Peer| peer.state.contains(bit) && self.may_block(peer, id);
                let by: Vec<String> =
                    self.peers.values().filter(blocks).map(|peer| peer.name().to_owned()).collect();
                out.say(format!("{name} may not {word}: blocked by {}", self.with_reasons(&by)));
            } else {
                out.say(format!("{name} may {word} again"));
            }
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.told_bop = bop;
        }
    }
}

/// Says in words what changed of a device's state.
fn say_state(peer: &Peer, changed: DeviceState, out: &mut Actions) {
    if !peer.is_device() {
        return;
    }
    let because = if peer.reason.is_empty() { String::new() } else { format!(" ({})", peer.reason) };
    for (bit, begins, ends) in [
        (DeviceState::BOP_EXPOSURE, "blocks exposures", "blocks exposures no more"),
        (DeviceState::BOP_READOUT, "blocks readouts", "blocks readouts no more"),
        (DeviceState::BOP_TEL_MOVE, "blocks the telescope", "blocks the telescope no more"),
        (DeviceState::BAD_WEATHER, "reports bad weather", "reports good weather"),
        (DeviceState::STOP_EVERYTHING, "stops everything", "stops nothing any more"),
        (DeviceState::ERROR_HW, "has a hardware error", "has no hardware error any more"),
        (DeviceState::NOT_READY, "is not ready", "is ready"),
    ] {
        if changed.contains(bit) {
            let what = if peer.state.contains(bit) { begins } else { ends };
            out.say(format!("{} {what}{because}", peer.name()));
        }
    }
}
