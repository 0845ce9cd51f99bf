//! The archive's copy of what operators changed: taken up by a hub that has no file of it, and made to say what the file says.

use std::sync::Arc;

use lamon_store::archive::Archive;
use lamon_store::registers::Setting;

use super::super::register;
use super::{Forwarder, Interruption, Report};

impl Forwarder {
    /// Tells what the archive knows of operators' changes, to a hub that has no file of them, and has the copy made anew.
    pub(super) async fn take_up_settings(&mut self, archive: &mut Archive) -> Result<(), Interruption> {
        let hub = self.settings.hub.clone();
        if std::mem::take(&mut self.settings.fresh) {
            // Until it is answered, the question stays.
            let known =
                self.known_settings(archive, &hub).await.inspect_err(|_| self.settings.fresh = true)?;
            // The hub keeps what it takes up, and that is copied, not what it had before; said first, since the hub may have
            // kept it before the next line here is run.
            self.settings.settings.mark_unchanged();
            self.report(Report::SettingsFound(known));
            return Ok(());
        }
        self.settings.settings.mark_changed();
        Ok(())
    }

    async fn known_settings(&self, archive: &mut Archive, hub: &str) -> Result<Vec<Setting>, Interruption> {
        let mut known = Vec::new();
        for prefix in register::prefixes(hub) {
            known.extend(archive.settings(&prefix).await?);
        }
        Ok(known)
    }

    /// Lets the archive's register say what the hub's file says, whenever that changed.
    pub(super) async fn copy_settings(&mut self, archive: &mut Archive) -> Result<(), Interruption> {
        if !self.settings.settings.has_changed().unwrap_or(false) {
            return Ok(());
        }
        let wanted = Arc::clone(&self.settings.settings.borrow_and_update());
        let hub = self.settings.hub.clone();
        let result = async {
            let known = self.known_settings(archive, &hub).await?;
            for setting in wanted.iter().filter(|setting| !known.contains(setting)) {
                archive.set(setting).await?;
            }
            for setting in known.iter().filter(|known| wanted.iter().all(|wanted| wanted.name != known.name))
            {
                archive.reset(&setting.name).await?;
            }
            Ok(())
        };
        let result = result.await;
        if result.is_err() {
            self.settings.settings.mark_changed();
        }
        result
    }
}
