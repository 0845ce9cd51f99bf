//! A thread panics while the terminal is taken, in a real one, tmux's: the program there is this test's own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::*;

/// No wait lasts longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The file whose coming lets the thread panic.
const GO: &str = "LAMON_MON_TEST_GO";

/// What runs in the terminal. In a release a panic ends the process before anything is dropped, so nothing is dropped here either.
#[test]
#[ignore = "it is what the other test runs in a terminal"]
fn a_thread_panics_while_the_terminal_is_taken() {
    std::mem::forget(Screen::take().unwrap());
    let go = std::env::var_os(GO).unwrap();
    let end = Instant::now() + PATIENCE;
    while !Path::new(&go).exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(std::thread::spawn(|| panic!("a thread has no idea")).join().is_err());
}

#[test]
fn a_panic_gives_the_terminal_back() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tmux = |words: &[&str]| {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(folder.path().join("tmux")).args(words);
        let output = tmux.env("LC_ALL", "C.UTF-8").env_remove("TMUX").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let go = folder.path().join("go");
    let program = format!(
        "{GO}={} {} --ignored --exact --nocapture terminal::tests::a_thread_panics_while_the_terminal_is_taken; \
         echo ended $?; stty -a; read wait",
        go.display(),
        std::env::current_exe().unwrap().display()
    );
    tmux(&["-u", "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", &program]);
    let modes =
        || tmux(&["display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}"]).trim().to_owned();
    let until = |what: &str, is: &dyn Fn() -> bool| {
        let end = Instant::now() + PATIENCE;
        while !is() {
            assert!(Instant::now() < end, "{what}: {} {}", modes(), tmux(&["capture-pane", "-p"]));
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("the terminal is taken", &|| modes().starts_with("1 1"));
    std::fs::write(&go, "").unwrap();
    until("it is over", &|| tmux(&["capture-pane", "-p"]).contains("ended 0"));
    until("keys are lines and seen again", &|| {
        let shown = tmux(&["capture-pane", "-p"]);
        shown.contains(" icanon") && shown.contains(" echo ")
    });
    let (shown, modes) = (tmux(&["capture-pane", "-p"]), modes());
    tmux(&["kill-server"]);
    assert_eq!(modes, "0 0 1", "{shown}");
    assert!(shown.contains("a thread has no idea"), "the reason stays to be read: {shown}");
}
