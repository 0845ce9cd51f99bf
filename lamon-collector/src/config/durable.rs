//! Sections `[journal]` and `[database]`: where samples are kept.

use std::path::{Path, PathBuf};

use lamon_daemon::config::ConfigError;
use lamon_daemon::seconds::Seconds;
use lamon_store::archive::{ArchiveUrl, TlsMode, UrlError};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    url: Option<Spanned<Urls>>,
    password_file: Option<Spanned<PathBuf>>,
    password_env: Option<Spanned<String>>,
    tls: Option<Spanned<Tls>>,
    ca: Option<Spanned<PathBuf>>,
}

/// One address, or the addresses of several servers of one database.
#[derive(Debug)]
enum Urls {
    One(String),
    Several(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Urls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;
        // By hand, because an untagged enum loses the places of the addresses in the file.
        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Urls;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an address, or a list of them")
            }

            fn visit_str<E>(self, text: &str) -> Result<Urls, E> {
                Ok(Urls::One(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Urls, A::Error> {
                let mut urls = Vec::new();
                while let Some(url) = list.next_element()? {
                    urls.push(url);
                }
                Ok(Urls::Several(urls))
            }
        }
        deserializer.deserialize_any(OneOrSeveral)
    }
}

/// How sessions with the database are encrypted.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tls {
    #[default]
    Auto,
    Require,
    Off,
}

impl From<Tls> for TlsMode {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::Auto => Self::Auto,
            Tls::Require => Self::Require,
            Tls::Off => Self::Off,
        }
    }
}

/// Section `[database]`: the archive.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseConfig {
    /// Which database, with where its password is and how it is encrypted.
    pub url: ArchiveUrl,
}

impl DatabaseTable {
    pub(super) fn check(
        self,
        data_dir: &Path,
        wrong: impl Fn(std::ops::Range<usize>, &str) -> ConfigError,
    ) -> Result<DatabaseConfig, ConfigError> {
        let at = |span| {
            let wrong = &wrong;
            move |error: UrlError| wrong(span, &error.to_string())
        };
        let mut url = match self.url {
            None => ArchiveUrl::sqlite(data_dir.join("archive.sqlite")),
            Some(urls) => {
                let span = urls.span();
                match urls.into_inner() {
                    Urls::One(text) => ArchiveUrl::parse(&text).map_err(at(span))?,
                    Urls::Several(list) => {
                        let urls = list
                            .iter()
                            .map(|text| ArchiveUrl::parse(text.get_ref()).map_err(at(text.span())))
                            .collect::<Result<Vec<_>, _>>()?;
                        ArchiveUrl::several(urls).map_err(at(span))?
                    }
                }
            }
        };
        if let Some(file) = self.password_file {
            let span = file.span();
            url = url.with_password_file(file.into_inner()).map_err(at(span))?;
        }
        if let Some(variable) = self.password_env {
            let span = variable.span();
            url = url.with_password_env(variable.get_ref()).map_err(at(span))?;
        }
        let span = self.ca.as_ref().map(Spanned::span).or(self.tls.as_ref().map(Spanned::span));
        if let Some(span) = span {
            let tls = self.tls.map(Spanned::into_inner).unwrap_or_default();
            url = url.with_tls(tls.into(), self.ca.map(Spanned::into_inner)).map_err(at(span))?;
        }
        Ok(DatabaseConfig { url })
    }
}
