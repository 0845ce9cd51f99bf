//! `lamon-mon` as a person sees it: in a real terminal, tmux's, against a hub that the test speaks for.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "what the tests share fails them where it goes wrong"
)]

mod hub;
mod strain;
mod terminal;

use std::time::{Duration, Instant};

use hub::{Hub, hub_word, level};
use rustix::process::{Signal, test_kill_process};
use terminal::{PATIENCE, Terminal};

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
