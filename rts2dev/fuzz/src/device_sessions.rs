//! A device's sessions: whatever its centrald and its clients say, in whatever packets and with whatever silence between
//! them, what it answers can be read, is bounded, and nobody is authorized but by centrald's word.

use std::time::Instant;

use rts2_proto::session::device::{
    CentraldEvent, CentraldSession, ClientAction, ClientSession, MAX_QUEUED_COMMANDS,
};
use rts2_proto::{CLOSE_AFTER, DeviceName, DeviceType, Fragment, Line, LineSplitter, QuotedString};

use super::stream::{Event, events};

/// Longest line that is taken here; short, so that the end of it is met.
const LIMIT: usize = 200;
/// What one line of a peer, or one word of the caller, may cause to be sent.
const MAX_ANSWER: usize = 2 * LIMIT;

/// Conversations, with `0x1f` between them. The first byte of each says who the peer is; it begins at `now`.
pub fn run(now: Instant, data: &[u8]) {
    for conversation in data.split(|&b| b == 0x1f) {
        match conversation {
            [b'S', stream @ ..] => centrald(now, stream),
            [b'C', stream @ ..] => client(now, stream, false),
            [b'N', stream @ ..] => client(now, stream, true),
            _ => {}
        }
    }
}

/// Everything in `out` are lines that a peer can read; it is empty then.
pub(super) fn take(out: &mut Vec<u8>) {
    assert!(out.len() <= MAX_ANSWER, "{} bytes at once", out.len());
    for line in out.split_inclusive(|&b| b == b'\n') {
        let Some((b'\n', line)) = line.split_last() else { panic!("half a line: {line:?}") };
        assert!(Line::parse(line).is_ok(), "{:?}", String::from_utf8_lossy(line));
    }
    out.clear();
}

fn centrald(mut now: Instant, stream: &[u8]) {
    let mut out = Vec::new();
    let Ok(name) = DeviceName::new("NODES") else { return };
    let mut session = CentraldSession::new(now, name, DeviceType::Sensor, 0, ("host", 6201), &mut out);
    take(&mut out);
    let mut splitter = LineSplitter::new(LIMIT);
    let (mut asked, mut answered) = (0, 0);
    for event in events(stream) {
        match event {
            Event::Packet(mut packet) => {
                while let Some(fragment) = splitter.next(&mut packet) {
                    let Fragment::Line(line) = fragment else { continue };
                    match session.handle_line(now, &Line::parse(line), &mut out) {
                        CentraldEvent::Registered { id } => assert_eq!(session.registered_as(), Some(id)),
                        CentraldEvent::NameTaken { .. } | CentraldEvent::Refused { .. } => {
                            assert_eq!(session.registered_as(), None);
                        }
                        CentraldEvent::NameFree => session.register(&mut out),
                        CentraldEvent::Authorized { client, key }
                        | CentraldEvent::NotAuthorized { client, key } => {
                            assert_eq!((client + 1, answered < asked), (key, true), "nobody asked");
                            answered += 1;
                        }
                        _ => {}
                    }
                    take(&mut out);
                }
            }
            Event::Silence(silence) => {
                now += silence;
                if session.handle_timeout(now, &mut out) {
                    assert!(silence > CLOSE_AFTER / 100, "closed without silence");
                    return;
                }
                assert!(session.next_timeout() > now, "a timer that does not move");
                take(&mut out);
            }
            Event::Caller(what) => {
                let client = i32::from(what / 4);
                let taken = match what % 4 {
                    0 => session.authorize(client, client + 1, &mut out).map(|()| asked += 1),
                    1 => session.status_info(&mut out),
                    2 => session.weather_update(QuotedString::cleaned("rain"), &mut out),
                    _ => {
                        session.register(&mut out);
                        Ok(())
                    }
                };
                assert!(taken.is_ok() || stream.len() > MAX_QUEUED_COMMANDS, "full too early");
                take(&mut out);
            }
        }
    }
}

fn client(mut now: Instant, stream: &[u8], noauth: bool) {
    let mut out = Vec::new();
    let mut session = ClientSession::new(now, noauth);
    let mut splitter = LineSplitter::new(LIMIT);
    let mut asked = None;
    let mut authorized = noauth;
    for event in events(stream) {
        match event {
            Event::Packet(mut packet) => {
                while let Some(fragment) = splitter.next(&mut packet) {
                    let Fragment::Line(line) = fragment else { continue };
                    let action = session.handle_line(now, Line::parse(line), &mut out);
                    match action {
                        ClientAction::Reply(end) => end.write_to(&mut out),
                        ClientAction::Authorize { client, .. } => {
                            asked = Some(client);
                            authorized = false;
                        }
                        ClientAction::None => {}
                        other => assert!(authorized, "{other:?} without authorization"),
                    }
                    assert_eq!(session.is_authorized(), authorized);
                    take(&mut out);
                }
            }
            Event::Silence(silence) => {
                now += silence;
                if session.handle_timeout(now, &mut out) {
                    return;
                }
                assert!(session.next_timeout() > now, "a timer that does not move");
                take(&mut out);
            }
            Event::Caller(what) => {
                let client = i32::from(what / 2);
                if what % 2 == 0 {
                    let end = session.authorization_ok(client);
                    assert_eq!(end.is_some(), asked == Some(client) && !authorized);
                    authorized |= end.is_some();
                } else {
                    session.authorization_failed(client % 2 == 0).write_to(&mut out);
                    (asked, authorized) = (None, false);
                    take(&mut out);
                }
                assert_eq!(session.is_authorized(), authorized);
            }
        }
    }
}
