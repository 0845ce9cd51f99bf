//! What the durable path reports: to the hub's health, and to the faces as events.

use lamon_wire::names::NodeName;

use super::{Core, event};
use crate::durable::{Report, kept_account};
use crate::face::Condition;
use crate::watch::{EventKind, Update};

impl Core {
    pub(super) fn report(&mut self, report: Report) {
        let health = &mut self.health;
        let (kind, text) = match report {
            Report::JournalFailed(reason) => {
                let text = format!("{reason}; samples wait with their agents");
                health.journal = Condition::Fails(reason);
                (EventKind::JournalFailed, text)
            }
            Report::JournalMovedAside(text) => (EventKind::JournalFailed, text),
            Report::JournalRefuses { node, reason } => {
                let text = format!("the journal refuses samples of {node}, which are sent again: {reason}");
                let event = event(NodeName::new(&node).ok(), EventKind::JournalFailed, text);
                return self.show_of_peer(event);
            }
            Report::JournalWorks => match std::mem::replace(&mut health.journal, Condition::Works) {
                Condition::Fails(_) => {
                    (EventKind::JournalRecovered, "the journal takes samples again".into())
                }
                Condition::Works | Condition::NotTried => return self.show(&[Update::Condition]),
            },
            Report::JournalUnreadable(reason) => {
                let text = format!("{reason}; samples are kept in it, and wait there for the archive");
                health.database = Condition::Fails(reason);
                (EventKind::JournalUnreadable, text)
            }
            Report::JournalReadable => {
                // Whether the archive works shows next.
                health.database = Condition::NotTried;
                (EventKind::JournalRecovered, "the journal can be read again".into())
            }
            Report::ClockJumped(jump) => (EventKind::ClockJumped, jump.to_string()),
            Report::DatabaseFailed(reason) => {
                let text = format!("{reason}; samples wait in the journal");
                health.database = Condition::Fails(reason);
                health.database_server.clear();
                (EventKind::DatabaseFailed, text)
            }
            Report::DatabaseWorks { server } => {
                let before = std::mem::replace(&mut health.database, Condition::Works);
                health.database_server = server;
                let Condition::Fails(_) = before else { return self.show(&[Update::Condition]) };
                let text = format!("the archive takes samples again: {}", health.database_server);
                (EventKind::DatabaseRecovered, text)
            }
            Report::SettingsWork | Report::SettingsFailed(_) => {
                let failed = if let Report::SettingsFailed(why) = report { Some(why) } else { None };
                match self.settings_condition(failed) {
                    Some(told) => told,
                    None => return,
                }
            }
            Report::SettingsFound(settings) => return self.take_up(&settings),
            Report::UpkeepFailed(reason) => (
                EventKind::UpkeepFailed,
                format!("{reason}; rollups and the deletion of old rows wait, samples are stored"),
            ),
            Report::DeadLetters(count, reason) => {
                (EventKind::DeadLetter, format!("{count} samples went to dead_letter: {reason}"))
            }
            Report::Accounts(accounts) => {
                self.watch.restore(accounts.iter().filter_map(kept_account));
                return;
            }
            Report::Backlog { samples, oldest_ms } => {
                (health.backlog, health.backlog_oldest_ms) = (samples, oldest_ms);
                return;
            }
        };
        self.show(&[event(None, kind, text)]);
    }
}
