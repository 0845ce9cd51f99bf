//! A client's session with a device: authorization, values, states, commands, the data of images
//! (RTS2 lib/rts2/connection.cpp and include/devclient.h).

use std::time::Instant;

use super::centrald::{answer, handle_timeout};
use super::commands::{CommandId, Commands, TooManyCommands};
use super::image::Images;
use super::{CloseReason, TimeoutEvent};
use crate::command::Command;
use crate::error::{CommandReturn, ParseError};
use crate::image::ImageLine;
use crate::keep_alive::KeepAlive;
use crate::line::Line;
use crate::set::SetOp;
use crate::text::{Rest, Text};

/// What a device said.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum DeviceEvent<'a> {
    /// Nothing that concerns the caller.
    None,
    /// The device serves our commands from now on, and has told all its values.
    Authorized,
    /// The device does not let us in; it closes the connection.
    Refused(CommandReturn),
    /// A command came to its end.
    CommandEnd {
        /// Which.
        id: CommandId,
        /// How.
        end: CommandReturn,
    },
    /// News: metainfo and values ([`Line::MetaInfo`], [`Line::SelMetaInfo`], [`Line::Value`]), the state
    /// ([`Line::Status`], [`Line::StatusProgress`], [`Line::Progress`], [`Line::BopState`]), a message
    /// ([`Line::Message`]), or about an image ([`Line::Image`]).
    News(Line<'a>),
    /// Bytes of an image, after an [`ImageLine::Binary`] that announced it.
    ImageBytes {
        /// Its data connection.
        data_conn: i32,
        /// The channel, from 0. Its bytes come in order; the first 44 are its header (RTS2 include/imghdr.h).
        channel: i32,
        /// As many as have come.
        bytes: &'a [u8],
        /// With these, every channel has all its bytes.
        complete: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Authorization {
    Asked(CommandId),
    Yes,
    No,
}

/// One connection to one device, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct DeviceSession {
    authorization: Authorization,
    deadline: Instant,
    commands: Commands,
    images: Images,
    keep_alive: KeepAlive,
}

impl DeviceSession {
    /// Begins a session on a new connection, by asking to be authorized with a key from centrald; the device's
    /// metainfo comes unasked. [`DeviceEvent::Authorized`] or [`DeviceEvent::Refused`] follows, or a close at
    /// `deadline`.
    ///
    /// `id` is our number at centrald; `centrald_num` says which of the device's centralds that is.
    #[must_use]
    pub fn new(
        now: Instant,
        id: i32,
        centrald_num: i32,
        key: i32,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Self {
        let auth = Line::Command(Command::Auth { id, centrald_num, key });
        let (commands, asked) = Commands::new(&auth, deadline, out);
        Self {
            authorization: Authorization::Asked(asked),
            deadline,
            commands,
            images: Images::default(),
            keep_alive: KeepAlive::new(now),
        }
    }

    /// The device serves our commands.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        self.authorization == Authorization::Yes
    }

    /// Sends a command; [`DeviceEvent::CommandEnd`] follows, or [`TimeoutEvent::CommandTimedOut`] at `deadline`.
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

    /// Sets a value.
    ///
    /// # Errors
    /// When too many commands wait.
    pub fn set_value(
        &mut self,
        name: Text<'_>,
        op: SetOp,
        operand: Rest<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        self.command(&Line::SetValue { name, op, operand }, deadline, out)
    }

    /// Takes a line. One that cannot be read costs that line only.
    ///
    /// Quirk `UnaskedMetainfo`: values come before the authorization, and are news as later ones are.
    pub fn handle_line<'a>(
        &mut self,
        now: Instant,
        line: Result<Line<'a>, ParseError>,
        out: &mut Vec<u8>,
    ) -> DeviceEvent<'a> {
        self.keep_alive.handle_heard(now);
        let Ok(line) = line else { return DeviceEvent::None };
        match line {
            Line::Return(end) => self.handle_end(end, out),
            Line::Technical(technical) => {
                answer(technical, out);
                DeviceEvent::None
            }
            Line::Image(image) => {
                self.images.handle_line(&image);
                match image {
                    // What it announces comes as bytes.
                    ImageLine::Data { .. } => DeviceEvent::None,
                    image => DeviceEvent::News(Line::Image(image)),
                }
            }
            Line::MetaInfo { .. }
            | Line::SelMetaInfo { .. }
            | Line::Value { .. }
            | Line::Status { .. }
            | Line::StatusProgress { .. }
            | Line::Progress { .. }
            | Line::BopState { .. }
            | Line::Message(_) => DeviceEvent::News(line),
            Line::Command(command) => {
                CommandReturn::unknown_command(command.word()).write_to(out);
                DeviceEvent::None
            }
            Line::Auth(_) | Line::SetValue { .. } => DeviceEvent::None,
        }
    }

    /// Takes raw bytes that the last [`ImageLine::Data`] announced. Bytes of an image that was not announced, or more
    /// than it was announced to have, are skipped.
    pub fn handle_binary<'a>(&mut self, now: Instant, bytes: &'a [u8]) -> DeviceEvent<'a> {
        self.keep_alive.handle_heard(now);
        match self.images.handle_bytes(bytes.len()) {
            Some(taken) => DeviceEvent::ImageBytes {
                data_conn: taken.data_conn,
                channel: taken.channel,
                bytes,
                complete: taken.complete,
            },
            None => DeviceEvent::None,
        }
    }

    /// Time passed. Call it until it gives [`TimeoutEvent::None`] or a close.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> TimeoutEvent {
        if self.authorization != Authorization::Yes && now >= self.deadline {
            return TimeoutEvent::Close(CloseReason::NotLetIn);
        }
        handle_timeout(&mut self.commands, &mut self.keep_alive, now, out)
    }

    /// When [`DeviceSession::handle_timeout`] is due.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        let next = self.keep_alive.next_timeout();
        self.commands.next_timeout().map_or(next, |deadline| deadline.min(next))
    }

    fn handle_end<'a>(&mut self, end: CommandReturn, out: &mut Vec<u8>) -> DeviceEvent<'a> {
        let Some(id) = self.commands.handle_end(out) else { return DeviceEvent::None };
        match self.authorization {
            Authorization::Asked(asked) if asked == id && end.is_error() => {
                self.authorization = Authorization::No;
                DeviceEvent::Refused(end)
            }
            Authorization::Asked(asked) if asked == id => {
                self.authorization = Authorization::Yes;
                DeviceEvent::Authorized
            }
            _ => DeviceEvent::CommandEnd { id, end },
        }
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
        session: DeviceSession,
        now: Instant,
        out: Vec<u8>,
    }

    impl Dialogue {
        fn new() -> Self {
            let (now, mut out) = (start(), Vec::new());
            let deadline = now + Duration::from_secs(10);
            let session = DeviceSession::new(now, 2, 0, 655_276_298, deadline, &mut out);
            Self { session, now, out }
        }

        fn heard<'a>(&mut self, line: &'a str) -> DeviceEvent<'a> {
            self.session.handle_line(self.now, Line::parse(line.as_bytes()), &mut self.out)
        }

        fn sent(&mut self) -> String {
            String::from_utf8(std::mem::take(&mut self.out)).unwrap()
        }
    }

    /// The lines of tests/transcripts/client-to-device.txt.
    #[test]
    fn is_authorized_and_sets_as_the_capture() {
        let mut d = Dialogue::new();
        assert_eq!(d.sent(), "auth 2 0 655276298\n");
        assert!(matches!(d.heard("E 2 \"TEST_INT\" \"x\" "), DeviceEvent::News(Line::MetaInfo { .. })));
        assert!(matches!(d.heard("V TEST_INT 5"), DeviceEvent::News(Line::Value { .. })));
        assert!(matches!(d.heard("B 5 16777216"), DeviceEvent::News(Line::BopState { .. })));
        assert!(!d.session.is_authorized());
        assert_eq!(d.heard("+0 OK authorized"), DeviceEvent::Authorized);
        assert!(d.session.is_authorized());
        let (name, operand) = (Text::new(b"TEST_INT").unwrap(), Rest::new(b"3").unwrap());
        let deadline = d.now + Duration::from_secs(1);
        let set = d.session.set_value(name, SetOp::Add, operand, deadline, &mut d.out).unwrap();
        let info = d.session.command(&Line::Command(Command::Info), deadline, &mut d.out).unwrap();
        assert_eq!(d.sent(), "X TEST_INT + 3\n");
        assert!(matches!(d.heard("V TEST_INT 8"), DeviceEvent::News(Line::Value { .. })));
        assert_eq!(d.heard("+0 OK"), DeviceEvent::CommandEnd { id: set, end: CommandReturn::ok() });
        assert_eq!(d.sent(), "info\n");
        assert_eq!(
            d.session.handle_timeout(deadline, &mut d.out),
            TimeoutEvent::CommandTimedOut(info),
            "it has a deadline"
        );
        assert_eq!(d.session.handle_timeout(deadline, &mut d.out), TimeoutEvent::None);
    }

    /// tests/transcripts/client-to-device-bad-key.txt.
    #[test]
    fn a_wrong_key() {
        let mut d = Dialogue::new();
        let end = CommandReturn { code: -5, text: "authorization failed".into() };
        assert_eq!(d.heard("-5 authorization failed"), DeviceEvent::Refused(end));
        let late = d.session.handle_timeout(d.now + Duration::from_secs(10), &mut d.out);
        assert_eq!(late, TimeoutEvent::Close(CloseReason::NotLetIn));
    }

    /// tests/transcripts/client-to-camera.txt, with a smaller image.
    #[test]
    fn an_image() {
        let mut d = Dialogue::new();
        let _ = d.heard("+0 OK authorized");
        assert!(matches!(d.heard("C 1 0 1 50"), DeviceEvent::News(Line::Image(_))));
        assert_eq!(d.heard("D 1 0 44"), DeviceEvent::None);
        let header = [7; 44];
        let event = DeviceEvent::ImageBytes { data_conn: 1, channel: 0, bytes: &header, complete: false };
        assert_eq!(d.session.handle_binary(d.now, &header), event);
        assert!(matches!(d.heard("V average 4.7e+02"), DeviceEvent::News(Line::Value { .. })));
        assert_eq!(d.heard("D 1 0 6"), DeviceEvent::None);
        let event = DeviceEvent::ImageBytes { data_conn: 1, channel: 0, bytes: b"exit\n\n", complete: true };
        assert_eq!(d.session.handle_binary(d.now, b"exit\n\n"), event);
        assert!(matches!(d.heard("fits_data /tmp/a.fits 0"), DeviceEvent::News(Line::Image(_))));
        assert_eq!(d.heard("D 9 0 5"), DeviceEvent::None);
        assert_eq!(d.session.handle_binary(d.now, b"12345"), DeviceEvent::None);
        assert_eq!(d.sent(), "auth 2 0 655276298\n");
    }
}
