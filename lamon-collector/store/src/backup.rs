//! A copy of a SQLite file, of one instant, while others write to it.
//!
//! It is made by `VACUUM INTO`: one read transaction, during which writers go on and their write-ahead log grows, because
//! it cannot be folded past what the reader sees. SQLite's backup interface, the other way, begins anew each time that
//! somebody writes: beside a hub that commits each second, a large file would never be done.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use diesel::{RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};

use crate::{
    db::{Db, at_once},
    sqlite::{self, Fault},
};

/// The page cache: pages are read once, in their order.
const CACHE_KIB: u32 = 2_048;

/// Why a copy cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file, or the copy, cannot be used.
    #[error("{} cannot be copied to {}: {reason}", from.display(), to.display())]
    Failed {
        /// The file.
        from: PathBuf,
        /// The copy.
        to: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
    /// There is no room for the copy.
    #[error("no room for {}: free some space on its disk", .0.display())]
    Full(PathBuf),
    /// The file cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        reason: String,
    },
}

/// How many bytes a copy will have, or a little more: the file's, without what is free for rows to come.
///
/// # Errors
///
/// [`BackupError::Unreadable`].
pub fn copy_bytes(path: &Path) -> Result<u64, BackupError> {
    let unreadable =
        |fault: Fault| BackupError::Unreadable { path: path.to_owned(), reason: fault.to_string() };
    let mut connection = sqlite::open_to_read(path, CACHE_KIB).map_err(unreadable)?;
    let mut pragma = |name: &str| -> Result<u64, BackupError> {
        let number =
            at_once(connection.number(&format!("SELECT {name} AS n FROM pragma_{name}"), Vec::new()));
        Ok(number.map_err(|error| unreadable(error.into()))?.unwrap_or(0).unsigned_abs())
    };
    Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
}

/// Writes a copy of the file `from` to `to`, which must not be there, and returns when it is on disk. Blocks, for minutes
/// when the file is large. What is there of `to` after an error is of no use.
///
/// # Errors
///
/// See [`BackupError`].
pub fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |reason: String| BackupError::Failed { from: from.to_owned(), to: to.to_owned(), reason };
    let Some(name) = to.to_str() else { return Err(failed("its name is not UTF-8".to_owned())) };
    let mut connection = sqlite::open_to_read(from, CACHE_KIB)
        .map_err(|fault| BackupError::Unreadable { path: from.to_owned(), reason: fault.to_string() })?;
    match vacuum_into(&mut connection, name) {
        Err(Fault::Full) => return Err(BackupError::Full(to.to_owned())),
        Err(fault) => return Err(failed(fault.to_string())),
        Ok(()) => {}
    }
    sync(to).map_err(|error| failed(error.to_string()))
}

fn vacuum_into(connection: &mut SqliteConnection, name: &str) -> Result<(), Fault> {
    // The copy is written by the same connection, which a reader's settings would not let.
    sql_query("PRAGMA query_only=OFF").execute(connection)?;
    sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(connection)?;
    Ok(())
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
