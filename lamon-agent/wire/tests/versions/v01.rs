//! Version 1, and the hello that is frozen for ever. If this fails, do not change the test.

use lamon_wire::frames::{AgentFrame, HubFrame, Live, Pong, Row, Samples, Settings, Table, TableEntry};
use lamon_wire::hello::{Answer, Hello, Welcome};
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::Reading;

fn hello() -> Hello {
    Hello {
        version: 1,
        node: NodeName::new("ccd01").unwrap(),
        os: "Debian 12".into(),
        agent_version: "0.1.0".into(),
        boot_id: [0xb0; 16],
        epoch: 0x1234_5678,
        hub_position: 0,
        interval_ms: 10_000,
        monotonic_ms: 1_000,
        wall_ms: 1_795_327_904_000,
    }
}

pub(super) const HELLO: &[u8] = &[
    0x00, 0x37, 0x01, 0x05, b'c', b'c', b'd', b'0', b'1', 0x09, b'D', b'e', b'b', b'i', b'a', b'n', b' ',
    b'1', b'2', 0x05, b'0', b'.', b'1', b'.', b'0', 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0,
    0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xb0, 0xf8, 0xac, 0xd1, 0x91, 0x01, 0x00, 0x90, 0x4e, 0xe8, 0x07,
    0x80, 0xa4, 0x8e, 0x9e, 0xc0, 0x68,
];

#[test]
fn hello_bytes() {
    let mut out = Vec::new();
    hello().write(&mut out).unwrap();
    assert_eq!(out, HELLO);
    assert_eq!(Hello::parse(&HELLO[2..]).unwrap(), hello());
}

#[test]
fn fields_that_a_later_release_appends_are_ignored() {
    let longer = [&HELLO[2..], &[1, 2, 3]].concat();
    assert_eq!(Hello::parse(&longer).unwrap(), hello());
}

#[test]
fn answer_bytes() {
    let welcome = Welcome { version: 1, hub_unix_ms: 1_795_327_904_000, committed: Some(300), window: 256 };
    for (answer, bytes) in [
        (
            Answer::Welcome(welcome),
            &[0x00, 0x01, 0x80, 0xa4, 0x8e, 0x9e, 0xc0, 0x68, 0x01, 0xac, 0x02, 0x80, 0x02][..],
        ),
        (Answer::Standby { why: "b".into() }, &[0x01, 0x01, b'b']),
        (Answer::Refused { why: "no".into() }, &[0x02, 0x02, b'n', b'o']),
    ] {
        let mut out = Vec::new();
        answer.write(&mut out).unwrap();
        assert_eq!(&out[2..], bytes, "{answer:?}");
        assert_eq!(Answer::parse(bytes).unwrap(), answer);
    }
}

#[test]
fn agent_frame_bytes() {
    let entry = |name: &str, label: &str, decimals| TableEntry {
        name: MetricName::new(name).unwrap(),
        label: label.into(),
        decimals,
    };
    let readings = vec![Reading::new(3.52, 2), Reading::NONE];
    let table = Table { id: 1, metrics: vec![entry("cpu_percent", "", 2), entry("disk_root_free", "/", 0)] };
    let rows = vec![
        Row { after_ms: 0, readings: readings.clone() },
        Row { after_ms: 10_000, readings: vec![Reading::new(-1.0, 2), Reading::new(7.0, 0)] },
    ];
    for (frame, bytes) in [
        (AgentFrame::Table(table), &b"\x00\x01\x02\x0bcpu_percent\x00\x02\x0edisk_root_free\x01/\x00"[..]),
        (
            AgentFrame::Samples(Samples { table: 1, first: 300, monotonic_ms: 1_000, rows }),
            b"\x01\x01\xac\x02\xe8\x07\x02\x00\x02\xc1\x05\x00\x90\x4e\x02\xc8\x01\x0f",
        ),
        (
            AgentFrame::Live(Live { table: 1, sequence: 302, monotonic_ms: 1_000, readings }),
            b"\x02\x01\xae\x02\xe8\x07\x02\xc1\x05\x00",
        ),
        (
            AgentFrame::Pong(Pong { hub_us: 1, received_us: 2, sent_us: 3, wall_us: -1 }),
            b"\x03\x01\x02\x03\x01",
        ),
    ] {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        assert_eq!(&out[2..], bytes, "{frame:?}");
        assert_eq!(AgentFrame::parse(bytes).unwrap(), frame);
    }
}

#[test]
fn hub_frame_bytes() {
    let settings = Settings { interval_ms: Some(5_000), watch: vec!["sshd".into()] };
    for (frame, bytes) in [
        (HubFrame::Ack(300), &b"\x00\xac\x02"[..]),
        (HubFrame::Rewind(1), b"\x01\x01"),
        (HubFrame::Settings(settings), b"\x02\x01\x88\x27\x01\x04sshd"),
        (HubFrame::Ping { hub_us: 128 }, b"\x03\x80\x01"),
    ] {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        assert_eq!(&out[2..], bytes, "{frame:?}");
        assert_eq!(HubFrame::parse(bytes).unwrap(), frame);
    }
}
