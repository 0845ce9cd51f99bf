//! A client's session with a centrald: login, lists of devices and clients, keys, messages
//! (RTS2 lib/rts2/client.cpp, `ConnCentraldClient`).

use std::time::Instant;

use super::commands::{CommandId, Commands, TooManyCommands};
use super::{CloseReason, TimeoutEvent};
use crate::command::Command;
use crate::error::{CommandReturn, ParseError};
use crate::keep_alive::{KeepAlive, KeepAliveAction};
use crate::line::{Line, Technical};
use crate::message::MessageType;
use crate::text::{Rest, Text};

/// What centrald said.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum CentraldEvent<'a> {
    /// Nothing that concerns the caller.
    None,
    /// We are logged in, and the list of devices and clients is complete.
    LoggedIn {
        /// Number of this client at centrald.
        id: i32,
    },
    /// centrald does not let us in. Close.
    Refused(CommandReturn),
    /// A key to a device, for [`super::DeviceSession::new`]; the end of the command follows.
    Key {
        /// The device.
        device: Text<'a>,
        /// The key.
        key: i32,
    },
    /// A command came to its end.
    CommandEnd {
        /// Which.
        id: CommandId,
        /// How.
        end: CommandReturn,
    },
    /// News: metainfo and values of centrald itself ([`Line::MetaInfo`], [`Line::SelMetaInfo`], [`Line::Value`]), its
    /// state ([`Line::Status`], [`Line::StatusProgress`], [`Line::Progress`], [`Line::BopState`]), messages
    /// ([`Line::Message`]), or a device or client that came or went ([`Line::Command`] with [`Command::Device`],
    /// [`Command::DeleteDevice`], [`Command::Client`], [`Command::DeleteClient`]).
    News(Line<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// `login` is under way.
    Named(CommandId),
    /// `password` is under way.
    Password(CommandId),
    /// `info` is under way: it lists devices and clients.
    Listing(CommandId),
    Done,
    Refused,
}

/// One connection to one centrald, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct CentraldSession {
    login: Login,
    password: Vec<u8>,
    /// When the login has to be done.
    deadline: Instant,
    id: Option<i32>,
    commands: Commands,
    keep_alive: KeepAlive,
}

impl CentraldSession {
    /// Begins a session on a new connection, by logging in; the password of an RTS2 user is the login again.
    /// [`CentraldEvent::LoggedIn`] or [`CentraldEvent::Refused`] follows, or a close at `deadline`.
    #[must_use]
    pub fn new(
        now: Instant,
        login: Text<'_>,
        program: Text<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Self {
        let named = Line::Command(Command::Login { login, program });
        let (commands, id) = Commands::new(&named, deadline, out);
        let password = Line::Command(Command::Password { password: login }).to_bytes();
        let keep_alive = KeepAlive::new(now);
        Self { login: Login::Named(id), password, deadline, id: None, commands, keep_alive }
    }

    /// Number of this client at centrald, once it is logged in.
    #[must_use]
    pub fn id(&self) -> Option<i32> {
        self.id.filter(|_| self.login == Login::Done)
    }

    /// Sends a command; [`CentraldEvent::CommandEnd`] follows, or [`TimeoutEvent::CommandTimedOut`] at `deadline`.
    ///
    /// # Errors
    /// When too many wait.
    pub fn command(
        &mut self,
        line: &Line<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        self.commands.send(line.to_bytes(), deadline, out)
    }

    /// Sends a command line that a person wrote. It has to be one that is answered ([`Line::is_answered`]).
    ///
    /// # Errors
    /// When too many wait.
    pub fn command_text(
        &mut self,
        text: Rest<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        self.commands.send_text(text, deadline, out)
    }

    /// Asks for a key to a device; [`CentraldEvent::Key`] and the end of the command follow.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn key(
        &mut self,
        device: Text<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        self.command(&Line::Command(Command::Key { device }), deadline, out)
    }

    /// Has centrald send messages of these kinds from now on.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn message_mask(
        &mut self,
        mask: MessageType,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        self.command(&Line::Command(Command::MessageMask { mask }), deadline, out)
    }

    /// Takes a line. One that cannot be read costs that line only.
    pub fn handle_line<'a>(
        &mut self,
        now: Instant,
        line: Result<Line<'a>, ParseError>,
        out: &mut Vec<u8>,
    ) -> CentraldEvent<'a> {
        self.keep_alive.handle_heard(now);
        let Ok(line) = line else { return CentraldEvent::None };
        match line {
            Line::Return(end) => self.handle_end(end, out),
            Line::Technical(technical) => {
                answer(technical, out);
                CentraldEvent::None
            }
            Line::Command(Command::LoggedAs { id }) => {
                self.id = Some(id);
                CentraldEvent::None
            }
            Line::Command(Command::AuthorizationKey { device, key }) => CentraldEvent::Key { device, key },
            Line::Command(
                Command::Device { .. }
                | Command::DeleteDevice { .. }
                | Command::Client { .. }
                | Command::DeleteClient { .. },
            )
            | Line::MetaInfo { .. }
            | Line::SelMetaInfo { .. }
            | Line::Value { .. }
            | Line::Status { .. }
            | Line::StatusProgress { .. }
            | Line::Progress { .. }
            | Line::BopState { .. }
            | Line::Message(_) => CentraldEvent::News(line),
            Line::Command(command) => {
                CommandReturn::unknown_command(command.word()).write_to(out);
                CentraldEvent::None
            }
            Line::Auth(_) | Line::SetValue { .. } | Line::Image(_) => CentraldEvent::None,
        }
    }

    /// Bytes came that are no line; they mean nothing here.
    pub fn handle_binary(&mut self, now: Instant) {
        self.keep_alive.handle_heard(now);
    }

    /// Time passed. Call it until it gives [`TimeoutEvent::None`] or a close.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> TimeoutEvent {
        if self.login != Login::Done && now >= self.deadline {
            return TimeoutEvent::Close(CloseReason::NotLetIn);
        }
        handle_timeout(&mut self.commands, &mut self.keep_alive, now, out)
    }

    /// When [`CentraldSession::handle_timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        let next = self.keep_alive.next_timeout();
        self.commands.next_timeout().map_or(next, |deadline| deadline.min(next))
    }

    fn handle_end<'a>(&mut self, end: CommandReturn, out: &mut Vec<u8>) -> CentraldEvent<'a> {
        let Some(id) = self.commands.handle_end(out) else { return CentraldEvent::None };
        let next = match self.login {
            Login::Named(expected) | Login::Password(expected) | Login::Listing(expected)
                if id == expected && end.is_error() =>
            {
                self.login = Login::Refused;
                return CentraldEvent::Refused(end);
            }
            Login::Named(expected) if id == expected => {
                let password = std::mem::take(&mut self.password);
                self.commands.send(password, self.deadline, out).map(Login::Password)
            }
            Login::Password(expected) if id == expected => {
                if self.id.is_none() {
                    self.login = Login::Refused;
                    return CentraldEvent::Refused(end);
                }
                let info = Line::Command(Command::Info).to_bytes();
                self.commands.send(info, self.deadline, out).map(Login::Listing)
            }
            Login::Listing(expected) if id == expected => {
                self.login = Login::Done;
                return self.id.map_or(CentraldEvent::None, |id| CentraldEvent::LoggedIn { id });
            }
            _ => return CentraldEvent::CommandEnd { id, end },
        };
        if let Ok(next) = next {
            self.login = next;
        }
        CentraldEvent::None
    }
}

/// Answers a question for life.
pub(super) fn answer(technical: Technical, out: &mut Vec<u8>) {
    if technical == Technical::Ready {
        Line::Technical(Technical::Ok).write_to(out);
    }
}

/// What both sessions do when time passes.
pub(super) fn handle_timeout(
    commands: &mut Commands,
    keep_alive: &mut KeepAlive,
    now: Instant,
    out: &mut Vec<u8>,
) -> TimeoutEvent {
    if let Some(id) = commands.handle_timeout(now) {
        return TimeoutEvent::CommandTimedOut(id);
    }
    match keep_alive.handle_timeout(now) {
        KeepAliveAction::Wait => TimeoutEvent::None,
        KeepAliveAction::AskReady => {
            Line::Technical(Technical::Ready).write_to(out);
            TimeoutEvent::None
        }
        KeepAliveAction::Close => TimeoutEvent::Close(CloseReason::Silent),
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

    struct Dialogue {
        session: CentraldSession,
        now: Instant,
        out: Vec<u8>,
    }

    impl Dialogue {
        fn new() -> Self {
            let (now, mut out) = (start(), Vec::new());
            let (login, program) = (Text::new(b"obs").unwrap(), Text::new(b"scripted").unwrap());
            let deadline = now + Duration::from_secs(10);
            let session = CentraldSession::new(now, login, program, deadline, &mut out);
            Self { session, now, out }
        }

        fn logged_in() -> Self {
            let mut d = Self::new();
            for line in ["+0 OK", "logged_as 2", "+0 OK", "+0 OK"] {
                let _ = d.heard(line);
            }
            d.sent();
            d
        }

        fn heard<'a>(&mut self, line: &'a str) -> CentraldEvent<'a> {
            self.session.handle_line(self.now, Line::parse(line.as_bytes()), &mut self.out)
        }

        fn sent(&mut self) -> String {
            String::from_utf8(std::mem::take(&mut self.out)).unwrap()
        }
    }

    /// The lines of tests/transcripts/client-to-centrald.txt.
    #[test]
    fn logs_in_as_the_capture() {
        let mut d = Dialogue::new();
        assert_eq!(d.sent(), "login obs scripted\n");
        let metainfo = "E 3 \"infotime\" \"time of last update\" ";
        assert_eq!(d.heard(metainfo), CentraldEvent::News(Line::parse(metainfo.as_bytes()).unwrap()));
        assert_eq!(d.heard("+0 OK"), CentraldEvent::None);
        assert_eq!(d.sent(), "password obs\n");
        assert_eq!(d.heard("logged_as 2"), CentraldEvent::None);
        assert!(matches!(d.heard("S 2147483648"), CentraldEvent::News(Line::Status { .. })));
        assert_eq!((d.heard("+0 OK"), d.session.id()), (CentraldEvent::None, None));
        assert_eq!(d.sent(), "info\n");
        let device = "device 0 1 DUMMY localhost 6201 15";
        assert_eq!(d.heard(device), CentraldEvent::News(Line::parse(device.as_bytes()).unwrap()));
        assert_eq!(d.heard("+0 OK"), CentraldEvent::LoggedIn { id: 2 });
        assert_eq!(d.session.id(), Some(2));

        let deadline = d.now + Duration::from_secs(10);
        let key = d.session.key(Text::new(b"DUMMY").unwrap(), deadline, &mut d.out).unwrap();
        let mask = d.session.message_mask(MessageType::ALL, deadline, &mut d.out).unwrap();
        assert_eq!(d.sent(), "key DUMMY\n");
        let event = CentraldEvent::Key { device: Text::new(b"DUMMY").unwrap(), key: 655_276_298 };
        assert_eq!(d.heard("authorization_key DUMMY 655276298"), event);
        assert_eq!(d.heard("+0 OK"), CentraldEvent::CommandEnd { id: key, end: CommandReturn::ok() });
        assert_eq!(d.sent(), "message_mask 16777215\n");
        assert_eq!(d.heard("+0 OK"), CentraldEvent::CommandEnd { id: mask, end: CommandReturn::ok() });
        assert!(matches!(d.heard("M 1795327914 735167 DUMMY 1 text"), CentraldEvent::News(Line::Message(_))));
    }

    #[test]
    fn is_not_let_in() {
        let mut d = Dialogue::new();
        let end = CommandReturn { code: -5, text: "no".into() };
        assert_eq!(d.heard("-5 no"), CentraldEvent::Refused(end));
        let mut d = Dialogue::new();
        assert_eq!(d.heard("+0 OK"), CentraldEvent::None);
        assert_eq!(d.heard("+0 OK"), CentraldEvent::Refused(CommandReturn::ok()));
        let mut d = Dialogue::new();
        let late = d.session.handle_timeout(d.now + Duration::from_secs(10), &mut d.out);
        assert_eq!(late, TimeoutEvent::Close(CloseReason::NotLetIn));
    }

    #[test]
    fn what_is_asked_and_what_is_not_understood() {
        let mut d = Dialogue::logged_in();
        assert_eq!(d.heard("T ready"), CentraldEvent::None);
        assert_eq!(d.heard("open"), CentraldEvent::None);
        assert_eq!(d.heard("+0 nobody asked"), CentraldEvent::None);
        assert_eq!(d.heard("S x"), CentraldEvent::None);
        assert_eq!(d.sent(), "T OK\n-1 unknow command open\n");
    }

    #[test]
    fn a_silent_centrald_is_asked_then_left() {
        let mut d = Dialogue::logged_in();
        let at = |seconds| d.now + Duration::from_secs(seconds);
        assert_eq!(d.session.next_timeout(), at(300));
        assert_eq!(d.session.handle_timeout(at(300), &mut d.out), TimeoutEvent::None);
        assert_eq!(d.session.handle_timeout(at(600), &mut d.out), TimeoutEvent::Close(CloseReason::Silent));
        assert_eq!(d.sent(), "T ready\n");
    }
}
