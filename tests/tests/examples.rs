//! The examples for programmers of other applications, run as they stand against a real hub that is restarted.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what the tests share fails them where it goes wrong"
)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use lamon_tests::hub::Hub;
use lamon_tests::process::{self, Process};
use lamon_tests::text::say;
use lamon_tests::wait::eventually;

/// Runs a command whose output is collected as a log is.
fn run(name: &str, command: impl AsRef<OsStr>, arguments: &[&str], hub: &Hub) -> Process {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" >&2"]).arg(command).args(arguments);
    shell.env("LAMON_PUBLISH", hub.publish()).env("LAMON_SNAPSHOT", hub.snapshot());
    Process::run(name, shell, None).unwrap()
}

/// A Python that has ZeroMQ: Debian's package is for its own one alone.
fn python() -> &'static str {
    let can = |python: &&str| {
        let mut import = Command::new(python);
        import.args(["-c", "import zmq"]).stdout(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(can);
    found.expect("no Python has ZeroMQ: apt install python3-zmq")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/examples").join(name)
}

/// Lets disks fill, each on another node, until this program has written these words: what was published before its subscription
/// came through it cannot have.
async fn disks_fill_until(program: &Process, hub: &Hub, words: &str) {
    let number = AtomicU32::new(1);
    eventually(words, || async {
        let line = format!("node=door{} disk_percent=97", number.fetch_add(1, Ordering::Relaxed));
        assert_eq!(say(hub.address(), &line).await.ok()?, "ok");
        program.log().iter().any(|line| line.contains(words)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_in_rust_tells_what_happens_also_after_a_restart() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=95").await.unwrap(), "ok");
    let example = process::find("examples/events").expect("cargo build -p lamon-bus --examples");
    let program = run("events", example, &[hub.publish(), hub.snapshot()], &hub);
    program.says("1 of 1 nodes are not well");
    disks_fill_until(&program, &hub, "disk_percent 97 % over 90: error").await;
    let hub = hub.crash().start();
    assert_eq!(say(hub.address(), "node=lamp disk_percent=91").await.unwrap(), "ok");
    program.says("error lamp disk_percent 91 % over 90: error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_short_example_in_python_tells_what_happens() {
    let hub = Hub::collector().start();
    let path = script("events.py");
    let program = run("events.py", python(), &[path.to_str().unwrap(), hub.publish()], &hub);
    disks_fill_until(&program, &hub, "disk_percent 97 % over 90: error").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subscriber_in_python_has_the_whole_picture_and_has_it_again_after_a_restart() {
    let hub = Hub::collector().start();
    assert_eq!(say(hub.address(), "node=ccd01 disk_percent=95").await.unwrap(), "ok");
    let path = script("subscriber.py");
    let program = run("subscriber.py", python(), &[path.to_str().unwrap(), "level/", "event/"], &hub);
    let level = program.says("level/ccd01");
    assert!(level.contains("'level': 'error'"), "of before its start: {level}");
    disks_fill_until(&program, &hub, "disk_percent 97 % over 90: error").await;
    assert!(!program.log().iter().any(|line| line.contains("lost") || line.starts_with("sample/")));
    let hub = hub.crash().start();
    disks_fill_until(&program, &hub, "# messages were lost: this is the whole picture again").await;
    // What the node that is not heard any more was like comes from the picture alone.
    let levels = || program.log().iter().filter(|line| line.starts_with("level/ccd01")).count();
    eventually("the picture of the second hub", || async { (levels() >= 2).then_some(()) }).await;
}
