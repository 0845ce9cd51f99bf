//! The heart of the small centrald: who is there and what each line does, without sockets, clock or runtime.
//!
//! A line, a connection or an end goes in with the time; [`Actions`] come out. Commands are in `commands`, the merging
//! of states in `merge`, the rounds of `status_info` in `status_info`, centrald's own state in `switches`.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use rts2_proto::{
    Command, CommandReturn, DeviceState, Expected, Line, Message, MessageType, Rest, Technical, Text,
    escape_message,
};

use super::action::Actions;
use super::options::CentraldOptions;
use super::own_values::OwnValues;
use super::peer::{Peer, PeerId, Who};
use super::status_info::StatusInfo;

/// Connections at the same time; more are refused. A hundred devices, each with a client of its own, fit ten times.
pub(super) const MAX_PEERS: usize = 1024;
/// Of these, how many may be strangers; one more pushes out the one that has waited longest. Honest peers say who they
/// are within milliseconds.
pub(super) const MAX_STRANGERS: usize = 256;
/// Messages kept for whoever asks.
const MAX_MESSAGES: usize = 1000;

/// All that centrald knows.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) peers: BTreeMap<PeerId, Peer>,
    pub(super) state: DeviceState,
    pub(super) values: OwnValues,
    pub(super) blocked_by: BTreeMap<String, Vec<String>>,
    /// Rounds of `status_info` that wait for devices.
    pub(super) rounds: BTreeMap<u64, StatusInfo>,
    pub(super) next_round: u64,
    pub(super) messages: VecDeque<String>,
    /// Time of the call that is being handled.
    pub(super) now: SystemTime,
    last_id: PeerId,
    seed: RandomState,
}

impl Core {
    /// Begins with nobody there. Like the real one it takes the weather for bad until a device says otherwise.
    pub(super) fn new(now: SystemTime, options: &CentraldOptions) -> Self {
        let switches = options.part_of_day.bits().union(options.on_off.bits());
        Self {
            peers: BTreeMap::new(),
            state: switches.union(DeviceState::BAD_WEATHER),
            values: OwnValues::new(now, options.part_of_day, &options.required_devices),
            blocked_by: options.blocked_by.clone(),
            rounds: BTreeMap::new(),
            next_round: 0,
            messages: VecDeque::new(),
            now,
            last_id: 0,
            // Each is seeded anew by the system: keys cannot be foretold.
            seed: RandomState::new(),
        }
    }

    /// Someone connected: it is told centrald's own values at once. `None` when there are too many.
    pub(super) fn connected(
        &mut self,
        now: SystemTime,
        address: String,
        out: &mut Actions,
    ) -> Option<PeerId> {
        self.now = now;
        if self.peers.len() >= MAX_PEERS {
            out.say(format!("{address} refused: {MAX_PEERS} are connected already"));
            return None;
        }
        let mut strangers = self.peers.iter_mut().filter(|(_, peer)| peer.is_stranger() && !peer.is_closing);
        if let Some((oldest, peer)) = strangers.next()
            && strangers.count() + 1 >= MAX_STRANGERS
        {
            peer.is_closing = true;
            out.say(format!("{} is dropped: {MAX_STRANGERS} strangers wait already", peer.title()));
            out.close(*oldest);
        }
        let id = loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.peers.contains_key(&self.last_id) {
                break self.last_id;
            }
        };
        self.peers.insert(id, Peer::new(address));
        out.send_lines(id, self.values.metainfo());
        Some(id)
    }

    /// A connection ended (RTS2 src/centrald/centrald.cpp, `connectionRemoved`).
    pub(super) fn disconnected(&mut self, now: SystemTime, id: PeerId, out: &mut Actions) {
        self.now = now;
        let Some(gone) = self.peers.remove(&id) else { return };
        match &gone.who {
            Who::Stranger => {}
            Who::Client { .. } => out.say(format!("{} left", gone.title())),
            Who::Device { .. } => out.say(format!("{} is gone", gone.title())),
        }
        self.weather_changed(gone.name(), Some("connection removed"), out);
        self.stop_changed(out);
        self.bop_changed(out);
        self.forget_rounds(id, &gone, out);
        match &gone.who {
            Who::Stranger => {}
            Who::Client { .. } => out.send_all(&Line::Command(Command::DeleteClient { id })),
            Who::Device { name, .. } => {
                if let Ok(name) = Text::new(name.as_bytes()) {
                    out.send_all(&Line::Command(Command::DeleteDevice { id, name }));
                }
            }
        }
    }

    /// Takes a line (RTS2 lib/rts2/connection.cpp, `processLine`).
    pub(super) fn handle_line(&mut self, now: SystemTime, id: PeerId, line: &[u8], out: &mut Actions) {
        self.now = now;
        if !self.peers.contains_key(&id) {
            return;
        }
        match Line::parse(line) {
            Ok(Line::Technical(Technical::Ready)) => out.send(id, &Line::Technical(Technical::Ok)),
            Ok(Line::Status { state, text } | Line::StatusProgress { state, text, .. }) => {
                self.peer_state(id, state, text, out);
            }
            Ok(Line::Message(message)) => self.message(line, message, out),
            Ok(Line::Return(_)) => self.round_answered(id, out),
            Ok(Line::SetValue { name, op, operand }) => {
                let (end, changed) = self.values.set_by_peer(name, op, operand);
                if let Some(line) = changed {
                    out.send_all_lines(line);
                }
                self.end(id, &end, out);
            }
            Ok(Line::Command(command)) => self.command(id, &command, out),
            // Values and metainfo of devices, progress, answers to `T ready`: nothing to do.
            Ok(_) => {}
            Err(error) if error.expected == Expected::Line => {}
            Err(error) => self.end(id, &CommandReturn::bad_parameters(error.word.as_bytes()), out),
        }
    }

    /// Ends a peer's command; everybody who wants to know learns when it failed.
    pub(super) fn end(&mut self, id: PeerId, end: &CommandReturn, out: &mut Actions) {
        out.send(id, &Line::Return(end.clone()));
        if end.is_error() {
            let text = format!("command end with error {} description: {}", end.code, end.text);
            self.announce(MessageType::ERROR, &text, out);
        }
    }

    /// A message of centrald's own, to everybody who wants such.
    pub(super) fn announce(&self, kind: MessageType, text: &str, out: &mut Actions) {
        let since = self.now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let text = escape_message(text);
        let (Ok(origin), Ok(text)) = (Text::new(b"centrald"), Rest::new(text.as_bytes())) else { return };
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        self.pass_on(Message { seconds, micros: since.subsec_micros(), origin, kind, text }, out);
    }

    /// A key that nobody can guess; never 0, which stands for none.
    pub(super) fn new_key(&self) -> i32 {
        let random = self.seed.hash_one((self.now, self.peers.len(), self.next_round)) & 0x7fff_ffff;
        i32::try_from(random).unwrap_or(1).max(1)
    }

    /// A device's message is passed on as it came.
    fn message(&mut self, line: &[u8], message: Message<'_>, out: &mut Actions) {
        if self.messages.len() == MAX_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(String::from_utf8_lossy(line).into_owned());
        let kind = [
            (MessageType::CRITICAL, "critical"),
            (MessageType::ERROR, "error"),
            (MessageType::WARNING, "warning"),
            (MessageType::INFO, "info"),
            (MessageType::DEBUG, "debug"),
        ];
        let kind = kind.into_iter().find(|(bit, _)| message.kind.intersects(*bit));
        let kind = kind.map_or("message", |(_, name)| name);
        out.say(format!("{} says ({kind}): {}", message.origin, message.text));
        self.pass_on(message, out);
    }

    fn pass_on(&self, message: Message<'_>, out: &mut Actions) {
        let wanted = |peer: &Peer| peer.mask.intersects(message.kind);
        for (id, _) in self.peers.iter().filter(|(_, peer)| wanted(peer)) {
            out.send(*id, &Line::Message(message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::action::Action;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Mostly what clients and devices say, sometimes anything.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let known = prop_oneof![
            Just("login a b"),
            Just("password a"),
            Just("register 0 D 15 h 1"),
            Just("register 0 E 3 h 1"),
            Just("register 0 F 15 h 1"),
            Just("key D"),
            Just("authorize 1 5"),
            Just("info"),
            Just("on"),
            Just("off"),
            Just("status_info"),
            Just("message_mask 16777215"),
            Just("S 2147483648 \"rain\""),
            Just("S 1090519040"),
            Just("S 0"),
            Just("+0 OK"),
            Just("M 1 2 D 1 text"),
            Just("weather_update \"D\" \"hail\""),
            Just("X required_devices = D"),
            Just("X infotime = 5"),
        ];
        prop_oneof![20 => known.prop_map(|line| line.as_bytes().to_vec()), 1 => vec(any::<u8>(), 0..30)]
    }

    /// Ends of rounds of `status_info` that came out.
    fn ends(out: &Actions) -> usize {
        let is_end =
            |action: &&Action| matches!(action, Action::Send { lines, .. } if lines.starts_with(b"B "));
        out.0.iter().filter(is_end).count()
    }

    proptest! {
        /// Whatever is said by whom, and whoever leaves: nothing panics, names stay unique, the weather is bad while
        /// somebody sees it so, E is blocked by F alone, and nobody waits for an answer of one who is gone.
        #[test]
        fn any_conversation(said in vec((0usize..4, line(), 0u8..20), 0..80)) {
            let now = UNIX_EPOCH;
            let options = CentraldOptions {
                blocked_by: BTreeMap::from([("E".to_owned(), vec!["F".to_owned()])]),
                ..CentraldOptions::default()
            };
            let mut core = Core::new(now, &options);
            let connect = |core: &mut Core| {
                core.connected(now, "here".to_owned(), &mut Actions::default()).unwrap()
            };
            let mut ids: Vec<PeerId> = (0..4).map(|_| connect(&mut core)).collect();
            for (who, line, leaves) in said {
                let mut out = Actions::default();
                core.handle_line(now, ids[who], &line, &mut out);
                if leaves == 0 {
                    core.disconnected(now, ids[who], &mut out);
                    ids[who] = connect(&mut core);
                }
                let peers = || core.peers.values();
                let mut names: Vec<&str> = peers().filter(|p| p.is_device()).map(Peer::name).collect();
                let count = names.len();
                names.sort_unstable();
                names.dedup();
                prop_assert_eq!(names.len(), count);
                let bad = peers().any(|peer| !peer.is_good_weather());
                prop_assert!(!bad || core.state.contains(DeviceState::BAD_WEATHER));
                for (id, peer) in &core.peers {
                    let blocked = core.state_for(*id).intersection(DeviceState::BOP_MASK);
                    let f = peers().any(|by| by.name() == "F" && !by.blocks().is_empty());
                    if peer.name() == "E" && peer.is_device() {
                        prop_assert_eq!(!blocked.is_empty(), f);
                    }
                }
                // Every round waits for devices that are there and were asked.
                for (round, waiting) in &core.rounds {
                    let asked = peers().filter(|peer| peer.asked.contains(round)).count();
                    prop_assert_eq!(asked, waiting.waits_for);
                    prop_assert!(asked > 0);
                }
            }
            let waiting = core.rounds.len();
            let mut out = Actions::default();
            while core.peers.values().any(|peer| !peer.asked.is_empty()) {
                for id in &ids {
                    core.handle_line(now, *id, b"+0 OK", &mut out);
                }
            }
            prop_assert_eq!(ends(&out), waiting);
        }
    }

    #[test]
    fn the_stranger_that_waits_longest_makes_room() {
        let mut core = Core::new(UNIX_EPOCH, &CentraldOptions::default());
        let mut out = Actions::default();
        for _ in 0..MAX_STRANGERS {
            core.connected(UNIX_EPOCH, "here".to_owned(), &mut out).unwrap();
        }
        core.handle_line(UNIX_EPOCH, 1, b"login a b", &mut out);
        let closed = |out: &Actions| -> Vec<PeerId> {
            let close = |action: &Action| match action {
                Action::Close { peer } => Some(*peer),
                _ => None,
            };
            out.0.iter().filter_map(close).collect()
        };
        core.connected(UNIX_EPOCH, "here".to_owned(), &mut out).unwrap();
        assert!(closed(&out).is_empty());
        // One that is told to go makes no room twice.
        core.connected(UNIX_EPOCH, "here".to_owned(), &mut out).unwrap();
        core.connected(UNIX_EPOCH, "here".to_owned(), &mut out).unwrap();
        assert_eq!(closed(&out), [2, 3]);
        while core.peers.len() < MAX_PEERS {
            core.connected(UNIX_EPOCH, "here".to_owned(), &mut out).unwrap();
        }
        assert_eq!(core.connected(UNIX_EPOCH, "here".to_owned(), &mut out), None);
    }
}
