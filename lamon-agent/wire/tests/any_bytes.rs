//! Bytes from strangers: whatever comes, decoding ends with a frame or an error, within its limits.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use lamon_wire::frames::{
    AgentFrame, FrameError, HubFrame, MAX_LABEL_BYTES, MAX_METRICS, MAX_SAMPLES_PER_FRAME, Row, Samples,
    Table, TableEntry,
};
use lamon_wire::framing::MAX_FRAME_BYTES;
use lamon_wire::hello::{Answer, Hello, HelloError};
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::{MAX_DECIMALS, Reading};
use proptest::prelude::*;

fn entry() -> impl Strategy<Value = TableEntry> {
    ("[a-z0-9_]{6,40}", "[ -~]{0,64}", 0..=9_u8).prop_map(|(name, label, decimals)| TableEntry {
        name: MetricName::new(&name).unwrap(),
        label,
        decimals,
    })
}

fn row() -> impl Strategy<Value = Row> {
    (0..1_000_000_u32, proptest::collection::vec(-1e9..1e9_f64, 1..20)).prop_map(|(after_ms, values)| Row {
        after_ms,
        readings: values.into_iter().map(|value| Reading::new(value, 2)).collect(),
    })
}

proptest! {
    #[test]
    fn any_payload_decodes_or_fails(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = (Hello::parse(&bytes), Hello::parse_extra(&bytes), Answer::parse(&bytes), AgentFrame::parse(&bytes), HubFrame::parse(&bytes));
    }

    #[test]
    fn tables_come_back(metrics in proptest::collection::vec(entry(), 1..30)) {
        let frame = AgentFrame::Table(Table { id: 3, metrics });
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        match AgentFrame::parse(&out[2..]) {
            Err(FrameError::Twice(_)) => {}
            parsed => prop_assert_eq!(parsed, Ok(frame)),
        }
    }

    #[test]
    fn samples_come_back(first in 0..u64::MAX / 2, monotonic_ms in 0..u64::MAX / 2, rows in proptest::collection::vec(row(), 1..40)) {
        let frame = AgentFrame::Samples(Samples { table: 1, first, monotonic_ms, rows });
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        prop_assert_eq!(AgentFrame::parse(&out[2..]), Ok(frame));
    }
}

#[test]
fn limits_are_kept() {
    let sample = |rows| AgentFrame::Samples(Samples { table: 1, first: u64::MAX, monotonic_ms: 0, rows });
    let row = |count| Row { after_ms: 0, readings: vec![Reading::NONE; count] };
    let parse = |frame: AgentFrame| {
        let mut out = Vec::new();
        frame.write(&mut out).unwrap();
        AgentFrame::parse(&out[2..])
    };
    assert_eq!(parse(sample(vec![row(1)])), Err(FrameError::Overflow));
    assert!(matches!(parse(sample(vec![])), Err(FrameError::Count { what: "samples", count: 0, .. })));
    assert!(matches!(
        parse(AgentFrame::Live(lamon_wire::frames::Live {
            table: 0,
            sequence: 0,
            monotonic_ms: 0,
            readings: vec![Reading::NONE; MAX_METRICS + 1]
        })),
        Err(FrameError::Count { what: "readings", .. })
    ));
    let table = |count: usize, label: &str, decimals| {
        let entry = |number| TableEntry {
            name: MetricName::new(&format!("m{number}")).unwrap(),
            label: label.into(),
            decimals,
        };
        AgentFrame::Table(Table { id: 1, metrics: (0..count).map(entry).collect() })
    };
    let longest = "x".repeat(MAX_LABEL_BYTES);
    assert!(parse(table(MAX_METRICS, &longest, MAX_DECIMALS)).is_ok());
    let error = parse(table(MAX_METRICS + 1, "", 0)).unwrap_err();
    assert!(matches!(error, FrameError::Count { what: "metrics", .. }), "{error}");
    assert!(matches!(parse(table(0, "", 0)), Err(FrameError::Count { what: "metrics", count: 0, .. })));
    assert!(matches!(parse(table(1, &(longest + "x"), 0)), Err(FrameError::TextTooLong(65))));
    assert!(matches!(parse(table(1, "", MAX_DECIMALS + 1)), Err(FrameError::Decimals(_))));
    let many = sample(vec![row(1); MAX_SAMPLES_PER_FRAME + 1]);
    assert!(matches!(parse(many), Err(FrameError::Count { what: "samples", .. })));
    let rows = vec![row(1), row(MAX_METRICS + 1)];
    let wide = AgentFrame::Samples(Samples { table: 1, first: 1, monotonic_ms: 0, rows });
    assert!(matches!(parse(wide), Err(FrameError::Count { what: "readings", .. })));
    assert_eq!(AgentFrame::parse(&[0x03, 1, 2, 3, 1, 9]), Err(FrameError::Trailing(1)));
}

fn hello(node: &str, os: &str, agent_version: &str) -> Hello {
    Hello {
        version: 2,
        node: NodeName::new(node).unwrap(),
        os: os.into(),
        agent_version: agent_version.into(),
        boot_id: [0; 16],
        epoch: 1,
        hub_position: 0,
        interval_ms: 10_000,
        monotonic_ms: 0,
        wall_ms: 0,
    }
}

#[test]
fn what_a_stranger_calls_himself_moves_no_cursor() {
    let hello = hello("ccd01", "\u{1b}[99D\rDebian\n\u{202e}深度\u{9b}2J", "1\u{7}.0\u{200b}");
    let mut out = Vec::new();
    hello.write(&mut out).unwrap();
    let read = Hello::parse(&out[2..]).unwrap();
    assert_eq!((read.os.as_str(), read.agent_version.as_str()), ("[99DDebian深度2J", "1.0"));
}

/// Names go into logs, topics and values of RTS2 as they are: a frame with another is none.
#[test]
fn what_is_no_name_is_no_frame() {
    let hello = hello("abcd", "", "");
    let entry = TableEntry { name: MetricName::new("abcd").unwrap(), label: String::new(), decimals: 2 };
    let (mut said, mut table) = (Vec::new(), Vec::new());
    hello.write(&mut said).unwrap();
    AgentFrame::Table(Table { id: 1, metrics: vec![entry] }).write(&mut table).unwrap();
    let renamed = |frame: &[u8], name: &[u8; 4]| {
        let at = frame.windows(4).position(|word| word == b"abcd").unwrap();
        [&frame[2..at], name, &frame[at + 4..]].concat()
    };
    for name in [b"a/b\n", b"../a", b"_hub", b"\x1b[2J", b"ab d", b"\xc3\xa4\xc3\xb6", b"\xff\xfe\xfd\xfc"] {
        let parsed = Hello::parse(&renamed(&said, name));
        assert!(matches!(parsed, Err(HelloError::Decode(_))), "{parsed:?}");
    }
    for name in [b"a/b\n", b"ABCD", b"ab d", b"\x1b[2J", b"a-cd", b"\xc3\xa4\xc3\xb6"] {
        let parsed = AgentFrame::parse(&renamed(&table, name));
        assert!(matches!(parsed, Err(FrameError::Decode(_))), "{parsed:?}");
    }
    // Upper case is another way to write the same name.
    assert_eq!(Hello::parse(&renamed(&said, b"ABCD")), Ok(hello));
}

#[test]
fn a_count_that_lies_costs_no_memory() {
    // A table that claims four thousand million metrics and brings none.
    let payload = [0x00, 0x01, 0xff, 0xff, 0xff, 0xff, 0x0f];
    assert!(matches!(AgentFrame::parse(&payload), Err(FrameError::Decode(_))));
    assert!(payload.len() < MAX_FRAME_BYTES);
}

#[test]
fn a_sample_of_the_core_metrics_takes_at_most_64_bytes() {
    // After four years of samples every 10 s, on a node up for four years, with full disks and two busy 10 Gbit/s links.
    let readings = [
        (99.99, 2),
        (99.99, 2),
        (99.99, 2),
        (99.99, 2),
        (2.5e9, 0),
        (2.5e9, 0),
        (640.25, 2),
        (9e4, 0),
        (1.26e8, 0),
    ]
    .map(|(value, decimals)| Reading::new(value, decimals))
    .to_vec();
    let frame = AgentFrame::Samples(Samples {
        table: 40,
        first: 12_600_000,
        monotonic_ms: 126_000_000_000,
        rows: vec![Row { after_ms: 0, readings }],
    });
    let mut out = Vec::new();
    frame.write(&mut out).unwrap();
    assert!(out.len() <= 64, "{} bytes", out.len());
}
