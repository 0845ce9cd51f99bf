//! The ring: frames byte for byte, windows, bounds, and a plain queue that it must behave like.

use lamon_wire::frames::{AgentFrame, Samples, TableEntry};
use lamon_wire::names::MetricName;
use lamon_wire::reading::Reading;
use proptest::prelude::*;

use super::*;

fn table(id: u16, metrics: usize) -> Arc<Table> {
    let entry = |number: usize| TableEntry {
        name: MetricName::new(&format!("temp_{number}")).unwrap(),
        label: String::new(),
        decimals: 1,
    };
    Arc::new(Table { id, metrics: (0..metrics).map(entry).collect() })
}

fn sample(table: &Arc<Table>, monotonic_ms: u64) -> Sample {
    let readings =
        vec![Reading::new(f64::from(u16::try_from(monotonic_ms % 9_999).unwrap()), 1); table.metrics.len()];
    Sample { table: Arc::clone(table), monotonic_ms, readings }
}

fn frame(ring: &mut Ring, window: u64) -> Option<Samples> {
    let mut out = Vec::new();
    if !ring.write_samples(window, &mut out).unwrap() {
        assert!(out.is_empty());
        return None;
    }
    assert!(out.len() < MAX_PAYLOAD_BYTES + 64);
    match AgentFrame::parse(&out[2..]).unwrap() {
        AgentFrame::Samples(samples) => Some(samples),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_frame_is_byte_for_byte_what_the_wire_says() {
    let mut ring = Ring::new(1 << 20);
    let table = table(3, 2);
    for ms in [1_000, 11_000, 21_007] {
        ring.push(sample(&table, ms));
    }
    let mut out = Vec::new();
    ring.write_samples(10, &mut out).unwrap();
    let row = |after_ms, ms| lamon_wire::frames::Row { after_ms, readings: sample(&table, ms).readings };
    let rows = vec![row(0, 1_000), row(10_000, 11_000), row(10_007, 21_007)];
    let mut expected = Vec::new();
    let samples = Samples { table: 3, first: 1, monotonic_ms: 1_000, rows };
    AgentFrame::Samples(samples).write(&mut expected).unwrap();
    assert_eq!(out, expected);
}

#[test]
fn the_window_bounds_what_is_in_flight() {
    let mut ring = Ring::new(1 << 20);
    let table = table(1, 2);
    for ms in 0..10 {
        ring.push(sample(&table, ms));
    }
    assert_eq!(frame(&mut ring, 4).map(|f| (f.first, f.rows.len())), Some((1, 4)));
    assert_eq!(frame(&mut ring, 4), None);
    assert_eq!(ring.acknowledge(3), Ok(3));
    assert_eq!(frame(&mut ring, 4).map(|f| (f.first, f.rows.len())), Some((5, 3)));
    assert_eq!((ring.in_flight(), ring.unsent(), ring.len()), (4, 3, 7));
    assert_eq!(ring.acknowledge(8), Err(NeverSent { named: 8, sent: 8 }));
    assert_eq!(ring.acknowledge(2), Ok(0), "known already");
    ring.rewind(5).unwrap();
    assert_eq!(frame(&mut ring, 4).map(|f| (f.first, f.rows.len())), Some((5, 3)));
    ring.rewind(1).unwrap();
    assert_eq!(frame(&mut ring, 9).map(|f| (f.first, f.rows.len())), Some((4, 7)));
    assert_eq!(ring.rewind(12), Err(NeverSent { named: 12, sent: 11 }));
    ring.resume(Some(9)).unwrap();
    assert_eq!(frame(&mut ring, 9).map(|f| (f.first, f.rows.len())), Some((10, 1)));
    assert_eq!(ring.resume(Some(11)), Err(NeverSent { named: 11, sent: 11 }));
    ring.resume(None).unwrap();
    assert_eq!(frame(&mut ring, 9).map(|f| f.first), Some(10));
}

#[test]
fn a_frame_has_one_table_and_one_stretch_of_time() {
    let mut ring = Ring::new(1 << 20);
    let (one, two) = (table(1, 1), table(2, 3));
    let months = u64::from(u32::MAX) + 1;
    for (table, ms) in [(&one, 0), (&one, 1), (&two, 2), (&two, 2 + months), (&one, 3 + months)] {
        ring.push(sample(table, ms));
    }
    let frames: Vec<_> = std::iter::from_fn(|| {
        let table = ring.next_table().map(|table| table.id);
        frame(&mut ring, 100).map(|f| {
            assert_eq!(Some(f.table), table);
            (f.table, f.first, f.monotonic_ms, f.rows.len())
        })
    })
    .collect();
    assert_eq!(frames, [(1, 1, 0, 2), (2, 3, 2, 1), (2, 4, 2 + months, 1), (1, 5, 3 + months, 1)]);
    assert_eq!(ring.next_table(), None);
    assert_eq!(ring.unsent_newest(), None);
}

#[test]
fn the_newest_goes_live_while_it_waits() {
    let mut ring = Ring::new(1 << 20);
    let table = table(1, 1);
    for ms in 0..5 {
        ring.push(sample(&table, ms));
    }
    frame(&mut ring, 3);
    let (of, live) = ring.unsent_newest().unwrap();
    assert_eq!((of.id, live.sequence, live.monotonic_ms), (1, 5, 4));
}

#[test]
fn memory_is_given_back_and_a_day_fits() {
    let mut ring = Ring::new(1 << 20);
    let core = table(1, 9);
    for at in 0..8_640 {
        ring.push(sample(&core, at * 10_000));
    }
    assert_eq!((ring.len(), ring.dropped()), (8_640, 0));
    while frame(&mut ring, 8_640).is_some() {}
    ring.acknowledge(8_640).unwrap();
    assert!(ring.is_empty() && ring.bytes.capacity() <= KEEP_BYTES);
}

#[test]
fn samples_that_do_not_fit_together_are_the_newest_ones() {
    // Fatter than the whole ring: it keeps one all the same, because a sample always goes out.
    let mut ring = Ring::new(100);
    for ms in 0..3 {
        ring.push(sample(&table(1, 100), ms));
    }
    assert_eq!((ring.len(), ring.dropped(), ring.unsent()), (1, 2, 1));
    assert_eq!(frame(&mut ring, 1).map(|f| f.first), Some(3));
}

/// What the ring should do, done with a plain queue.
#[derive(Debug, Default)]
struct Model {
    rows: VecDeque<(u64, Sample)>,
    sent: u64,
    next: u64,
    dropped: u64,
    limit: usize,
}

impl Model {
    fn oldest(&self) -> u64 {
        self.rows.front().map_or(self.next, |(sequence, _)| *sequence)
    }

    fn bytes_with(&self, new: Option<&Sample>) -> usize {
        let samples = self.rows.iter().map(|(_, sample)| sample).chain(new);
        let mut bytes = 0;
        let mut last: Option<&Arc<Table>> = None;
        for sample in samples {
            bytes += HEADER_BYTES + postcard::to_stdvec(&sample.readings).unwrap().len();
            if !last.is_some_and(|last| Arc::ptr_eq(last, &sample.table)) {
                bytes += cost(&sample.table);
            }
            last = Some(&sample.table);
        }
        bytes
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push { table: usize, after_ms: u64 },
    Send { window: u64 },
    Acknowledge { back: u64 },
    Rewind { back: u64 },
    Resume { committed: Option<u64> },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..3_usize, 0..20_000_u64).prop_map(|(table, after_ms)| Step::Push { table, after_ms }),
        3 => (0..40_u64).prop_map(|window| Step::Send { window }),
        2 => (0..12_u64).prop_map(|back| Step::Acknowledge { back }),
        1 => (0..12_u64).prop_map(|back| Step::Rewind { back }),
        1 => proptest::option::of(0..80_u64).prop_map(|committed| Step::Resume { committed }),
    ]
}

proptest! {
    #[test]
    fn the_ring_does_what_a_plain_queue_does(
        steps in proptest::collection::vec(step(), 1..120),
        limit in 300..3_000_usize,
    ) {
        let tables = [table(1, 1), table(2, 4), table(3, 9)];
        let mut ring = Ring::new(limit);
        let mut model = Model { sent: 1, next: 1, limit, ..Model::default() };
        let mut clock = 0;
        for step in steps {
            match step {
                Step::Push { table, after_ms } => {
                    clock += after_ms;
                    let sample = sample(&tables[table], clock);
                    while !model.rows.is_empty() && model.bytes_with(Some(&sample)) > model.limit {
                        model.rows.pop_front();
                        model.dropped += 1;
                    }
                    model.sent = model.sent.max(model.oldest());
                    prop_assert_eq!(ring.push(sample.clone()), model.next);
                    model.rows.push_back((model.next, sample));
                    model.next += 1;
                    prop_assert!(ring.used_bytes() <= limit || ring.len() == 1);
                }
                Step::Send { window } => {
                    let first = model.sent;
                    if let Some(frame) = frame(&mut ring, window) {
                        prop_assert_eq!(frame.first, first);
                        let mut ms = frame.monotonic_ms;
                        for row in &frame.rows {
                            ms += u64::from(row.after_ms);
                            let (_, expected) = &model.rows[usize::try_from(model.sent - model.oldest()).unwrap()];
                            prop_assert_eq!(ms, expected.monotonic_ms);
                            prop_assert_eq!(&row.readings, &expected.readings);
                            prop_assert_eq!(frame.table, expected.table.id);
                            model.sent += 1;
                        }
                        prop_assert!(model.sent - model.oldest() <= window);
                    } else {
                        prop_assert!(model.sent == model.next || model.sent - model.oldest() >= window);
                    }
                }
                Step::Acknowledge { back } => {
                    let named = (model.sent + 1).saturating_sub(back);
                    let before = model.rows.len();
                    if named < model.sent {
                        model.rows.retain(|(sequence, _)| *sequence > named);
                        let gone = u64::try_from(before - model.rows.len()).unwrap();
                        prop_assert_eq!(ring.acknowledge(named), Ok(gone));
                    } else {
                        prop_assert!(ring.acknowledge(named).is_err());
                    }
                }
                Step::Rewind { back } => {
                    let named = (model.sent + 1).saturating_sub(back);
                    prop_assert_eq!(ring.rewind(named).is_ok(), named <= model.sent);
                    if named <= model.sent {
                        model.sent = named.max(model.oldest());
                    }
                }
                Step::Resume { committed } => {
                    let good = committed.is_none_or(|sequence| sequence < model.next);
                    prop_assert_eq!(ring.resume(committed).is_ok(), good);
                    if good {
                        model.rows.retain(|(sequence, _)| committed.is_none_or(|c| *sequence > c));
                        model.sent = model.oldest();
                    }
                }
            }
            prop_assert_eq!(ring.len(), u64::try_from(model.rows.len()).unwrap());
            prop_assert_eq!(ring.unsent(), model.next - model.sent);
            prop_assert_eq!(ring.dropped(), model.dropped);
        }
    }
}
