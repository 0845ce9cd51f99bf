//! `cpu_percent` from GetSystemTimes: what all processors did since the boot. The performance counters (PDH) would say the
//! same, and cost a library and milliseconds a look.

use crate::readers::numbers::percent;
use crate::sheet::{Core, Sheet};

/// What the processors did since the boot, in units of 100 ns, all of them added up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Nothing.
    pub idle: u64,
    /// The system's work, and nothing: Windows counts the idle time here too.
    pub kernel: u64,
    /// The programs' work.
    pub user: u64,
}

/// The look before.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    last: Option<Times>,
}

impl Cpu {
    pub(super) fn read(&mut self, times: Option<Times>, sheet: &mut Sheet) {
        let busy = self.last.zip(times).and_then(|(last, now)| {
            let idle = now.idle.checked_sub(last.idle)?;
            let all = now.kernel.checked_sub(last.kernel)?.checked_add(now.user.checked_sub(last.user)?)?;
            // The three counters are read one after the other.
            percent(all.saturating_sub(idle), all)
        });
        self.last = times;
        sheet.core(Core::CpuPercent, busy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_what_was_not_idle_since_the_look_before() {
        let mut cpu = Cpu::default();
        let mut look = |times: Option<[u64; 3]>| {
            let mut sheet = Sheet::default();
            cpu.read(times.map(|[idle, kernel, user]| Times { idle, kernel, user }), &mut sheet);
            let entries: Vec<_> = sheet.entries().map(|(name, _, value)| (name.to_owned(), value)).collect();
            assert_eq!(entries.len(), 1);
            assert_eq!(entries[0].0, "cpu_percent");
            entries[0].1
        };
        assert_eq!(look(Some([1_000, 2_000, 500])), None, "the first look");
        assert_eq!(look(Some([1_060, 2_080, 520])), Some(40.0));
        assert_eq!(look(Some([1_170, 2_180, 520])), Some(0.0), "more idle than there was time");
        assert_eq!(look(Some([1_170, 2_180, 520])), None, "no time");
        assert_eq!(look(Some([0, 10, 10])), None, "a counter that jumped back");
        assert_eq!(look(None), None);
        assert_eq!(look(Some([0, 10, 10])), None);
        assert_eq!(look(Some([0, 20, 20])), Some(100.0));
    }
}
