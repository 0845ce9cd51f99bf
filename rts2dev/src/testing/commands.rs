//! The commands of the small centrald (RTS2 src/centrald/centrald.cpp, `ConnCentrald::command` and what it calls).

use rts2_proto::{Auth, Command, CommandReturn, DeviceType, ErrorCode, Line, QuotedString, Text};

use super::action::Actions;
use super::core::Core;
use super::options::OnOff;
use super::peer::{PeerId, Who};

/// What a peer may command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rights {
    Stranger,
    /// It said its login, not its password.
    Login,
    Client,
    Device,
}

impl Core {
    /// Runs a command of a peer that is there.
    pub(super) fn command(&mut self, id: PeerId, command: &Command<'_>, out: &mut Actions) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let rights = match &peer.who {
            Who::Stranger => Rights::Stranger,
            Who::Client { authorized: false, .. } => Rights::Login,
            Who::Client { authorized: true, .. } => Rights::Client,
            Who::Device { .. } => Rights::Device,
        };
        let knows_us = matches!(rights, Rights::Client | Rights::Device);
        let end = match *command {
            Command::Login { login, program } => match rights {
                Rights::Stranger => return self.login(id, login, program, out),
                _ => cannot_switch("CLIENT_SERVER"),
            },
            Command::Register { .. } => match rights {
                Rights::Stranger => return self.register(id, command, out),
                _ => cannot_switch("DEVICE_SERVER"),
            },
            Command::MessageMask { mask } => {
                peer.mask = mask;
                CommandReturn::ok()
            }
            Command::StatusInfo => return self.status_info(id, out),
            Command::Password { password } if matches!(rights, Rights::Login | Rights::Client) => {
                self.password(id, password, out)
            }
            Command::Info if knows_us => {
                self.values.touch(self.now);
                self.info(id, out);
                CommandReturn::ok()
            }
            Command::Key { device } if knows_us => self.make_key(id, device, out),
            Command::Authorize { id: client, key } if rights == Rights::Device => {
                self.authorize(id, client, key, out)
            }
            Command::WeatherUpdate { device, reason } if rights == Rights::Device => {
                if let Some(line) = self.values.weather_update(device, reason) {
                    out.send_all_lines(line);
                }
                CommandReturn::ok()
            }
            Command::Other { word, .. } if knows_us => self.other(id, word.as_bytes(), rights, out),
            // Notices that only centrald sends; RTS2 takes them from anybody and answers nothing.
            Command::Device { .. }
            | Command::DeleteDevice { .. }
            | Command::Client { .. }
            | Command::DeleteClient { .. } => return,
            _ => CommandReturn::unknown_command(command.word()),
        };
        self.end(id, &end, out);
    }

    fn login(&mut self, id: PeerId, login: Text<'_>, program: Text<'_>, out: &mut Actions) {
        if let Some(peer) = self.peers.get_mut(&id) {
            let (login, program) =
                (QuotedString::from(login).to_string(), QuotedString::from(program).to_string());
            peer.who = Who::Client { login, program, authorized: false };
        }
        self.introduce_to_all(id, out);
        self.end(id, &CommandReturn::ok(), out);
    }

    /// The password is the login again. The real one sleeps five seconds over a wrong one, and everybody with it; here
    /// the answer comes at once.
    fn password(&mut self, id: PeerId, password: Text<'_>, out: &mut Actions) -> CommandReturn {
        let Some(peer) = self.peers.get_mut(&id) else { return CommandReturn::ok() };
        let title = peer.title();
        let Who::Client { login, authorized, .. } = &mut peer.who else { return CommandReturn::ok() };
        if login.as_bytes() != password.as_bytes() {
            out.say(format!("{title} at {} has a wrong password", peer.address));
            return CommandReturn::failed(ErrorCode::System, "invalid login or password");
        }
        *authorized = true;
        out.say(format!("{title} logged in from {}", peer.address));
        out.send(id, &Line::Command(Command::LoggedAs { id }));
        out.send(id, &Line::Status { state: self.state, text: None });
        CommandReturn::ok()
    }

    fn register(&mut self, id: PeerId, command: &Command<'_>, out: &mut Actions) {
        let Command::Register { centrald_num, name, device_type, host, port } = *command else { return };
        // Clients' program names count too, and strangers have the empty one.
        let owner = self.peers.iter().find(|(_, peer)| peer.name().as_bytes() == name.as_bytes());
        if let Some((owner, _)) = owner {
            let reason = format!("name {name} already registered with id {owner}");
            if let Some(peer) = self.peers.get(&id) {
                out.say(format!("{name} at {} refused: the name is taken", peer.address));
            }
            return self.end(id, &CommandReturn::failed(ErrorCode::System, reason), out);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            let (name, host) = (QuotedString::from(name).to_string(), QuotedString::from(host).to_string());
            out.say(format!("{name} registered from {} as {}", peer.address, title(device_type)));
            peer.who = Who::Device { centrald_num, name, host, port, device_type };
        }
        out.send(id, &Line::Status { state: self.state, text: None });
        out.send(id, &Line::Auth(Auth::RegisteredAs(id)));
        self.introduce_to_all(id, out);
        self.info(id, out);
        self.end(id, &CommandReturn::ok(), out);
    }

    fn introduce_to_all(&self, id: PeerId, out: &mut Actions) {
        let mut line = Vec::new();
        if let Some(peer) = self.peers.get(&id) {
            peer.introduce(id, &mut line);
        }
        out.send_all_lines(line);
    }

    /// Everybody who is there, and what changed of centrald's own values since they were last sent to all
    /// (`ConnCentrald::sendInfo`).
    fn info(&self, id: PeerId, out: &mut Actions) {
        let mut lines = Vec::new();
        for (other, peer) in &self.peers {
            peer.introduce(*other, &mut lines);
        }
        self.values.write_changed(&mut lines);
        out.send_lines(id, lines);
    }

    fn make_key(&mut self, id: PeerId, device: Text<'_>, out: &mut Actions) -> CommandReturn {
        if !self.peers.values().any(|peer| peer.name().as_bytes() == device.as_bytes()) {
            return CommandReturn::failed(ErrorCode::System, "cannot find device with name");
        }
        let key = self.new_key();
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.key = key;
            out.send(id, &Line::Command(Command::AuthorizationKey { device, key }));
        }
        CommandReturn::ok()
    }

    fn authorize(&self, id: PeerId, client: PeerId, key: i32, out: &mut Actions) -> CommandReturn {
        if client < 0 {
            return CommandReturn::bad_parameters(b"authorize");
        }
        let reason = match self.peers.get(&client).map(|peer| peer.key) {
            None => return CommandReturn::failed(ErrorCode::System, "client vanished during auth sequence"),
            Some(0) => "client didn't ask for authorization",
            Some(right) if right != key => "invalid authorization key",
            Some(_) => {
                out.send(id, &Line::Auth(Auth::AuthorizationOk(client)));
                self.info(id, out);
                return CommandReturn::ok();
            }
        };
        let titles = (self.peers.get(&id), self.peers.get(&client));
        if let (Some(device), Some(client)) = titles {
            out.say(format!("{} turns {} away: {reason}", device.title(), client.title()));
        }
        out.send(id, &Line::Auth(Auth::AuthorizationFailed(client)));
        CommandReturn::failed(ErrorCode::System, reason)
    }

    /// `on`, `standby`, `soft_off`, `off`, and of clients `open` and `close`. RTS2 does not look at parameters.
    fn other(&mut self, id: PeerId, word: &[u8], rights: Rights, out: &mut Actions) -> CommandReturn {
        if let Some(on_off) = OnOff::of_command(word) {
            let user = match self.peers.get(&id).map(|peer| &peer.who) {
                Some(Who::Client { login, .. }) => login.clone(),
                Some(Who::Device { name, .. }) => name.clone(),
                Some(Who::Stranger) | None => String::new(),
            };
            self.switch(on_off, &user, out);
            return CommandReturn::ok();
        }
        match word {
            b"open" if rights == Rights::Client => {
                self.start_open(out);
                let reason = "invalid parameter values for command open";
                CommandReturn::failed(ErrorCode::Value, reason)
            }
            b"close" if rights == Rights::Client => {
                self.start_close();
                CommandReturn::ok()
            }
            word => CommandReturn::unknown_command(word),
        }
    }
}

fn cannot_switch(kind: &str) -> CommandReturn {
    CommandReturn::failed(ErrorCode::Command, format!("cannot switch server type to {kind}"))
}

/// A kind of device with its article.
fn title(device_type: DeviceType) -> String {
    match device_type {
        DeviceType::Serverd => "a centrald",
        DeviceType::Mount => "a telescope",
        DeviceType::Ccd => "a camera",
        DeviceType::Dome => "a dome",
        DeviceType::Weather => "a weather sensor",
        DeviceType::Rotator => "a rotator",
        DeviceType::Phot => "a photometer",
        DeviceType::Focus => "a focuser",
        DeviceType::Mirror => "a mirror",
        DeviceType::Cupola => "a cupola",
        DeviceType::FilterWheel => "a filter wheel",
        DeviceType::Sensor => "a sensor",
        DeviceType::Executor => "an executor",
        DeviceType::Imgproc => "an image processor",
        DeviceType::Selector => "a selector",
        DeviceType::Httpd => "a web server",
        DeviceType::Logd => "a log daemon",
        DeviceType::Scriptor => "a scriptor",
        other => return format!("a device of kind {}", other.code()),
    }
    .to_owned()
}
