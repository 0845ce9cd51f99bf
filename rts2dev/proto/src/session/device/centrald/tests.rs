//! Dialogues with a centrald: the lines that it says, what is sent, what the caller is told.

use std::time::Duration;

use super::super::commands::MAX_QUEUED_COMMANDS;
use super::*;

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
    assert_eq!(d.heard("A authorization_failed 2"), CentraldEvent::NotAuthorized { client: 2, key: 12345 });
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
