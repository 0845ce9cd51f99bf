//! The built program against the built-in centrald and a device, over the loopback interface.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::process::{Output, Stdio};
use std::time::Duration;

use rts2dev::proto::Level;
use rts2dev::testing::Centrald;
use rts2dev::{Device, DeviceHandle, DeviceOptions, Refusal, Selection, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longest wait for anything; a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A device that runs until this is dropped.
struct Nodes {
    handle: DeviceHandle,
    load: Value<f64>,
    level: Value<Selection>,
    _end: DropGuard,
}

async fn nodes(centrald: &Centrald) -> Nodes {
    let device = Device::new(DeviceOptions {
        centralds: vec![centrald.address().to_string()],
        host: Some("127.0.0.1".to_owned()),
        info_interval: None,
        ..DeviceOptions::new("NODES")
    })
    .unwrap();
    let handle = device.handle();
    let load = handle.double("load", "[%] a load").writable().declare().unwrap();
    let level = handle.selection("level", "all of it", &["good", "bad"]).declare().unwrap();
    handle.time("since", "a time").initial(1_795_369_449.75).writable().declare().unwrap();
    handle.string("note", "a note").writable().declare().unwrap();
    handle
        .integer("limit", "a limit")
        .on_set(|_| async { Err(Refusal::value("not tonight")) })
        .declare()
        .unwrap();
    load.set(12.5);
    level.set(Selection(1));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let shutdown = CancellationToken::new();
    tokio::spawn(device.run(listener, shutdown.clone()));
    tokio::time::timeout(PATIENCE, centrald.registered("NODES")).await.unwrap();
    Nodes { handle, load, level, _end: shutdown.drop_guard() }
}

fn command(server: &str, words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rts2c"));
    command.args(words.split(' ')).env("RTS2_SERVER", server).env_remove("NO_COLOR").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(centrald: &Centrald, words: &str) -> Output {
    let ended = command(&centrald.address().to_string(), words).output();
    tokio::time::timeout(PATIENCE, ended).await.expect(words).unwrap()
}

/// What it wrote, what it complained, its exit code.
async fn said(centrald: &Centrald, words: &str) -> (String, String, i32) {
    let output = run(centrald, words).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

/// The code with which it ends.
async fn ends(mut child: Child) -> i32 {
    tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap().code().unwrap()
}

/// Lines of a stream up to one that contains `part`.
async fn hears(lines: &mut (impl AsyncBufReadExt + Unpin), part: &str) {
    let heard = async {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).await.unwrap(), 0, "no {part} in {all}");
            if line.contains(part) {
                return;
            }
            all.push_str(&line);
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect(part);
}

#[tokio::test]
async fn values_are_shown_and_set() {
    let centrald = Centrald::start().await.unwrap();
    let nodes = nodes(&centrald).await;
    assert_eq!(said(&centrald, "get NODES.load").await, ("12.5\n".into(), String::new(), 0));
    let two = said(&centrald, "get nodes.LEVEL NODES.load").await;
    assert_eq!(two, ("NODES.level bad\nNODES.load 12.5\n".into(), String::new(), 0));
    nodes.load.set_with_level(99.0, Level::Error);
    let (all, _, code) = said(&centrald, "get NODES").await;
    assert!(code == 0 && all.contains("\nload      rw  99.0 % (error) "), "{all}");
    assert!(all.contains("\nsince     rw  2026-11-22T17:44:09.750Z "), "{all}");
    assert!(!all.contains('\x1b'), "colours without a terminal: {all}");
    let (json, _, _) = said(&centrald, "get --json NODES.load").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["NODES"]["load"]["value"], 99.0);
    assert_eq!(json["NODES"]["load"]["unit"], "%");
    assert_eq!(json["NODES"]["load"]["level"], "error");

    for (words, shown) in [
        ("set NODES.load 3", "NODES.load 3.0\n"),
        ("set NODES.load += 1.5", "NODES.load 4.5\n"),
        ("set NODES.load-=5", "NODES.load -0.5\n"),
        ("set NODES.load -7", "NODES.load -7.0\n"),
        ("set NODES.note two words", "NODES.note two words\n"),
        ("set NODES.since 2026-11-22T17:44:09.75Z", "NODES.since 1795369449.75\n"),
        ("set NODES.since 2026-11-22 17:44", "NODES.since 1795369440.0\n"),
        ("set NODES.since 5", "NODES.since 5.0\n"),
    ] {
        assert_eq!(said(&centrald, words).await, (String::new(), String::new(), 0), "{words}");
        let name = shown.split(' ').next().unwrap();
        assert_eq!(said(&centrald, &format!("get {name} {name}")).await.0, shown.repeat(2), "{words}");
    }
    let refused = said(&centrald, "set NODES.limit 5").await;
    assert_eq!((refused.1.as_str(), refused.2), ("rts2c: NODES refused: -3 not tonight\n", 1));
    let refused = said(&centrald, "cmd NODES bogus 1").await;
    assert_eq!((refused.0.as_str(), refused.2), ("-1 unknow command bogus\n", 1));
    assert_eq!(said(&centrald, "cmd NODES info").await, ("+0 OK\n".into(), String::new(), 0));
}

#[tokio::test]
async fn devices_and_clients_are_listed() {
    let centrald = Centrald::start().await.unwrap();
    let _nodes = nodes(&centrald).await;
    let (list, _, code) = said(&centrald, "--login obs ls").await;
    assert_eq!(code, 0);
    assert!(list.lines().any(|line| line.starts_with("NODES") && line.contains("sensor")), "{list}");
    assert!(list.lines().any(|line| line.starts_with("obs") && line.contains("rts2c")), "{list}");
    let (list, _, _) = said(&centrald, "ls --json").await;
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["devices"][0]["name"], "NODES");
    assert_eq!(list["devices"][0]["state"]["bits"], 0);
}

#[tokio::test]
async fn what_fails_says_why_and_with_which_code() {
    let centrald = Centrald::start().await.unwrap();
    let _nodes = nodes(&centrald).await;
    for (words, part, code) in [
        ("get OTHER.x", "centrald has no device OTHER; `rts2c ls` lists", 4),
        ("get NODES.x", "NODES has no value x", 4),
        ("set NODES 5", "DEVICE.value is meant", 2),
        ("set NODES.load", "what NODES.load is to be", 2),
        ("get NODES.load --bogus", "--bogus", 2),
        ("wait NODES.load = 5", "expected ==", 2),
        ("wait NODES.load = 5", "  NODES.load = 5\n             ^", 2),
        ("wait NODES.level == perfect", "it has: good, bad", 2),
        ("wait NODES.load gt many", "\"many\" is none", 2),
        ("wait NODES.level == good --timeout 0.3", "not in 0.3 s: NODES.level == good (it is bad)", 1),
        ("wait NODES.nothing == good --timeout 0.3", "waiting: NODES has no value nothing\n", 1),
        ("wait NODES.nothing == good --timeout 0.3 -q", "good (NODES has no value nothing)\n", 1),
        ("wait NODES.state has BOP_EXPOSURE --timeout 0.3", "(state 0x0, bop ", 1),
        ("ls --server h:99999", "the port from 1 to 65535", 2),
        ("wait OTHER present --timeout 0.3 -q", "centrald has no device OTHER", 1),
    ] {
        let (out, error, ended) = said(&centrald, words).await;
        assert_eq!((out.as_str(), ended), ("", code), "{words}: {error}");
        assert!(error.contains(part), "{words}: {error}");
    }
    // It takes connections, and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = silent.local_addr().unwrap().to_string();
    for words in ["set --timeout 0.3 NODES.load 5", "cmd --timeout 0.3 NODES info"] {
        let ended = command(&server, words).output();
        let output = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{words}: {error}");
        assert_eq!(error, "rts2c: centrald did not answer in time; --timeout SECONDS waits longer\n");
    }
    let nowhere = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().to_string();
    for words in ["ls", "wait NODES present --timeout 0.3"] {
        let output = command(&nowhere, words).output().await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{words}: {error}");
        assert!(
            error.contains("cannot connect to centrald") && error.contains("Is rts2-centrald"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn waits_that_hold_at_once() {
    let centrald = Centrald::start().await.unwrap();
    let _nodes = nodes(&centrald).await;
    for words in [
        "NODES.level == bad --timeout 30",
        "NODES.level != good",
        "NODES.load gt 3",
        "NODES.load.level == good",
        "NODES.state lacks BOP_EXPOSURE",
        "NODES present",
        "OTHER absent",
        "centrald.state lacks BAD_WEATHER",
    ] {
        let (out, error, code) = said(&centrald, &format!("wait -q {words}")).await;
        assert_eq!((out.as_str(), error.as_str(), code), ("", "", 0), "{words}");
    }
}

#[tokio::test]
async fn a_wait_comes_true() {
    let centrald = Centrald::start().await.unwrap();
    let nodes = nodes(&centrald).await;
    let address = centrald.address().to_string();
    let mut watch = command(&address, "watch NODES.level --count 2").spawn().unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    hears(&mut shown, "NODES.level bad").await;
    let wait = command(&address, "wait NODES.level == good --timeout 30").spawn().unwrap();
    nodes.level.set(Selection(0));
    hears(&mut shown, "NODES.level good").await;
    assert_eq!(ends(watch).await, 0);
    assert_eq!(ends(wait).await, 0);
}

#[tokio::test]
async fn a_watch_shows_states_and_says_what_is_missing() {
    let centrald = Centrald::start().await.unwrap();
    let nodes = nodes(&centrald).await;
    let address = centrald.address().to_string();
    let mut watch = command(&address, "watch NODES.state NODES.nothing").spawn().unwrap();
    let mut complaints = BufReader::new(watch.stderr.take().unwrap());
    hears(&mut complaints, "waiting: NODES has no value nothing").await;
    nodes.handle.block_exposure(true, "too hot");
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    hears(&mut shown, "NODES.state BOP_EXPOSURE (too hot)").await;
}

#[tokio::test]
async fn a_wait_outlives_a_restart_of_centrald_and_finds_a_device_that_comes_later() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let centrald = Centrald::start_on(listener, |_| {}).unwrap();
    let mut wait = command(&address.to_string(), "wait NODES.level == bad --timeout 30").spawn().unwrap();
    let mut complaints = BufReader::new(wait.stderr.take().unwrap());
    hears(&mut complaints, "waiting: centrald has no device NODES").await;
    drop(centrald);
    hears(&mut complaints, "waiting: cannot connect to centrald").await;
    let centrald = Centrald::start_on(TcpListener::bind(address).await.unwrap(), |_| {}).unwrap();
    hears(&mut complaints, "waiting: centrald has no device NODES").await;
    let _nodes = nodes(&centrald).await;
    assert_eq!(ends(wait).await, 0);
}

#[tokio::test]
async fn a_watch_follows_a_device_across_its_restart() {
    let centrald = Centrald::start().await.unwrap();
    let first = nodes(&centrald).await;
    let mut watch = command(&centrald.address().to_string(), "watch NODES.load --count 3").spawn().unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    hears(&mut shown, "NODES.load 12.5 %").await;
    drop(first);
    hears(&mut shown, "NODES away: ").await;
    centrald.wait_for(|centrald| centrald.devices().is_empty()).await;
    let _second = nodes(&centrald).await;
    let mut rest = String::new();
    tokio::time::timeout(PATIENCE, shown.read_to_string(&mut rest)).await.unwrap().unwrap();
    assert!(rest.contains("NODES"), "{rest}");
    assert_eq!(ends(watch).await, 0);
}

#[tokio::test]
async fn a_pipe_that_breaks_and_a_person_who_leaves() {
    let centrald = Centrald::start().await.unwrap();
    let nodes = nodes(&centrald).await;
    let address = centrald.address().to_string();
    let mut watch = command(&address, "watch NODES.load").spawn().unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    hears(&mut shown, "12.5").await;
    drop(shown);
    nodes.load.set(5.0);
    let mut complaint = String::new();
    watch.stderr.take().unwrap().read_to_string(&mut complaint).await.unwrap();
    assert_eq!((complaint.as_str(), ends(watch).await), ("", 0));

    let mut watch = command(&address, "watch NODES.load").spawn().unwrap();
    let mut shown = BufReader::new(watch.stdout.take().unwrap());
    hears(&mut shown, "5.0").await;
    let pid = watch.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    assert_eq!(ends(watch).await, 130);
}

#[tokio::test]
async fn help_teaches() {
    let centrald = Centrald::start().await.unwrap();
    let (help, _, code) = said(&centrald, "--help").await;
    assert_eq!(code, 0);
    for part in ["rts2c wait NODES.level == good --timeout 60 || exit 1", "Exit codes:", "RTS2_SERVER"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    let (help, _, _) = said(&centrald, "wait --help").await;
    assert!(help.contains("DEVICE.bop & BITS") && help.contains("  4    no such device"), "{help}");
}
