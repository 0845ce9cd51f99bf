//! The durable side of lamon: journal, archives in SQLite and MySQL, schema and migrations.
//!
//! - [`journal`]: every [`Sample`] in the order of its arrival, on the hub's own disk, before it is acknowledged.
//! - [`archive`]: where samples stay, filled from the journal in batches: a SQLite file or a MySQL database.
//! - [`upkeep`]: rollups of ten minutes and of an hour, made from what is stored, and the end of what is old.
//! - [`registers`]: nodes, events, settings.
//! - [`age`]: by which time data is old; a clock far ahead deletes nothing.
//! - [`copying`]: one archive into another; [`backup`]: a SQLite file of one instant, while it is written to.
//! - [`reading`]: the same samples back, for applications.
//! - [`schema`]: the tables of an archive, alike in both databases.
//!
//! A sample's way: `Journal::append`, then the acknowledgement; `JournalReader::read_after` the archive's cursor,
//! `Archive::append`, then `Journal::set_cursor`. Each step can be repeated: the journal drops what is not above the
//! committed sequence number, and an archive what it has already. So whatever ends in between, nothing is lost and
//! nothing doubled.

pub mod age;
pub mod archive;
pub mod backup;
pub mod copying;
mod db;
mod insert;
pub mod journal;
mod migrations;
pub mod reading;
mod record;
pub mod registers;
mod rollup;
mod rollup_row;
mod sample;
pub mod schema;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
mod tier;
pub mod upkeep;

pub use self::{
    archive::{Appended, Archive, ArchiveError, ArchiveUrl, UrlError},
    journal::{Journal, JournalOptions, JournalReader},
    migrations::{archive_migrations, archive_version},
    reading::ArchiveReader,
    rollup::{Rollup, Stat},
    sample::{CORE_METRICS, Sample},
    tier::Tier,
};
