//! The daemon as RTS2's start scripts see it: exit codes, the lock file, the process that stays.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A folder with the program under RTS2's name, a configuration, and a place for lock files.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new(listen: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(env!("CARGO_BIN_EXE_lamon-sensord"), folder.path().join("rts2-sensor-lamon")).unwrap();
        let config = format!(
            "data_dir = {:?}\n[intake]\nlisten = [{listen:?}]\n[bus]\nenabled = false\n[control]\nenabled = false\n[rts2]\ncentrald = []\n",
            folder.path().join("data")
        );
        fs::write(folder.path().join("hub.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it as `rts2-start` does: in the foreground, waiting for its exit code.
    fn start(&self, config: &str) -> Output {
        Command::new(self.path("rts2-sensor-lamon"))
            .args(["-d", "NODES", "--localhost", "127.0.0.1", "--config"])
            .arg(self.path(config))
            .arg("--lock-prefix")
            .arg(self.path("lock_"))
            .output()
            .unwrap()
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path("lock_NODES")).unwrap()
    }
}

/// A daemon that is stopped as `rts2-stop` does it, also when a test fails.
struct Daemon(String);

impl Daemon {
    fn of(site: &Site) -> Self {
        let pid = site.lock();
        assert!(pid.trim_end().parse::<u32>().is_ok(), "the lock file holds a process id alone: {pid:?}");
        Self(pid.trim_end().to_owned())
    }

    fn kill(&self) {
        let _ = Command::new("kill").arg(&self.0).status();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process still runs; one that ended and was not collected yet does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn it_goes_to_the_background_and_a_second_one_is_told_so() {
    let site = Site::new("127.0.0.1:0");
    let started = site.start("hub.toml");
    assert_eq!(started.status.code(), Some(0), "{started:?}");
    let daemon = Daemon::of(&site);
    assert!(runs(&daemon.0));
    let input = fs::read_link(Path::new("/proc").join(&daemon.0).join("fd/0")).unwrap();
    assert_eq!(input, Path::new("/dev/null"), "what it starts must not hold the lock");
    let second = site.start("hub.toml");
    assert_eq!(second.status.code(), Some(255), "rts2-start takes 255 for 'runs already': {second:?}");
    assert_eq!(site.lock().trim_end(), daemon.0, "and the lock file is still the first one's");
    daemon.kill();
    wait_for("the daemon's end", || !runs(&daemon.0));
    assert_eq!(site.lock(), "", "nobody is to be killed by an old number");
    let again = site.start("hub.toml");
    assert_eq!(again.status.code(), Some(0), "the lock went with its holder: {again:?}");
    let _again = Daemon::of(&site);
}

#[test]
fn what_prevents_the_start_is_an_exit_code_and_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let site = Site::new(&address);
    for (config, code, sentence) in
        [("hub.toml", 69, "the port is in use"), ("none.toml", 78, "none.toml: cannot read")]
    {
        let failed = site.start(config);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(code), "{said}");
        assert_eq!(said.matches(sentence).count(), 1, "said once: {said}");
        assert_eq!(site.lock(), "", "nobody is to be killed by an old number");
    }
}
