//! The conversation of a client's connection: with centrald, or with a device.

use rts2_proto::session::client::{
    CentraldEvent, CentraldSession, CommandId, DeviceEvent, DeviceSession, TimeoutEvent, TooManyCommands,
};
use rts2_proto::{Command, CommandReturn, Line, ParseError, Rest, Text};
use tokio::time::Instant;

use super::CONNECT_TIMEOUT;
use crate::client::image::ImageNews;

/// How the conversation begins.
pub(in crate::client) enum Opening<'a> {
    Login { login: Text<'a>, program: Text<'a> },
    Authorize { id: i32, centrald_num: i32, key: i32 },
}

/// One of the two conversations that a client has.
pub(super) enum Session {
    Centrald(CentraldSession),
    Device(DeviceSession),
}

/// What an event asks of the task.
pub(super) enum Outcome<'a> {
    Nothing,
    LetIn(Option<i32>),
    Refused(CommandReturn),
    End(CommandId, CommandReturn),
    News(Line<'a>),
    Image(ImageNews),
}

impl Session {
    pub(super) fn new(now: Instant, opening: &Opening<'_>, out: &mut Vec<u8>) -> Self {
        let deadline = (now + CONNECT_TIMEOUT).into_std();
        let now = now.into_std();
        match *opening {
            Opening::Login { login, program } => {
                Self::Centrald(CentraldSession::new(now, login, program, deadline, out))
            }
            Opening::Authorize { id, centrald_num, key } => {
                Self::Device(DeviceSession::new(now, id, centrald_num, key, deadline, out))
            }
        }
    }

    pub(super) fn handle_line<'a>(
        &mut self,
        now: Instant,
        line: Result<Line<'a>, ParseError>,
        out: &mut Vec<u8>,
    ) -> Outcome<'a> {
        match self {
            Self::Centrald(session) => match session.handle_line(now.into_std(), line, out) {
                CentraldEvent::None => Outcome::Nothing,
                CentraldEvent::LoggedIn { id } => Outcome::LetIn(Some(id)),
                CentraldEvent::Refused(end) => Outcome::Refused(end),
                CentraldEvent::Key { device, key } => {
                    Outcome::News(Line::Command(Command::AuthorizationKey { device, key }))
                }
                CentraldEvent::CommandEnd { id, end } => Outcome::End(id, end),
                CentraldEvent::News(line) => Outcome::News(line),
            },
            Self::Device(session) => match session.handle_line(now.into_std(), line, out) {
                DeviceEvent::None | DeviceEvent::ImageBytes { .. } => Outcome::Nothing,
                DeviceEvent::Authorized => Outcome::LetIn(None),
                DeviceEvent::Refused(end) => Outcome::Refused(end),
                DeviceEvent::CommandEnd { id, end } => Outcome::End(id, end),
                DeviceEvent::News(Line::Image(image)) => {
                    ImageNews::of_line(&image).map_or(Outcome::Nothing, Outcome::Image)
                }
                DeviceEvent::News(line) => Outcome::News(line),
            },
        }
    }

    pub(super) fn handle_binary(&mut self, now: Instant, bytes: &[u8]) -> Outcome<'static> {
        match self {
            Self::Centrald(session) => {
                session.handle_binary(now.into_std());
                Outcome::Nothing
            }
            Self::Device(session) => match session.handle_binary(now.into_std(), bytes) {
                DeviceEvent::ImageBytes { data_conn, channel, bytes, complete } => {
                    Outcome::Image(ImageNews::Bytes { data_conn, channel, bytes: bytes.to_vec(), complete })
                }
                _ => Outcome::Nothing,
            },
        }
    }

    pub(super) fn command(
        &mut self,
        text: Rest<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        match self {
            Self::Centrald(session) => session.command_text(text, deadline.into_std(), out),
            Self::Device(session) => session.command_text(text, deadline.into_std(), out),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, out: &mut Vec<u8>) -> TimeoutEvent {
        match self {
            Self::Centrald(session) => session.handle_timeout(now.into_std(), out),
            Self::Device(session) => session.handle_timeout(now.into_std(), out),
        }
    }

    pub(super) fn next_timeout(&self) -> Instant {
        Instant::from_std(match self {
            Self::Centrald(session) => session.next_timeout(),
            Self::Device(session) => session.next_timeout(),
        })
    }
}
