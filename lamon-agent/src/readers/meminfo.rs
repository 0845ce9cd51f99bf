//! `memory_percent` and `swap_percent` from /proc/meminfo.
//!
//! Memory in use is what `MemAvailable` leaves of `MemTotal`: caches that the kernel would give back are free. Kernels
//! before 3.14 do not have it; there it is `MemFree`, `Buffers` and `Cached`. A node without swap uses 0 % of it.

use super::file::ProcFile;
use super::numbers::percent;
use super::text::{lines, number, words};
use crate::sheet::{Core, Sheet};

/// Looks at /proc/meminfo.
#[derive(Debug)]
pub(super) struct Meminfo {
    file: ProcFile,
}

impl Meminfo {
    pub(super) const fn new() -> Self {
        // All that is wanted stands in the first twenty lines.
        Self { file: ProcFile::of_short_lines("/proc/meminfo", 2_048) }
    }

    pub(super) fn read(&mut self, sheet: &mut Sheet) {
        let (memory, swap) = self.file.read().map_or((None, None), parse);
        sheet.core(Core::MemoryPercent, memory);
        sheet.core(Core::SwapPercent, swap);
    }
}

/// Memory and swap in use, in percent.
fn parse(text: &[u8]) -> (Option<f64>, Option<f64>) {
    let (mut total, mut available, mut swap_total, mut swap_free) = (None, None, None, None);
    let mut reclaimable = [None; 3];
    let [free, buffers, cached] = &mut reclaimable;
    for line in lines(text) {
        let mut words = words(line);
        let place = match words.next() {
            Some(b"MemTotal:") => &mut total,
            Some(b"MemFree:") => &mut *free,
            Some(b"MemAvailable:") => &mut available,
            Some(b"Buffers:") => &mut *buffers,
            Some(b"Cached:") => &mut *cached,
            Some(b"SwapTotal:") => &mut swap_total,
            Some(b"SwapFree:") => &mut swap_free,
            _ => continue,
        };
        *place = words.next().and_then(number);
    }
    let older = || reclaimable.into_iter().try_fold(0_u64, |sum, part| sum.checked_add(part?));
    let used = |total: Option<u64>, free: Option<u64>| percent(total?.saturating_sub(free?), total?);
    let memory = used(total, available.or_else(older));
    let swap = if swap_total == Some(0) { Some(0.0) } else { used(swap_total, swap_free) };
    (memory, swap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_and_odd_files() {
        let modern =
            b"MemTotal:       24684084 kB\nMemFree:        23103832 kB\nMemAvailable:   18513063 kB\n\
            Buffers:            3940 kB\nCached:          1342792 kB\nSwapCached:            0 kB\n\
            SwapTotal:             0 kB\nSwapFree:              0 kB\n";
        let older = b"MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 350 kB\nSwapTotal: 400 kB\nSwapFree: 100 kB\n";
        let table: [(&[u8], _, _); 6] = [
            (modern, Some(25.0), Some(0.0)),
            (older, Some(50.0), Some(75.0)),
            (b"MemTotal: 0 kB\nMemAvailable: 0 kB\n", None, None),
            // A container that shows more free than there is.
            (b"MemTotal: 100 kB\nMemAvailable: 200 kB\nSwapTotal: 5 kB\n", Some(0.0), None),
            (b"MemTotal:\nMemAvailable: x kB\n", None, None),
            (b"", None, None),
        ];
        for (text, memory, swap) in table {
            let (got_memory, got_swap) = parse(text);
            let rounded = got_memory.map(|percent| (percent * 1e4).round() / 1e4);
            assert_eq!((rounded, got_swap), (memory, swap), "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_percentages_or_none(text in "((Mem|Swap)(Total|Free|Available): *[0-9]{0,22}( kB)?\n|\\PC{0,20}\n){0,12}") {
            let (memory, swap) = parse(text.as_bytes());
            for percent in [memory, swap].into_iter().flatten() {
                prop_assert!((0.0..=100.0).contains(&percent));
            }
        }

        #[test]
        fn any_bytes_are_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&text);
        }
    }
}
