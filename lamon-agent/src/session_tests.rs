//! The session against a hub that is a few lines of this file: frames in, frames out, the time an argument.

use lamon_wire::frames::{Live, Samples, TableEntry};
use lamon_wire::framing::{FrameBuffer, write_frame};
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::reading::Reading;
use proptest::prelude::*;

use super::*;
use crate::sampler::Sample;

const PATIENCE: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Now {
    Now { monotonic_us: seconds * 1_000_000, wall_us: 5 }
}

fn hello() -> Hello {
    Hello {
        version: VERSION,
        node: NodeName::new("ccd01").unwrap(),
        os: "Debian".into(),
        agent_version: "0.1".into(),
        boot_id: [7; 16],
        epoch: 9,
        hub_position: 0,
        interval_ms: 10_000,
        monotonic_ms: 0,
        wall_ms: 0,
    }
}

fn table(id: u16, name: &str) -> Arc<Table> {
    let entry = TableEntry { name: MetricName::new(name).unwrap(), label: String::new(), decimals: 1 };
    Arc::new(Table { id, metrics: vec![entry] })
}

fn sample(table: &Arc<Table>, monotonic_ms: u64) -> Sample {
    Sample { table: Arc::clone(table), monotonic_ms, readings: vec![Reading::new(1.0, 1)] }
}

/// An agent with its ring, and what a hub would do to it.
struct Pair {
    session: Session,
    ring: Ring,
}

impl Pair {
    fn connect() -> Self {
        Self { session: Session::new(at(0), hello(), Extra::default(), PATIENCE), ring: Ring::new(1 << 20) }
    }

    /// Connected and welcomed.
    fn open(committed: Option<u64>, window: u32) -> Self {
        let mut pair = Self::connect();
        pair.welcome(committed, window).unwrap();
        pair
    }

    fn welcome(&mut self, committed: Option<u64>, window: u32) -> Result<Option<Event>, Closed> {
        self.session.write(at(0), &mut self.ring, &mut Vec::new()).unwrap();
        self.welcome_of(1, committed, window)
    }

    fn welcome_of(
        &mut self,
        version: u16,
        committed: Option<u64>,
        window: u32,
    ) -> Result<Option<Event>, Closed> {
        self.session.write(at(0), &mut self.ring, &mut Vec::new()).unwrap();
        self.answer(0, &Answer::Welcome(Welcome { version, hub_unix_ms: 0, committed, window }))
    }

    fn answer(&mut self, seconds: u64, answer: &Answer) -> Result<Option<Event>, Closed> {
        let mut bytes = Vec::new();
        answer.write(&mut bytes).unwrap();
        self.session.handle_frame(at(seconds), &mut self.ring, &bytes[2..])
    }

    fn hear(&mut self, seconds: u64, frame: &HubFrame) -> Result<Option<Event>, Closed> {
        let mut bytes = Vec::new();
        frame.write(&mut bytes).unwrap();
        self.session.handle_frame(at(seconds), &mut self.ring, &bytes[2..])
    }

    fn push(&mut self, table: &Arc<Table>, ms: u64) {
        self.ring.push(sample(table, ms));
        self.session.handle_sample();
    }

    /// All frames that the agent sends now, in short.
    fn sent(&mut self, seconds: u64) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let mut out = Vec::new();
            self.session.write(at(seconds), &mut self.ring, &mut out).unwrap();
            if out.is_empty() {
                return all;
            }
            let mut frames = FrameBuffer::new();
            frames.extend(&out);
            while let Some(payload) = frames.next_frame() {
                all.push(match AgentFrame::parse(payload).unwrap() {
                    AgentFrame::Table(table) => format!("table {}", table.id),
                    AgentFrame::Samples(Samples { table, first, rows, .. }) => {
                        format!("samples {first}+{} of {table}", rows.len())
                    }
                    AgentFrame::Live(Live { table, sequence, .. }) => format!("live {sequence} of {table}"),
                    AgentFrame::Boot(Boot::This) => "this boot".into(),
                    AgentFrame::Boot(Boot::Earlier(anchor)) => format!("boot of {}", anchor.unix_ms),
                    AgentFrame::Tally(tally) => {
                        format!("tally {} {} {}", tally.taken, tally.acknowledged, tally.lost)
                    }
                    AgentFrame::Rewound(sequence) => format!("rewound {sequence}"),
                    AgentFrame::Pong(Pong { hub_us, received_us, sent_us, wall_us }) => {
                        format!("pong {hub_us} {received_us} {sent_us} {wall_us}")
                    }
                });
            }
            assert!(frames.is_empty());
        }
    }
}

#[test]
fn the_hello_comes_first_and_alone_until_the_welcome() {
    let mut pair = Pair::connect();
    let one = table(1, "temp_a");
    pair.push(&one, 0);
    let mut out = Vec::new();
    pair.session.write(at(7), &mut pair.ring, &mut out).unwrap();
    let mut frames = FrameBuffer::new();
    frames.extend(out.strip_prefix(&MAGIC).unwrap());
    let sent = Hello::parse(frames.next_frame().unwrap()).unwrap();
    assert_eq!(sent, Hello { monotonic_ms: 7_000, ..hello() });
    assert!(frames.is_empty());
    assert_eq!(pair.sent(7), [""; 0]);
    assert_eq!(pair.welcome(None, 10), Ok(Some(Event::Welcomed(Anchor { monotonic_ms: 0, unix_ms: 0 }))));
    assert_eq!(pair.sent(8), ["table 1", "samples 1+1 of 1"]);
    assert_eq!(pair.sent(8), [""; 0]);
}

#[test]
fn what_the_hub_has_is_not_sent_again() {
    let mut pair = Pair::connect();
    let one = table(1, "temp_a");
    for ms in 0..5 {
        pair.push(&one, ms);
    }
    pair.welcome(Some(3), 10).unwrap();
    assert_eq!(pair.sent(1), ["table 1", "samples 4+2 of 1"]);
    assert_eq!(pair.hear(2, &HubFrame::Ack(5)), Ok(Some(Event::Acknowledged)));
    assert_eq!(pair.hear(2, &HubFrame::Ack(5)), Ok(None));
    assert!(pair.ring.is_empty());
}

#[test]
fn an_epoch_that_the_hub_knows_from_another_is_seen() {
    let mut pair = Pair::connect();
    assert!(matches!(pair.welcome(Some(1), 10), Err(Closed::Epoch(_))));
}

#[test]
fn a_backlog_flows_within_the_window_with_the_newest_live_beside_it() {
    let mut pair = Pair::connect();
    let (one, two) = (table(1, "temp_a"), table(2, "temp_b"));
    for ms in 0..5 {
        pair.push(&one, ms);
    }
    pair.push(&two, 5);
    pair.welcome(None, 4).unwrap();
    assert_eq!(pair.sent(1), ["table 1", "samples 1+4 of 1", "table 2", "live 6 of 2"]);
    pair.push(&two, 6);
    assert_eq!(pair.sent(2), ["live 7 of 2"]);
    pair.hear(2, &HubFrame::Ack(3)).unwrap();
    assert_eq!(pair.sent(2), ["table 1", "samples 5+1 of 1", "table 2", "samples 6+2 of 2"]);
    // All is sent: nothing goes live any more.
    pair.hear(3, &HubFrame::Ack(7)).unwrap();
    pair.push(&two, 7);
    assert_eq!(pair.sent(4), ["samples 8+1 of 2"]);
}

#[test]
fn a_window_of_none_is_one() {
    let mut pair = Pair::open(None, 0);
    let one = table(1, "temp_a");
    pair.push(&one, 0);
    pair.push(&one, 1);
    assert_eq!(pair.sent(1), ["table 1", "samples 1+1 of 1", "live 2 of 1"]);
}

#[test]
fn a_rewind_sends_again_with_the_table() {
    let mut pair = Pair::open(None, 10);
    let one = table(1, "temp_a");
    for ms in 0..3 {
        pair.push(&one, ms);
    }
    assert_eq!(pair.sent(1), ["table 1", "samples 1+3 of 1"]);
    pair.hear(2, &HubFrame::Rewind(2)).unwrap();
    assert_eq!(pair.sent(2), ["table 1", "samples 2+2 of 1"]);
    assert!(matches!(pair.hear(2, &HubFrame::Rewind(5)), Err(Closed::NeverSent(_))));
    assert!(matches!(pair.hear(2, &HubFrame::Ack(4)), Err(Closed::NeverSent(_))));
}

#[test]
fn a_hub_of_version_2_is_told_what_became_of_the_samples() {
    let mut pair = Pair::connect();
    let one = table(1, "temp_a");
    let anchor = Anchor { monotonic_ms: 7, unix_ms: 70 };
    pair.ring.restore(&sample(&one, 5), 3, Boot::Earlier(anchor));
    pair.ring.restored(4, 1, 1_000);
    pair.push(&one, 9);
    pair.welcome_of(2, None, 10).unwrap();
    assert_eq!(
        pair.sent(1),
        [
            "tally 5 1 2",
            "table 1",
            "boot of 70",
            "samples 3+1 of 1",
            "live 1000 of 1",
            "this boot",
            "samples 1000+1 of 1"
        ]
    );
    pair.hear(2, &HubFrame::Rewind(4)).unwrap();
    assert_eq!(pair.sent(2), ["rewound 4", "table 1", "samples 1000+1 of 1"]);
    pair.hear(2, &HubFrame::Ack(1_000)).unwrap();
    pair.hear(3, &HubFrame::Ping { hub_us: 1 }).unwrap();
    assert_eq!(pair.sent(4), ["pong 1 3000000 4000000 5", "tally 5 3 2"]);
    // A hub that hangs while the ring is full hears of each loss.
    pair.ring = Ring::new(200);
    pair.session.handle_sample();
    for ms in 0..30 {
        pair.push(&one, ms);
    }
    let lost = pair.ring.tally().lost;
    assert!(lost > 0);
    assert_eq!(pair.sent(5)[0], format!("tally 30 0 {lost}"));
}

#[test]
fn pings_are_answered_with_the_times() {
    let mut pair = Pair::open(None, 10);
    pair.hear(3, &HubFrame::Ping { hub_us: 77 }).unwrap();
    assert_eq!(pair.sent(4), ["pong 77 3000000 4000000 5"]);
    assert_eq!(pair.sent(4), [""; 0]);
}

#[test]
fn settings_come_through() {
    let mut pair = Pair::open(None, 10);
    let settings = Settings { interval_ms: Some(5_000), watch: vec!["sshd".into()] };
    let event = pair.hear(1, &HubFrame::Settings(settings.clone()));
    assert_eq!(event, Ok(Some(Event::Settings(settings))));
}

#[test]
fn a_hub_that_does_not_answer_the_hello_is_left() {
    let pair = Pair::connect();
    assert_eq!(pair.session.deadline(), Some(10_000_000));
    assert_eq!(pair.session.handle_timeout(at(9)), Ok(()));
    assert_eq!(pair.session.handle_timeout(at(10)), Err(Closed::HelloTimeout));
}

#[test]
fn a_hub_that_is_mute_while_samples_wait_is_left() {
    let mut pair = Pair::open(None, 10);
    assert_eq!(pair.session.deadline(), None, "nothing waits");
    let one = table(1, "temp_a");
    pair.push(&one, 0);
    pair.sent(100);
    assert_eq!(pair.session.deadline(), Some(130_000_000));
    pair.push(&one, 1);
    pair.sent(110);
    assert_eq!(pair.session.deadline(), Some(130_000_000), "more samples are no word of the hub");
    pair.hear(120, &HubFrame::Ping { hub_us: 0 }).unwrap();
    assert_eq!(pair.session.deadline(), Some(150_000_000));
    pair.hear(121, &HubFrame::Ack(1)).unwrap();
    assert_eq!(pair.session.deadline(), Some(151_000_000));
    pair.session.set_patience(Duration::from_secs(60));
    assert_eq!(pair.session.handle_timeout(at(180)), Ok(()));
    assert_eq!(pair.session.handle_timeout(at(181)), Err(Closed::Mute(Duration::from_secs(60))));
    pair.hear(181, &HubFrame::Ack(2)).unwrap();
    assert_eq!(pair.session.deadline(), None);
}

#[test]
fn hubs_that_do_not_serve_say_so() {
    let why = || "a\nb".to_owned();
    for (answer, closed) in [
        (Answer::Standby { why: why() }, Closed::Standby("a b".into())),
        (Answer::Refused { why: why() }, Closed::Refused("a b".into())),
        (
            Answer::Welcome(Welcome { version: 3, hub_unix_ms: 0, committed: None, window: 1 }),
            Closed::Version(3),
        ),
    ] {
        assert_eq!(Pair::connect().answer(1, &answer), Err(closed));
    }
    let mut pair = Pair::connect();
    assert_eq!(pair.session.handle_frame(at(1), &mut pair.ring, &[9]), Err(Closed::Answer));
}

proptest! {
    #[test]
    fn any_frames_end_the_session_or_not(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20),
        welcomed: bool,
    ) {
        let mut pair = Pair::connect();
        if welcomed {
            pair.welcome(None, 3).unwrap();
        }
        let one = table(1, "temp_a");
        for payload in payloads {
            pair.push(&one, 1);
            if pair.session.handle_frame(at(1), &mut pair.ring, &payload).is_err() {
                break;
            }
            pair.sent(1);
        }
    }

    #[test]
    fn whatever_the_hub_says_every_sample_reaches_it_in_order(
        script in proptest::collection::vec((0..4_u8, 0..6_u64), 1..80),
        window in 1..8_u32,
    ) {
        let mut pair = Pair::open(None, window);
        let tables = [table(1, "temp_a"), table(2, "temp_b")];
        // What a careful hub has: all up to `had`, in order and without a gap.
        let (mut had, mut committed, mut pushed) = (0_u64, 0_u64, 0_u64);
        for (step, number) in script {
            match step {
                0 => { pair.push(&tables[usize::try_from(number % 2).unwrap()], pushed); pushed += 1; }
                1 => { committed = had.saturating_sub(number % 2).max(committed);
                       if committed > 0 { pair.hear(1, &HubFrame::Ack(committed)).unwrap(); } }
                2 => { had = committed; pair.hear(1, &HubFrame::Rewind(committed + 1)).unwrap(); }
                _ => {
                    pair.session = Session::new(at(0), hello(), Extra::default(), PATIENCE);
                    had = committed;
                    pair.welcome((committed > 0).then_some(committed), window).unwrap();
                }
            }
            for frame in pair.sent(1) {
                if let Some(samples) = frame.strip_prefix("samples ") {
                    let (first, rest) = samples.split_once('+').unwrap();
                    let rows: u64 = rest.split(' ').next().unwrap().parse().unwrap();
                    prop_assert_eq!(first.parse::<u64>().unwrap(), had + 1);
                    had += rows;
                    prop_assert!(had <= committed + u64::from(window));
                }
            }
            prop_assert_eq!(had, pushed.min(committed + u64::from(window)));
        }
    }

    #[test]
    fn frames_of_any_length_are_cut(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut out = Vec::new();
        write_frame(&mut out, &bytes).unwrap();
        let mut pair = Pair::open(None, 1);
        let _ = pair.session.handle_frame(at(1), &mut pair.ring, &out[2..]);
    }
}
