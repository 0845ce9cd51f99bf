//! A MySQL database and the servers that it is seen through: one, the nodes of a Galera cluster, or a primary with its
//! replicas. They are tried in turn, from the one that worked last.

use std::{collections::HashSet, fmt};

use super::{password::Password, tls::Tls, url::UrlError};

/// Most servers of one database; a cluster has three or five.
const MAX_SERVERS: usize = 16;

/// Between the servers of an archive's name.
const SEPARATOR: char = ',';

/// A database on one MySQL server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MysqlServer {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(super) password: Password,
    pub(super) tls: Tls,
}

/// A MySQL database.
#[derive(Clone)]
pub(crate) struct MysqlTarget {
    /// At least one.
    servers: Vec<MysqlServer>,
    /// Which is tried first; below the number of servers.
    first: usize,
}

/// Where it is, not which of its servers is tried first.
impl PartialEq for MysqlTarget {
    fn eq(&self, other: &Self) -> bool {
        self.servers == other.servers
    }
}

impl Eq for MysqlTarget {}

impl MysqlTarget {
    /// A database on one server.
    pub(super) fn new(server: MysqlServer) -> Self {
        Self { servers: vec![server], first: 0 }
    }

    /// The same database with the servers of another address besides.
    ///
    /// # Errors
    ///
    /// When it is another database, a server stands twice, or there are too many.
    pub(super) fn join(&mut self, other: Self) -> Result<(), UrlError> {
        for server in other.servers {
            if self.servers.iter().any(|known| known.database != server.database) {
                return Err(UrlError::Several("name one database, by the same name on every server"));
            }
            if self.servers.iter().any(|known| known.place() == server.place()) {
                return Err(UrlError::Several("name no server twice"));
            }
            if self.servers.len() >= MAX_SERVERS {
                return Err(UrlError::Several("are 16 at most"));
            }
            self.servers.push(server);
        }
        Ok(())
    }

    /// Every server, in the order of the configuration.
    pub(crate) fn servers(&self) -> &[MysqlServer] {
        &self.servers
    }

    /// Every server, changeable.
    pub(super) fn servers_mut(&mut self) -> &mut [MysqlServer] {
        &mut self.servers
    }

    /// The places of the servers in the order in which they are tried.
    pub(super) fn turn(&self) -> impl Iterator<Item = usize> + use<> {
        let (count, first) = (self.servers.len(), self.first);
        (0..count).map(move |step| (first + step) % count)
    }

    /// The server in use is tried first the next time.
    pub(super) fn stay_with(&mut self, place: usize) {
        self.first = place % self.servers.len();
    }

    /// The one in use failed: the next is tried first.
    pub(super) fn rotate(&mut self) {
        self.stay_with(self.first + 1);
    }

    /// The server that is tried first: the one in use, while one is.
    pub(crate) fn present(&self) -> &MysqlServer {
        #[expect(clippy::indexing_slicing, reason = "stay_with keeps it below the number of servers")]
        &self.servers[self.first]
    }
}

impl fmt::Display for MysqlTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, server) in self.servers.iter().enumerate() {
            if place > 0 {
                write!(formatter, "{SEPARATOR}")?;
            }
            write!(formatter, "{server}")?;
        }
        Ok(())
    }
}

impl MysqlServer {
    /// What tells it from other servers and databases, as its name ends.
    fn place(&self) -> String {
        let Self { host, port, database, .. } = self;
        let host = host.to_ascii_lowercase();
        if host.contains(':') {
            format!("[{host}]:{port}/{database}")
        } else {
            format!("{host}:{port}/{database}")
        }
    }

    /// The password as it is now, or none.
    ///
    /// # Errors
    ///
    /// A sentence, when the file or the variable cannot be used.
    pub(crate) fn password(&self) -> Result<Option<String>, String> {
        self.password.read()
    }
}

/// Without the password.
impl fmt::Display for MysqlServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "mysql://{}@{}", self.user, self.place())
    }
}

/// Whether two names (see [`ArchiveUrl::name`](super::ArchiveUrl::name)) are of the same archive: equal, or databases of
/// the same name that have a server in common. So servers may be added, taken away and ordered anew, one step at a
/// time, and the user may change; a list without any server of before is another archive.
pub(crate) fn same_archive(one: &str, other: &str) -> bool {
    one == other || !places(one).is_disjoint(&places(other))
}

/// The places in a name; none in that of a file.
fn places(name: &str) -> HashSet<&str> {
    let servers = if name.starts_with("mysql://") { name } else { "" };
    servers.split(SEPARATOR).filter_map(|server| Some(server.rsplit_once('@')?.1)).collect()
}

#[cfg(test)]
mod tests {
    use crate::ArchiveUrl;

    use super::*;

    fn list(urls: &[&str]) -> Result<ArchiveUrl, UrlError> {
        ArchiveUrl::several(urls.iter().map(|url| ArchiveUrl::parse(url).unwrap()).collect())
    }

    #[test]
    fn an_archive_is_the_same_while_a_server_is() {
        let name = |urls: &[&str]| list(urls).unwrap().name();
        let one = name(&["mysql://a:secret@db1/x"]);
        assert_eq!(one, "mysql://a@db1:3306/x");
        let three = name(&["mysql://a@db1/x", "mysql://a@db2/x", "mysql://a@[::1]:3307/x"]);
        assert_eq!(three, "mysql://a@db1:3306/x,mysql://a@db2:3306/x,mysql://a@[::1]:3307/x");
        for same in [
            name(&["mysql://a@db2/x", "mysql://a@db1/x", "mysql://a@[::1]:3307/x"]),
            name(&["mysql://a@db9/x", "mysql://b:p@DB2:3306/x"]),
            name(&["mysql://a@[::1]:3307/x"]),
            one,
        ] {
            assert!(same_archive(&three, &same) && same_archive(&same, &three), "{same}");
        }
        for other in [
            name(&["mysql://a@db1/y"]),
            name(&["mysql://a@db1:3307/x", "mysql://a@db4/x"]),
            "sqlite:/db1:3306/x".into(),
            "sqlite:mysql://a@db1:3306/x".into(),
            String::new(),
        ] {
            assert!(!same_archive(&three, &other), "{other}");
        }
        assert!(same_archive("sqlite:/a", "sqlite:/a") && !same_archive("sqlite:/a", "sqlite:/b"));
    }

    #[test]
    fn lists_that_are_no_archive_are_refused() {
        for (urls, why) in [
            (&["mysql://a@db1/x", "mysql://a@db2/y"][..], "one database"),
            (&["mysql://a@db1/x", "mysql://b@DB1:3306/x"], "twice"),
            (&["mysql://a@db1/x", "sqlite:/a"], "SQLite"),
            (&["sqlite:/a", "sqlite:/b"], "SQLite"),
            (&[], "empty"),
        ] {
            let error = list(urls).unwrap_err().to_string();
            assert!(error.contains(why), "{urls:?}: {error}");
        }
        let many: Vec<String> = (0..17).map(|number| format!("mysql://a@db{number}/x")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(list(&many[..16]).is_ok() && list(&many).is_err());
    }

    #[test]
    fn each_server_has_its_turn() {
        let mut target = match list(&["mysql://a@db1/x", "mysql://a@db2/x", "mysql://a@db3/x"]).unwrap().0 {
            super::super::url::Target::Mysql(target) => target,
            super::super::url::Target::Sqlite(path) => panic!("a file: {}", path.display()),
        };
        let turn = |target: &MysqlTarget| target.turn().collect::<Vec<_>>();
        assert_eq!(turn(&target), [0, 1, 2]);
        target.stay_with(1);
        assert_eq!((turn(&target), target.present().host.as_str()), (vec![1, 2, 0], "db2"));
        target.rotate();
        target.rotate();
        assert_eq!(turn(&target), [0, 1, 2]);
    }
}
