//! A client's sessions: whatever a centrald or a device says, in whatever packets and with whatever silence between them,
//! what is sent can be read and is bounded, every command ends once at most, and time always goes on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rts2_proto::session::client::{
    CentraldEvent, CentraldSession, CommandId, DeviceEvent, DeviceSession, MAX_WAITING_COMMANDS, TimeoutEvent,
};
use rts2_proto::{Command, Fragment, Line, LineSplitter, Rest, SetOp, Text};

use super::device_sessions::take;
use super::stream::{Event, events};

/// Longest line that is taken here; short, so that the end of it is met.
const LIMIT: usize = 200;
/// How long a login may take.
const LOGIN: Duration = Duration::from_secs(60);

/// Conversations, with `0x1f` between them. The first byte of each says who the peer is; it begins at `now`.
pub fn run(now: Instant, data: &[u8]) {
    for conversation in data.split(|&b| b == 0x1f) {
        match conversation {
            [b'S', stream @ ..] => centrald(now, stream),
            [b'D', stream @ ..] => device(now, stream),
            _ => {}
        }
    }
}

/// Commands that were given to a session and have not ended.
#[derive(Default)]
struct Waiting(BTreeSet<CommandId>);

impl Waiting {
    fn began<E>(&mut self, id: &Result<CommandId, E>) {
        match id {
            Ok(id) => assert!(self.0.insert(*id), "{id:?} twice"),
            Err(_) => assert!(self.0.len() >= MAX_WAITING_COMMANDS, "full with {}", self.0.len()),
        }
        assert!(self.0.len() <= MAX_WAITING_COMMANDS + 1);
    }

    fn ended(&mut self, id: CommandId) {
        assert!(self.0.remove(&id), "{id:?} was not under way");
    }

    /// Lets time pass in a session; `false` when it is to be closed.
    fn pass(&mut self, mut handle_timeout: impl FnMut() -> TimeoutEvent) -> bool {
        for _ in 0..=MAX_WAITING_COMMANDS + 1 {
            match handle_timeout() {
                TimeoutEvent::None => return true,
                TimeoutEvent::CommandTimedOut(id) => self.ended(id),
                TimeoutEvent::Close(_) => return false,
            }
        }
        panic!("time does not go on");
    }
}

fn centrald(mut now: Instant, stream: &[u8]) {
    let mut out = Vec::new();
    let (Ok(login), Ok(program)) = (Text::new(b"observer"), Text::new(b"fuzz")) else { return };
    let mut session = CentraldSession::new(now, login, program, now + LOGIN, &mut out);
    take(&mut out);
    let mut splitter = LineSplitter::new(LIMIT);
    let mut waiting = Waiting::default();
    let mut let_in = false;
    for event in events(stream) {
        match event {
            Event::Packet(mut packet) => {
                while let Some(fragment) = splitter.next(&mut packet) {
                    match fragment {
                        Fragment::Line(line) => match session.handle_line(now, Line::parse(line), &mut out) {
                            CentraldEvent::LoggedIn { id } => {
                                assert!(!let_in && session.id() == Some(id));
                                let_in = true;
                            }
                            CentraldEvent::Refused(_) => assert!(!let_in && session.id().is_none()),
                            CentraldEvent::CommandEnd { id, .. } => waiting.ended(id),
                            CentraldEvent::None | CentraldEvent::Key { .. } | CentraldEvent::News(_) => {}
                        },
                        Fragment::Binary { .. } => session.handle_binary(now),
                        Fragment::Overlong { .. } => {}
                        Fragment::Lost => return,
                    }
                    take(&mut out);
                }
            }
            Event::Silence(silence) => {
                now += silence;
                // The commands of the login are the session's own; it is closed when they are late.
                if !waiting.pass(|| session.handle_timeout(now, &mut out)) {
                    return;
                }
                assert!(session.next_timeout() > now, "a timer that does not move");
                take(&mut out);
            }
            Event::Caller(what) if let_in => {
                let deadline = now + Duration::from_secs(u64::from(what / 4));
                let Ok(text) = Rest::new(b"base_info") else { return };
                let id = match what % 4 {
                    0 => session.key(program, deadline, &mut out),
                    1 => session.command(&Line::Command(Command::Info), deadline, &mut out),
                    _ => session.command_text(text, deadline, &mut out),
                };
                waiting.began(&id);
                take(&mut out);
            }
            Event::Caller(_) => {}
        }
    }
}

fn device(mut now: Instant, stream: &[u8]) {
    let mut out = Vec::new();
    let mut session = DeviceSession::new(now, 2, 0, 77, now + LOGIN, &mut out);
    take(&mut out);
    let mut splitter = LineSplitter::new(LIMIT);
    let mut waiting = Waiting::default();
    for event in events(stream) {
        match event {
            Event::Packet(mut packet) => {
                while let Some(fragment) = splitter.next(&mut packet) {
                    let event = match fragment {
                        Fragment::Line(line) => session.handle_line(now, Line::parse(line), &mut out),
                        Fragment::Binary { bytes, .. } => {
                            let event = session.handle_binary(now, bytes);
                            if let DeviceEvent::ImageBytes { bytes: taken, channel, .. } = &event {
                                assert_eq!((*taken, *channel >= 0), (bytes, true));
                            }
                            event
                        }
                        Fragment::Overlong { .. } => DeviceEvent::None,
                        Fragment::Lost => return,
                    };
                    match event {
                        DeviceEvent::Authorized => assert!(session.is_authorized()),
                        DeviceEvent::Refused(_) => assert!(!session.is_authorized()),
                        DeviceEvent::CommandEnd { id, .. } => waiting.ended(id),
                        DeviceEvent::None | DeviceEvent::News(_) | DeviceEvent::ImageBytes { .. } => {}
                    }
                    take(&mut out);
                }
            }
            Event::Silence(silence) => {
                now += silence;
                if !waiting.pass(|| session.handle_timeout(now, &mut out)) {
                    return;
                }
                assert!(session.next_timeout() > now, "a timer that does not move");
                take(&mut out);
            }
            Event::Caller(what) => {
                let deadline = now + Duration::from_secs(u64::from(what / 2));
                let (Ok(name), Ok(five)) = (Text::new(b"limit"), Rest::new(b"5")) else { return };
                let id = match what % 2 {
                    0 => session.set_value(name, SetOp::Set, five, deadline, &mut out),
                    _ => session.command(&Line::Command(Command::Info), deadline, &mut out),
                };
                waiting.began(&id);
                take(&mut out);
            }
        }
    }
}
