//! Questions and notices to the journal, which it takes between commits.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::{Begin, Keeper, Query};

/// How long the archive's cursor waits for samples to be written with. `db status` of an idle hub lags by it.
const CURSOR_WAITS: Duration = Duration::from_secs(5);

impl Keeper {
    /// Answers a question, or takes up a notice.
    pub(super) fn answer(&mut self, query: Query) {
        match query {
            Query::Committed { node, epoch, reply } => {
                let committed =
                    self.journal.as_ref().and_then(|journal| journal.committed(node.as_str(), epoch));
                let _ = reply.send(committed);
            }
            Query::Cursor { reply } => {
                self.cursor_waits.push(reply);
                self.answer_cursor();
            }
            Query::EventsForwarded { number } => {
                if let Some(Err(error)) = self.journal.as_mut().map(|journal| journal.drop_events(number)) {
                    // They are carried again, without harm.
                    warn!(%error, "the journal cannot let go of events that the archive has");
                }
            }
            Query::Accounts(accounts) => {
                if let Some(Err(error)) =
                    self.journal.as_mut().map(|journal| journal.save_accounts(&accounts))
                {
                    // They come again with the next sample of each node, but for epochs that ended.
                    warn!(%error, "the journal cannot note how complete the nodes' samples are");
                }
            }
            Query::Forwarded { position } => {
                let archive = self.settings.archive.clone();
                let set = self.journal.as_mut().map(|journal| journal.set_cursor(&archive, position));
                self.flush_at.get_or_insert(Instant::now() + CURSOR_WAITS);
                if let Some(Err(error)) = set {
                    warn!(%error, "the journal cannot note how far the archive is");
                }
            }
        }
    }

    /// Tells who asked for the cursor, once the journal is open.
    pub(super) fn answer_cursor(&mut self) {
        if let (Some(journal), Some(ages)) = (&self.journal, &self.ages) {
            let cursor = journal.cursor(&self.settings.archive).unwrap_or(0);
            for reply in self.cursor_waits.drain(..) {
                let _ = reply.send(Begin { cursor, ages: ages.clone() });
            }
        }
    }
}
