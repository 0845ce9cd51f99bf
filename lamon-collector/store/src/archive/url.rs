//! Where an archive is: a SQLite file or a MySQL database. Nothing here shows a password, in any form.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    password::Password,
    servers::{MysqlServer, MysqlTarget},
    tls::{Tls, TlsMode},
};

/// Port of a MySQL server when none is given.
const MYSQL_PORT: u16 = 3_306;

/// The address of an archive.
#[derive(Clone, PartialEq, Eq)]
pub struct ArchiveUrl(pub(crate) Target);

/// What an address leads to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server, or several of one database.
    Mysql(MysqlTarget),
}

/// Why an address is not understood. Never holds a part of it that may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It begins otherwise.
    #[error("the address of a database begins with sqlite: or mysql://")]
    Scheme,
    /// Nothing after `sqlite:`.
    #[error("the path of the file is missing after sqlite:")]
    NoPath,
    /// No user, no host or no database.
    #[error("the {0} is missing: write mysql://user@host:3306/database")]
    Missing(&'static str),
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535 (special characters of a password are written as %XX)")]
    Port,
    /// A `%` without two hexadecimal digits after it, or bytes that are not UTF-8.
    #[error("a % is not followed by the two hexadecimal digits of a character")]
    Percent,
    /// Something after a question mark.
    #[error("parameters after ? are not understood")]
    Parameters,
    /// A password from two places, or for a file.
    #[error("a password is {0}")]
    Password(&'static str),
    /// Encryption of a file, or an authority for nothing.
    #[error("{0}")]
    Tls(&'static str),
    /// A list that is not one archive.
    #[error("the addresses of an archive {0}")]
    Several(&'static str),
}

impl ArchiveUrl {
    /// Reads `sqlite:PATH`, `sqlite:///PATH` or `mysql://user[:password]@host[:port]/database`. Special characters of
    /// user, password and database are written as `%XX`. `mariadb://` means the same as `mysql://`.
    ///
    /// # Errors
    ///
    /// See [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(UrlError::NoPath) } else { Ok(Self::sqlite(path)) };
        }
        let rest = text
            .strip_prefix("mysql://")
            .or_else(|| text.strip_prefix("mariadb://"))
            .ok_or(UrlError::Scheme)?;
        if rest.contains('?') {
            return Err(UrlError::Parameters);
        }
        let (server, database) = rest.split_once('/').ok_or(UrlError::Missing("database"))?;
        let (login, address) = server.rsplit_once('@').ok_or(UrlError::Missing("user"))?;
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Password::InUrl(decode(password)?)),
            None => (login, Password::None),
        };
        let (host, port) = host_and_port(address)?;
        let some = |text: String, what| if text.is_empty() { Err(UrlError::Missing(what)) } else { Ok(text) };
        Ok(Self(Target::Mysql(MysqlTarget::new(MysqlServer {
            user: some(decode(user)?, "user")?,
            host: some(host.to_owned(), "host")?,
            port,
            database: some(decode(database)?, "database")?,
            password,
            tls: Tls::default(),
        }))))
    }

    /// One database that is seen through several servers, which are tried in this order: the nodes of a Galera cluster, or
    /// a primary and its replicas. A list of one is that one.
    ///
    /// # Errors
    ///
    /// [`UrlError::Several`] when these are not one database.
    pub fn several(urls: Vec<Self>) -> Result<Self, UrlError> {
        let mut urls = urls.into_iter();
        let Some(first) = urls.next() else {
            return Err(UrlError::Several("are missing: the list is empty"));
        };
        urls.try_fold(first, |archive, url| match (archive.0, url.0) {
            (Target::Mysql(mut target), Target::Mysql(more)) => {
                target.join(more)?;
                Ok(Self(Target::Mysql(target)))
            }
            _ => Err(UrlError::Several("are all of MySQL: a SQLite file stands alone")),
        })
    }

    /// The archive in a SQLite file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Target::Sqlite(path.into()))
    }

    /// The file of a SQLite archive.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Target::Sqlite(path) => Some(path),
            Target::Mysql(_) => None,
        }
    }

    /// The same address with the password from a file, which is read at each connect: its first line, and only when
    /// neither group nor others may read it.
    ///
    /// # Errors
    ///
    /// When the address has a password already or is a file.
    pub fn with_password_file(self, path: impl Into<PathBuf>) -> Result<Self, UrlError> {
        self.with_password(&Password::File(path.into()))
    }

    /// The same address with the password from an environment variable, which is read at each connect.
    ///
    /// # Errors
    ///
    /// When the address has a password already or is a file.
    pub fn with_password_env(self, variable: &str) -> Result<Self, UrlError> {
        self.with_password(&Password::Env(variable.to_owned()))
    }

    /// The same address with sessions encrypted so, each server's certificate signed by one of the authorities in the file
    /// `ca` (PEM; read at each connect), or by one of the web's when none is given.
    ///
    /// # Errors
    ///
    /// When the address is a file, or an authority is given where nothing is encrypted.
    pub fn with_tls(mut self, mode: TlsMode, ca: Option<PathBuf>) -> Result<Self, UrlError> {
        let Target::Mysql(target) = &mut self.0 else {
            return Err(UrlError::Tls("tls and ca are of no use for a SQLite file"));
        };
        if mode == TlsMode::Off && ca.is_some() {
            return Err(UrlError::Tls("ca is of no use without TLS"));
        }
        let tls = Tls { mode, ca };
        for server in target.servers_mut() {
            server.tls.clone_from(&tls);
        }
        Ok(self)
    }

    /// The address without its password, always in the same form; of several servers, all, with commas between. It names
    /// the archive in the journal's cursors. A cursor goes on under a new name as long as the database's name and one of
    /// its servers are those of before.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Target::Sqlite(path) => format!("sqlite:{}", path.display()),
            Target::Mysql(target) => target.to_string(),
        }
    }

    /// Has the next of several servers tried first, because the one that was used fails. The name stays.
    pub fn pass_over(&mut self) {
        if let Target::Mysql(target) = &mut self.0 {
            target.rotate();
        }
    }

    fn with_password(mut self, password: &Password) -> Result<Self, UrlError> {
        let Target::Mysql(target) = &mut self.0 else {
            return Err(UrlError::Password("of no use for a SQLite file"));
        };
        for server in target.servers_mut() {
            if server.password != Password::None {
                return Err(UrlError::Password("given twice"));
            }
            server.password = password.clone();
        }
        Ok(self)
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())
    }
}

impl fmt::Debug for ArchiveUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ArchiveUrl({})", self.name())
    }
}

/// Splits `host`, `host:port` or `[v6]:port`.
fn host_and_port(address: &str) -> Result<(&str, u16), UrlError> {
    let (host, port) = if let Some(rest) = address.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(UrlError::Missing("host"))?;
        (host, after.strip_prefix(':'))
    } else {
        match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        }
    };
    let port = match port {
        Some(text) => text.parse().ok().filter(|&port| port != 0).ok_or(UrlError::Port)?,
        None => MYSQL_PORT,
    };
    Ok((host, port))
}

/// Undoes `%XX`.
fn decode(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit =
                || rest.next().and_then(|byte| char::from(byte).to_digit(16)).ok_or(UrlError::Percent);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).map_err(|_| UrlError::Percent)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Percent)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    use proptest::prelude::*;

    use super::*;

    fn mysql(url: &ArchiveUrl) -> &MysqlServer {
        let Target::Mysql(target) = &url.0 else { panic!("{url} is a file") };
        target.present()
    }

    #[test]
    fn addresses_are_read() {
        for (text, name, password) in [
            ("mysql://lamon:s%40cret%2F1@db/nights", "mysql://lamon@db:3306/nights", Some("s@cret/1")),
            ("mysql://lamon@db:3307/nights", "mysql://lamon@db:3307/nights", None),
            ("mariadb://a:b:c@[::1]:4000/x", "mysql://a@[::1]:4000/x", Some("b:c")),
            ("mysql://a:p@ss@h/x", "mysql://a@h:3306/x", Some("p@ss")),
        ] {
            let url = ArchiveUrl::parse(text).unwrap();
            assert_eq!(url.name(), name);
            assert_eq!(mysql(&url).password().unwrap().as_deref(), password, "{text}");
        }
        for (text, path) in
            [("sqlite:a.db", "a.db"), ("sqlite:///var/a.db", "/var/a.db"), ("sqlite:/b", "/b")]
        {
            assert!(ArchiveUrl::parse(text).unwrap() == ArchiveUrl::sqlite(path), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named_without_showing_the_password() {
        for (text, error) in [
            ("postgres://secret@h/x", UrlError::Scheme),
            ("sqlite:", UrlError::NoPath),
            ("mysql://a:secret@h", UrlError::Missing("database")),
            ("mysql://h/x", UrlError::Missing("user")),
            ("mysql://:secret@h/x", UrlError::Missing("user")),
            ("mysql://a:secret@/x", UrlError::Missing("host")),
            ("mysql://a:secret@h/", UrlError::Missing("database")),
            ("mysql://a:secret@h:0/x", UrlError::Port),
            ("mysql://a:secret/x@h/x", UrlError::Missing("user")),
            ("mysql://a:secret%4@h/x", UrlError::Percent),
            ("mysql://a:secret@h/x?ssl=1", UrlError::Parameters),
        ] {
            let found = ArchiveUrl::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!format!("{found} {found:?}").contains("secret"), "{text}");
        }
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = ArchiveUrl::parse("mysql://lamon:geheim@db/nights").unwrap();
        assert!(!format!("{url} {url:?} {}", url.name()).contains("geheim"));
    }

    #[test]
    fn a_password_file_must_be_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "geheim\nsecond line\n").unwrap();
        let url = ArchiveUrl::parse("mysql://lamon@db/x").unwrap().with_password_file(&path).unwrap();
        for mode in [0o640, 0o604, 0o666] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let refused = mysql(&url).password().unwrap_err();
            assert!(refused.contains("chmod 600") && !refused.contains("geheim"), "{refused}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(mysql(&url).password().unwrap().as_deref(), Some("geheim"));
        fs::remove_file(&path).unwrap();
        assert!(mysql(&url).password().unwrap_err().contains("cannot be read"));
        assert_eq!(url.with_password_env("X"), Err(UrlError::Password("given twice")));
        assert!(ArchiveUrl::sqlite("a").with_password_env("X").is_err());
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let url =
            ArchiveUrl::parse("mysql://lamon@db/x").unwrap().with_password_env("LAMON_NO_SUCH").unwrap();
        assert!(mysql(&url).password().unwrap_err().contains("LAMON_NO_SUCH"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in ".*", rest in "[a-z0-9:@/%?\\[\\]]{0,40}") {
            for text in [text, format!("sqlite:{rest}"), format!("mysql://{rest}")] {
                if let Ok(url) = ArchiveUrl::parse(&text) {
                    // The name leads to the same place, without the password.
                    let name = url.name();
                    if let Ok(again) = ArchiveUrl::parse(&name) {
                        prop_assert_eq!(again.name(), name);
                    }
                }
            }
        }

        #[test]
        fn any_password_arrives_and_none_is_shown(password in ".{8,30}") {
            let escaped: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let url = ArchiveUrl::parse(&format!("mysql://u:{escaped}@h/d")).unwrap();
            let shown = format!("{url} {url:?}");
            prop_assert!(!shown.contains(&password) && !shown.contains(&escaped));
            let kept = mysql(&url).password().unwrap();
            prop_assert_eq!(kept, Some(password));
        }
    }
}
