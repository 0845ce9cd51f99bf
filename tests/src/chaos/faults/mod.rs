//! The faults, one file for each.

mod database_killed;
mod hub_killed;
mod network_cut;
mod reinstalled;
mod upkeep_killed;

use super::Fault;

/// Every fault, in the order of the table.
pub const ALL: [Fault; 5] =
    [hub_killed::FAULT, database_killed::FAULT, network_cut::FAULT, reinstalled::FAULT, upkeep_killed::FAULT];

/// Finds a fault by its name.
#[must_use]
pub fn named(name: &str) -> Option<Fault> {
    ALL.into_iter().find(|fault| fault.name == name)
}
