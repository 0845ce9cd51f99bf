//! What the journal knows without reading its file, and how that is kept in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use diesel::{dsl, prelude::*};

use super::{
    accounts::{self, NodeAccount},
    committed::{CommittedMap, Epoch},
    file::{Trouble, now_since_1970},
    schema::{clock, committed, cursors, entries, events, origin},
};
use crate::{age::AgeClock, sqlite::Fault};

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

/// Loads what is known, and gives a file its origin when it has none.
pub(super) fn load(connection: &mut SqliteConnection) -> Result<Known, Trouble> {
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

/// Removes epochs from the file.
pub(super) fn forget(connection: &mut SqliteConnection, epochs: &[(Arc<str>, u32)]) -> QueryResult<()> {
    for (node, epoch) in epochs {
        diesel::delete(committed::table.find((&**node, i64::from(*epoch)))).execute(connection)?;
    }
    Ok(())
}
