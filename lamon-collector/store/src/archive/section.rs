//! Section `[database]` of a configuration file: an archive, as the hub and whoever reads beside it are told of it.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use toml::Spanned;

use super::{ArchiveUrl, TlsMode, UrlError};

/// Section `[database]` as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseTable {
    url: Option<Spanned<Urls>>,
    password_file: Option<Spanned<PathBuf>>,
    password_env: Option<Spanned<String>>,
    tls: Option<Spanned<Tls>>,
    ca: Option<Spanned<PathBuf>>,
}

/// One address, or the addresses of several servers of one database.
#[derive(Debug, Clone)]
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

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

impl DatabaseTable {
    /// The archive that is meant; `archive.sqlite` in `data_dir` when the section names none. `wrong` makes an error of a
    /// place in the file and a clause.
    ///
    /// # Errors
    ///
    /// What `wrong` made of the first mistake.
    pub fn check<E>(self, data_dir: &Path, wrong: impl Fn(Range<usize>, &str) -> E) -> Result<ArchiveUrl, E> {
        let own = || ArchiveUrl::sqlite(data_dir.join("archive.sqlite"));
        let url = self.named(&wrong)?.unwrap_or_else(own);
        self.session(url, wrong)
    }

    /// The archive that is meant, for who has none of his own: none when the section names none.
    ///
    /// # Errors
    ///
    /// What `wrong` made of the first mistake; a password without an address is one.
    pub fn check_named<E>(self, wrong: impl Fn(Range<usize>, &str) -> E) -> Result<Option<ArchiveUrl>, E> {
        if let Some(url) = self.named(&wrong)? {
            return self.session(url, wrong).map(Some);
        }
        let spans = [
            self.password_file.as_ref().map(Spanned::span),
            self.password_env.as_ref().map(Spanned::span),
            self.tls.as_ref().map(Spanned::span),
            self.ca.as_ref().map(Spanned::span),
        ];
        match spans.into_iter().flatten().next() {
            Some(span) => Err(wrong(span, "[database] has no url: say which database this is for")),
            None => Ok(None),
        }
    }

    /// The addresses, with nothing else of the section.
    fn named<E>(&self, wrong: impl Fn(Range<usize>, &str) -> E) -> Result<Option<ArchiveUrl>, E> {
        let at = |span| {
            let wrong = &wrong;
            move |error: UrlError| wrong(span, &error.to_string())
        };
        let Some(urls) = &self.url else { return Ok(None) };
        let url = match urls.get_ref() {
            Urls::One(text) => ArchiveUrl::parse(text).map_err(at(urls.span()))?,
            Urls::Several(list) => {
                let found = list
                    .iter()
                    .map(|text| ArchiveUrl::parse(text.get_ref()).map_err(at(text.span())))
                    .collect::<Result<Vec<_>, _>>()?;
                ArchiveUrl::several(found).map_err(at(urls.span()))?
            }
        };
        Ok(Some(url))
    }

    /// How sessions with it are begun.
    fn session<E>(
        self,
        mut url: ArchiveUrl,
        wrong: impl Fn(Range<usize>, &str) -> E,
    ) -> Result<ArchiveUrl, E> {
        let at = |span| {
            let wrong = &wrong;
            move |error: UrlError| wrong(span, &error.to_string())
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
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<String>, String> {
        let table: DatabaseTable = toml::from_str(text).map_err(|error| error.to_string())?;
        let url = table.check_named(|span, clause| format!("{}: {clause}", text.get(span).unwrap()))?;
        Ok(url.map(|url| url.to_string()))
    }

    #[test]
    fn who_has_no_archive_of_his_own_has_none_by_default() {
        assert_eq!(read(""), Ok(None));
        let sqlite = "url = 'sqlite:///var/lib/lamon/archive.sqlite'";
        assert!(read(sqlite).unwrap().unwrap().contains("/var/lib/lamon/archive.sqlite"));
        assert!(read("url = ['mysql://lamon@a/lamon', 'mysql://lamon@b/lamon']").unwrap().is_some());
        for (text, wanted) in [
            ("password_file = '/x'", "'/x': [database] has no url"),
            ("tls = 'off'", "'off': [database] has no url"),
            ("url = 'ftp://x'", "'ftp://x': "),
            ("url = 5", "an address, or a list of them"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(wanted), "{said}");
        }
    }
}
