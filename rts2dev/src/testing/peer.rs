//! One connection as the core sees it.

use std::collections::VecDeque;

use rts2_proto::{Command, DeviceState, DeviceType, Line, MessageType, Text};

/// Number of a connection, the one that RTS2 calls its centrald id.
pub(super) type PeerId = i32;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Neither logged in nor registered. (RTS2 include/connection.h, `NOT_DEFINED_SERVER`.)
    Stranger,
    /// A client, by its login and its program's name.
    Client { login: String, program: String, authorized: bool },
    /// A device.
    Device { centrald_num: i32, name: String, host: String, port: u16, device_type: DeviceType },
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) who: Who,
    /// Where it connected from, for people.
    pub(super) address: String,
    /// Pushed out, and on its way to its end.
    pub(super) is_closing: bool,
    /// Key for the next device that asks about this client; 0 before it asked for one.
    pub(super) key: i32,
    /// The messages that it wants.
    pub(super) mask: MessageType,
    /// Its state. Like RTS2 (include/serverstate.h), a peer is not ready until it says something else.
    pub(super) state: DeviceState,
    /// Whether it ever sent a state.
    pub(super) told_state: bool,
    /// The text of its last state.
    pub(super) reason: String,
    /// The blocked operations that it was told last.
    pub(super) told_bop: DeviceState,
    /// The `status_info`s that this device has to answer; the first one is under way.
    pub(super) asked: VecDeque<u64>,
}

impl Peer {
    pub(super) fn new(address: String) -> Self {
        Self {
            who: Who::Stranger,
            address,
            is_closing: false,
            key: 0,
            mask: MessageType::empty(),
            state: DeviceState::NOT_READY,
            told_state: false,
            reason: String::new(),
            told_bop: DeviceState::empty(),
            asked: VecDeque::new(),
        }
    }

    pub(super) fn is_stranger(&self) -> bool {
        self.who == Who::Stranger
    }

    pub(super) fn is_device(&self) -> bool {
        matches!(self.who, Who::Device { .. })
    }

    /// The name under which RTS2 finds it: a device's own, a client's program, nothing for a stranger
    /// (RTS2 lib/rts2/block.cpp, `findName`).
    pub(super) fn name(&self) -> &str {
        match &self.who {
            Who::Stranger => "",
            Who::Client { program, .. } => program,
            Who::Device { name, .. } => name,
        }
    }

    /// What people call it.
    pub(super) fn title(&self) -> String {
        match &self.who {
            Who::Stranger => format!("a stranger at {}", self.address),
            Who::Client { login, program, .. } => format!("{program} of {login}"),
            Who::Device { name, .. } => name.clone(),
        }
    }

    pub(super) fn is_good_weather(&self) -> bool {
        !self.state.contains(DeviceState::BAD_WEATHER)
    }

    pub(super) fn can_move(&self) -> bool {
        !self.state.contains(DeviceState::STOP_EVERYTHING)
    }

    /// The operations that it blocks (RTS2 include/connection.h, `getBopState`).
    pub(super) fn blocks(&self) -> DeviceState {
        self.state.intersection(DeviceState::BOP_MASK)
    }

    /// Appends the line by which others learn of it (RTS2 src/centrald/centrald.cpp, `sendConnectedInfo`).
    pub(super) fn introduce(&self, id: PeerId, out: &mut Vec<u8>) {
        match &self.who {
            Who::Stranger => {}
            Who::Client { login, program, .. } => {
                let (Ok(login), Ok(name)) = (Text::new(login.as_bytes()), Text::new(program.as_bytes()))
                else {
                    return;
                };
                Line::Command(Command::Client { id, login, name }).write_to(out);
            }
            Who::Device { centrald_num, name, host, port, device_type } => {
                let (Ok(name), Ok(host)) = (Text::new(name.as_bytes()), Text::new(host.as_bytes())) else {
                    return;
                };
                let (centrald_num, port, device_type) = (*centrald_num, *port, *device_type);
                Line::Command(Command::Device { centrald_num, id, name, host, port, device_type })
                    .write_to(out);
            }
        }
    }
}
