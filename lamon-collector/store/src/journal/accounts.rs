//! What became of the samples of each node's agent, so that the completeness of a node outlives the hub: epochs that ended
//! are told by nobody any more.

use diesel::prelude::*;

use super::{AppendError, Journal, schema::accounts};
use crate::sqlite::transaction;

/// Most nodes of which it is kept: twice what a hub watches, so that nodes that were renamed or retired stay for a while.
const MAX_ACCOUNTS: usize = 20_000;

/// What became of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many an agent took.
    pub taken: u64,
    /// How many of them are stored.
    pub stored: u64,
    /// How many of them are lost for good.
    pub lost: u64,
}

/// What became of the samples of one node's agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAccount {
    /// The node.
    pub node: String,
    /// The epoch that its agent last told of.
    pub epoch: u32,
    /// Of that epoch.
    pub present: Counts,
    /// Of all epochs that ended before.
    pub past: Counts,
}

/// A row as it is stored: the bits of unsigned numbers.
type StoredAccount = (String, i64, i64, i64, i64, i64, i64, i64);

impl Journal {
    /// What became of the samples of each node's agent, as it was last saved.
    #[must_use]
    pub fn accounts(&self) -> Vec<NodeAccount> {
        self.known.accounts.values().cloned().collect()
    }

    /// Saves accounts over what they were, and returns when they are on disk. Those of more than 20,000 nodes are
    /// left out.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]: none is saved.
    pub fn save_accounts(&mut self, accounts: &[NodeAccount]) -> Result<(), AppendError> {
        self.with_file(|connection, known, _| {
            transaction(connection, |connection| {
                for account in accounts {
                    if known.accounts.len() < MAX_ACCOUNTS || known.accounts.contains_key(&account.node) {
                        known.accounts.insert(account.node.clone(), account.clone());
                        save(connection, account)?;
                    }
                }
                Ok(())
            })?;
            Ok(())
        })
    }
}

/// Writes an account.
pub(super) fn save(connection: &mut SqliteConnection, account: &NodeAccount) -> QueryResult<usize> {
    let NodeAccount { node, epoch, present, past } = account;
    diesel::replace_into(accounts::table)
        .values((
            accounts::node.eq(node),
            accounts::epoch.eq(i64::from(*epoch)),
            accounts::taken.eq(present.taken.cast_signed()),
            accounts::stored.eq(present.stored.cast_signed()),
            accounts::lost.eq(present.lost.cast_signed()),
            accounts::past_taken.eq(past.taken.cast_signed()),
            accounts::past_stored.eq(past.stored.cast_signed()),
            accounts::past_lost.eq(past.lost.cast_signed()),
        ))
        .execute(connection)
}

/// Reads all accounts. One whose epoch is none is left out: nothing but its counts is lost.
pub(super) fn load(connection: &mut SqliteConnection) -> QueryResult<Vec<NodeAccount>> {
    let rows: Vec<StoredAccount> = accounts::table.load(connection)?;
    let counts = |taken: i64, stored: i64, lost: i64| Counts {
        taken: taken.cast_unsigned(),
        stored: stored.cast_unsigned(),
        lost: lost.cast_unsigned(),
    };
    let accounts = rows.into_iter().filter_map(
        |(node, epoch, taken, stored, lost, past_taken, past_stored, past_lost)| {
            Some(NodeAccount {
                node,
                epoch: epoch.try_into().ok()?,
                present: counts(taken, stored, lost),
                past: counts(past_taken, past_stored, past_lost),
            })
        },
    );
    Ok(accounts.collect())
}
