//! `load1` from /proc/loadavg: how many processes ran or waited for a disk, averaged over the last minute.

use super::file::ProcFile;
use super::text::words;
use crate::sheet::{Core, Sheet};

/// Looks at /proc/loadavg.
#[derive(Debug)]
pub(super) struct Loadavg {
    file: ProcFile,
}

impl Loadavg {
    pub(super) const fn new() -> Self {
        Self { file: ProcFile::of_short_lines("/proc/loadavg", 128) }
    }

    pub(super) fn read(&mut self, sheet: &mut Sheet) {
        sheet.core(Core::Load1, self.file.read().and_then(parse));
    }
}

fn parse(text: &[u8]) -> Option<f64> {
    let load: f64 = str::from_utf8(words(text).next()?).ok()?.parse().ok()?;
    (load.is_finite() && load >= 0.0).then_some(load)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_and_odd_files() {
        for (text, load) in [
            (&b"0.33 0.40 0.29 1/87 18933\n"[..], Some(0.33)),
            (b"1204.55 900.00 800.00 1200/9000 4194303\n", Some(1_204.55)),
            (b"nan 0 0\n", None),
            (b"-1 0 0\n", None),
            (b"\n", None),
            (b"", None),
        ] {
            assert_eq!(parse(text), load, "{}", text.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(parse(&text).is_none_or(f64::is_finite));
        }
    }
}
