//! A program of the family that runs as a child of this process: its log is collected, it is ended by signals to its own
//! process id, and never outlives the test.
#![expect(clippy::panic, reason = "a test that cannot go on ends here, with the reason")]

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::PATIENCE;

/// How many lines of a program's log are kept; a benchmark of an hour stays below it.
const MAX_LINES: usize = 100_000;

/// The path of a program of the family, which lies beside the running one.
///
/// # Errors
///
/// A sentence that says how to build it.
pub fn find(program: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    // A program lies in target/<profile>, a test in target/<profile>/deps.
    let folders = own.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join(program));
    let Some(found) = candidates.find(|path| path.is_file()) else {
        bail!("{program} is not built beside {}: run `make build` first", own.display());
    };
    Ok(found)
}

/// A copy of a program of the family in this folder. Processes of one file share its pages, and each then has only a part
/// of them as its own share (`Pss`): who measures several beside each other gives each a file of its own.
///
/// # Errors
///
/// When it is not built, or cannot be copied.
pub fn copy(program: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join(program);
    std::fs::copy(find(program)?, &copy).with_context(|| format!("cannot copy {program}"))?;
    Ok(copy)
}

/// A running program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

/// What a program wrote to its standard error.
#[derive(Debug, Default)]
struct Log {
    state: Mutex<LogState>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct LogState {
    lines: VecDeque<String>,
    ended: bool,
}

impl Log {
    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: String) {
        let mut state = self.state();
        if state.lines.len() == MAX_LINES {
            state.lines.pop_front();
        }
        state.lines.push_back(line);
        self.grown.notify_all();
    }

    /// Waits until `seen` finds something; `None` when the program ended without it, or after [`PATIENCE`].
    fn wait<T>(&self, seen: impl Fn(&LogState) -> Option<T>) -> Option<T> {
        let end = Instant::now() + PATIENCE;
        let mut state = self.state();
        loop {
            if let Some(seen) = seen(&state) {
                return Some(seen);
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return None;
            }
            state = self.grown.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Process {
    /// Starts a program, found by [`find`], in a process group of its own: a Ctrl-C on the terminal is for the parent,
    /// which ends its children in their order. With `copy` its log goes there too.
    ///
    /// # Errors
    ///
    /// When it is not built, or cannot be started.
    pub fn start(program: &str, arguments: &[impl AsRef<OsStr>], copy: Option<File>) -> anyhow::Result<Self> {
        let mut command = Command::new(find(program)?);
        command.args(arguments);
        Self::run(program, command, copy)
    }

    /// Runs a command as [`Process::start`] does.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn run(name: &str, mut command: Command, mut copy: Option<File>) -> anyhow::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let Some(stderr) = child.stderr.take() else { bail!("{name} has no standard error") };
        let log = Arc::new(Log::default());
        let filled = Arc::clone(&log);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(file) = &mut copy {
                    // A full disk must not end the demonstration; the lines are kept in memory as well.
                    let _ = writeln!(file, "{line}");
                }
                filled.push(line);
            }
            filled.state().ended = true;
            filled.grown.notify_all();
        });
        Ok(Self { name: name.into(), child, log, reader: Some(reader) })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines that it wrote to its log so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.state().lines.iter().cloned().collect()
    }

    /// Waits for a line with these words.
    ///
    /// # Errors
    ///
    /// When the program ended without it, or it did not come in time; with what it wrote instead.
    pub fn line_with(&self, words: &str) -> anyhow::Result<String> {
        let found = self.log.wait(|state| state.lines.iter().find(|line| line.contains(words)).cloned());
        found.with_context(|| {
            format!("{} did not write \"{words}\", but:\n{}", self.name, self.log().join("\n"))
        })
    }

    /// Waits for a line with these words, as a test does.
    ///
    /// # Panics
    ///
    /// When it does not come.
    #[track_caller]
    pub fn says(&self, words: &str) -> String {
        self.line_with(words).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Ok(pid) = i32::try_from(self.child.id())
            && let Some(pid) = Pid::from_raw(pid)
        {
            // It is a child that was not waited for, so the id is still its own; that it ended already is no harm.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        // The log ends with the process.
        if self.log.wait(|state| state.ended.then_some(())).is_none() && !self.log.state().ended {
            bail!("{} does not end", self.name);
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))
    }

    /// Ends it by SIGTERM and waits.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Ends it by SIGKILL, as a crash would, and waits.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "the log of a daemon explains why its test failed")]
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            // Its last words may still be in the pipe, which ends with it.
            if let Some(reader) = self.reader.take() {
                let _ = reader.join();
            }
            eprintln!("---- what {} wrote ----\n{}\n----", self.name, self.log().join("\n"));
        }
    }
}

/// The value of `key=value` in a line of the log, without quotes and without `Some(…)`.
#[must_use]
pub fn field(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("{key}="))?;
    let word = rest.split_whitespace().next()?;
    let word = word.strip_prefix("Some(").and_then(|word| word.strip_suffix(')')).unwrap_or(word);
    Some(word.trim_matches('"').into())
}

/// A file of a folder, as text for a configuration.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_line() {
        let line = "2026 INFO it publishes publish=\"tcp://127.0.0.1:5\" address=Some(127.0.0.1:6) n=3";
        assert_eq!(field(line, "publish").as_deref(), Some("tcp://127.0.0.1:5"));
        assert_eq!(field(line, "address").as_deref(), Some("127.0.0.1:6"));
        assert_eq!(field(line, "n").as_deref(), Some("3"));
        assert_eq!(field(line, "m"), None);
    }

    #[test]
    fn a_program_that_is_not_built_is_named_with_the_remedy() {
        let error = find("lamon-nothing").unwrap_err().to_string();
        assert!(error.contains("lamon-nothing") && error.contains("make build"), "{error}");
    }

    #[test]
    fn what_a_program_writes_is_waited_for() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one >&2; echo two >&2; exit 7"]);
        let mut process = Process::run("sh", command, None).unwrap();
        assert_eq!(process.says("tw"), "two");
        assert!(process.line_with("three").is_err());
        assert_eq!(process.wait().unwrap().code(), Some(7));
        assert_eq!(process.log(), ["one", "two"]);
    }
}
