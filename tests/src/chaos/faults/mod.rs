//! The faults, one file for each.

mod agents_killed;
mod all_killed;
mod clock_jumps;
mod database_gone;
mod database_killed;
mod disk_full;
mod hub_killed;
mod network_cut;
mod reinstalled;
mod torn_journal;
mod upkeep_killed;

use super::Fault;

/// Every fault, in the order of the table.
pub const ALL: [Fault; 11] = [
    hub_killed::FAULT,
    database_killed::FAULT,
    agents_killed::FAULT,
    all_killed::FAULT,
    network_cut::FAULT,
    disk_full::FAULT,
    torn_journal::FAULT,
    database_gone::FAULT,
    clock_jumps::FAULT,
    reinstalled::FAULT,
    upkeep_killed::FAULT,
];

/// Finds a fault by its name.
#[must_use]
pub fn named(name: &str) -> Option<Fault> {
    ALL.into_iter().find(|fault| fault.name == name)
}
