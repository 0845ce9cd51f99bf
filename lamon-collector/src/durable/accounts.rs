//! The face that writes down what became of the samples of each node's agent: to the journal's thread, and from there
//! into the journal's file, where the next start finds it.

use std::collections::HashMap;

use lamon_store::journal::{Counts, NodeAccount};
use lamon_wire::names::NodeName;
use tokio::sync::mpsc;

use super::Query;
use crate::face::{Face, Picture};
use crate::watch::{Account, Node, Progress, Update};

/// After how many heartbeats it is written: a row of each node a minute, not with every sample. What is not written when
/// the hub ends, its agents tell again, but for epochs that ended: those are written at the next heartbeat.
const HEARTBEATS: u32 = 6;

/// Hands accounts to the journal's thread. It never waits: what finds no room is handed over at the next heartbeat.
pub(crate) struct AccountFace {
    journal: mpsc::Sender<Query>,
    /// What was handed over, of at most as many nodes as the watch has.
    written: HashMap<NodeName, Account>,
    heartbeats: u32,
}

impl AccountFace {
    pub(crate) fn new(journal: mpsc::Sender<Query>) -> Self {
        Self { journal, written: HashMap::new(), heartbeats: 0 }
    }

    /// Whether a node's account is to be written now.
    fn is_due(&self, node: &Node, account: &Account) -> bool {
        let written = self.written.get(&node.name);
        let ended = written.map(|written| written.past) != Some(account.past);
        ended || (self.heartbeats >= HEARTBEATS && written != Some(account))
    }
}

impl Face for AccountFace {
    fn update(&mut self, picture: &Picture<'_>, update: &Update) {
        if !matches!(update, Update::Heartbeat) {
            return;
        }
        self.heartbeats += 1;
        let due: Vec<(&Node, Account)> = picture
            .watch
            .nodes()
            .filter_map(|node| Some((node, node.arrivals.account()?)))
            .filter(|(node, account)| self.is_due(node, account))
            .collect();
        if due.is_empty() {
            return;
        }
        let accounts = due.iter().map(|(node, account)| stored(&node.name, account)).collect();
        if self.journal.try_send(Query::Accounts(accounts)).is_ok() {
            let due = due.into_iter().map(|(node, account)| (node.name.clone(), account));
            self.written.extend(due);
            if self.heartbeats >= HEARTBEATS {
                self.heartbeats = 0;
            }
        }
    }
}

/// As the journal has it.
fn stored(node: &NodeName, account: &Account) -> NodeAccount {
    let counts = |Progress { taken, stored, lost }| Counts { taken, stored, lost };
    NodeAccount {
        node: node.to_string(),
        epoch: account.epoch,
        present: counts(account.present),
        past: counts(account.past),
    }
}

/// As the watch has it; none for a name that is no node's any more.
pub(crate) fn kept(account: &NodeAccount) -> Option<(NodeName, Account)> {
    let progress = |Counts { taken, stored, lost }| Progress { taken, stored, lost };
    let node = NodeName::new(&account.node).ok()?;
    let present = progress(account.present);
    Some((node, Account { epoch: account.epoch, present, past: progress(account.past) }))
}
