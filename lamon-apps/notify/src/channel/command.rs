//! A program of the operator's: the message on standard input, its parts in the environment.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::notice::Message;

/// How often a program that runs is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The program.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    /// Its path, absolute, and its arguments.
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// After so long it is ended, and has failed.
    pub(crate) timeout: Duration,
}

impl Command {
    pub(super) fn deliver(&self, message: &Message) -> Result<(), String> {
        let failed = |what: String| format!("{} {what}", self.program);
        let mut child = std::process::Command::new(&self.program)
            .args(&self.arguments)
            .env("LAMON_TITLE", &message.title)
            .env("LAMON_LEVEL", message.level.as_str())
            .env("LAMON_NODES", message.nodes.join(" "))
            .env("LAMON_ROUTE", &message.route)
            .env("LAMON_TIME", message.local_time())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, to be ended with all that it started, and which a Ctrl-C at the daemon's terminal does not reach.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(format!("cannot be run: {error}")))?;
        if let Some(mut input) = child.stdin.take() {
            let text = format!("{}\n", message.text);
            // A program that does not read must not stop this thread; one that ended without reading has its exit code.
            let _ = std::thread::Builder::new().spawn(move || input.write_all(text.as_bytes()));
        }
        self.wait(&mut child).map_err(failed)
    }

    /// Waits for the program to end, not longer than it may take.
    fn wait(&self, child: &mut Child) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("ended with {status}")),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(LOOK),
                Ok(None) => {
                    end(child);
                    return Err(format!(
                        "did not end within {} s and was killed",
                        self.timeout.as_secs_f64()
                    ));
                }
                Err(error) => return Err(format!("was lost: {error}")),
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match std::fs::metadata(Path::new(&self.program)) {
            Ok(metadata) if metadata.is_file() => Ok(()),
            Ok(_) => Err(format!("{} is no file", self.program)),
            Err(error) => Err(format!("{} cannot be run: {error}", self.program)),
        }
    }
}

/// Ends a program, with what it has started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
