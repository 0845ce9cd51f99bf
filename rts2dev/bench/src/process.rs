//! A child of this program, or one of RTS2's: started, driven, measured, ended.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::Context;

use crate::device;

/// A process that ends with this.
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    /// Where it listens.
    pub(crate) ports: Vec<u16>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Devices of ours.
    pub(crate) fn device(options: &device::Options) -> anyhow::Result<Self> {
        let mut arguments = vec!["device".to_owned()];
        for (name, count) in
            [("devices", options.devices), ("numbers", options.numbers), ("texts", options.texts)]
        {
            arguments.extend([format!("--{name}"), count.to_string()]);
        }
        if let Some(centrald) = &options.centrald {
            arguments.extend(["--centrald".to_owned(), centrald.clone()]);
        }
        Self::of_this_program(&arguments)
    }

    /// The one that says back what it hears.
    pub(crate) fn echo() -> anyhow::Result<Self> {
        Self::of_this_program(&["echo".to_owned()])
    }

    fn of_this_program(arguments: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let ports = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { input: child.stdin.take(), child, ports })
    }

    /// Any program, with nothing to say or to hear.
    pub(crate) fn other(mut command: Command, port: u16) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { child, input: None, ports: vec![port] })
    }

    /// Where the first device listens.
    pub(crate) fn port(&self) -> anyhow::Result<u16> {
        self.ports.first().copied().context("it listens nowhere")
    }

    /// A line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("it does not listen")?;
        Ok(input.write_all(format!("{line}\n").as_bytes())?)
    }

    /// How long its threads have run on CPUs.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let folder = format!("/proc/{}/task", self.child.id());
        let mut nanoseconds = 0;
        for thread in fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))? {
            // A thread may have ended since.
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanoseconds += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Bytes of it in memory.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse::<u64>()? * 1024)
    }
}
