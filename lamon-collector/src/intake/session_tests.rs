//! Frames against the samples that they bring, and against what ends the connection.

use lamon_wire::frames::{Anchor, Row, TableEntry};

use super::*;

const NOW_MS: i64 = 1_795_000_000_000;
const NOW: HubClock = HubClock { monotonic_us: 0, unix_ms: NOW_MS };
const LATER: HubClock = HubClock { monotonic_us: 20_000_000, unix_ms: NOW_MS + 20_000 };

fn session() -> Session {
    let hello = Hello {
        version: 1,
        node: NodeName::new("ccd01").unwrap(),
        os: String::new(),
        agent_version: String::new(),
        boot_id: [0; 16],
        epoch: 9,
        hub_position: 0,
        interval_ms: 10_000,
        monotonic_ms: 1_000_000,
        wall_ms: NOW_MS - 250,
    };
    Session::new(&hello, NOW)
}

fn payload(frame: &AgentFrame) -> Vec<u8> {
    let mut out = Vec::new();
    frame.write(&mut out).unwrap();
    out.split_off(lamon_wire::framing::LENGTH_BYTES)
}

fn table() -> AgentFrame {
    let entry =
        |name, decimals| TableEntry { name: MetricName::new(name).unwrap(), label: String::new(), decimals };
    AgentFrame::Table(Table { id: 4, metrics: vec![entry("cpu_percent", 2), entry("uptime", 0)] })
}

fn samples(table: u16, first: u64, rows: usize) -> AgentFrame {
    let row = |place| Row {
        after_ms: if place > 0 { 10_000 } else { 0 },
        readings: vec![Reading::new(3.5, 2), if place > 0 { Reading::NONE } else { Reading::new(77.0, 0) }],
    };
    AgentFrame::Samples(Samples { table, first, monotonic_ms: 1_005_000, rows: (0..rows).map(row).collect() })
}

#[test]
fn samples_are_named_numbered_and_laid_on_the_hubs_time() {
    let mut session = session();
    assert_eq!(session.handle_frame(&payload(&table()), LATER), Ok(Brought::Nothing));
    let Brought::Ordered(made) = session.handle_frame(&payload(&samples(4, 20, 2)), LATER).unwrap() else {
        panic!("samples bring samples");
    };
    let seen: Vec<_> = made
        .iter()
        .map(|sample| {
            let values: Vec<_> = sample.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            (sample.identity, sample.taken_ms - NOW_MS, values)
        })
        .collect();
    let identity = |sequence| Identity { epoch: 9, sequence };
    assert_eq!(
        seen,
        [
            (identity(20), 5_000, vec![("cpu_percent", 3.5), ("uptime", 77.0), ("clock_offset", 0.25)]),
            (identity(21), 15_000, vec![("cpu_percent", 3.5), ("clock_offset", 0.25)]),
        ]
    );
}

#[test]
fn the_interval_is_the_hubs_while_it_names_one_and_then_the_agents_again() {
    let mut session = session();
    session.handle_frame(&payload(&table()), LATER).unwrap();
    let mut number = 0;
    let mut interval = |session: &mut Session| {
        number += 1;
        let live = Live { table: 4, sequence: number, monotonic_ms: 0, readings: vec![Reading::NONE; 2] };
        match session.handle_frame(&payload(&AgentFrame::Live(live)), LATER).unwrap() {
            Brought::Ahead(samples) => samples[0].interval.unwrap().as_secs(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(interval(&mut session), 10);
    for (interval_ms, seconds) in [(Some(60_000), 60), (Some(1), 1), (None, 10)] {
        session.settings_sent(&Settings { interval_ms, watch: Vec::new() });
        assert_eq!(interval(&mut session), seconds, "{interval_ms:?}");
    }
}

#[test]
fn what_breaks_the_order_ends_the_connection() {
    let mut session = session();
    let mut take = |frame: &AgentFrame| session.handle_frame(&payload(frame), LATER).map(|_| ());
    assert_eq!(take(&samples(4, 1, 1)), Err(SessionError::Table { got: 4, expected: None }));
    take(&table()).unwrap();
    assert_eq!(take(&samples(5, 1, 1)), Err(SessionError::Table { got: 5, expected: Some(4) }));
    take(&samples(4, 1, 3)).unwrap();
    assert_eq!(take(&samples(4, 3, 1)), Err(SessionError::Order { got: 3, last: 3 }));
    // A gap is no fault: the agent's memory may have let its oldest samples go.
    take(&samples(4, 1_000, 1)).unwrap();
    let live = Live { table: 4, sequence: 2_000, monotonic_ms: 0, readings: vec![Reading::NONE] };
    assert_eq!(take(&AgentFrame::Live(live)), Err(SessionError::Readings { got: 1, expected: 2 }));
}

#[test]
fn samples_of_an_earlier_boot_have_its_times_and_no_clock_offset() {
    let mut session = session();
    session.handle_frame(&payload(&table()), LATER).unwrap();
    let anchor = Anchor { monotonic_ms: 1_000_000, unix_ms: NOW_MS - 7_200_000 };
    session.handle_frame(&payload(&AgentFrame::Boot(Boot::Earlier(anchor))), LATER).unwrap();
    let mut take = |frame: &AgentFrame| match session.handle_frame(&payload(frame), LATER).unwrap() {
        Brought::Ordered(made) | Brought::Ahead(made) => {
            made.iter().map(|sample| (sample.taken_ms - NOW_MS, sample.metrics.len())).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    assert_eq!(take(&samples(4, 20, 2)), [(-7_195_000, 2), (-7_185_000, 1)]);
    let live = Live { table: 4, sequence: 90, monotonic_ms: 1_020_000, readings: vec![Reading::NONE; 2] };
    assert_eq!(take(&AgentFrame::Live(live)), [(20_000, 1)], "live is of this boot");
    assert_eq!(take(&AgentFrame::Boot(Boot::This)), []);
    assert_eq!(take(&samples(4, 30, 1)), [(5_000, 3)]);
}

#[test]
fn what_comes_before_the_answer_to_a_rewind_is_only_shown() {
    let mut session = session();
    session.handle_frame(&payload(&table()), LATER).unwrap();
    let take = |session: &mut Session, frame| session.handle_frame(&payload(&frame), LATER);
    assert_eq!(take(&mut session, AgentFrame::Rewound(1)), Err(SessionError::Rewound));
    take(&mut session, samples(4, 1, WINDOW as usize)).unwrap();
    session.rewind();
    assert!(
        matches!(take(&mut session, samples(4, 65, 3)), Ok(Brought::Ahead(crossed)) if crossed.len() == 3)
    );
    assert_eq!(take(&mut session, AgentFrame::Rewound(1)), Ok(Brought::Nothing));
    let again = take(&mut session, samples(4, 1, WINDOW as usize));
    assert!(matches!(again, Ok(Brought::Ordered(samples)) if samples[0].identity.sequence == 1));
}

#[test]
fn the_window_bounds_what_is_under_way() {
    let mut session = session();
    session.handle_frame(&payload(&table()), LATER).unwrap();
    let window = WINDOW as usize;
    session.handle_frame(&payload(&samples(4, 1, window)), LATER).unwrap();
    let more = payload(&samples(4, 1_000, 1));
    assert_eq!(session.handle_frame(&more, LATER), Err(SessionError::Window));
    session.acknowledged(1);
    assert!(session.handle_frame(&more, LATER).is_ok());
}

/// Frames as a confused agent might send them.
fn any_frame() -> impl proptest::strategy::Strategy<Value = AgentFrame> {
    use proptest::prelude::*;
    prop_oneof![
        Just(table()),
        (3..6_u16, 0..60_u64, 1..40_usize).prop_map(|(table, first, rows)| samples(table, first, rows)),
        (3..6_u16, any::<u64>(), any::<u64>(), 0..4_usize).prop_map(
            |(table, sequence, monotonic_ms, readings)| {
                AgentFrame::Live(Live {
                    table,
                    sequence,
                    monotonic_ms,
                    readings: vec![Reading::NONE; readings],
                })
            }
        ),
    ]
}

proptest::proptest! {
    /// Numbers rise, the window holds, and every sample that is taken is counted, whatever the frames.
    #[test]
    fn any_frames_are_taken_in_order_or_refused(frames in proptest::collection::vec(any_frame(), 0..40)) {
        let mut session = session();
        let mut under_way = 0;
        let mut last = None;
        for frame in frames {
            match session.handle_frame(&payload(&frame), LATER) {
                Ok(Brought::Ordered(samples)) => {
                    for sample in &samples {
                        proptest::prop_assert!(last.is_none_or(|last| sample.identity.sequence > last));
                        last = Some(sample.identity.sequence);
                    }
                    under_way += samples.len();
                }
                Ok(Brought::Ahead(samples)) => {
                    proptest::prop_assert!(samples.iter().all(|sample| sample.arrival == Arrival::Ahead));
                }
                Ok(Brought::Nothing | Brought::Tally(_)) | Err(_) => {}
            }
            proptest::prop_assert_eq!(session.under_way, under_way);
            proptest::prop_assert!(under_way <= WINDOW as usize);
        }
    }
}
