//! A hub: the real lamon-sensord or lamon-collector on free ports of the loopback interface, with its own folder.

mod builder;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::bail;
use lamon_store::ArchiveUrl;
use rustix::process::Signal;

pub use self::builder::HubBuilder;
use self::builder::Rts2;
use crate::process::Process;

/// A running hub. It is killed when this is dropped.
#[derive(Debug)]
pub struct Hub {
    process: Process,
    builder: HubBuilder,
    address: SocketAddr,
    control: PathBuf,
}

impl Hub {
    /// A hub without RTS2, lamon-collector.
    #[must_use]
    pub fn collector() -> HubBuilder {
        HubBuilder::new("lamon-collector")
    }

    /// A hub that is the RTS2 sensor NODES, lamon-sensord.
    #[must_use]
    pub fn sensord() -> HubBuilder {
        let rts2 = Rts2 { centralds: Vec::new(), device: "NODES".into(), layout: "auto".into() };
        let mut builder = HubBuilder::new("lamon-sensord");
        builder.rts2 = Some(rts2);
        builder
    }

    /// Where agents and text come in.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the bus publishes.
    #[must_use]
    pub fn publish(&self) -> &str {
        &self.builder.publish
    }

    /// Where the bus answers snapshots.
    #[must_use]
    pub fn snapshot(&self) -> &str {
        &self.builder.snapshot
    }

    /// Its control socket.
    #[must_use]
    pub fn control(&self) -> &Path {
        &self.control
    }

    /// The SQLite archive that it has when nothing else was wanted.
    #[must_use]
    pub fn archive(&self) -> ArchiveUrl {
        ArchiveUrl::sqlite(self.builder.data_dir.join("archive.sqlite"))
    }

    /// Where its data is.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.builder.data_dir
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line with these words in its log.
    ///
    /// # Panics
    ///
    /// When it does not come.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        self.process.says(words)
    }

    /// Waits for a line with these words in its log, and gives it.
    ///
    /// # Errors
    ///
    /// When it does not come; with what came instead.
    pub fn line(&self, words: &str) -> anyhow::Result<String> {
        self.process.line_with(words)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.process.log()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.is_running()
    }

    /// Has it read a configuration again that has these tables instead of those before.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn reload(&mut self, tables: &str) -> anyhow::Result<()> {
        self.configure(tables)?;
        self.process.signal(Signal::HUP);
        Ok(())
    }

    /// Writes a configuration that has these tables instead of those before, and does not tell the hub.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn configure(&mut self, tables: &str) -> anyhow::Result<()> {
        self.builder.tables = tables.into();
        self.builder.write().map(drop)
    }

    /// Ends it by SIGTERM, which it must do with exit code 0, and says how to start it again as [`Hub::crash`] does.
    ///
    /// # Errors
    ///
    /// When it does not end, or with another exit code.
    pub fn terminate(mut self) -> anyhow::Result<HubBuilder> {
        let status = self.process.terminate()?;
        if !status.success() {
            bail!("the hub ended with {status}");
        }
        Ok(self.builder)
    }

    /// Kills it, as a crash would, and says how to start it again: with the same data, on the same ports.
    #[must_use]
    pub fn crash(mut self) -> HubBuilder {
        self.process.kill();
        self.builder
    }
}
