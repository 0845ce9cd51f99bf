//! The program in a real terminal, tmux's.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::hub::Hub;

/// No wait of these tests lasts longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal with the program in it; what it prints behind its end is `ended CODE`.
pub(crate) struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// `None` without tmux.
    pub(crate) fn start(hub: &Hub, columns: u16, lines: u16, environment: &str, words: &str) -> Option<Self> {
        Self::start_as(hub, "", columns, lines, environment, words)
    }

    /// The same, after the shell did something before.
    pub(crate) fn start_as(
        hub: &Hub,
        before: &str,
        columns: u16,
        lines: u16,
        environment: &str,
        words: &str,
    ) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: tmux is not installed (make deps-test installs it)");
            return None;
        }
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let program = format!(
            "{before}sh -c 'echo $$ >{}; exec env {environment} {} --publish {} --snapshot {} {words}'; echo ended $?; read wait",
            terminal.pid_file().display(),
            env!("CARGO_BIN_EXE_lamon-mon"),
            hub.publish,
            hub.snapshot,
        );
        let size = ["-x", &columns.to_string(), "-y", &lines.to_string()].map(str::to_owned);
        let session = ["-u", "-f", "/dev/null", "new-session", "-d"].map(str::to_owned);
        terminal.tmux(session.into_iter().chain(size).chain([program]));
        Some(terminal)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    pub(crate) fn tmux(&self, words: impl IntoIterator<Item = String>) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.folder.path().join("tmux")).args(words);
        tmux.env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR");
        let output = tmux.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the program writes from here on goes into this file, too.
    pub(crate) fn record(&self) -> PathBuf {
        let file = self.folder.path().join("recorded");
        std::fs::write(&file, "").unwrap();
        self.tmux(["pipe-pane".to_owned(), format!("cat >>{}", file.display())]);
        file
    }

    pub(crate) fn keys(&self, keys: &[&str]) {
        self.tmux(["send-keys"].iter().chain(keys).map(ToString::to_string));
    }

    pub(crate) fn shown(&self) -> Vec<String> {
        self.tmux(["capture-pane", "-p"].map(str::to_owned)).lines().map(str::to_owned).collect()
    }

    /// Waits until the screen fits, and returns it.
    pub(crate) fn until(&self, what: &str, fits: impl Fn(&[String]) -> bool) -> Vec<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let shown = self.shown();
            if fits(&shown) {
                return shown;
            }
            assert!(Instant::now() < end, "{what}:\n{}", shown.join("\n"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn until_has(&self, words: &str) -> Vec<String> {
        self.until(words, |shown| shown.iter().any(|line| line.contains(words)))
    }

    pub(crate) fn pid(&self) -> Pid {
        let pid = std::fs::read_to_string(self.pid_file()).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(["kill-server".to_owned()]);
        // What would not end with its terminal is no test's to keep. It is still this one's process, or none.
        if std::thread::panicking()
            && let Ok(pid) = std::fs::read_to_string(self.pid_file())
            && let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
