//! What a peer has said so far: its values, its state, and what centrald knows of others. Bounded.

mod messages;
mod values;

use std::collections::HashMap;

use rts2_proto::{Command, DeviceState, Line, QuotedString, Text};

use self::messages::Messages;
use self::values::Marks;
use super::changes::{Change, Progress};
use super::log::{Log, Subject};
use super::news::{ClientInfo, DeviceInfo, RemoteValue};

/// Devices, clients and keys taken from one centrald.
const MAX_PEERS: usize = 10_000;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) values: Vec<RemoteValue>,
    /// Places by lower-case name.
    places: HashMap<String, usize>,
    text_bytes: usize,
    pub(super) state: DeviceState,
    pub(super) state_text: String,
    pub(super) bop: DeviceState,
    pub(super) devices: Vec<DeviceInfo>,
    pub(super) clients: Vec<ClientInfo>,
    keys: HashMap<String, i32>,
    pub(super) progress: Option<Progress>,
    pub(super) log: Log,
    /// Of each value, at its place: numbers of the changes that declared it and that changed its level.
    marks: Vec<Marks>,
    messages: Messages,
}

impl Picture {
    /// A value by its name.
    pub(super) fn value(&self, name: &str) -> Option<&RemoteValue> {
        self.places.get(&name.to_ascii_lowercase()).and_then(|&place| self.values.get(place))
    }

    /// A device by its name, compared without case.
    pub(super) fn device(&self, name: &str) -> Option<&DeviceInfo> {
        self.devices.iter().find(|device| device.name.eq_ignore_ascii_case(name))
    }

    /// How many messages had come when change `seen` was told.
    pub(super) fn messages_before(&self, seen: u64) -> u64 {
        self.messages.come_before(seen)
    }

    /// The first change after the one that was seen last, as everything is now.
    pub(super) fn change_after(&self, seen: &mut u64, messages_seen: &mut u64) -> Option<Change> {
        loop {
            let next = self.log.after(*seen);
            let before = next.map(|(number, _)| number);
            if let Some(change) = self.messages.change_before(before, messages_seen) {
                return Some(change);
            }
            let (number, subject) = next?;
            let before = std::mem::replace(seen, number);
            if let Some(change) = self.change(subject, before) {
                return Some(change);
            }
        }
    }

    fn change(&self, subject: &Subject, seen: u64) -> Option<Change> {
        Some(match subject {
            Subject::Value(place) => {
                let value = self.values.get(*place)?.clone();
                let marks = self.marks.get(*place)?;
                if marks.declared > seen {
                    Change::Declared(value)
                } else if marks.level > seen {
                    Change::Level(value)
                } else {
                    Change::Value(value)
                }
            }
            Subject::State => Change::State { state: self.state, text: self.state_text.clone() },
            Subject::Bop => Change::Blocked(self.bop),
            Subject::Progress => Change::Progress(self.progress?),
            Subject::Device(name) => match self.device(name) {
                Some(device) => Change::Device(device.clone()),
                None => Change::DeviceGone { name: name.clone() },
            },
            Subject::Client(id) => match self.clients.iter().find(|client| client.id == *id) {
                Some(client) => Change::Client(client.clone()),
                None => Change::ClientGone { id: *id },
            },
        })
    }

    /// The key that centrald gave for a device.
    pub(super) fn key(&self, device: &str) -> Option<i32> {
        self.keys.get(device).copied()
    }

    /// Takes in a line. `false` when it says nothing about the picture.
    pub(super) fn handle_line(&mut self, line: &Line<'_>) -> bool {
        match line {
            Line::MetaInfo { flags, name, description } => self.declare(*flags, *name, *description),
            Line::SelMetaInfo { name, item } => self.select(*name, *item),
            Line::Value { name, value } => self.set(*name, *value),
            Line::Status { state, text } => self.tell_state(*state, *text),
            Line::StatusProgress { state, start, end, text } => {
                self.tell_state(*state, *text);
                self.tell_progress(*start, *end);
            }
            Line::Progress { start, end } => self.tell_progress(*start, *end),
            Line::BopState { state, bop } => {
                if self.state != *state {
                    self.state = *state;
                    self.log.note(Subject::State);
                }
                self.bop = *bop;
                self.log.note(Subject::Bop);
            }
            Line::Message(message) => self.messages.keep(message, self.log.number()),
            Line::Command(command) => return self.notice(command),
            _ => return false,
        }
        true
    }

    fn tell_state(&mut self, state: DeviceState, text: Option<Text<'_>>) {
        self.state = state;
        self.state_text = text.map(|text| text.to_str().into_owned()).unwrap_or_default();
        self.log.note(Subject::State);
    }

    fn tell_progress(&mut self, start: f64, end: f64) {
        self.progress = Some(Progress { start, end });
        self.log.note(Subject::Progress);
    }

    fn notice(&mut self, command: &Command<'_>) -> bool {
        match *command {
            Command::Device { centrald_num, id, name, host, port, device_type } => {
                let device = DeviceInfo {
                    name: QuotedString::from(name).to_string(),
                    id,
                    centrald_num,
                    host: QuotedString::from(host).to_string(),
                    port,
                    device_type,
                };
                let name = device.name.clone();
                if let Some(known) = self.devices.iter_mut().find(|known| known.name == name) {
                    // Quirk `RepeatedList`: centrald repeats its list at every `info`; only what is new is news.
                    if *known == device {
                        return true;
                    }
                    *known = device;
                } else if self.devices.len() < MAX_PEERS {
                    self.devices.push(device);
                } else {
                    return true;
                }
                self.log.note(Subject::Device(name));
            }
            Command::DeleteDevice { id, .. } => {
                if let Some(place) = self.devices.iter().position(|device| device.id == id) {
                    let gone = self.devices.remove(place);
                    self.note_gone(Subject::Device(gone.name));
                }
            }
            Command::Client { id, login, name } => {
                if self.clients.len() < MAX_PEERS && self.clients.iter().all(|client| client.id != id) {
                    let (login, program) = (QuotedString::from(login), QuotedString::from(name));
                    self.clients.push(ClientInfo {
                        id,
                        login: login.to_string(),
                        program: program.to_string(),
                    });
                    self.log.note(Subject::Client(id));
                }
            }
            Command::DeleteClient { id } => {
                if let Some(place) = self.clients.iter().position(|client| client.id == id) {
                    self.clients.remove(place);
                    self.note_gone(Subject::Client(id));
                }
            }
            Command::AuthorizationKey { device, key } => {
                let device = QuotedString::from(device).to_string();
                if self.keys.len() < MAX_PEERS || self.keys.contains_key(&device) {
                    self.keys.insert(device, key);
                }
            }
            _ => return false,
        }
        true
    }

    fn note_gone(&mut self, subject: Subject) {
        let Self { devices, clients, log, .. } = self;
        log.note_gone(subject, |subject| match subject {
            Subject::Device(name) => devices.iter().any(|device| device.name == *name),
            Subject::Client(id) => clients.iter().any(|client| client.id == *id),
            _ => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rts2_proto::Level;

    use super::values::MAX_VALUES;
    use super::*;

    fn picture(lines: &[&str]) -> Picture {
        let mut picture = Picture::default();
        for line in lines {
            picture.handle_line(&Line::parse(line.as_bytes()).unwrap());
        }
        picture
    }

    #[test]
    fn a_device_as_it_tells_itself() {
        let picture = picture(&[
            "E 33555463 \"open_close\" \"open/close state\" ",
            "F \"open_close\"",
            "F \"open_close\" \"CLOSED\"",
            "F \"open_close\" \"OPEN\"",
            "V open_close 1",
            "E 34276358 \"on\" \"x\" ",
            "V on 0",
            "E 4 \"d\" \"[%] x\" ",
            "V d 1.25000000000000000000e+01",
            "V D broken",
            "V nosuch 5",
            "E 536870916 \"D\" \"[%] x\" ",
            "E 1396 \"serie\" \"x\" ",
            "V serie nan 0 nan nan nan nan nan nan",
            "B 5 16777216",
            "S 4 \"why\"",
        ]);
        let texts: Vec<_> = picture.values.iter().map(RemoteValue::text).collect();
        assert_eq!(texts, ["OPEN", "off", "12.5", "nan +- nan, 0 of nan..nan, nan/s"]);
        assert_eq!(picture.value("D").unwrap().level(), Level::Error);
        assert_eq!(picture.value("d").unwrap().number(), Some(12.5));
        assert_eq!((picture.state.bits(), picture.bop.bits()), (4, 16_777_216));
        assert_eq!(picture.state_text, "why");
    }

    #[test]
    fn devices_come_and_go() {
        let mut picture = picture(&["device 0 1 A h 1 15", "device 0 2 B h 2 15", "device 0 1 A h 3 15"]);
        assert_eq!(picture.devices.len(), 2);
        assert_eq!(picture.devices[0].port, 3);
        picture.handle_line(&Line::parse(b"delete_device 1 A").unwrap());
        assert_eq!(picture.devices.len(), 1);
    }

    proptest! {
        /// Whatever a peer says, the sum of its texts is known.
        #[test]
        fn any_lines(lines in vec(line(), 0..60)) {
            let mut picture = Picture::default();
            for line in lines {
                if let Ok(line) = Line::parse(&line) {
                    picture.handle_line(&line);
                }
            }
            prop_assert_eq!(picture.text_bytes, picture.values.iter().map(RemoteValue::bytes).sum::<usize>());
            for value in &picture.values {
                prop_assert_eq!(picture.value(&value.name), Some(value));
            }
        }
    }

    /// Mostly lines about two values, sometimes anything.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let name = prop_oneof![Just("a"), Just("A"), Just("b")];
        let text = vec(any::<u8>(), 0..10);
        let about = (name, 0i32..0x80, text.clone(), 0..4).prop_map(|(name, flags, text, kind)| {
            let mut line = match kind {
                0 => format!("E {flags} \"{name}\" \""),
                1 => format!("F \"{name}\" \""),
                2 => format!("V {name} \""),
                _ => format!("V {name} "),
            }
            .into_bytes();
            line.extend(text);
            if kind < 3 {
                line.push(b'"');
            }
            line
        });
        prop_oneof![8 => about, 1 => text]
    }

    #[test]
    fn a_peer_that_declares_without_end_is_bounded() {
        let mut picture = Picture::default();
        for number in 0..MAX_VALUES + 10 {
            picture.handle_line(&Line::parse(format!("E 2 \"v{number}\" \"\"").as_bytes()).unwrap());
        }
        assert_eq!(picture.values.len(), MAX_VALUES);
    }
}
