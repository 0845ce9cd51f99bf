//! A plain queue that the ring must behave like, whatever comes: samples, hubs, connections, the spool.

use lamon_wire::frames::Anchor;
use proptest::prelude::*;

use super::tables::cost;
use super::tests::{frame, sample, table};
use super::*;

/// What the ring should do, done with a plain queue.
#[derive(Debug, Default)]
struct Model {
    /// Position, number, clock and sample.
    rows: VecDeque<(u64, u64, Boot, Sample)>,
    sent: u64,
    spooled: u64,
    spooling: u64,
    end: u64,
    restored: u64,
    next: u64,
    taken: u64,
    lost: u64,
    limit: usize,
}

impl Model {
    fn oldest(&self) -> u64 {
        self.rows.front().map_or(self.end, |(position, ..)| *position)
    }

    fn bytes_with(&self, new: Option<&(u64, u64, Boot, Sample)>) -> usize {
        let (mut bytes, mut stretches) = (0, 0);
        let mut last: Option<&(u64, u64, Boot, Sample)> = None;
        for row in self.rows.iter().chain(new) {
            let (position, number, boot, sample) = row;
            bytes += HEADER_BYTES + postcard::to_stdvec(&sample.readings).unwrap().len();
            if !last.is_some_and(|(.., last)| Arc::ptr_eq(&last.table, &sample.table)) {
                bytes += cost(&sample.table);
            }
            let follows =
                |last: &(u64, u64, Boot, Sample)| last.2 == *boot && last.1 + (position - last.0) == *number;
            stretches += usize::from(last.is_some_and(|last| !follows(last)));
            last = Some(row);
        }
        bytes + stretches * STRETCH_BYTES
    }

    fn append(&mut self, sample: &Sample, number: u64, boot: Boot) {
        let row = (self.end, number, boot, sample.clone());
        while !self.rows.is_empty() && self.bytes_with(Some(&row)) > self.limit {
            self.rows.pop_front();
            self.lost += 1;
        }
        self.rows.push_back(row);
        (self.end, self.next) = (self.end + 1, number + 1);
        self.taken += 1;
        self.bump();
    }

    fn drop_if(&mut self, gone: impl Fn(u64, u64) -> bool) {
        self.rows.retain(|(position, number, ..)| !gone(*position, *number));
        self.bump();
    }

    fn bump(&mut self) {
        let oldest = self.oldest();
        for place in [&mut self.sent, &mut self.spooled, &mut self.spooling] {
            *place = (*place).max(oldest);
        }
    }

    /// The number of the sample at a position, or that it will have.
    fn number(&self, position: u64) -> u64 {
        let row = self.rows.iter().find(|(own, ..)| *own == position);
        row.map_or(self.next, |(_, number, ..)| *number)
    }

    fn row(&self, position: u64) -> &(u64, u64, Boot, Sample) {
        &self.rows[usize::try_from(position - self.oldest()).unwrap()]
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push { table: usize, after_ms: u64 },
    Send { window: u64 },
    Acknowledge { back: u64 },
    Rewind { back: u64 },
    Resume { committed: Option<u64> },
    Spool,
    Spooled { on_disk: bool },
    BeginEpoch,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0..3_usize, 0..20_000_u64).prop_map(|(table, after_ms)| Step::Push { table, after_ms }),
        6 => (0..40_u64).prop_map(|window| Step::Send { window }),
        4 => (0..12_u64).prop_map(|back| Step::Acknowledge { back }),
        2 => (0..12_u64).prop_map(|back| Step::Rewind { back }),
        2 => proptest::option::of(0..80_u64).prop_map(|committed| Step::Resume { committed }),
        3 => Just(Step::Spool),
        2 => any::<bool>().prop_map(|on_disk| Step::Spooled { on_disk }),
        1 => Just(Step::BeginEpoch),
    ]
}

/// What an earlier life left: table, jump of the number, whether it was an earlier boot.
fn left() -> impl Strategy<Value = Vec<(usize, u64, bool)>> {
    let jump = prop_oneof![4 => Just(0_u64), 1 => 1..20_u64];
    proptest::collection::vec((0..3_usize, jump, any::<bool>()), 0..12)
}

proptest! {
    #[test]
    fn the_ring_does_what_a_plain_queue_does(
        left in left(),
        steps in proptest::collection::vec(step(), 1..120),
        limit in 300..3_000_usize,
    ) {
        let tables = [table(1, 1), table(2, 4), table(3, 9)];
        let mut ring = Ring::new(limit);
        let mut model = Model { next: 1, limit, ..Model::default() };
        let (mut clock, mut number) = (0, 1);
        for (table, jump, earlier) in left {
            let boot = if earlier { Boot::Earlier(Anchor { monotonic_ms: 5, unix_ms: 7 }) } else { Boot::This };
            number += jump;
            clock += 10;
            let sample = sample(&tables[table], clock);
            ring.restore(&sample, number, boot);
            model.append(&sample, number, boot);
            model.restored = model.end;
            (model.spooled, model.spooling) = (model.end, model.end);
            number += 1;
        }
        if model.restored > 0 {
            let acknowledged = 3;
            (model.taken, model.next) = (model.end + acknowledged, number + 7);
            ring.restored(model.taken, acknowledged, model.next);
        }
        for step in steps {
            match step {
                Step::Push { table, after_ms } => {
                    clock += after_ms;
                    let sample = sample(&tables[table], clock);
                    prop_assert_eq!(ring.push(sample.clone()), model.next);
                    model.append(&sample, model.next, Boot::This);
                    prop_assert!(ring.used_bytes() <= limit || ring.len() == 1);
                    prop_assert!(ring.bytes.capacity() <= limit.max(KEEP_BYTES) || ring.len() == 1);
                }
                Step::Send { window } => {
                    let (first, boot) = (model.sent, ring.next_boot());
                    if let Some(frame) = frame(&mut ring, window) {
                        prop_assert_eq!(frame.first, model.number(first));
                        let mut ms = frame.monotonic_ms;
                        for (number, row) in (frame.first..).zip(&frame.rows) {
                            ms += u64::from(row.after_ms);
                            let (_, own, of, expected) = model.row(model.sent);
                            prop_assert_eq!((ms, number, boot), (expected.monotonic_ms, *own, *of));
                            prop_assert_eq!(&row.readings, &expected.readings);
                            prop_assert_eq!(frame.table, expected.table.id);
                            model.sent += 1;
                        }
                        prop_assert!(model.sent - model.oldest() <= window);
                    } else {
                        prop_assert!(model.sent == model.end || model.sent - model.oldest() >= window);
                    }
                }
                Step::Acknowledge { back } => {
                    let sent = model.number(model.sent);
                    let named = (sent + 1).saturating_sub(back);
                    let before = model.rows.len();
                    if named < sent {
                        model.drop_if(|_, number| number <= named);
                        let gone = u64::try_from(before - model.rows.len()).unwrap();
                        prop_assert_eq!(ring.acknowledge(named), Ok(gone));
                    } else {
                        prop_assert_eq!(ring.acknowledge(named), Err(NeverSent { named, sent }));
                    }
                }
                Step::Rewind { back } => {
                    let sent = model.number(model.sent);
                    let named = (sent + 1).saturating_sub(back);
                    prop_assert_eq!(ring.rewind(named).is_ok(), named <= sent);
                    if named <= sent {
                        let first = model.rows.iter().find(|(_, number, ..)| *number >= named);
                        model.sent = first.map_or(model.end, |(position, ..)| *position);
                    }
                }
                Step::Resume { committed } => {
                    let good = committed.is_none_or(|sequence| sequence < model.next);
                    prop_assert_eq!(ring.resume(committed).is_ok(), good);
                    if good {
                        model.drop_if(|_, number| committed.is_some_and(|committed| number <= committed));
                        model.sent = model.oldest();
                    }
                }
                Step::Spool => {
                    let mut out = Vec::new();
                    let first = model.spooling;
                    prop_assert_eq!(ring.write_spool(&mut out), first < model.end);
                    if first < model.end {
                        let Ok(lamon_wire::frames::AgentFrame::Samples(frame)) =
                            lamon_wire::frames::AgentFrame::parse(&out) else { panic!("samples") };
                        prop_assert_eq!(frame.first, model.number(first));
                        for (row, position) in frame.rows.iter().zip(first..) {
                            prop_assert_eq!(&row.readings, &model.row(position).3.readings);
                            model.spooling += 1;
                        }
                    }
                }
                Step::Spooled { on_disk } => {
                    ring.spooled(on_disk);
                    if on_disk { model.spooled = model.spooling } else { model.spooling = model.spooled }
                }
                Step::BeginEpoch => {
                    ring.begin_epoch();
                    let restored = model.restored;
                    model.drop_if(|position, _| position < restored);
                    (model.taken, model.lost) = (u64::try_from(model.rows.len()).unwrap(), 0);
                    let oldest = model.oldest();
                    (model.sent, model.spooled, model.spooling) = (oldest, oldest, oldest);
                }
            }
            let kept = u64::try_from(model.rows.len()).unwrap();
            prop_assert_eq!(ring.len(), kept);
            prop_assert_eq!(ring.unsent(), model.end - model.sent);
            prop_assert_eq!(ring.spool_range(), (model.oldest(), model.spooling));
            let unspooled = (model.spooling < model.end).then(|| model.row(model.spooling).3.monotonic_ms);
            prop_assert_eq!(ring.oldest_unspooled_ms(), unspooled);
            let acknowledged = model.taken - model.lost - kept;
            prop_assert_eq!(ring.tally(), Tally { taken: model.taken, acknowledged, lost: model.lost });
        }
    }
}
