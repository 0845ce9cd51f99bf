//! Which table names the readings at a position; pure.

use std::collections::VecDeque;
use std::sync::Arc;

use lamon_wire::frames::Table;

/// What a table costs beside its texts, in bytes for each metric.
const ENTRY_BYTES: usize = 48;

/// Tables, each with the first position that it names.
#[derive(Debug, Default)]
pub(super) struct Tables {
    list: VecDeque<(u64, Arc<Table>)>,
    bytes: usize,
}

impl Tables {
    /// What they take, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What this one would take more.
    pub(super) fn more_bytes(&self, table: &Arc<Table>) -> usize {
        if self.is_last(table) { 0 } else { cost(table) }
    }

    /// The sample at `position`, the only one or not, has this table.
    pub(super) fn push(&mut self, position: u64, only: bool, table: &Arc<Table>) {
        if self.is_last(table) {
            return;
        }
        if only {
            self.list.clear();
            self.bytes = 0;
        }
        self.bytes += cost(table);
        self.list.push_back((position, Arc::clone(table)));
    }

    /// The table of the sample at a position.
    pub(super) fn of(&self, position: u64) -> Option<&Arc<Table>> {
        self.list.iter().rev().find(|(first, _)| *first <= position).map(|(_, table)| table)
    }

    /// The first position behind `position` that has another table.
    pub(super) fn end(&self, position: u64) -> u64 {
        self.list.iter().map(|(first, _)| *first).find(|first| *first > position).unwrap_or(u64::MAX)
    }

    /// Forgets those that name nothing any more, but the last: the next sample is likely of it.
    pub(super) fn forget(&mut self, oldest: u64) {
        while self.list.get(1).is_some_and(|(first, _)| *first <= oldest)
            && let Some((_, gone)) = self.list.pop_front()
        {
            self.bytes -= cost(&gone);
        }
    }

    fn is_last(&self, table: &Arc<Table>) -> bool {
        self.list.back().is_some_and(|(_, last)| Arc::ptr_eq(last, table))
    }
}

/// What a table takes, in bytes.
pub(super) fn cost(table: &Table) -> usize {
    table.metrics.iter().map(|entry| ENTRY_BYTES + entry.name.as_str().len() + entry.label.len()).sum()
}
