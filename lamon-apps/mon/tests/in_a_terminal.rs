//! `lamon-mon` as a person sees it: in a real terminal, tmux's, against a hub that the test speaks for.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "what the tests share fails them where it goes wrong"
)]

mod hub;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use hub::{Hub, hub_word, level};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// No wait of these tests lasts longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal with the program in it; what it prints behind its end is `ended CODE`.
struct Terminal {
    folder: TempDir,
}

impl Terminal {
    /// `None` without tmux.
    fn start(hub: &Hub, columns: u16, lines: u16, environment: &str, words: &str) -> Option<Self> {
        Self::start_as(hub, "", columns, lines, environment, words)
    }

    /// The same, after the shell did something before.
    fn start_as(
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

    fn tmux(&self, words: impl IntoIterator<Item = String>) -> String {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.folder.path().join("tmux")).args(words);
        tmux.env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR");
        let output = tmux.output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(["send-keys"].iter().chain(keys).map(ToString::to_string));
    }

    fn shown(&self) -> Vec<String> {
        self.tmux(["capture-pane", "-p"].map(str::to_owned)).lines().map(str::to_owned).collect()
    }

    /// Waits until the screen fits, and returns it.
    fn until(&self, what: &str, fits: impl Fn(&[String]) -> bool) -> Vec<String> {
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

    fn until_has(&self, words: &str) -> Vec<String> {
        self.until(words, |shown| shown.iter().any(|line| line.contains(words)))
    }

    fn pid(&self) -> Pid {
        let pid = std::fs::read_to_string(self.pid_file()).unwrap();
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    fn signal(&self, signal: Signal) {
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

/// A hub with this many good nodes beside one at warning.
fn site(good: usize) -> Hub {
    let nodes = (2..2 + good).map(|number| level(&format!("ccd{number:02}"), "ccd", "good", 12.0));
    let answer = [level("ccd01", "ccd", "warning", 82.5), hub_word(5, 1001.0)].into_iter().chain(nodes);
    Hub::start(answer.collect(), vec![])
}

#[test]
fn a_person_looks_at_80x24_and_quits() {
    let hub = site(40);
    let Some(terminal) = Terminal::start(&hub, 80, 24, "LC_ALL=C.UTF-8", "") else { return };
    let shown = terminal.until_has("!warning  ccd01");
    assert!(shown[0].starts_with("hub lamon1 0.1.0"), "{shown:?}");
    assert!(shown[3].contains("82!"), "the worst is the first: {shown:?}");
    terminal.keys(&["End"]);
    terminal.until_has("ccd41");
    terminal.keys(&["Home", "Enter"]);
    terminal.until_has("disk_percent: warning > 80, error > 90");
    terminal.keys(&["Escape"]);
    terminal.until("back", |shown| shown.iter().any(|line| line.contains("ccd05")));
    terminal.keys(&["/", "4", "1"]);
    terminal.until("one node", |shown| {
        shown.iter().any(|line| line.contains("ccd41")) && !shown.iter().any(|line| line.contains("ccd05"))
    });
    terminal.keys(&["Enter", "?"]);
    terminal.until_has("Ctrl-C");
    terminal.keys(&["q"]);
    let shown = terminal.until_has("ended 0");
    assert!(!shown.iter().any(|line| line.contains("ccd")), "the terminal is as it was: {shown:?}");
}

#[test]
fn it_follows_the_size_of_its_window_and_gives_it_back_when_terminated() {
    let hub = site(3);
    let Some(terminal) = Terminal::start(&hub, 120, 40, "LC_ALL=C.UTF-8", "--lang zh-CN") else { return };
    let shown = terminal.until_has("disk_percent 82.5 %");
    assert!(shown[39].contains("退出"), "{shown:?}");
    terminal.tmux(["resize-window", "-x", "40", "-y", "10"].map(str::to_owned));
    let shown = terminal.until("a small screen", |shown| shown.len() == 10 && shown[9].contains("Enter"));
    assert!(shown.iter().any(|line| line.starts_with("!警告") && line.ends_with("82!")), "{shown:?}");
    terminal.signal(Signal::TERM);
    let shown = terminal.until_has("ended 0");
    assert!(!shown.iter().any(|line| line.contains("ccd")), "{shown:?}");
    let state = terminal
        .tmux(["display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"].map(str::to_owned));
    assert_eq!(state.trim(), "0 0 1");
}

#[test]
fn it_ends_with_its_window() {
    let hub = site(3);
    for ignoring in ["", "trap '' HUP; "] {
        let Some(terminal) = Terminal::start_as(&hub, ignoring, 80, 24, "LC_ALL=C.UTF-8", "") else { return };
        terminal.until_has("!warning  ccd01");
        let pid = terminal.pid();
        terminal.tmux(["kill-server".to_owned()]);
        let end = Instant::now() + PATIENCE;
        while test_kill_process(pid).is_ok() {
            assert!(Instant::now() < end, "it outlives its terminal {ignoring}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn without_colours_and_without_utf8_levels_are_still_told() {
    let hub = site(3);
    let Some(terminal) = Terminal::start(&hub, 80, 24, "NO_COLOR=1 LC_ALL=C", "") else { return };
    let shown = terminal.until_has("!warning  ccd01");
    assert!(shown[3].contains("####.  82!") && shown.iter().all(|line| line.is_ascii()), "{shown:?}");
    let styled = terminal.tmux(["capture-pane", "-p", "-e"].map(str::to_owned));
    for line in styled.lines() {
        for codes in line.split("\u{1b}[").skip(1) {
            let codes = codes.split('m').next().unwrap_or_default();
            let plain =
                codes.split(';').all(|code| matches!(code, "" | "0" | "1" | "2" | "4" | "7" | "39" | "49"));
            assert!(plain, "{codes} in {line:?}");
        }
    }
}
