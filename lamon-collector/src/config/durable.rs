//! Sections `[journal]` and `[database]`: where samples are kept.

use std::path::{Path, PathBuf};

use lamon_daemon::config::ConfigError;
use lamon_daemon::seconds::Seconds;
use lamon_store::archive::ArchiveUrl;
use serde::Deserialize;
use toml::Spanned;

/// Section `[journal]`.
#[derive(Debug, Clone, Deserialize)]
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

/// Section `[database]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DatabaseTable {
    url: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
    password_env: Option<Spanned<String>>,
}

/// Section `[database]`: the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseConfig {
    /// Which database, with where its password is.
    pub url: ArchiveUrl,
}

impl DatabaseTable {
    pub(super) fn check(
        self,
        data_dir: &Path,
        wrong: impl Fn(std::ops::Range<usize>, &str) -> ConfigError,
    ) -> Result<DatabaseConfig, ConfigError> {
        let mut url = match self.url {
            None => ArchiveUrl::sqlite(data_dir.join("archive.sqlite")),
            Some(url) => {
                ArchiveUrl::parse(url.get_ref()).map_err(|error| wrong(url.span(), &error.to_string()))?
            }
        };
        if let Some(file) = self.password_file {
            let span = file.span();
            url =
                url.with_password_file(file.into_inner()).map_err(|error| wrong(span, &error.to_string()))?;
        }
        if let Some(variable) = self.password_env {
            let span = variable.span();
            url =
                url.with_password_env(variable.get_ref()).map_err(|error| wrong(span, &error.to_string()))?;
        }
        Ok(DatabaseConfig { url })
    }
}
