//! What can go wrong with an archive, by what can be done about it. Each is a sentence for the operator.

/// Why an archive cannot be opened, filled or read. Nothing is lost: the journal keeps what it has not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be reached at the moment. Try again.
    #[error("{0}")]
    Unreachable(String),
    /// It refuses the password, or the user may not do what is needed. Try again, but a person must act.
    #[error("{0}")]
    Refused(String),
    /// It has no room. Try again when there is.
    #[error("{0}")]
    Full(String),
    /// A newer program made its tables. It is left alone.
    #[error("{0}")]
    Newer(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}
