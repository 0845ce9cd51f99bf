//! The hub of a fault, with its files in the fault's folder, started and killed again and again.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use lamon_store::testing::Mariadb;
use lamon_store::{ArchiveUrl, JournalReader};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::Ground;
use super::audit::{Audit, Auditor};
use super::fleet::{Fleet, STANDSTILL};
use crate::hub::{Hub, HubBuilder};

/// A hub that runs or not, and where its samples are in the end.
#[derive(Debug)]
pub struct Site {
    hub: Option<Hub>,
    builder: HubBuilder,
    archive: ArchiveUrl,
}

impl Site {
    /// A hub with an SQLite archive beside its journal, not started yet.
    #[must_use]
    pub fn new(ground: &Ground) -> Self {
        Self::of(Hub::collector(), "hub", ground)
    }

    /// A hub as it is said, with its files in a folder of this name and an SQLite archive, not started yet.
    #[must_use]
    pub fn of(builder: HubBuilder, name: &str, ground: &Ground) -> Self {
        let data = ground.folder.join(name);
        let log = ground.folder.join(format!("{name}.log"));
        let builder = builder.quietly().keeping_data_in(&data).logging_also_to(log);
        Self { hub: None, builder, archive: ArchiveUrl::sqlite(data.join("archive.sqlite")) }
    }

    /// Keeps its samples in this server in the end.
    #[must_use]
    pub fn archiving_to(mut self, server: &Mariadb) -> Self {
        self.archive = server.url();
        self.builder = self.builder.archiving_to(&server.url_text(lamon_store::testing::DATABASE));
        self
    }

    /// Keeps its samples in a database of a server in the end; the second is its address with the password.
    #[must_use]
    pub fn archiving_in(mut self, archive: &ArchiveUrl, address: &str) -> Self {
        self.archive = archive.clone();
        self.builder = self.builder.archiving_to(address);
        self
    }

    /// Has this in its configuration.
    #[must_use]
    pub fn with(mut self, tables: &str) -> Self {
        self.builder = self.builder.with(tables);
        self
    }

    /// Starts the hub, on ports that are free now: the ones before may be somebody else's by now.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub async fn start(&mut self) -> anyhow::Result<SocketAddr> {
        let free = "tcp://127.0.0.1:*";
        let builder = self.builder.clone().listening_on("127.0.0.1:0").publishing_on(free, free);
        let hub = spawn_blocking(move || builder.try_start()).await?.context("the hub does not start")?;
        let address = hub.address();
        self.hub = Some(hub);
        Ok(address)
    }

    /// Kills the hub with SIGKILL.
    pub fn kill(&mut self) {
        if let Some(hub) = self.hub.take() {
            let _ = hub.crash();
        }
    }

    /// The hub that runs.
    ///
    /// # Errors
    ///
    /// When none does.
    pub fn hub(&self) -> anyhow::Result<&Hub> {
        self.hub.as_ref().context("the hub does not run")
    }

    /// The journal's file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.builder.data_dir().join("journal.sqlite")
    }

    /// The archive.
    #[must_use]
    pub fn archive(&self) -> &ArchiveUrl {
        &self.archive
    }

    /// Waits until the archive has everything that is in the journal now.
    ///
    /// # Errors
    ///
    /// When nothing goes on.
    pub async fn forwarded(&self) -> anyhow::Result<()> {
        let (mut moved, mut before) = (Instant::now(), u64::MAX);
        // What comes meanwhile need not be there: few samples go to the archive only now and then.
        let mut wanted = None;
        loop {
            let (path, name) = (self.journal(), self.archive.name());
            let counted = spawn_blocking(move || -> anyhow::Result<(u64, u64)> {
                let mut reader = JournalReader::open(&path)?;
                let cursor = reader.cursor(&name)?.unwrap_or(0);
                let waiting = reader.backlog(cursor)?.rows;
                Ok((reader.backlog(0)?.rows, waiting))
            });
            if let Ok((all, waiting)) = counted.await? {
                // What is old and archived leaves the journal.
                if waiting == 0 || all.saturating_sub(waiting) >= *wanted.get_or_insert(all) {
                    return Ok(());
                }
                if waiting != before {
                    (moved, before) = (Instant::now(), waiting);
                }
            }
            let standstill = STANDSTILL.as_secs();
            anyhow::ensure!(
                moved.elapsed() < STANDSTILL,
                "{before} samples wait for the archive, and nothing was taken for {standstill} s"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets the hub, which must run, come to rest with the fleet, and counts.
    ///
    /// # Errors
    ///
    /// When it does not come to rest, or cannot be read.
    pub async fn settle_and_count(&self, fleet: &Fleet) -> anyhow::Result<Audit> {
        fleet.settle().await?;
        self.forwarded().await?;
        self.count(fleet).await
    }

    /// Counts what is there now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn count(&self, fleet: &Fleet) -> anyhow::Result<Audit> {
        let mut auditor = Auditor::new(fleet.lines(), fleet.clock().monotonic_ms());
        let journal = auditor.journal(&self.journal()).await?;
        let archive = auditor.archive(&self.archive).await?;
        Ok(auditor.both(&journal, &archive))
    }
}
