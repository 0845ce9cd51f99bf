//! `cpu_percent` from /proc/stat: how busy all processors together were since the last look.
//!
//! Busy is user, nice, system, interrupts and steal: time that a hypervisor gave to others is time this node could not
//! use. Idle is idle and iowait: a processor that waits for a disk is free for other work. Guest time stands inside
//! user and nice already (proc_stat(5)).

use super::file::ProcFile;
use super::numbers::percent;
use super::text::{number, words};
use crate::sheet::{Core, Sheet};

/// Looks at /proc/stat.
#[derive(Debug)]
pub(super) struct Stat {
    file: ProcFile,
    last: Option<CpuTimes>,
}

impl Stat {
    pub(super) const fn new() -> Self {
        // Only the first line is wanted; ten counters of twenty digits fit.
        Self { file: ProcFile::new("/proc/stat", 256), last: None }
    }

    pub(super) fn read(&mut self, sheet: &mut Sheet) {
        let now = self.file.read().and_then(parse);
        let busy = self.last.zip(now).and_then(|(last, now)| busy_percent(last, now));
        self.last = now;
        sheet.core(Core::CpuPercent, busy);
    }
}

/// Time since boot, summed over all processors, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    idle: u64,
}

fn parse(text: &[u8]) -> Option<CpuTimes> {
    let line = text.split(|byte| *byte == b'\n').next()?;
    let mut words = words(line);
    if words.next()? != b"cpu" {
        return None;
    }
    let mut ticks = words.map_while(number);
    let mut next = || ticks.next();
    let (user, nice, system, idle) = (next()?, next()?, next()?, next()?);
    // Kernels before 2.6.11 have fewer columns.
    let [iowait, irq, softirq, steal] = [(); 4].map(|()| next().unwrap_or(0));
    let sum = |parts: &[u64]| parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(*part));
    Some(CpuTimes { busy: sum(&[user, nice, system, irq, softirq, steal])?, idle: sum(&[idle, iowait])? })
}

/// None when the counters jumped back or stood still.
fn busy_percent(last: CpuTimes, now: CpuTimes) -> Option<f64> {
    let busy = now.busy.checked_sub(last.busy)?;
    // iowait is an estimate that may shrink by a tick (proc_stat(5)).
    let idle = now.idle.saturating_sub(last.idle);
    percent(busy, busy.checked_add(idle)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_and_odd_files() {
        for (text, times) in [
            (
                &b"cpu  17032 20374 11294 215222 526 0 87 34 0 0\ncpu0 6459 10226 5163 110329 71 0 15 13 0 0\n"[..],
                Some((48_821, 215_748)),
            ),
            // 256 processors for years.
            (
                b"cpu  8023957219 1204 773201846 163289472913 19284 0 91827364 0 0 0\ncpu0 1",
                Some((8_888_987_633, 163_289_492_197)),
            ),
            // Kernel 2.4, and a container that hides the rest.
            (b"cpu  100 2 30 4000\n", Some((132, 4_000))),
            (b"cpu  0 0 0 0 0 0 0 0 0 0\n", Some((0, 0))),
            (b"cpu  1 2 3\n", None),
            (b"cpu  1 2 x 4\n", None),
            (b"cpu0 1 2 3 4\n", None),
            (b"cpu  18446744073709551615 1 0 0\n", None),
            (b"", None),
        ] {
            assert_eq!(parse(text).map(|t| (t.busy, t.idle)), times, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn busy_is_what_passed_between_two_looks() {
        let at = |busy, idle| CpuTimes { busy, idle };
        assert_eq!(busy_percent(at(100, 900), at(125, 975)), Some(25.0));
        assert_eq!(busy_percent(at(100, 900), at(100, 900)), None, "a clock that stands");
        assert_eq!(busy_percent(at(100, 900), at(90, 1000)), None, "a counter that jumped back");
        assert_eq!(busy_percent(at(100, 900), at(110, 899)), Some(100.0), "iowait that shrank");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&text);
        }

        #[test]
        fn any_counters_give_a_percentage_or_none(last: [u64; 8], now: [u64; 8]) {
            let line = |ticks: [u64; 8]| format!("cpu {}\n", ticks.map(|t| (t >> 3).to_string()).join(" "));
            let (last, now) = (parse(line(last).as_bytes()), parse(line(now).as_bytes()));
            let busy = last.zip(now).and_then(|(last, now)| busy_percent(last, now));
            prop_assert!(busy.is_none_or(|busy| (0.0..=100.0).contains(&busy)));
        }
    }
}
