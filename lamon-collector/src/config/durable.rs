//! Sections `[journal]` and `[database]`: where samples are kept.

use std::path::PathBuf;

use lamon_daemon::seconds::Seconds;
use lamon_store::ArchiveUrl;
use serde::Deserialize;

/// Section `[journal]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// The journal's file; in the data directory when not given.
    pub path: Option<PathBuf>,
    /// What an acknowledgement survives.
    pub durability: Durability,
    /// How long samples stay in the journal at least, also when every archive has them.
    pub keep: Seconds,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            path: None,
            durability: Durability::default(),
            keep: Seconds::from(lamon_store::journal::KEEP),
        }
    }
}

/// What an acknowledgement survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Also a loss of power.
    #[default]
    Full,
    /// A crash of the hub, but not a loss of power: the last second may be missing then.
    Normal,
}

/// Section `[database]`: the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseConfig {
    /// Which database, with where its password is and how it is encrypted.
    pub url: ArchiveUrl,
}
