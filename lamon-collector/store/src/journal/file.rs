//! The journal's file: how it is opened, checked, begun anew, and moved aside when it is damaged.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use diesel::{connection::SimpleConnection, prelude::*, sql_types::Text};

use super::{
    accounts,
    error::OpenError,
    known::{Known, load, save_clock, save_cursor, save_epoch},
    options::JournalOptions,
    schema::origin,
};
use crate::{
    migrations::{self, MigrateError},
    sqlite::{self, Fault, PAGE_BYTES},
};

/// The writer's page cache. Appending touches the last pages of two tables only.
const CACHE_KIB: u32 = 512;

/// Files up to this size are checked whole at start (about a second on a slow disk). Of a larger one, which an archive
/// that was away for days leaves behind, only the ends are read, so that a start never takes minutes; the rest shows
/// when it is used.
const FULL_CHECK_BYTES: u64 = 256 << 20;

/// How much the folder must take for a fault to be the file's and not the folder's.
const PROBE_BYTES: usize = 64 << 10;

/// How long to wait for the lock. A hub that is just ending still has it, and so has, for an instant, any child that a
/// process begins while it closes its journal.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Between two looks at the lock.
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// Why a file did not open, before it is decided whether to move it aside.
pub(super) enum Trouble {
    /// It was made by a newer program.
    Newer(String),
    /// SQLite's word.
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl Trouble {
    /// As the error of opening.
    pub(super) fn into_error(self, path: &Path) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Newer(reason) => OpenError::Newer { path, reason },
            Self::Fault(Fault::Full) => OpenError::Full { path },
            Self::Fault(Fault::Unwritable(reason)) => OpenError::Unwritable { path, reason },
            Self::Fault(Fault::Damaged(reason) | Fault::Io(reason) | Fault::Other(reason)) => {
                OpenError::Other { path, reason }
            }
        }
    }

    /// Why the file is of no use, when that is the file's fault.
    pub(super) fn damage(&self, path: &Path) -> Option<String> {
        match self {
            Self::Fault(Fault::Damaged(reason)) => Some(reason.clone()),
            // The file may be at fault, or the whole disk: another file shows which.
            Self::Fault(Fault::Io(reason) | Fault::Unwritable(reason))
                if path.is_file() && folder_takes_files(path) =>
            {
                Some(reason.clone())
            }
            Self::Newer(_) | Self::Fault(_) => None,
        }
    }
}

/// Makes this process the journal's only writer for as long as the file lives.
///
/// # Errors
///
/// When another process is, or the folder cannot be written.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = with_suffix(path, ".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| io_error(path, &error))?;
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begin.elapsed() < LOCK_WAIT => thread::sleep(LOCK_LOOK),
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io_error(path, &error)),
        }
    }
}

/// Opens or makes the file, checks it and loads what is known.
///
/// # Errors
///
/// See [`Trouble`].
pub(super) fn open(
    path: &Path,
    options: JournalOptions,
    check: bool,
) -> Result<(SqliteConnection, Known), Trouble> {
    let mut connection = sqlite::open_to_write(path, options.durability, CACHE_KIB)?;
    if check {
        check_pages(path, &mut connection)?;
    }
    migrations::migrate_file(&mut connection, &migrations::JOURNAL).map_err(|error| match error {
        MigrateError::Newer { .. } => Trouble::Newer(error.to_string()),
        MigrateError::Failed(text) => Trouble::Fault(Fault::of_text(&text)),
    })?;
    if let Some(bytes) = options.max_bytes {
        let pages = bytes.div_ceil(PAGE_BYTES).max(1);
        connection.batch_execute(&format!("PRAGMA max_page_count={pages}"))?;
    }
    let known = load(&mut connection)?;
    Ok((connection, known))
}

/// Begins a new file that takes over what `known` says of the nodes, their accounts, and the names of the archives. Its positions lie
/// above those of the file before.
///
/// # Errors
///
/// See [`Trouble`].
pub(super) fn begin(
    path: &Path,
    options: JournalOptions,
    known: &Known,
) -> Result<(SqliteConnection, Known), Trouble> {
    let (mut connection, fresh) = open(path, options, false)?;
    let above = fresh.last_position.max(known.last_position.saturating_add(1));
    sqlite::transaction(&mut connection, |connection| {
        diesel::delete(origin::table).execute(connection)?;
        diesel::insert_into(origin::table).values(origin::position.eq(above)).execute(connection)?;
        for (node, epoch) in known.committed.iter() {
            save_epoch(connection, node, *epoch)?;
        }
        for archive in known.cursors.keys() {
            save_cursor(connection, archive, 0)?;
        }
        for account in known.accounts.values() {
            accounts::save(connection, account)?;
        }
        save_clock(connection, known)
    })?;
    let loaded = load(&mut connection)?;
    Ok((connection, loaded))
}

/// Moves the file and what SQLite keeps beside it out of the way, and returns the new name. Nobody of this process
/// may have it open to write: SQLite removes the files beside it by name.
///
/// # Errors
///
/// When the folder does not allow it.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let seconds = now_since_1970().as_secs();
    let to = (0..u32::MAX)
        .map(|count| match count {
            0 => with_suffix(path, &format!(".damaged-{seconds}")),
            _ => with_suffix(path, &format!(".damaged-{seconds}-{count}")),
        })
        .find(|to| !to.exists())
        .unwrap_or_else(|| with_suffix(path, ".damaged"));
    // The main file last: until it is gone, the journal is still seen to be damaged and the move is tried again.
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(with_suffix(path, suffix), with_suffix(&to, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(path, &error)),
            _ => {}
        }
    }
    Ok(to)
}

/// Reads everything once, or of a large file its ends.
fn check_pages(path: &Path, connection: &mut SqliteConnection) -> Result<(), Trouble> {
    #[derive(QueryableByName)]
    struct Check {
        #[diesel(sql_type = Text)]
        quick_check: String,
    }
    let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if bytes > FULL_CHECK_BYTES {
        // Loading what is known reads both ends.
        return Ok(());
    }
    let checks: Vec<Check> = diesel::sql_query("PRAGMA quick_check(1)").load(connection)?;
    match checks.into_iter().find(|check| check.quick_check != "ok") {
        Some(check) => Err(Fault::Damaged(check.quick_check).into()),
        None => Ok(()),
    }
}

/// Whether the folder of `path` takes a small file: if so, a fault lies with the journal's file.
fn folder_takes_files(path: &Path) -> bool {
    let probe = with_suffix(path, ".probe");
    let written = File::create(&probe)
        .and_then(|mut file| file.write_all(&[0; PROBE_BYTES]).and_then(|()| file.sync_all()));
    let removed = fs::remove_file(&probe);
    written.is_ok() && removed.is_ok()
}

/// An error of the file system as an error of opening.
fn io_error(path: &Path, error: &std::io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenError::Full { path },
        _ => OpenError::Unwritable { path, reason: error.to_string() },
    }
}

/// The path with something added to its last component.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The wall clock; a clock before 1970 counts as 1970.
pub(super) fn now_since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
