//! A device's session with a client: authorization and commands (RTS2 lib/rts2/device.cpp, `DevConnection` and
//! `commandAuthorized`).
//!
//! The session knows what a client may do and how errors are worded; values, states and centrald belong to the
//! caller. It differs from classic RTS2 where that is careless: `X` before the authorization is refused like any other
//! command (RTS2 obeys), parameters behind a command that has none are refused (RTS2 mostly ignores them), and a bad
//! line that is no command (`S x`) gets no end line, because nobody waits for one.

use std::time::Instant;

use crate::command::Command;
use crate::error::{CommandReturn, ErrorCode, ParseError};
use crate::keep_alive::{KeepAlive, KeepAliveAction};
use crate::line::{Line, Technical};
use crate::set::SetOp;
use crate::text::{Rest, Text};

/// What the caller has to do after a line.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum ClientAction<'a> {
    /// Nothing.
    None,
    /// End the client's command with this line, after everything that was to be sent before it.
    Reply(CommandReturn),
    /// Ask the centrald of that number; answer with [`ClientSession::authorization_ok`] or
    /// [`ClientSession::authorization_failed`].
    Authorize {
        /// Which of our centralds.
        centrald_num: i32,
        /// The client's number there.
        client: i32,
        /// The key to check.
        key: i32,
    },
    /// Set a value, then reply.
    SetValue {
        /// Its name, maybe with an index.
        name: Text<'a>,
        /// What to do.
        op: SetOp,
        /// With what.
        operand: Rest<'a>,
    },
    /// Refresh values, send what changed, reply `+0 OK`.
    Info,
    /// Send the state, reply `+0 OK`.
    StatusInfo,
    /// Have centrald collect states, then reply `+0 device status updated`.
    DeviceStatus,
    /// Reset errors, and the script's values where asked, then reply `+0 OK`.
    Killall {
        /// `killall` also ends scripts, `killall_wse` does not.
        script_ends: bool,
    },
    /// Scripts ended: reset what they set, reply `+0 OK`.
    ScriptEnds,
    /// Save values, reply.
    Autosave,
    /// End the device, if that is allowed here.
    Exit,
    /// A command of this kind of device; reply, or say that it is not known.
    Command(Command<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Authorization {
    No,
    Asked { client: i32 },
    Yes { client: Option<i32> },
}

/// One connection from one client, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct ClientSession {
    authorization: Authorization,
    keep_alive: KeepAlive,
}

impl ClientSession {
    /// Begins a session. With `noauth` the client may do everything at once.
    #[must_use]
    pub fn new(now: Instant, noauth: bool) -> Self {
        let authorization = if noauth { Authorization::Yes { client: None } } else { Authorization::No };
        Self { authorization, keep_alive: KeepAlive::new(now) }
    }

    /// The client may send commands.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        matches!(self.authorization, Authorization::Yes { .. })
    }

    /// Takes a line.
    pub fn handle_line<'a>(
        &mut self,
        now: Instant,
        line: Result<Line<'a>, ParseError>,
        out: &mut Vec<u8>,
    ) -> ClientAction<'a> {
        self.keep_alive.handle_heard(now);
        match line {
            Ok(Line::Technical(Technical::Ready)) => {
                Line::Technical(Technical::Ok).write_to(out);
                ClientAction::None
            }
            Ok(Line::Command(Command::Auth { id, centrald_num, key })) => {
                self.authorization = Authorization::Asked { client: id };
                ClientAction::Authorize { centrald_num, client: id, key }
            }
            // Quirk `NoticeWithoutEnd`: what is told and not asked has no end line.
            Ok(Line::Command(
                Command::ThisDevice { .. }
                | Command::Device { .. }
                | Command::DeleteDevice { .. }
                | Command::Client { .. }
                | Command::DeleteClient { .. },
            )) => ClientAction::None,
            Ok(Line::Command(command)) if !self.is_authorized() => {
                ClientAction::Reply(CommandReturn::unknown_command(command.word()))
            }
            Ok(Line::SetValue { .. }) if !self.is_authorized() => {
                ClientAction::Reply(CommandReturn::unknown_command(b"X"))
            }
            Ok(Line::SetValue { name, op, operand }) => ClientAction::SetValue { name, op, operand },
            Ok(Line::Command(command)) => authorized(command),
            // What another device tells of itself, and ends of commands that a device never sends to clients.
            Ok(_) => ClientAction::None,
            Err(error) => self.bad_line(&error),
        }
    }

    /// centrald found the key right. Send every value, then the state with its mask, then this reply. `None` when the
    /// client did not ask, or asked anew under another number.
    #[must_use]
    pub fn authorization_ok(&mut self, client: i32) -> Option<CommandReturn> {
        if self.authorization != (Authorization::Asked { client }) {
            return None;
        }
        self.authorization = Authorization::Yes { client: Some(client) };
        Some(CommandReturn::done("OK authorized"))
    }

    /// centrald found the key wrong, or could not be asked. Send this reply and close.
    #[must_use]
    pub fn authorization_failed(&mut self, reachable: bool) -> CommandReturn {
        self.authorization = Authorization::No;
        let text = if reachable { "authorization failed" } else { "cannot authorize; try again later" };
        CommandReturn::failed(ErrorCode::System, text)
    }

    /// The client's number at centrald, once it is authorized.
    #[must_use]
    pub fn client_id(&self) -> Option<i32> {
        match self.authorization {
            Authorization::Yes { client } => client,
            Authorization::No | Authorization::Asked { .. } => None,
        }
    }

    /// Time passed: sends `T ready` when the client was silent. `true` means that the connection is dead.
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

    /// When [`ClientSession::handle_timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        self.keep_alive.next_timeout()
    }

    /// A line that cannot be read: commands get an answer, since the client waits for one; other lines get none.
    fn bad_line(&self, error: &ParseError) -> ClientAction<'static> {
        let word = error.word.as_bytes();
        match word {
            word if !Line::is_answered(word) => ClientAction::None,
            b"auth" => ClientAction::Reply(CommandReturn::bad_parameters(word)),
            _ if self.is_authorized() => ClientAction::Reply(CommandReturn::bad_parameters(word)),
            _ => ClientAction::Reply(CommandReturn::unknown_command(word)),
        }
    }
}

fn authorized(command: Command<'_>) -> ClientAction<'_> {
    match command {
        Command::Info => ClientAction::Info,
        Command::BaseInfo => ClientAction::Reply(CommandReturn::ok()),
        Command::StatusInfo => ClientAction::StatusInfo,
        Command::DeviceStatus => ClientAction::DeviceStatus,
        Command::Killall => ClientAction::Killall { script_ends: true },
        Command::KillallWse => ClientAction::Killall { script_ends: false },
        Command::ScriptEnds => ClientAction::ScriptEnds,
        Command::Autosave => ClientAction::Autosave,
        Command::Exit => ClientAction::Exit,
        other => ClientAction::Command(other),
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

    fn heard<'a>(session: &mut ClientSession, now: Instant, line: &'a str) -> ClientAction<'a> {
        session.handle_line(now, Line::parse(line.as_bytes()), &mut Vec::new())
    }

    fn reply(end: CommandReturn) -> ClientAction<'static> {
        ClientAction::Reply(end)
    }

    #[test]
    fn nothing_before_authorization() {
        let now = start();
        let mut session = ClientSession::new(now, false);
        for (line, word) in
            [("info", "info"), ("X A = 1", "X"), ("bogus", "bogus"), ("info x", "info"), ("exit", "exit")]
        {
            let unknown = reply(CommandReturn::unknown_command(word.as_bytes()));
            assert_eq!(heard(&mut session, now, line), unknown, "{line}");
        }
        let asked = ClientAction::Authorize { centrald_num: 0, client: 2, key: 12345 };
        assert_eq!(heard(&mut session, now, "auth 2 0 12345"), asked);
        assert!(!session.is_authorized());
        assert_eq!(session.authorization_failed(true).to_string(), "-5 authorization failed");
        assert_eq!(session.authorization_ok(2), None);
        assert!(!session.is_authorized());
    }

    #[test]
    fn an_answer_for_another_client_authorizes_nobody() {
        let now = start();
        let mut session = ClientSession::new(now, false);
        let _ = heard(&mut session, now, "auth 2 0 1");
        assert_eq!(session.authorization_ok(3), None);
        assert_eq!(session.authorization_ok(2), Some(CommandReturn::done("OK authorized")));
        assert_eq!(session.client_id(), Some(2));
    }

    #[test]
    fn commands_of_an_authorized_client() {
        let now = start();
        let mut session = ClientSession::new(now, true);
        let table = [
            ("info", ClientAction::Info),
            ("base_info", reply(CommandReturn::ok())),
            ("killall", ClientAction::Killall { script_ends: true }),
            ("killall_wse", ClientAction::Killall { script_ends: false }),
            ("device_status", ClientAction::DeviceStatus),
            ("this_device C0 3", ClientAction::None),
            ("delete_client 5", ClientAction::None),
            ("S 5", ClientAction::None),
            ("S x", ClientAction::None),
            ("D 1 0 5", ClientAction::None),
            ("C x", ClientAction::None),
            ("X", reply(CommandReturn::bad_parameters(b"X"))),
            ("info x", reply(CommandReturn::bad_parameters(b"info"))),
        ];
        for (line, action) in table {
            assert_eq!(heard(&mut session, now, line), action, "{line}");
        }
        assert!(matches!(heard(&mut session, now, "bogus 1"), ClientAction::Command(Command::Other { .. })));
    }

    #[test]
    fn keep_alive() {
        let now = start();
        let mut session = ClientSession::new(now, false);
        let mut out = Vec::new();
        assert_eq!(session.handle_line(now, Line::parse(b"T ready"), &mut out), ClientAction::None);
        assert!(!session.handle_timeout(now + Duration::from_secs(300), &mut out));
        assert_eq!(out, b"T OK\nT ready\n");
        assert!(session.handle_timeout(now + Duration::from_secs(600), &mut out));
    }
}
