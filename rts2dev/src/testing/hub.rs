//! What the small centrald knows: its connections, their boxes of lines to send, and what each kind of line does.
//! Commands are in `commands`, the merging of states in `merge`, sockets in `connection`.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rts2_proto::{Command, CommandReturn, DeviceState, DeviceType, Line, MessageType, Technical, Text};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::own_values::declare;
use crate::table::Table;

/// Bytes that may wait for one connection; one that reads nothing is closed then.
const MAX_OUTBOX: usize = 4 * 1024 * 1024;
/// Messages kept for whoever asks.
const MAX_MESSAGES: usize = 1000;

/// Takes a line for a person.
type Log = Box<dyn Fn(&str) + Send + Sync>;

/// Who is at the other end.
pub(super) enum Kind {
    Unknown,
    Client { login: String, program: String, authorized: bool },
    Device { centrald_num: i32, name: String, host: String, port: u16, device_type: DeviceType },
}

pub(super) struct Connection {
    pub(super) kind: Kind,
    pub(super) outbox: Vec<u8>,
    pub(super) notify: Arc<Notify>,
    pub(super) closed: CancellationToken,
    /// Key for the next device that asks about this client; 0 when it has none.
    pub(super) key: i32,
    pub(super) mask: MessageType,
    pub(super) state: DeviceState,
    pub(super) state_text: String,
    /// Whom this device's next answers to `status_info` are for.
    pub(super) askers: VecDeque<i32>,
    /// Answers that this connection's own `status_info` still waits for.
    pub(super) waits_for: usize,
}

impl Connection {
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Device { name, .. } => Some(name),
            Kind::Unknown | Kind::Client { .. } => None,
        }
    }

    pub(super) fn send(&mut self, line: &Line<'_>) {
        line.write_to(&mut self.outbox);
        self.sent();
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) {
        self.outbox.extend_from_slice(bytes);
        self.sent();
    }

    pub(super) fn end(&mut self, end: CommandReturn) {
        self.send(&Line::Return(end));
    }

    fn sent(&mut self) {
        if self.outbox.len() > MAX_OUTBOX {
            self.outbox = Vec::new();
            self.closed.cancel();
        }
        self.notify.notify_one();
    }
}

pub(super) struct State {
    pub(super) connections: BTreeMap<i32, Connection>,
    pub(super) next_id: i32,
    pub(super) table: Table,
    pub(super) state: DeviceState,
    pub(super) messages: VecDeque<String>,
}

/// All of it.
pub(super) struct Hub {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    log: Log,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("devices", &self.devices()).finish_non_exhaustive()
    }
}

impl Hub {
    pub(super) fn new(log: Log) -> Self {
        let state = State {
            connections: BTreeMap::new(),
            next_id: 1,
            table: declare(),
            state: DeviceState::empty(),
            messages: VecDeque::new(),
        };
        Self { state: Mutex::new(state), changes: watch::Sender::new(0), log }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn devices(&self) -> Vec<String> {
        self.lock().connections.values().filter_map(|c| c.name().map(str::to_owned)).collect()
    }

    pub(super) fn state(&self) -> DeviceState {
        self.lock().state
    }

    pub(super) fn device_state(&self, name: &str) -> Option<DeviceState> {
        self.lock().connections.values().find(|c| c.name() == Some(name)).map(|c| c.state)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.lock().messages.iter().cloned().collect()
    }

    pub(super) fn drop_connections(&self) {
        for connection in self.lock().connections.values() {
            connection.closed.cancel();
        }
    }

    /// A new connection: it is told centrald's own values at once.
    pub(super) fn connected(&self) -> (i32, Arc<Notify>, CancellationToken) {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id = state.next_id.wrapping_add(1).max(1);
        let mut connection = Connection {
            kind: Kind::Unknown,
            outbox: Vec::new(),
            notify: Arc::new(Notify::new()),
            closed: CancellationToken::new(),
            key: 0,
            mask: MessageType::empty(),
            state: DeviceState::empty(),
            state_text: String::new(),
            askers: VecDeque::new(),
            waits_for: 0,
        };
        let mut place = 0;
        while let Some(entry) = state.table.entry(place) {
            connection.send_bytes(&entry.metainfo);
            connection.send_bytes(&entry.line);
            place += 1;
        }
        let ends = (id, Arc::clone(&connection.notify), connection.closed.clone());
        state.connections.insert(id, connection);
        ends
    }

    /// Moves what waits for a connection to its socket's buffer.
    pub(super) fn take_output(&self, id: i32, out: &mut Vec<u8>) {
        if let Some(connection) = self.lock().connections.get_mut(&id) {
            out.append(&mut connection.outbox);
        }
    }

    pub(super) fn disconnected(&self, id: i32) {
        let mut state = self.lock();
        let Some(gone) = state.connections.remove(&id) else { return };
        for asker in gone.askers {
            state.answered(asker);
        }
        let mut said = state.merge(DeviceState::BOP_MASK);
        match gone.kind {
            Kind::Unknown => {}
            Kind::Client { login, program, .. } => {
                state.tell_all(&Line::Command(Command::DeleteClient { id }));
                said.push(format!("client {program} of {login} left"));
            }
            Kind::Device { name, .. } => {
                if let Ok(text) = Text::new(name.as_bytes()) {
                    state.tell_all(&Line::Command(Command::DeleteDevice { id, name: text }));
                }
                said.push(format!("device {name} left"));
            }
        }
        drop(state);
        self.tell(&said);
    }

    /// A line from a connection.
    pub(super) fn handle_line(&self, id: i32, line: &[u8]) {
        let said = self.lock().handle_line(id, line);
        self.tell(&said);
    }

    /// Tells people, and whoever waits for a change.
    fn tell(&self, said: &[String]) {
        for line in said {
            (self.log)(line);
        }
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl State {
    pub(super) fn tell_all(&mut self, line: &Line<'_>) {
        let bytes = line.to_bytes();
        for connection in self.connections.values_mut() {
            connection.send_bytes(&bytes);
        }
    }

    pub(super) fn reply(&mut self, id: i32, end: CommandReturn) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.end(end);
        }
    }

    pub(super) fn send(&mut self, id: i32, line: &Line<'_>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.send(line);
        }
    }

    /// Handles a line; returns what people should know.
    fn handle_line(&mut self, id: i32, line: &[u8]) -> Vec<String> {
        match Line::parse(line) {
            Ok(Line::Technical(Technical::Ready)) => self.send(id, &Line::Technical(Technical::Ok)),
            Ok(Line::Status { state, text } | Line::StatusProgress { state, text, .. }) => {
                return self.device_state(id, state, text);
            }
            Ok(Line::Message(message)) => {
                let text = String::from_utf8_lossy(line).into_owned();
                if self.messages.len() == MAX_MESSAGES {
                    self.messages.pop_front();
                }
                self.messages.push_back(text);
                let bytes = Line::Message(message).to_bytes();
                for connection in self.connections.values_mut() {
                    if connection.mask.intersects(message.kind) {
                        connection.send_bytes(&bytes);
                    }
                }
                return vec![format!("{}: {}", message.origin, message.text)];
            }
            Ok(Line::Return(_)) => self.status_answered(id),
            Ok(Line::SetValue { name, op, operand }) => {
                let end = match self.table.prepare_set(name, op, operand) {
                    // None of these values can be set.
                    Ok(_) => CommandReturn::ok(),
                    Err(end) => end,
                };
                self.reply(id, end);
            }
            Ok(Line::Command(command)) => return self.command(id, &command),
            Ok(_) => {}
            Err(error) => {
                if error.word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                    self.reply(id, CommandReturn::bad_parameters(error.word.as_bytes()));
                }
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Mostly what clients and devices say, sometimes anything.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let known = prop_oneof![
            Just("login a b"),
            Just("password a"),
            Just("register 0 D 15 h 1"),
            Just("register 0 E 15 h 1"),
            Just("key D"),
            Just("authorize 1 5"),
            Just("info"),
            Just("status_info"),
            Just("message_mask 16777215"),
            Just("S 2147483648 \"rain\""),
            Just("S 1090519040"),
            Just("S 0"),
            Just("+0 OK"),
            Just("M 1 2 D 1 text"),
            Just("weather_update \"D\" \"hail\""),
            Just("X infotime = 5"),
        ];
        prop_oneof![20 => known.prop_map(|line| line.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..30)]
    }

    proptest! {
        /// Whatever is said by whom, and whoever leaves: nothing panics, names stay unique, bad weather goes with its
        /// devices, and nobody waits for an answer of one who is gone.
        #[test]
        fn any_conversation(said in vec((0usize..4, line(), 0u8..20), 0..80)) {
            let hub = Hub::new(Box::new(|_| {}));
            let mut connections: Vec<i32> = (0..4).map(|_| hub.connected().0).collect();
            for (who, line, leaves) in said {
                hub.handle_line(connections[who], &line);
                if leaves == 0 {
                    hub.disconnected(connections[who]);
                    connections[who] = hub.connected().0;
                }
                let mut names = hub.devices();
                names.sort();
                let count = names.len();
                names.dedup();
                prop_assert_eq!(names.len(), count);
                let state = hub.lock();
                let bad = state.connections.values().any(|c| c.state.contains(DeviceState::BAD_WEATHER));
                prop_assert_eq!(state.state.contains(DeviceState::BAD_WEATHER), bad);
                let asked: usize = state.connections.values().map(|c| c.askers.len()).sum();
                let waits: usize = state.connections.values().map(|c| c.waits_for).sum();
                prop_assert!(waits <= asked, "{} wait, {} are asked", waits, asked);
            }
        }
    }
}
