//! The programs of this package: the demonstration and the load generator do what they say, and leave nothing behind.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as the tests do")]

use std::process::{Command, Stdio};
use std::time::Duration;

use lamon_tests::archive;
use lamon_tests::hub::Hub;
use lamon_tests::keyed::Operator;
use lamon_tests::text::say;
use lamon_tests::wait::patiently;

/// What a program printed, and its exit code.
async fn run(mut command: Command) -> anyhow::Result<(String, Option<i32>)> {
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = patiently("a program's end", run).await??;
    let printed = [output.stdout, output.stderr].concat();
    Ok((String::from_utf8_lossy(&printed).into_owned(), output.status.code()))
}

/// `lamon-collector check | head -1`.
#[test]
fn a_reader_that_goes_away_ends_a_program_quietly() {
    for (program, task) in [
        ("lamon-collector", "check"),
        ("lamon-sensord", "check"),
        ("lamon-web", "check"),
        ("lamon-agent", "--once"),
    ] {
        let program = lamon_tests::process::find(program).unwrap();
        let mut command = Command::new(&program);
        command.arg(task).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && said.is_empty(),
            "{}: {} {said}",
            program.display(),
            output.status
        );
    }
}

#[test]
fn the_demonstration_explains_itself() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo")).arg("--help").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("DEMO_SECONDS=N"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstration_shows_this_machine_and_ends() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.current_dir(folder.path()).env("DEMO_SECONDS", "9").env_remove("CENTRALD");
    let (printed, code) = run(demo).await.unwrap();
    assert_eq!(code, Some(0), "{printed}");
    for words in [
        "device NODES, centrald 127.0.0.1:",
        "1 node: ",
        "cpu_percent ",
        "memory_percent ",
        "disk_percent ",
        "uptime ",
        "printf 'node=door disk_percent=97\\n' | nc localhost ",
        "tcp://127.0.0.1:",
        "page   http://localhost:",
        "all has ended; what was kept is in demo-data",
    ] {
        assert!(printed.contains(words), "no {words:?} in\n{printed}");
    }
    assert!(!printed.contains('\x1b'), "no control characters where there is no terminal");
    assert!(printed.lines().all(|line| line.chars().count() <= 80), "{printed}");
    // The hub ended well: its last words are those of an orderly end, and the archive is there.
    let data = folder.path().join("demo-data");
    let log = std::fs::read_to_string(data.join("hub.log")).unwrap();
    assert!(log.contains("the hub ends"), "{log}");
    assert!(data.join("archive.sqlite").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demonstration_without_its_centrald_says_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.current_dir(folder.path()).env("DEMO_SECONDS", "9").env("CENTRALD", free.to_string());
    let (printed, code) = run(demo).await.unwrap();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains(&format!("no centrald at CENTRALD={free}")), "{printed}");
}

/// The load on this hub, plain, or in TLS by a token.
async fn load_arrives(hub: &Hub, more: &[&str]) {
    let mut loadgen = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    loadgen.args([
        "--nodes",
        "20",
        "--interval",
        "1s",
        "--duration",
        "4",
        "--backlog",
        "200",
        "--metrics",
        "12",
    ]);
    loadgen.args(["--hub", &hub.address().to_string()]).args(more);
    let (printed, code) = run(loadgen).await.unwrap();
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("20 of 20 nodes"), "{printed}");
    assert!(!printed.contains("failure"), "{printed}");
    for node in ["load0001", "load0020"] {
        let rows = archive::rows(&hub.archive(), node, 201).await;
        assert_eq!(rows[0].metrics.len(), 13, "twelve, and the hub's clock_offset: {:?}", rows[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_load_of_many_nodes_arrives() {
    load_arrives(&Hub::collector().start(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_load_of_many_nodes_arrives_in_tls() {
    let hub = Hub::collector().start();
    let folder = tempfile::TempDir::new().unwrap();
    let join = folder.path().join("join");
    let token = Operator::connect(hub.control()).unwrap().join(20, Duration::from_secs(3_600)).unwrap();
    std::fs::write(&join, token).unwrap();
    load_arrives(&hub, &["--join", join.to_str().unwrap()]).await;
    // Their names are taken by keys.
    let refused = say(hub.address(), "node=load0001 cpu_percent=1").await.unwrap();
    assert!(refused.contains("has a key"), "{refused}");
}
