//! The program, with a configuration and a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::hub::Hub;
use super::{eventually, until};

/// The configuration of a test, and its folder.
pub(crate) struct Site {
    folder: TempDir,
    config: PathBuf,
}

impl Site {
    /// A configuration with these channels and routes. Messages go after a tenth of a second, and are tried again after two.
    pub(crate) fn new(rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("notify.toml");
        let site = Self { folder, config };
        site.write(rest);
        site
    }

    /// Writes the configuration anew.
    pub(crate) fn write(&self, rest: &str) {
        let state = self.folder.path().join("state");
        let text = format!(
            "state = {state:?}\nwindow = \"100ms\"\nretry = \"200ms\"\nretry_longest = \"500ms\"\n{rest}"
        );
        fs::write(&self.config, text).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Notices that wait on the disk.
    pub(crate) fn waiting(&self) -> usize {
        let names = fs::read_dir(self.folder.path().join("state")).into_iter().flatten().flatten();
        names.filter(|entry| entry.path().extension().is_some_and(|end| end == "json")).count()
    }

    /// Something happens, and its notices wait on the disk.
    pub(crate) fn event_waits(&self, hub: &mut Hub, text: &str, waiting: usize) {
        hub.event("ccd01", "reboot", "warning", text);
        until(&format!("{text} waits on the disk"), || self.waiting() == waiting);
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamon-notify"));
        command.arg("--config").arg(&self.config);
        // A proxy of whoever runs the tests has no part in them.
        for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(name);
        }
        command
    }

    /// Starts the daemon, its log in a file.
    pub(crate) fn start(&self) -> Daemon {
        let log = self.folder.path().join("log");
        let file = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = self.command();
        command.args(["--log-to", "stderr", "--log", "debug"]).stderr(file).stdin(Stdio::null());
        Daemon { child: command.spawn().unwrap(), log }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command to its end: exit code, and all that it says.
    pub(crate) fn told(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), text)
    }
}

/// The daemon, while it runs.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// It is to read its configuration again.
    pub(crate) fn reload(&self) {
        self.signal(Signal::HUP);
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// As a crash would: nothing can be put in order.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As systemd ends it; it has to end well, and at once even while something is under way.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = eventually("the daemon ends", || self.child.try_wait().unwrap());
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            println!("{}", self.log());
        }
    }
}
