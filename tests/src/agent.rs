//! An agent: the real lamon-agent, which watches this machine under a name of the test's choice.
#![expect(clippy::panic, reason = "a test whose agent does not start ends here, with the reason")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::Context;
use tempfile::TempDir;

use crate::process::{self, Process};

/// How an agent is to be started.
#[derive(Debug, Clone)]
pub struct AgentBuilder {
    node: String,
    hubs: Vec<String>,
    interval: String,
    log: &'static str,
    lines: String,
    own_copy: bool,
    key: Option<PathBuf>,
}

/// A running agent. It is killed when this is dropped.
#[derive(Debug)]
pub struct Agent {
    process: Process,
    _folder: TempDir,
}

impl AgentBuilder {
    /// Sends to this hub, or, when called again, to this one where the first does not answer.
    #[must_use]
    pub fn sending_to(mut self, hub: SocketAddr) -> Self {
        self.hubs.push(hub.to_string());
        self
    }

    /// Takes a sample this often; every second when not said.
    #[must_use]
    pub fn every(mut self, interval: &str) -> Self {
        self.interval = interval.into();
        self
    }

    /// Logs as it does in daily life, not what only tests want to know.
    #[must_use]
    pub fn quietly(mut self) -> Self {
        self.log = "info";
        self
    }

    /// Has these lines in its configuration.
    #[must_use]
    pub fn with(mut self, lines: &str) -> Self {
        self.lines.push_str(lines);
        self.lines.push('\n');
        self
    }

    /// Has its key there, and beside it the hubs that it was enrolled with; those are its hubs unless others are named.
    #[must_use]
    pub fn keyed(mut self, key: &Path) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Runs from a copy of the program of its own: what is measured beside others of its kind ([`process::copy`]).
    #[must_use]
    pub fn from_a_copy(mut self) -> Self {
        self.own_copy = true;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn try_start(self) -> anyhow::Result<Agent> {
        let Self { node, hubs, interval, log, lines, own_copy, key } = self;
        let folder = TempDir::with_prefix("lamon-agent").context("no folder for the agent")?;
        let path = folder.path().join("agent.toml");
        // What this computer's own agent was enrolled with has no part in tests.
        let key = key.unwrap_or_else(|| folder.path().join("agent.key"));
        let hubs = if hubs.is_empty() { String::new() } else { format!("hubs = {hubs:?}\n") };
        let text = format!(
            "node = {node:?}\n{hubs}key = {key:?}\ninterval = {interval:?}\nlog = {log:?}\nlog_to = \"stderr\"\n{lines}"
        );
        std::fs::write(&path, text).context("cannot write agent.toml")?;
        let program = "lamon-agent";
        let file = if own_copy { process::copy(program, folder.path())? } else { process::find(program)? };
        let mut command = Command::new(file);
        command.arg("-c").arg(path);
        let process = Process::run(program, command, None)?;
        Ok(Agent { process, _folder: folder })
    }

    /// Starts it as a test does.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn start(self) -> Agent {
        self.try_start().unwrap_or_else(|error| panic!("the agent does not start: {error:#}"))
    }
}

impl Agent {
    /// An agent of this name.
    #[must_use]
    pub fn named(node: &str) -> AgentBuilder {
        AgentBuilder {
            node: node.into(),
            hubs: Vec::new(),
            interval: "1s".into(),
            log: "debug",
            lines: String::new(),
            own_copy: false,
            key: None,
        }
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

    /// Ends it by SIGTERM.
    ///
    /// # Errors
    ///
    /// When it does not end.
    pub fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        self.process.terminate()
    }

    /// Kills it, as a loss of power would.
    pub fn crash(mut self) {
        self.process.kill();
    }
}
