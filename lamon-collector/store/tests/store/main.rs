//! The store against real files and real servers.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: what fails ends the test, as in the tests themselves"
)]

mod archive;
mod archive_refused;
mod backup;
mod carrying;
mod cluster;
mod common;
mod copying;
mod grafana;
mod journal;
mod journal_model;
mod journal_prune;
mod killed;
mod migrations;
mod reading;
mod registers;
mod rollups;
mod servers;
mod upgrade;
mod upkeep;
