//! How a hub is to be started, and its configuration file.
#![expect(clippy::panic, reason = "a test whose hub does not start ends here, with the hub's log")]

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context;
use tempfile::TempDir;

use super::Hub;
use crate::process::{self, Process, quoted};

/// How a hub is to be started.
#[derive(Debug, Clone)]
pub struct HubBuilder {
    program: &'static str,
    folder: Arc<TempDir>,
    pub(super) data_dir: PathBuf,
    listen: String,
    pub(super) publish: String,
    pub(super) snapshot: String,
    plain_from: Option<String>,
    name: String,
    /// The value of `url` in TOML.
    database: Option<String>,
    pub(super) rts2: Option<Rts2>,
    pub(super) tables: String,
    log: &'static str,
    own_copy: bool,
    log_copy: Option<PathBuf>,
    environment: Vec<(&'static str, PathBuf)>,
    /// Commands of the shell that starts it.
    before: String,
}

/// The section `[rts2]`.
#[derive(Debug, Clone)]
pub(super) struct Rts2 {
    pub(super) centralds: Vec<String>,
    pub(super) device: String,
    pub(super) layout: String,
}

impl HubBuilder {
    /// Of this program.
    pub(super) fn new(program: &'static str) -> Self {
        let folder = TempDir::with_prefix("lamon-hub").unwrap_or_else(|error| panic!("no folder: {error}"));
        Self {
            program,
            data_dir: folder.path().join("data"),
            folder: Arc::new(folder),
            listen: "127.0.0.1:0".into(),
            publish: "tcp://127.0.0.1:*".into(),
            snapshot: "tcp://127.0.0.1:*".into(),
            plain_from: None,
            name: "testhub".into(),
            database: None,
            rts2: None,
            tables: String::new(),
            log: "debug",
            own_copy: false,
            log_copy: None,
            environment: Vec::new(),
            before: String::new(),
        }
    }

    /// Listens there for agents and text.
    #[must_use]
    pub fn listening_on(mut self, address: &str) -> Self {
        self.listen = address.into();
        self
    }

    /// Publishes there, and answers snapshots there.
    #[must_use]
    pub fn publishing_on(mut self, publish: &str, snapshot: &str) -> Self {
        (self.publish, self.snapshot) = (publish.into(), snapshot.into());
        self
    }

    /// Registers with this centrald.
    #[must_use]
    pub fn under(mut self, centrald: SocketAddr) -> Self {
        if let Some(rts2) = &mut self.rts2 {
            rts2.centralds.push(centrald.to_string());
        }
        self
    }

    /// Lays its values out like this: `single`, `group` or `auto`.
    #[must_use]
    pub fn layout(mut self, layout: &str) -> Self {
        if let Some(rts2) = &mut self.rts2 {
            rts2.layout = layout.into();
        }
        self
    }

    /// Has these tables in its configuration, `[[rule]]` and others.
    #[must_use]
    pub fn with(mut self, tables: &str) -> Self {
        self.tables.push_str(tables);
        self.tables.push('\n');
        self
    }

    /// Keeps its samples in this database in the end, instead of SQLite.
    #[must_use]
    pub fn archiving_to(mut self, url: &str) -> Self {
        self.database = Some(format!("{url:?}"));
        self
    }

    /// The same with a database that is seen through several servers.
    #[must_use]
    pub fn archiving_to_one_of(mut self, urls: &[String]) -> Self {
        self.database = Some(format!("{urls:?}"));
        self
    }

    /// Has this name of its own.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// Takes plain connections from these networks only: a list of TOML, `["10.0.0.0/8"]`.
    #[must_use]
    pub fn believing(mut self, networks: &str) -> Self {
        self.plain_from = Some(networks.into());
        self
    }

    /// Keeps its data here.
    #[must_use]
    pub fn keeping_data_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = folder.into();
        self
    }

    /// Logs as it does in daily life, not what only tests want to know.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.log = "info";
        self
    }

    /// Adds its log, that of each of its lives, to this file as well.
    #[must_use]
    pub fn logging_also_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.log_copy = Some(file.into());
        self
    }

    /// Has these variables in its environment.
    #[must_use]
    pub fn environment(mut self, variables: &[(&'static str, PathBuf)]) -> Self {
        self.environment.extend_from_slice(variables);
        self
    }

    /// Is not killed by the signal of a file that may not grow; its write fails instead.
    #[must_use]
    pub fn surviving_a_size_limit(mut self) -> Self {
        // What is ignored stays so over exec.
        self.before.push_str("trap '' XFSZ; ");
        self
    }

    /// May have so many files and connections open at once.
    #[must_use]
    pub fn opening_at_most(mut self, files: usize) -> Self {
        let _ = write!(self.before, "ulimit -n {files}; ");
        self
    }

    /// Runs from a copy of the program of its own: what is measured beside others of its kind ([`process::copy`]).
    #[must_use]
    pub fn from_a_copy(mut self) -> Self {
        self.own_copy = true;
        self
    }

    /// Its own folder, with `hub.toml` in it; it goes with the last that uses it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its data is.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Its control socket.
    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Its configuration.
    #[must_use]
    pub fn configuration(&self) -> String {
        let Self { name, listen, publish, snapshot, log, .. } = self;
        let mut text = format!(
            "name = {name:?}\ndata_dir = {}\nlog = {log:?}\nlog_to = \"stderr\"\n",
            quoted(&self.data_dir)
        );
        let _ = writeln!(text, "[intake]\nlisten = [{listen:?}]");
        if let Some(networks) = &self.plain_from {
            let _ = writeln!(text, "plain_from = {networks}");
        }
        let _ = writeln!(text, "[control]\nsocket = {}", quoted(&self.control()));
        let _ = writeln!(text, "[bus]\npublish = {publish:?}\nsnapshot = {snapshot:?}");
        if let Some(url) = &self.database {
            let _ = writeln!(text, "[database]\nurl = {url}");
        }
        if let Some(Rts2 { centralds, device, layout }) = &self.rts2 {
            let _ = writeln!(
                text,
                "[rts2]\ndevice = {device:?}\nhost = \"127.0.0.1\"\nlisten = \"127.0.0.1\"\nport = 0\nlayout = {layout:?}\ncentrald = {centralds:?}"
            );
        }
        text + &self.tables
    }

    /// Writes the configuration and gives its path.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join("hub.toml");
        std::fs::write(&path, self.configuration()).context("cannot write hub.toml")?;
        Ok(path)
    }

    /// Starts the program with its configuration, whatever comes of it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn launch(&self) -> anyhow::Result<Process> {
        let program = if self.own_copy {
            process::copy(self.program, self.folder.path())?
        } else {
            process::find(self.program)?
        };
        let mut command = if self.before.is_empty() {
            Command::new(program)
        } else {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("{}exec \"$0\" \"$@\"", self.before)).arg(program);
            shell
        };
        command.arg("-c").arg(self.write()?).envs(self.environment.iter().cloned());
        let append = |path| OpenOptions::new().create(true).append(true).open(path);
        let copy = self.log_copy.as_ref().map(append).transpose().context("no room for the hub's log")?;
        Process::run(self.program, command, copy)
    }

    /// Starts it and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it does not; with its log.
    pub fn try_start(mut self) -> anyhow::Result<Hub> {
        let process = self.launch()?;
        let line = process.line_with("listening for agents and text")?;
        let address = process::field(&line, "address").context("the hub does not say where it listens")?;
        let address: SocketAddr = address.parse().with_context(|| format!("no address: {address}"))?;
        // The bus was bound before.
        let line = process.line_with("the bus publishes")?;
        let endpoint = |key| process::field(&line, key).context("the hub does not say where it publishes");
        self.listen = address.to_string();
        (self.publish, self.snapshot) = (endpoint("publish")?, endpoint("snapshot")?);
        let control = self.control();
        Ok(Hub { process, builder: self, address, control })
    }

    /// Starts it as a test does.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Hub {
        self.try_start().unwrap_or_else(|error| panic!("the hub does not start: {error:#}"))
    }
}
