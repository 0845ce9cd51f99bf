//! A device's session with a centrald: registration, authorization of clients, states, notices
//! (RTS2 lib/rts2/device.cpp, `DevConnectionMaster`).

use std::time::Instant;

use super::commands::{Commands, QueueFull, Under};
use crate::command::Command;
use crate::device_type::DeviceType;
use crate::error::{CommandReturn, ParseError};
use crate::keep_alive::{KeepAlive, KeepAliveAction};
use crate::line::{Auth, Line, Technical};
use crate::names::DeviceName;
use crate::state::DeviceState;
use crate::text::QuotedString;

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
    registration: Registration,
    commands: Commands,
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
            commands: Commands::new(name.clone(), device_type, centrald_num, (host, port)),
            name,
            registration: Registration::StandBy,
            keep_alive: KeepAlive::new(now),
        };
        session.register(out);
        session
    }

    /// Asks for registration, again after it was refused. Does nothing when it is under way or done.
    pub fn register(&mut self, out: &mut Vec<u8>) {
        if self.registration == Registration::StandBy {
            self.registration = Registration::Asked;
            self.commands.register(out);
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
        self.commands.send(Under::Authorize { client, key, answered: false }, out)
    }

    /// Asks centrald to collect fresh states; [`CentraldEvent::StatusInfoDone`] follows.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn status_info(&mut self, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        self.commands.send(Under::StatusInfo, out)
    }

    /// Tells why this device votes for bad weather.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn weather_update(&mut self, reason: QuotedString, out: &mut Vec<u8>) -> Result<(), QueueFull> {
        self.commands.send(Under::WeatherUpdate { reason }, out)
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
        match self.commands.authorized(id) {
            Some((client, key)) if ok => CentraldEvent::Authorized { client, key },
            Some((client, key)) => CentraldEvent::NotAuthorized { client, key },
            None => CentraldEvent::None,
        }
    }

    fn handle_return(&mut self, end: &CommandReturn, out: &mut Vec<u8>) -> CentraldEvent {
        match self.commands.handle_end(out) {
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
        }
    }
}

#[cfg(test)]
mod tests;
