//! The commands of the small centrald (RTS2 src/centrald/centrald.cpp, `ConnCentrald::command` and what it calls).

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::SystemTime;

use rts2_proto::{Auth, Command, CommandReturn, ErrorCode, Line, QuotedString, Text, ValueData};

use super::hub::{Connection, Kind, State};
use super::own_values::{BAD_WEATHER_DEVICE, BAD_WEATHER_REASON, INFOTIME_PLACE, UPTIME_PLACE};
use crate::shared::unix_seconds;

/// States that may be asked of one device before it answered.
const MAX_ASKERS: usize = 1024;

impl State {
    /// Runs a command; returns what people should know.
    pub(super) fn command(&mut self, id: i32, command: &Command<'_>) -> Vec<String> {
        let Some(connection) = self.connections.get(&id) else { return Vec::new() };
        let unknown = CommandReturn::unknown_command(command.word());
        let end = match (&connection.kind, command) {
            (Kind::Unknown, Command::Login { login, program }) => return self.login(id, *login, *program),
            (_, Command::Login { .. }) => {
                CommandReturn::failed(ErrorCode::Command, "cannot switch server type to CLIENT_SERVER")
            }
            (Kind::Unknown, Command::Register { .. }) => return self.register(id, command),
            (_, Command::Register { .. }) => {
                CommandReturn::failed(ErrorCode::Command, "cannot switch server type to DEVICE_SERVER")
            }
            (_, Command::MessageMask { mask }) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.mask = *mask;
                }
                CommandReturn::ok()
            }
            (_, Command::StatusInfo) => return self.status_info(id),
            (Kind::Client { login, .. }, Command::Password { password }) => {
                if login.as_bytes() == password.as_bytes() {
                    return self.logged_in(id);
                }
                CommandReturn::failed(ErrorCode::System, "invalid login or password")
            }
            (Kind::Client { authorized: true, .. } | Kind::Device { .. }, Command::Info) => {
                self.info(id);
                CommandReturn::ok()
            }
            (Kind::Client { authorized: true, .. } | Kind::Device { .. }, Command::Key { device }) => {
                self.make_key(id, *device)
            }
            (Kind::Device { .. }, Command::Authorize { id: client, key }) => {
                self.authorize(id, *client, *key)
            }
            (Kind::Device { .. }, Command::WeatherUpdate { device, reason }) => {
                self.weather_update(*device, *reason);
                CommandReturn::ok()
            }
            _ => unknown,
        };
        self.reply(id, end);
        Vec::new()
    }

    fn login(&mut self, id: i32, login: Text<'_>, program: Text<'_>) -> Vec<String> {
        if let Some(connection) = self.connections.get_mut(&id) {
            let login = QuotedString::from(login).to_string();
            let program = QuotedString::from(program).to_string();
            connection.kind = Kind::Client { login, program, authorized: false };
        }
        self.tell_all(&Line::Command(Command::Client { id, login, name: program }));
        self.reply(id, CommandReturn::ok());
        vec![format!("client {program} of {login} connected")]
    }

    fn logged_in(&mut self, id: i32) -> Vec<String> {
        let state = self.state;
        if let Some(connection) = self.connections.get_mut(&id) {
            if let Kind::Client { authorized, .. } = &mut connection.kind {
                *authorized = true;
            }
            connection.send(&Line::Command(Command::LoggedAs { id }));
            connection.send(&Line::Status { state, text: None });
            connection.end(CommandReturn::ok());
        }
        Vec::new()
    }

    fn register(&mut self, id: i32, command: &Command<'_>) -> Vec<String> {
        let Command::Register { centrald_num, name, device_type, host, port } = *command else {
            return Vec::new();
        };
        let taken = self
            .connections
            .iter()
            .find(|(_, c)| c.name().is_some_and(|known| name.as_bytes() == known.as_bytes()));
        if let Some((owner, _)) = taken {
            let reason = format!("name {name} already registered with id {owner}");
            let said = format!("device {name} refused: the name is taken");
            self.reply(id, CommandReturn::failed(ErrorCode::System, reason));
            return vec![said];
        }
        let state = self.state;
        if let Some(connection) = self.connections.get_mut(&id) {
            let kind = Kind::Device {
                centrald_num,
                name: QuotedString::from(name).to_string(),
                host: QuotedString::from(host).to_string(),
                port,
                device_type,
            };
            connection.kind = kind;
            connection.send(&Line::Status { state, text: None });
            connection.send(&Line::Auth(Auth::RegisteredAs(id)));
        }
        self.tell_all(&Line::Command(Command::Device { centrald_num, id, name, host, port, device_type }));
        self.info(id);
        self.reply(id, CommandReturn::ok());
        vec![format!("device {name} registered, it listens on {host}:{port}")]
    }

    /// Everybody who is there, and what changed of centrald's own values.
    fn info(&mut self, id: i32) {
        self.table.set(INFOTIME_PLACE, Some(ValueData::Time(unix_seconds(SystemTime::now()))), None);
        let mut out = Vec::new();
        for (other, connection) in &self.connections {
            connection.introduce(*other, &mut out);
        }
        for place in [INFOTIME_PLACE, UPTIME_PLACE] {
            if let Some(entry) = self.table.entry(place) {
                out.extend_from_slice(&entry.line);
            }
        }
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.send_bytes(&out);
        }
    }

    fn make_key(&mut self, id: i32, device: Text<'_>) -> CommandReturn {
        let known = self
            .connections
            .values()
            .any(|c| c.name().is_some_and(|name| name.as_bytes() == device.as_bytes()));
        if !known {
            return CommandReturn::failed(ErrorCode::System, "cannot find device with name");
        }
        // Each RandomState is seeded anew by the system.
        let random = RandomState::new().build_hasher().finish() & 0x7fff_ffff;
        let key = i32::try_from(random).unwrap_or(1).max(1);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.key = key;
            connection.send(&Line::Command(Command::AuthorizationKey { device, key }));
        }
        CommandReturn::ok()
    }

    fn authorize(&mut self, id: i32, client: i32, key: i32) -> CommandReturn {
        let reason = match self.connections.get(&client).map(|c| c.key) {
            None => return CommandReturn::failed(ErrorCode::System, "client vanished during auth sequence"),
            Some(0) => "client didn't ask for authorization",
            Some(right) if right != key => "invalid authorization key",
            Some(_) => {
                self.send(id, &Line::Auth(Auth::AuthorizationOk(client)));
                self.info(id);
                return CommandReturn::ok();
            }
        };
        self.send(id, &Line::Auth(Auth::AuthorizationFailed(client)));
        CommandReturn::failed(ErrorCode::System, reason)
    }

    fn weather_update(&mut self, device: Text<'_>, reason: Text<'_>) {
        let first = self.table.entry(BAD_WEATHER_DEVICE).map(|entry| &entry.data);
        if first == Some(&ValueData::String(device.into())) {
            self.set_own(BAD_WEATHER_REASON, ValueData::String(reason.into()));
        }
    }

    /// Asks every device for its state; the end of the command comes when all have answered.
    fn status_info(&mut self, id: i32) -> Vec<String> {
        let mut asked = 0;
        for (other, connection) in &mut self.connections {
            if *other != id && connection.name().is_some() && connection.askers.len() < MAX_ASKERS {
                connection.askers.push_back(id);
                asked += 1;
                if connection.askers.len() == 1 {
                    connection.send(&Line::Command(Command::StatusInfo));
                }
            }
        }
        match self.connections.get_mut(&id) {
            Some(connection) if asked > 0 => connection.waits_for += asked,
            _ => self.reply(id, CommandReturn::ok()),
        }
        Vec::new()
    }

    /// A device ended a command: the only one that it gets is `status_info`.
    pub(super) fn status_answered(&mut self, id: i32) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let Some(asker) = connection.askers.pop_front() else { return };
        if !connection.askers.is_empty() {
            connection.send(&Line::Command(Command::StatusInfo));
        }
        self.answered(asker);
    }

    pub(super) fn answered(&mut self, asker: i32) {
        let (state, bop) = (self.state, self.bop_for_devices());
        let Some(connection) = self.connections.get_mut(&asker) else { return };
        connection.waits_for = connection.waits_for.saturating_sub(1);
        if connection.waits_for == 0 {
            let bop = if connection.name().is_some() { bop } else { state };
            connection.send(&Line::BopState { state, bop });
            connection.end(CommandReturn::ok());
        }
    }
}

impl Connection {
    /// Appends the line by which others learn of this connection.
    fn introduce(&self, id: i32, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Unknown => {}
            Kind::Client { login, program, .. } => {
                if let (Ok(login), Ok(name)) = (Text::new(login.as_bytes()), Text::new(program.as_bytes())) {
                    Line::Command(Command::Client { id, login, name }).write_to(out);
                }
            }
            Kind::Device { centrald_num, name, host, port, device_type } => {
                if let (Ok(name), Ok(host)) = (Text::new(name.as_bytes()), Text::new(host.as_bytes())) {
                    let (centrald_num, port, device_type) = (*centrald_num, *port, *device_type);
                    Line::Command(Command::Device { centrald_num, id, name, host, port, device_type })
                        .write_to(out);
                }
            }
        }
    }
}
