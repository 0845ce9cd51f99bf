//! The ring: frames byte for byte, windows, bounds. `model` holds it against a plain queue.

use lamon_wire::frames::{AgentFrame, Anchor, Samples, TableEntry};
use lamon_wire::names::MetricName;
use lamon_wire::reading::Reading;

use super::rows::MAX_PAYLOAD_BYTES;
use super::*;

pub(super) fn table(id: u16, metrics: usize) -> Arc<Table> {
    let entry = |number: usize| TableEntry {
        name: MetricName::new(&format!("temp_{number}")).unwrap(),
        label: String::new(),
        decimals: 1,
    };
    Arc::new(Table { id, metrics: (0..metrics).map(entry).collect() })
}

pub(super) fn sample(table: &Arc<Table>, monotonic_ms: u64) -> Sample {
    let readings =
        vec![Reading::new(f64::from(u16::try_from(monotonic_ms % 9_999).unwrap()), 1); table.metrics.len()];
    Sample { table: Arc::clone(table), monotonic_ms, readings }
}

pub(super) fn frame(ring: &mut Ring, window: u64) -> Option<Samples> {
    let mut out = Vec::new();
    if !ring.write_samples(window, true, &mut out).unwrap() {
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
    ring.write_samples(10, true, &mut out).unwrap();
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
fn a_day_of_core_metrics_takes_at_most_64_bytes_a_sample_and_is_given_back() {
    // Full disks, two busy 10 Gbit/s links and four years of uptime: the longest readings there are.
    let values = [
        (99.99, 2),
        (99.99, 2),
        (99.99, 2),
        (99.99, 2),
        (2.5e9, 0),
        (2.5e9, 0),
        (640.25, 2),
        (9e4, 0),
        (1.26e8, 0),
    ];
    let readings = values.map(|(value, decimals)| Reading::new(value, decimals)).to_vec();
    let core = table(1, values.len());
    let mut ring = Ring::new(8_640 * 64);
    for at in 0..8_640 {
        let monotonic_ms = 126_000_000_000 + at * 10_000;
        ring.push(Sample { table: Arc::clone(&core), monotonic_ms, readings: readings.clone() });
        let bytes = ring.bytes.capacity() + ring.tables.bytes() + ring.stretch_bytes;
        assert!(bytes <= ring.limit_bytes, "also while it grows: {bytes}");
    }
    let bytes = ring.bytes.capacity() + ring.tables.bytes();
    assert!(bytes <= 64 * 8_640, "{} bytes a sample", bytes / 8_640);
    assert_eq!((ring.len(), ring.tally().lost), (8_640, 0));
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
    assert_eq!((ring.len(), ring.tally().lost, ring.unsent()), (1, 2, 1));
    assert_eq!(frame(&mut ring, 1).map(|f| f.first), Some(3));
}

#[test]
fn what_an_earlier_life_took_goes_first_with_its_own_numbers_and_clock() {
    let mut ring = Ring::new(1 << 20);
    let table = table(1, 1);
    let anchor = Anchor { monotonic_ms: 9_000, unix_ms: 1_000 };
    for (number, ms, boot) in
        [(7, 500, Boot::Earlier(anchor)), (8, 900, Boot::Earlier(anchor)), (20, 3, Boot::This)]
    {
        ring.restore(&sample(&table, ms), number, boot);
    }
    // Of eleven taken, six were acknowledged: two are neither here nor there.
    ring.restored(11, 6, 1_000);
    assert_eq!(ring.tally(), Tally { taken: 11, acknowledged: 6, lost: 2 });
    assert_eq!(ring.unsent_newest(), None, "an old sample is no live one");
    assert_eq!(ring.push(sample(&table, 4)), 1_000);
    assert_eq!(ring.tally(), Tally { taken: 12, acknowledged: 6, lost: 2 });
    let mut seen = Vec::new();
    loop {
        let boot = ring.next_boot();
        let Some(frame) = frame(&mut ring, 100) else { break };
        seen.push((boot, frame.first, frame.monotonic_ms, frame.rows.len()));
    }
    let earlier = Boot::Earlier(anchor);
    assert_eq!(seen, [(earlier, 7, 500, 2), (Boot::This, 20, 3, 1), (Boot::This, 1_000, 4, 1)]);

    // A hub of version 1 knows no earlier boots.
    ring.resume(None).unwrap();
    let mut out = Vec::new();
    assert!(ring.write_samples(100, false, &mut out).unwrap());
    let Ok(AgentFrame::Samples(old)) = AgentFrame::parse(&out[2..]) else { panic!("samples") };
    assert_eq!((old.first, old.monotonic_ms, old.rows[1].after_ms), (7, 0, 0));

    // What a hub has that was lost with the earlier life lies in the gap.
    ring.resume(Some(900)).unwrap();
    assert_eq!((ring.len(), ring.through()), (1, 999));
    assert_eq!(ring.resume(Some(1_001)), Err(NeverSent { named: 1_001, sent: 1_001 }));
}

#[test]
fn a_new_epoch_leaves_what_the_hub_has_from_an_earlier_life() {
    let mut ring = Ring::new(1 << 20);
    let table = table(1, 1);
    ring.restore(&sample(&table, 1), 5, Boot::This);
    ring.restored(5, 4, 100);
    ring.push(sample(&table, 2));
    assert!(ring.resume(Some(5_000)).is_err());
    ring.begin_epoch();
    assert_eq!(ring.tally(), Tally { taken: 1, acknowledged: 0, lost: 0 });
    assert_eq!(frame(&mut ring, 9).map(|frame| (frame.first, frame.monotonic_ms)), Some((100, 2)));
}
