//! Commits what is pending, all together or, when that cannot be, one by one.

use std::sync::Arc;

use lamon_store::journal::AppendError;
use tracing::error;

use super::{Append, GivenBack, Keeper, Report};

impl Keeper {
    /// Commits what is pending and tells everybody whose samples are on disk.
    pub(super) fn commit(&mut self) {
        self.commit_at = None;
        if self.journal.is_none() {
            self.open();
        }
        let Some(journal) = &mut self.journal else { return };
        if !self.pending_events.is_empty() {
            match journal.append_events(&self.pending_events) {
                Ok(()) => self.pending_events.clear(),
                // Kept: the samples' turn shows what is to be done about it, or the next try does.
                Err(error) if self.pending.is_empty() => return self.fails(error.to_string()),
                Err(_) => {}
            }
        }
        if self.pending.is_empty() {
            return self.works();
        }
        let counts: Vec<usize> = self.pending.iter().map(|append| append.samples.len()).collect();
        let mut samples: Vec<lamon_store::Sample> =
            self.pending.iter_mut().flat_map(|append| std::mem::take(&mut append.samples)).collect();
        match journal.append(&samples) {
            Ok(committed) => {
                self.newest.send_replace(committed.position);
                self.pending_samples = 0;
                self.flush_at = None;
                self.words.on_disk(self.pending.drain(..).map(|append| append.done).collect());
                self.works();
            }
            Err(failure) => {
                for (append, count) in self.pending.iter_mut().zip(counts).rev() {
                    append.samples = samples.split_off(samples.len() - count);
                }
                let reason = failure.to_string();
                match failure {
                    AppendError::Other(_) if self.commit_apart() => self.works(),
                    AppendError::Damaged(_) => {
                        self.move_aside(&reason);
                        self.fails(reason);
                    }
                    AppendError::Other(_) | AppendError::DiskFull => self.fails(reason),
                }
            }
        }
    }

    /// Commits what is pending one by one, so that what can never be committed does not stop everybody for ever: that is
    /// given back. Whether any could be; when none can, the journal is at fault, and all are kept for the next try.
    fn commit_apart(&mut self) -> bool {
        let Some(journal) = &mut self.journal else { return false };
        let mut refused: Vec<(Append, String)> = Vec::new();
        let mut any = false;
        for append in std::mem::take(&mut self.pending) {
            let failed = if append.line.is_broken() {
                Some(String::new())
            } else {
                journal
                    .append(&append.samples)
                    .map(|done| self.newest.send_replace(done.position))
                    .err()
                    .map(|error| error.to_string())
            };
            match failed {
                None => {
                    any = true;
                    let _ = append.done.send(Ok(()));
                }
                Some(reason) => {
                    append.line.cut();
                    refused.push((append, reason));
                }
            }
        }
        if !any {
            self.pending =
                refused.into_iter().map(|(append, _)| append).inspect(|append| append.line.mend()).collect();
            return false;
        }
        self.pending_samples = 0;
        for (append, reason) in refused {
            if let Some(sample) = append.samples.first().filter(|_| !reason.is_empty()) {
                self.report(Report::JournalRefuses { node: Arc::clone(&sample.node), reason });
            }
            let _ = append.done.send(Err(GivenBack));
        }
        true
    }

    fn move_aside(&mut self, reason: &str) {
        let Some(journal) = &mut self.journal else { return };
        match journal.move_aside() {
            Ok(to) => self.report(Report::JournalMovedAside(format!("{reason}; moved to {}", to.display()))),
            Err(error) => error!(%error, "the damaged journal cannot be moved aside"),
        }
    }
}
