//! The journal's file: how it is opened, checked, loaded, and moved aside when it is damaged.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use diesel::{connection::SimpleConnection, dsl, prelude::*, sql_types::Text};

use super::{
    accounts::{self, NodeAccount},
    committed::{CommittedMap, Epoch},
    error::OpenError,
    options::JournalOptions,
    schema::{clock, committed, cursors, entries, events, origin},
};
use crate::{
    age::AgeClock,
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

/// What the journal knows without reading its file.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What is on disk of each node.
    pub(super) committed: CommittedMap,
    /// How far each archive has come.
    pub(super) cursors: BTreeMap<String, i64>,
    /// Of these it is not on disk yet.
    pub(super) moved_cursors: BTreeSet<String>,
    /// The position of the newest row, or, without any, the one below the first.
    pub(super) last_position: i64,
    /// Up to which row the table `committed` tells what is on disk; the rows behind it tell the rest.
    pub(super) saved_position: i64,
    /// The number of the newest event, or a lower one without any.
    pub(super) last_event: i64,
    /// What became of the samples of each node's agent.
    pub(super) accounts: BTreeMap<String, NodeAccount>,
    /// Which time is believed; none in a new file.
    pub(super) clock: Option<AgeClock>,
}

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

/// Writes what is committed of an epoch.
pub(super) fn save_epoch(connection: &mut SqliteConnection, node: &str, epoch: Epoch) -> QueryResult<usize> {
    diesel::replace_into(committed::table)
        .values((
            committed::node.eq(node),
            committed::epoch.eq(i64::from(epoch.epoch)),
            committed::sequence.eq(epoch.sequence.cast_signed()),
            committed::position.eq(epoch.position),
        ))
        .execute(connection)
}

/// Writes what is committed of every epoch that has rows which the table does not tell of yet.
pub(super) fn save_epochs(connection: &mut SqliteConnection, known: &Known) -> QueryResult<()> {
    for (node, epoch) in known.committed.iter().filter(|(_, epoch)| epoch.position > known.saved_position) {
        save_epoch(connection, node, *epoch)?;
    }
    Ok(())
}

/// Writes the cursors that moved.
pub(super) fn save_moved_cursors(connection: &mut SqliteConnection, known: &Known) -> QueryResult<()> {
    for archive in &known.moved_cursors {
        if let Some(position) = known.cursors.get(archive) {
            save_cursor(connection, archive, *position)?;
        }
    }
    Ok(())
}

/// Writes which time is believed.
pub(super) fn save_clock(connection: &mut SqliteConnection, known: &Known) -> QueryResult<()> {
    let Some(now) = known.clock else { return Ok(()) };
    diesel::delete(clock::table).execute(connection)?;
    let doubted_ms = i64::try_from(now.doubted().as_millis()).unwrap_or(i64::MAX);
    diesel::insert_into(clock::table)
        .values((clock::believed_ms.eq(now.believed_ms()), clock::doubted_ms.eq(doubted_ms)))
        .execute(connection)
        .map(drop)
}

/// Writes an archive's cursor.
pub(super) fn save_cursor(
    connection: &mut SqliteConnection,
    archive: &str,
    position: i64,
) -> QueryResult<usize> {
    diesel::replace_into(cursors::table)
        .values((cursors::archive.eq(archive), cursors::position.eq(position)))
        .execute(connection)
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

/// Loads what is known, and gives a file its origin when it has none.
fn load(connection: &mut SqliteConnection) -> Result<Known, Trouble> {
    let mut known = Known::default();
    let first: Option<i64> = origin::table.select(dsl::max(origin::position)).first(connection)?;
    let first = match first {
        Some(first) => first,
        None => {
            // Microseconds: rows are never written that fast, so a later file of the same path begins above the end
            // of an earlier one, and a cursor from that one can only be too low, never too high.
            let first = i64::try_from(now_since_1970().as_micros()).unwrap_or(0);
            diesel::insert_into(origin::table).values(origin::position.eq(first)).execute(connection)?;
            first
        }
    };
    let last: Option<i64> = entries::table.select(dsl::max(entries::position)).first(connection)?;
    known.last_position = last.unwrap_or(first);
    known.clock = load_clock(connection)?;
    let last: Option<i64> = events::table.select(dsl::max(events::number)).first(connection)?;
    known.last_event = last.unwrap_or(first);
    // The oldest row is read so that a cut file shows at once.
    let _oldest: Option<i64> = entries::table.select(dsl::min(entries::position)).first(connection)?;
    let rows = committed::table
        .order(committed::position)
        .select((committed::node, committed::epoch, committed::sequence, committed::position))
        .load::<(String, i64, i64, i64)>(connection)?;
    // The epoch of the newest row was written last and is never forgotten, so its position is that of the table.
    known.saved_position = rows.iter().map(|(.., position)| *position).max().unwrap_or(first);
    let behind = entries::table
        .filter(entries::position.gt(known.saved_position))
        .order(entries::position)
        .select((entries::node, entries::epoch, entries::sequence, entries::position))
        .load::<(String, i64, i64, i64)>(connection)?;
    let mut forgotten = Vec::new();
    let mut node: Arc<str> = Arc::from("");
    for (name, epoch, sequence, position) in rows.into_iter().chain(behind) {
        let epoch =
            u32::try_from(epoch).map_err(|_| Fault::Damaged(format!("epoch {epoch} of node {name}")))?;
        if *node != *name {
            node = name.into();
        }
        // Within a batch the rows of an epoch need not rise.
        let before = known.committed.get(&node, epoch).unwrap_or(0);
        let sequence = sequence.cast_unsigned().max(before);
        forgotten.extend(known.committed.set(&node, Epoch { epoch, sequence, position }));
    }
    forget(connection, &forgotten)?;
    known.accounts =
        accounts::load(connection)?.into_iter().map(|account| (account.node.clone(), account)).collect();
    known.cursors = cursors::table
        .select((cursors::archive, cursors::position))
        .load::<(String, i64)>(connection)?
        .into_iter()
        .collect();
    Ok(known)
}

/// The time that is believed; that of the newest row where an older program wrote the file.
fn load_clock(connection: &mut SqliteConnection) -> QueryResult<Option<AgeClock>> {
    let kept: Option<(i64, i64)> =
        clock::table.select((clock::believed_ms, clock::doubted_ms)).first(connection).optional()?;
    if let Some((believed_ms, doubted_ms)) = kept {
        let doubted = Duration::from_millis(doubted_ms.try_into().unwrap_or(0));
        return Ok(Some(AgeClock::kept(believed_ms, doubted)));
    }
    let newest = entries::table
        .order(entries::position.desc())
        .select(entries::time_ms)
        .first(connection)
        .optional()?;
    Ok(newest.map(AgeClock::new))
}

/// Removes epochs from the file.
pub(super) fn forget(connection: &mut SqliteConnection, epochs: &[(Arc<str>, u32)]) -> QueryResult<()> {
    for (node, epoch) in epochs {
        diesel::delete(committed::table.find((&**node, i64::from(*epoch)))).execute(connection)?;
    }
    Ok(())
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
fn now_since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
