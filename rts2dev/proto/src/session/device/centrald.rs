//! A device's session with a centrald: registration, authorization of clients, states, notices
//! (RTS2 lib/rts2/device.cpp, `DevConnectionMaster`).
//!
//! One command at a time is under way; the others wait in a bounded queue, `status_info` last. centrald's `+…`/`-…` lines belong to the
//! command that is under way.

use std::collections::VecDeque;
use std::time::Instant;

use crate::command::Command;
use crate::device_type::DeviceType;
use crate::error::{CommandReturn, ParseError};
use crate::keep_alive::{KeepAlive, KeepAliveAction};
use crate::line::{Auth, Line, Technical};
use crate::names::DeviceName;
use crate::state::DeviceState;
use crate::text::{QuotedString, Text};

/// Commands that may wait for centrald. Each client waits for one authorization at most, and a device serves fewer
/// clients than this.
pub const MAX_QUEUED_COMMANDS: usize = 128;

/// Too many commands wait for centrald.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_QUEUED_COMMANDS} commands wait for centrald already")]
pub struct QueueFull;

/// What the caller has to know or do after a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum CentraldEvent {
    /// Nothing.
    None,
    /// Registered under this number: send the metainfo of every value, then the state.
    Registered {
        /// Number at centrald.
        id: i32,
    },
    /// Another connection has the name: stand by, and call [`CentraldSession::register`] later.
    NameTaken {
        /// centrald's words.
        reason: String,
    },
    /// centrald refused the registration for another reason.
    Refused {
        /// centrald's words.
        reason: String,
    },
    /// The device that has our name may be gone: register again.
    NameFree,
    /// This client's key is right.
    Authorized {
        /// Number of the client.
        client: i32,
        /// Its key.
        key: i32,
    },
    /// This client's key is wrong, or centrald does not know it.
    NotAuthorized {
        /// Number of the client.
        client: i32,
        /// Its key.
        key: i32,
    },
    /// centrald tells of one of its clients, before that asks us to be let in.
    Client {
        /// Number of the client.
        id: i32,
        /// The user that it logged in as.
        login: String,
        /// Its program's name.
        name: String,
    },
    /// A client left centrald.
    ClientGone {
        /// Number of the client.
        id: i32,
    },
    /// Somebody needs our state: send it, then `+0 OK`.
    StatusInfo,
    /// A `status_info` of ours came to its end; the mask of blocked operations is fresh.
    StatusInfoDone,
    /// centrald's state.
    State(DeviceState),
    /// centrald's state, and the mask of operations that are blocked for us: pass it on to clients.
    Bop {
        /// centrald's state.
        state: DeviceState,
        /// The mask.
        bop: DeviceState,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Under {
    Register,
    Authorize { client: i32, key: i32, answered: bool },
    StatusInfo,
    WeatherUpdate { reason: QuotedString },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Registration {
    /// `register` is under way.
    Asked,
    /// Refused; waits for the caller.
    StandBy,
    Registered(i32),
}

/// One connection to one centrald, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct CentraldSession {
    name: DeviceName,
    device_type: DeviceType,
    centrald_num: i32,
    host: String,
    port: u16,
    registration: Registration,
    under_way: Option<Under>,
    queue: VecDeque<Under>,
    keep_alive: KeepAlive,
}

impl CentraldSession {
    /// Begins a session on a new connection, by registering.
    ///
    /// `centrald_num` is the place of this centrald in the device's list, from 0; `host` and `port` are what clients
    /// are told to connect to.
    #[must_use]
    pub fn new(
        now: Instant,
        name: DeviceName,
        device_type: DeviceType,
        centrald_num: i32,
        (host, port): (&str, u16),
        out: &mut Vec<u8>,
    ) -> Self {
        let mut session = Self {
            name,
            device_type,
            centrald_num,
            host: QuotedString::cleaned(host).as_str().to_owned(),
            port,
            registration: Registration::StandBy,
            under_way: None,
            queue: VecDeque::new(),
            keep_alive: KeepAlive::new(now),
        };
        session.register(out);
        session
    }

    /// Asks for registration, again after it was refused. Does nothing when it is under way or done.
    pub fn register(&mut self, out: &mut Vec<u8>) {
        if self.registration == Registration::StandBy {
            self.registration = Registration::Asked;
            // What waits from before belongs to a registration; the new one comes first.
            self.queue.push_front(Under::Register);
            self.send_next(out);
        }
    }

    /// Number under which we are registered.
    #[must_use]
    pub fn registered_as(&self) -> Option<i32> {
        match self.registration {
            Registration::Registered(id) => Some(id),
            Registration::Asked | Registration::StandBy => None,
        }
    }

    /// Asks whether a client's key is right; [`CentraldEvent::Authorized`] or [`CentraldEvent::NotAuthorized`] follows.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn authorize(&mut self, client: i32, key: i32, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        self.send(Under::Authorize { client, key, answered: false }, out)
    }

    /// Asks centrald to collect fresh states; [`CentraldEvent::StatusInfoDone`] follows.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn status_info(&mut self, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        self.send(Under::StatusInfo, out)
    }

    /// Tells why this device votes for bad weather.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn weather_update(&mut self, reason: QuotedString, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        self.send(Under::WeatherUpdate { reason }, out)
    }

    /// Takes a line.
    pub fn handle_line(
        &mut self,
        now: Instant,
        line: &Result<Line<'_>, ParseError>,
        out: &mut Vec<u8>,
    ) -> CentraldEvent {
        self.keep_alive.handle_heard(now);
        match line {
            Ok(Line::Return(end)) => self.handle_return(end, out),
            Ok(Line::Auth(Auth::RegisteredAs(id))) => {
                self.registration = Registration::Registered(*id);
                CentraldEvent::Registered { id: *id }
            }
            Ok(Line::Auth(Auth::AuthorizationOk(id))) => self.authorized(*id, true),
            Ok(Line::Auth(Auth::AuthorizationFailed(id))) => self.authorized(*id, false),
            Ok(Line::Status { state, .. } | Line::StatusProgress { state, .. }) => {
                CentraldEvent::State(*state)
            }
            Ok(Line::BopState { state, bop }) => CentraldEvent::Bop { state: *state, bop: *bop },
            Ok(Line::Technical(Technical::Ready)) => {
                Line::Technical(Technical::Ok).write_to(out);
                CentraldEvent::None
            }
            Ok(Line::Command(command)) => self.handle_command(command, out),
            // Quirk `UnaskedMetainfo`: centrald's own values and messages are not this device's business, and a line that cannot be read
            // costs that line only.
            Ok(_) | Err(_) => CentraldEvent::None,
        }
    }

    /// Time passed: sends `T ready` when centrald was silent. `true` means that the connection is dead.
    #[must_use]
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        match self.keep_alive.handle_timeout(now) {
            KeepAliveAction::Wait => false,
            KeepAliveAction::AskReady => {
                Line::Technical(Technical::Ready).write_to(out);
                false
            }
            KeepAliveAction::Close => true,
        }
    }

    /// When [`CentraldSession::handle_timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        self.keep_alive.next_timeout()
    }

    fn handle_command(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> CentraldEvent {
        match command {
            // Quirk `StatusInfoToStrangers`: it is asked of us before we are registered, too.
            Command::StatusInfo => CentraldEvent::StatusInfo,
            Command::DeleteDevice { name, .. } if name.is(self.name.as_str()) => {
                if self.registration == Registration::StandBy {
                    CentraldEvent::NameFree
                } else {
                    CentraldEvent::None
                }
            }
            Command::Client { id, login, name } => CentraldEvent::Client {
                id: *id,
                login: login.to_str().into_owned(),
                name: name.to_str().into_owned(),
            },
            Command::DeleteClient { id } => CentraldEvent::ClientGone { id: *id },
            Command::Device { .. } | Command::DeleteDevice { .. } | Command::AuthorizationKey { .. } => {
                CentraldEvent::None
            }
            other => {
                CommandReturn::unknown_command(other.word()).write_to(out);
                CentraldEvent::None
            }
        }
    }

    fn authorized(&mut self, id: i32, ok: bool) -> CentraldEvent {
        match &mut self.under_way {
            Some(Under::Authorize { client, key, answered }) if *client == id && !*answered => {
                *answered = true;
                let (client, key) = (*client, *key);
                if ok {
                    CentraldEvent::Authorized { client, key }
                } else {
                    CentraldEvent::NotAuthorized { client, key }
                }
            }
            _ => CentraldEvent::None,
        }
    }

    fn handle_return(&mut self, end: &CommandReturn, out: &mut Vec<u8>) -> CentraldEvent {
        let under_way = self.under_way.take();
        let event = match under_way {
            Some(Under::Register) if end.is_error() => {
                self.registration = Registration::StandBy;
                let reason = end.text.clone();
                if reason.contains("already registered") {
                    CentraldEvent::NameTaken { reason }
                } else {
                    CentraldEvent::Refused { reason }
                }
            }
            // Quirk `MissingAuthorizationLine`: of a client that vanished comes no `A` line, only the failed end.
            Some(Under::Authorize { client, key, answered: false }) => {
                CentraldEvent::NotAuthorized { client, key }
            }
            Some(Under::StatusInfo) => CentraldEvent::StatusInfoDone,
            _ => CentraldEvent::None,
        };
        self.send_next(out);
        event
    }

    fn send(&mut self, command: Under, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        if self.queue.len() >= MAX_QUEUED_COMMANDS {
            return Err(QueueFull);
        }
        // A round of states takes as long as the slowest device, minutes if that is mute. RTS2, too, puts keys before it.
        let behind = self.queue.iter().position(|waiting| *waiting == Under::StatusInfo);
        match behind {
            Some(place) if command != Under::StatusInfo => self.queue.insert(place, command),
            _ => self.queue.push_back(command),
        }
        self.send_next(out);
        Ok(())
    }

    fn send_next(&mut self, out: &mut Vec<u8>) {
        if self.under_way.is_some() {
            return;
        }
        let Some(next) = self.queue.pop_front() else { return };
        let command = match &next {
            Under::Register => {
                let (Ok(name), Ok(host)) =
                    (Text::new(self.name.as_str().as_bytes()), Text::new(self.host.as_bytes()))
                else {
                    return;
                };
                Command::Register {
                    centrald_num: self.centrald_num,
                    name,
                    device_type: self.device_type,
                    host,
                    port: self.port,
                }
            }
            Under::Authorize { client, key, .. } => Command::Authorize { id: *client, key: *key },
            Under::StatusInfo => Command::StatusInfo,
            Under::WeatherUpdate { reason } => {
                let Ok(device) = Text::new(self.name.as_str().as_bytes()) else { return };
                Command::WeatherUpdate { device, reason: Text::from(reason) }
            }
        };
        Line::Command(command).write_to(out);
        self.under_way = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    /// A session with what it sent so far.
    struct Dialogue {
        session: CentraldSession,
        now: Instant,
        out: Vec<u8>,
    }

    impl Dialogue {
        fn new() -> Self {
            let now = start();
            let mut out = Vec::new();
            let session = CentraldSession::new(
                now,
                DeviceName::new("NODES").unwrap(),
                DeviceType::Sensor,
                0,
                ("localhost", 6201),
                &mut out,
            );
            Self { session, now, out }
        }

        fn heard(&mut self, line: &str) -> CentraldEvent {
            self.session.handle_line(self.now, &Line::parse(line.as_bytes()), &mut self.out)
        }

        fn sent(&mut self) -> String {
            String::from_utf8(std::mem::take(&mut self.out)).unwrap()
        }
    }

    #[test]
    fn registers_and_authorizes() {
        let mut d = Dialogue::new();
        assert_eq!(d.sent(), "register 0 NODES 15 localhost 6201\n");
        assert_eq!(d.heard("E 3 \"infotime\" \"time of last update\" "), CentraldEvent::None);
        assert_eq!(d.heard("S 2147483648"), CentraldEvent::State(DeviceState::BAD_WEATHER));
        assert_eq!(d.heard("A registered_as 1"), CentraldEvent::Registered { id: 1 });
        // A client that asks before the registration has ended has to wait for it.
        d.session.authorize(2, 77, &mut d.out).unwrap();
        assert_eq!(d.sent(), "");
        assert_eq!(d.heard("+0 OK"), CentraldEvent::None);
        assert_eq!(d.sent(), "authorize 2 77\n");
        assert_eq!(d.heard("A authorization_ok 2"), CentraldEvent::Authorized { client: 2, key: 77 });
        let client = CentraldEvent::Client { id: 2, login: "obs".to_owned(), name: "scripted".to_owned() };
        assert_eq!(d.heard("client 2 obs scripted"), client);
        assert_eq!(d.heard("+0 OK"), CentraldEvent::None);
        d.session.authorize(2, 12345, &mut d.out).unwrap();
        d.session.authorize(99, 12345, &mut d.out).unwrap();
        assert_eq!(
            d.heard("A authorization_failed 2"),
            CentraldEvent::NotAuthorized { client: 2, key: 12345 }
        );
        assert_eq!(d.heard("-5 invalid authorization key"), CentraldEvent::None);
        let vanished = d.heard("-5 client vanished during auth sequence");
        assert_eq!(vanished, CentraldEvent::NotAuthorized { client: 99, key: 12345 });
        assert_eq!(d.sent(), "authorize 2 12345\nauthorize 99 12345\n");
        assert_eq!(d.session.registered_as(), Some(1));
        assert_eq!(d.heard("delete_client 2"), CentraldEvent::ClientGone { id: 2 });
    }

    #[test]
    fn a_taken_name_stands_by_until_it_is_free() {
        let mut d = Dialogue::new();
        let reason = "name NODES already registered with id 2".to_owned();
        assert_eq!(d.heard(&format!("-5 {reason}")), CentraldEvent::NameTaken { reason });
        assert_eq!(d.heard("delete_device 3 OTHER"), CentraldEvent::None);
        assert_eq!(d.heard("delete_device 2 NODES"), CentraldEvent::NameFree);
        d.sent();
        d.session.register(&mut d.out);
        d.session.register(&mut d.out);
        assert_eq!(d.sent(), "register 0 NODES 15 localhost 6201\n");
    }

    #[test]
    fn answers_what_centrald_asks() {
        let mut d = Dialogue::new();
        d.sent();
        assert_eq!(d.heard("status_info"), CentraldEvent::StatusInfo);
        assert_eq!(d.heard("T ready"), CentraldEvent::None);
        assert_eq!(d.sent(), "T OK\n");
        assert_eq!(d.heard("open"), CentraldEvent::None);
        assert_eq!(d.sent(), "-1 unknow command open\n");
        let bop = CentraldEvent::Bop { state: DeviceState::BAD_WEATHER, bop: DeviceState::BOP_EXPOSURE };
        assert_eq!(d.heard("B 2147483648 16777216"), bop);
        assert_eq!(d.heard("V broken"), CentraldEvent::None);
        assert_eq!(d.heard("S broken"), CentraldEvent::None);
        assert_eq!(d.sent(), "");
    }

    #[test]
    fn keys_and_reasons_do_not_wait_for_rounds_of_states() {
        let mut d = Dialogue::new();
        d.sent();
        for _ in 0..2 {
            d.session.status_info(&mut d.out).unwrap();
        }
        d.session.authorize(2, 77, &mut d.out).unwrap();
        d.session.weather_update(QuotedString::new("rain").unwrap(), &mut d.out).unwrap();
        d.session.status_info(&mut d.out).unwrap();
        d.session.authorize(3, 78, &mut d.out).unwrap();
        for line in [
            "authorize 2 77",
            "weather_update \"NODES\" \"rain\"",
            "authorize 3 78",
            "status_info",
            "status_info",
        ] {
            let _ = d.heard("+0 OK");
            assert_eq!(d.sent(), format!("{line}\n"));
        }
    }

    #[test]
    fn waiting_commands_are_bounded() {
        let mut d = Dialogue::new();
        for _ in 0..MAX_QUEUED_COMMANDS {
            d.session.status_info(&mut d.out).unwrap();
        }
        assert_eq!(d.session.status_info(&mut d.out), Err(QueueFull));
    }

    #[test]
    fn a_silent_centrald_is_asked_then_left() {
        let mut d = Dialogue::new();
        d.sent();
        assert!(!d.session.handle_timeout(d.now + Duration::from_secs(300), &mut d.out));
        assert_eq!(d.sent(), "T ready\n");
        assert!(d.session.handle_timeout(d.now + Duration::from_secs(600), &mut d.out));
    }
}
