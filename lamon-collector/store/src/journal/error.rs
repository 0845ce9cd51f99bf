//! What can go wrong with the journal, one enum per operation, by what the caller can do about it.

use std::path::PathBuf;

use crate::sqlite::Fault;

/// Why a journal cannot be opened. The hub goes on without it and tries again; only [`Newer`](Self::Newer) and
/// [`InUse`](Self::InUse) need a person.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process owns the journal.
    #[error("the journal {} is in use by another process", path.display())]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// A newer program made it. It is left alone.
    #[error("the journal {} {reason}", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// A clause that says so, with the remedy.
        reason: String,
    },
    /// There is no room on the disk.
    #[error("no room for the journal {}: free some space on its disk", path.display())]
    Full {
        /// The journal.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("the journal {} cannot be written: {reason}", path.display())]
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Anything else.
    #[error("the journal {} cannot be opened: {reason}", path.display())]
    Other {
        /// The journal.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
}

/// Why the journal could not be written. Nothing of the batch was acknowledged; hand it over again.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// No room on the disk, or the journal has the size it was allowed. Try again when there is room.
    #[error("no room for the journal: free some space on its disk, or let an archive catch up")]
    DiskFull,
    /// The file is damaged: call [`Journal::move_aside`](super::Journal::move_aside), then try again.
    #[error("the journal is damaged: {0}")]
    Damaged(String),
    /// Anything else; try again later.
    #[error("the journal cannot be written: {0}")]
    Other(String),
}

impl From<Fault> for AppendError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full => Self::DiskFull,
            Fault::Damaged(text) => Self::Damaged(text),
            Fault::Io(text) | Fault::Unwritable(text) | Fault::Other(text) => Self::Other(text),
        }
    }
}

impl From<OpenError> for AppendError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Full { .. } => Self::DiskFull,
            other => Self::Other(other.to_string()),
        }
    }
}

/// Why the journal could not be read. Try again; the journal's owner finds out by itself when it is damaged.
#[derive(Debug, thiserror::Error)]
#[error("the journal cannot be read: {0}")]
pub struct ReadError(pub(crate) String);

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}
