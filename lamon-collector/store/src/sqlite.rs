//! SQLite files: how journal and archive open them, and what an error of SQLite means for the caller.

use std::{
    fmt::Write,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, result::Error,
    sql_types::Text,
};

/// Bytes of a page, SQLite's default, on which the numbers below build.
pub(crate) const PAGE_BYTES: u64 = 4_096;

/// The write-ahead log is folded into the file each time it has grown by this many pages (4 MiB): large enough that a
/// page that many commits touch is written once, small enough to stay in the system's cache.
const CHECKPOINT_PAGES: u32 = 1_024;

/// A write-ahead log that a long reader made grow is cut back to this size, 16 MiB.
const LOG_BYTES: u32 = 16 << 20;

/// How long a statement waits for another connection's lock. Writers here hold theirs for milliseconds.
const BUSY_MS: u32 = 5_000;

/// How long one waits before a file is asked again to keep a write-ahead log.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has confirmed it (`synchronous=FULL`): a power cut loses nothing that was acknowledged.
    #[default]
    Full,
    /// When the operating system has it (`synchronous=NORMAL`): the end of the process loses nothing, a power cut may
    /// lose the last seconds. Many times the commits on slow disks.
    Normal,
}

/// Makes a file that is not there, empty, which SQLite takes for a database, and gives it to whom its folder belongs: root runs a
/// command before the hub's first start, and the hub has a user of its own. SQLite gives the files beside it to the same. No link is
/// followed, since the folder is not root's. Where it cannot be made, SQLite says why.
#[cfg(unix)]
fn make_for_folder(path: &Path) {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let made = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    if let (Ok(file), Some(Ok(folder))) = (made, path.parent().map(std::fs::metadata)) {
        // Who may not leaves it.
        let _ = fchown(file, Some(folder.uid()), Some(folder.gid()));
    }
}

/// Elsewhere files belong to whom their folder does.
#[cfg(not(unix))]
fn make_for_folder(_: &Path) {}

/// Opens or makes a file to write, with a write-ahead log and a page cache of `cache_kib`.
///
/// # Errors
///
/// Whatever SQLite says, see [`Fault`]. A file system that cannot hold a write-ahead log (some network file systems)
/// is an error too.
pub(crate) fn open_to_write(
    path: &Path,
    durability: Durability,
    cache_kib: u32,
) -> Result<SqliteConnection, Fault> {
    make_for_folder(path);
    let mut connection =
        SqliteConnection::establish(&uri(path, "rwc")).map_err(|error| Fault::of_text(&error.to_string()))?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.batch_execute(&format!("PRAGMA busy_timeout={BUSY_MS};"))?;
    if keep_log(&mut connection)? != "wal" {
        return Err(Fault::Other(format!(
            "the file system of {} cannot hold a write-ahead log",
            path.display()
        )));
    }
    connection.batch_execute(&format!(
        "PRAGMA synchronous={synchronous}; PRAGMA cache_size=-{cache_kib}; \
         PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}; PRAGMA journal_size_limit={LOG_BYTES};"
    ))?;
    Ok(connection)
}

/// Asks the file to keep a write-ahead log, and says which journal it keeps.
///
/// A new file is read first and then written, and SQLite does not wait for a lock in between (`sqlite3BtreeBeginTrans`
/// in btree.c: two that did would wait for each other), so that of two that open it at once one would fail.
fn keep_log(connection: &mut SqliteConnection) -> Result<String, Error> {
    let begin = Instant::now();
    loop {
        match diesel::sql_query("PRAGMA journal_mode=WAL").get_result::<JournalMode>(connection) {
            Ok(mode) => return Ok(mode.journal_mode),
            Err(error) if !is_locked(&error) || begin.elapsed().as_millis() >= BUSY_MS.into() => {
                return Err(error);
            }
            Err(_) => sleep(ASK_AGAIN),
        }
    }
}

/// Whether another connection was in the way.
fn is_locked(error: &Error) -> bool {
    error.to_string().contains("database is locked")
}

/// Runs `work` in a transaction that is the only one to write. When it fails, the first error is returned, which
/// diesel's own would replace by that of a rollback after SQLite, on a full disk, had rolled back by itself; the
/// connection is then to be dropped.
///
/// # Errors
///
/// What `work`, or the beginning or end of the transaction, returns.
pub(crate) fn transaction<R>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<R, Error>,
) -> Result<R, Error> {
    connection.batch_execute("BEGIN IMMEDIATE")?;
    let result = work(connection).and_then(|done| connection.batch_execute("COMMIT").map(|()| done));
    if result.is_err() {
        let _done_already = connection.batch_execute("ROLLBACK");
    }
    result
}

/// Opens an existing file to read only, with a page cache of `cache_kib`.
///
/// # Errors
///
/// Whatever SQLite says, see [`Fault`].
pub(crate) fn open_to_read(path: &Path, cache_kib: u32) -> Result<SqliteConnection, Fault> {
    let mut connection =
        SqliteConnection::establish(&uri(path, "ro")).map_err(|error| Fault::of_text(&error.to_string()))?;
    connection.batch_execute(&format!(
        "PRAGMA busy_timeout={BUSY_MS}; PRAGMA query_only=ON; PRAGMA cache_size=-{cache_kib};"
    ))?;
    Ok(connection)
}

/// The answer of `PRAGMA journal_mode`.
#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// A path as SQLite's URI, in which `?`, `#` and `%` would mean something else.
fn uri(path: &Path, mode: &str) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?mode=");
    uri.push_str(mode);
    uri
}

/// What went wrong, as far as the remedy depends on it.
///
/// diesel hands on SQLite's text but not its result code; the texts are fixed in SQLite (`sqlite3ErrStr` in main.c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No room on the disk, or the file has the size it was allowed.
    Full,
    /// The file is not, or no longer, what it should be.
    Damaged(String),
    /// The disk did not read or write. What that means depends on whether the folder takes other files.
    Io(String),
    /// The file or its folder cannot be opened or written.
    Unwritable(String),
    /// Anything else.
    Other(String),
}

impl Fault {
    /// Sorts SQLite's text.
    pub(crate) fn of_text(text: &str) -> Self {
        let has = |part: &str| text.contains(part);
        if has("database or disk is full") {
            Self::Full
        } else if has("malformed")
            || has("file is not a database")
            || has("no such table")
            || has("no such column")
        {
            Self::Damaged(text.to_owned())
        } else if has("disk I/O error") {
            Self::Io(text.to_owned())
        } else if has("readonly database") || has("unable to open database file") {
            Self::Unwritable(text.to_owned())
        } else {
            Self::Other(text.to_owned())
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::of_text(&error.to_string())
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Full => formatter.write_str("database or disk is full"),
            Self::Damaged(text) | Self::Io(text) | Self::Unwritable(text) | Self::Other(text) => {
                formatter.write_str(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only root can give files away, so that others see here that nothing fails.
    #[cfg(unix)]
    #[test]
    fn what_root_makes_is_the_hubs() {
        use std::os::unix::fs::{MetadataExt as _, chown};

        let folder = tempfile::tempdir().unwrap();
        let given = chown(folder.path(), Some(61_184), Some(61_184)).is_ok();
        let path = folder.path().join("a.db");
        let mut connection = open_to_write(&path, Durability::Full, 64).unwrap();
        connection.batch_execute("CREATE TABLE t (x TEXT)").unwrap();
        for file in ["a.db", "a.db-wal", "a.db-shm"] {
            let owner = folder.path().join(file).metadata().unwrap().uid();
            assert!(!given || owner == 61_184, "{file} is of {owner}");
        }
    }

    #[test]
    fn every_path_can_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["plain.db", "a b?c#d%20e.db", "ünï.db"] {
            let path = folder.path().join(name);
            open_to_write(&path, Durability::Full, 64).unwrap();
            assert!(path.exists(), "{name}");
            open_to_read(&path, 64).unwrap();
        }
    }

    #[test]
    fn faults_are_told_apart_by_what_sqlite_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = open_to_write(&path, Durability::Full, 64).unwrap();
        connection.batch_execute("CREATE TABLE t (x TEXT); PRAGMA max_page_count=4;").unwrap();
        let full = connection.batch_execute("INSERT INTO t VALUES (hex(randomblob(100000)))").unwrap_err();
        assert_eq!(Fault::from(full), Fault::Full);
        let mut reader = open_to_read(&path, 64).unwrap();
        let readonly = reader.batch_execute("INSERT INTO t VALUES (1)").unwrap_err();
        assert!(matches!(Fault::from(readonly), Fault::Unwritable(_)));
        let garbage = folder.path().join("garbage.db");
        std::fs::write(&garbage, [b'x'; 9_000]).unwrap();
        assert!(matches!(open_to_write(&garbage, Durability::Full, 64), Err(Fault::Damaged(_))));
        let nowhere = folder.path().join("no/such/folder.db");
        assert!(matches!(open_to_write(&nowhere, Durability::Full, 64), Err(Fault::Unwritable(_))));
    }
}
