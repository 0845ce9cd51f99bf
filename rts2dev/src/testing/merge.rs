//! How the small centrald merges the states of its devices (RTS2 src/centrald/centrald.cpp, `weatherChanged`,
//! `stopChanged`, `bopMaskChanged`).

use std::collections::HashSet;

use rts2_proto::{Array, ArrayItems, DeviceState, Line, QuotedString, Text, ValueData};

use super::hub::{Connection, State};
use super::own_values::{BAD_WEATHER_DEVICE, BAD_WEATHER_DEVICES, BAD_WEATHER_REASON};

impl State {
    /// A connection sent its state; returns what people should know.
    pub(super) fn device_state(
        &mut self,
        id: i32,
        state: DeviceState,
        text: Option<Text<'_>>,
    ) -> Vec<String> {
        let Some(connection) = self.connections.get_mut(&id) else { return Vec::new() };
        let changed = connection.state.symmetric_difference(state);
        connection.state = state;
        if let Some(text) = text {
            connection.state_text = QuotedString::from(text).to_string();
        }
        let mut said = Vec::new();
        if !changed.is_empty()
            && let Some(name) = connection.name()
        {
            let reason = text.map(|text| format!(": {text}")).unwrap_or_default();
            said.push(format!("device {name} is in state {state}{reason}"));
        }
        said.extend(self.merge(changed));
        said
    }

    /// The mask of blocked operations that every device gets: centrald's state with what any connection blocks.
    pub(super) fn bop_for_devices(&self) -> DeviceState {
        let blocked = self
            .connections
            .values()
            .fold(DeviceState::empty(), |all, c| all.union(c.state.intersection(DeviceState::BOP_MASK)));
        self.state.difference(DeviceState::BOP_MASK.union(DeviceState::ERROR_MASK)).union(blocked)
    }

    /// Merges weather and stop of all connections into the state; passes on blocked operations when one of those bits
    /// changed somewhere.
    pub(super) fn merge(&mut self, changed: DeviceState) -> Vec<String> {
        let mut said = Vec::new();
        for (bit, text) in [
            (DeviceState::BAD_WEATHER, "weather state update from weatherChanged"),
            (DeviceState::STOP_EVERYTHING, "stop state update from stopChanged"),
        ] {
            let any = self.connections.values().any(|c| c.state.contains(bit));
            if bit == DeviceState::BAD_WEATHER {
                self.show_weather();
            }
            if any != self.state.contains(bit) {
                self.state.set(bit, any);
                let line = Line::Status { state: self.state, text: Text::new(text.as_bytes()).ok() };
                self.tell_all(&line);
                said.push(format!("centrald is in state {}", self.state));
            }
        }
        if changed.intersects(DeviceState::BOP_MASK) {
            let bop = self.bop_for_devices();
            let blocked = Line::BopState { state: self.state, bop };
            for connection in self.connections.values_mut().filter(|c| c.name().is_some()) {
                connection.send(&blocked);
            }
            self.tell_all(&Line::Status { state: self.state, text: None });
        }
        said
    }

    /// Which devices see bad weather, and why the first of them does.
    fn show_weather(&mut self) {
        let bad = || self.connections.values().filter(|c| c.state.contains(DeviceState::BAD_WEATHER));
        let names: Vec<&str> = bad().filter_map(Connection::name).collect();
        let devices = ArrayItems::Strings(names.iter().map(|name| QuotedString::cleaned(name)).collect());
        let devices = ValueData::Array(Box::new(Array::cut(devices)));
        let set: HashSet<&str> = names.iter().copied().collect();
        let known = match self.table.entry(BAD_WEATHER_DEVICE).map(|entry| &entry.data) {
            Some(ValueData::String(first)) => set.contains(first.as_str()),
            _ => false,
        };
        let first = names.first().map(|name| QuotedString::cleaned(name)).unwrap_or_default();
        let reason = bad().find(|c| c.name().is_some()).map(|c| QuotedString::cleaned(&c.state_text));
        self.set_own(BAD_WEATHER_DEVICES, devices);
        if !known {
            self.set_own(BAD_WEATHER_DEVICE, ValueData::String(first));
            self.set_own(BAD_WEATHER_REASON, ValueData::String(reason.unwrap_or_default()));
        }
    }

    pub(super) fn set_own(&mut self, place: usize, data: ValueData) {
        if self.table.set(place, Some(data), None)
            && let Some(entry) = self.table.entry(place)
        {
            for connection in self.connections.values_mut() {
                connection.send_bytes(&entry.line);
            }
        }
    }
}
