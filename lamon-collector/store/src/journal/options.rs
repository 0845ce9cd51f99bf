//! How a journal is opened and what its operations return.

use std::{path::PathBuf, time::Duration};

pub use crate::sqlite::Durability;

/// How long rows stay at least, 3 days: long enough to fill a lost archive anew after a weekend.
pub const KEEP: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How a journal is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalOptions {
    /// When a commit counts as done.
    pub durability: Durability,
    /// Most bytes of the file, rounded up to pages of 4 KiB; the write-ahead log (up to 16 MiB) comes on top. Beyond it
    /// the journal behaves as on a full disk. No limit but the disk by default.
    pub max_bytes: Option<u64>,
}

/// What was found when a journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There was no file; it was made.
    Fresh,
    /// The file was there and is sound.
    Existing,
    /// The file was damaged or unreadable. It was moved aside, and a new one begun; what it held that no archive has
    /// yet can only be recovered by hand.
    MovedAside {
        /// Where it is now.
        to: PathBuf,
        /// What was wrong with it.
        reason: String,
    },
}

/// What one append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Samples written.
    pub stored: usize,
    /// Samples dropped because they were on disk already.
    pub duplicates: usize,
    /// The position of the newest row of the journal.
    pub position: i64,
}

/// What one step of pruning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Rows deleted.
    pub rows: usize,
    /// Whether there may be more to delete: call again, after the appends that wait.
    pub more: bool,
}
