//! `memory_percent` and `swap_percent` from GlobalMemoryStatusEx.
//!
//! Windows has no swap as such: it promises programs memory (commits it) up to the size of the memory and of the page files
//! together. `swap_percent` is how much of the page files is promised, beyond the memory; 0 where there is none.

use crate::readers::numbers::percent;
use crate::sheet::{Core, Sheet};

/// What the system says of its memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory {
    /// The memory.
    pub total: u64,
    /// What programs may have of it at once.
    pub available: u64,
    /// The memory and the page files together.
    pub commit_limit: u64,
    /// How much of these is not promised to anybody.
    pub commit_available: u64,
}

pub(super) fn read(memory: Option<Memory>, sheet: &mut Sheet) {
    let used = memory.and_then(|memory| percent(memory.total.saturating_sub(memory.available), memory.total));
    sheet.core(Core::MemoryPercent, used);
    let swapped = memory.map(|Memory { total, commit_limit, commit_available, .. }| {
        let committed = commit_limit.saturating_sub(commit_available);
        percent(committed.saturating_sub(total), commit_limit.saturating_sub(total)).unwrap_or(0.0)
    });
    sheet.core(Core::SwapPercent, swapped);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_what_is_promised_beyond_the_memory() {
        let look = |memory: Option<[u64; 4]>| {
            let mut sheet = Sheet::default();
            let memory = memory.map(|[total, available, commit_limit, commit_available]| Memory {
                total,
                available,
                commit_limit,
                commit_available,
            });
            read(memory, &mut sheet);
            sheet.entries().map(|(.., value)| value).collect::<Vec<_>>()
        };
        assert_eq!(look(Some([100, 75, 140, 30])), [Some(25.0), Some(25.0)]);
        assert_eq!(look(Some([100, 40, 140, 90])), [Some(60.0), Some(0.0)], "all of it fits the memory");
        assert_eq!(look(Some([100, 40, 100, 10])), [Some(60.0), Some(0.0)], "no page file");
        assert_eq!(look(None), [None, None]);
    }
}
