//! Senders of text: everything that a shell can send to port 7617, sense and nonsense.

use std::process::Command;

use lamon_tests::archive;
use lamon_tests::bus::Subscriber;
use lamon_tests::hub::Hub;
use lamon_tests::rts2;
use lamon_tests::story::{DISK_RULE, Sender, a_threshold_is_crossed};
use lamon_tests::text::{TextSender, installed_netcat, netcat, say};
use rts2dev::proto::Level;
use rts2dev::testing::Centrald;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readmes_line_by_netcat_is_an_error_in_rts2() {
    let Some(nc) = installed_netcat() else { return };
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).start();
    let answer = netcat(&nc, hub.address(), "node=door disk_percent=97").await.unwrap();
    assert_eq!(answer, "ok\n");
    let mut nodes = rts2::device(centrald.address(), "NODES").await;
    let disk = rts2::value(&mut nodes, "door_disk_percent", |value| value.level() == Level::Error).await;
    assert_eq!(disk.number(), Some(97.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_threshold_crossed_by_netcat() {
    let Some(nc) = installed_netcat() else { return };
    let centrald = Centrald::start().await.unwrap();
    let hub = Hub::sensord().under(centrald.address()).with(DISK_RULE).start();
    a_threshold_is_crossed(centrald.address(), &hub, Sender::Netcat(nc)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_for_each_line_and_the_hub_closes_by_itself() {
    let hub = Hub::collector().start();
    let mut sender = TextSender::connect(hub.address()).await.unwrap();
    // Three at once, an empty one among them, the last without its end.
    sender
        .send_bytes(b"node=a cpu_percent=1\r\n\n node=b\tload1=0.5\nnode=c memory_percent=41")
        .await
        .unwrap();
    assert_eq!(sender.answer().await.unwrap().as_deref(), Some("ok"));
    assert_eq!(sender.answer().await.unwrap().as_deref(), Some("ok"));
    // The third has no end yet; when the sender closes its side it has.
    sender.finish().await.unwrap();
    assert_eq!(sender.rest().await.unwrap(), "ok\n");
    // One that goes on talking is not closed upon; one that is idle is.
    let mut sender = TextSender::connect(hub.address()).await.unwrap();
    sender.send("node=a cpu_percent=2").await.unwrap();
    assert_eq!(sender.rest().await.unwrap(), "ok\n");
    for node in ["a", "b", "c"] {
        archive::rows(&hub.archive(), node, 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_say_what_and_where_and_cost_the_line_only() {
    let hub = Hub::collector().start();
    let mut bus = Subscriber::join(&hub, &["sample/", "event/"]).await.unwrap();
    let mut sender = TextSender::connect(hub.address()).await.unwrap();
    for (line, answer) in [
        ("cpu_percent=3", "error: no node= in the line"),
        ("node=a cpu", "error: \"cpu\" at byte 8 is not name=value"),
        ("node=a cpu_percent=nan", "error: cpu_percent=\"nan\" at byte 8: expected a finite number"),
        ("node=a cpu_percent=1e999", "error: cpu_percent=\"1e999\" at byte 8: expected a finite number"),
        ("node=a interval=0", "error: interval=\"0\" at byte 8: expected seconds between lines, 1 to 86400"),
        ("node=a x=1 x=2", "error: x at byte 12 comes twice"),
        ("node=a level=1", "error: at byte 8: the name \"level\" is reserved for a value of the hub"),
        ("node=good cpu_percent=1", "ok"),
    ] {
        sender.send(line).await.unwrap();
        let said = sender.answer().await.unwrap();
        assert_eq!(said.as_deref(), Some(answer), "{line}");
    }
    sender.send_bytes(b"node=\xff\xfe cpu_percent=1\n").await.unwrap();
    assert_eq!(sender.answer().await.unwrap().as_deref(), Some("error: not a text in UTF-8, at byte 6"));
    let event = bus.until("the event of a wrong line", |message| message.text("text").contains("byte 12"));
    assert_eq!((event.topic.as_str(), event.text("kind")), ("event/_hub", "protocol"));
    bus.until("the good line", |message| message.topic == "sample/good");
    assert!(bus.seen().iter().all(|message| message.topic != "sample/a"), "nothing of a wrong line is used");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_has_at_most_a_kibibyte() {
    let hub = Hub::collector().start();
    let mut sender = TextSender::connect(hub.address()).await.unwrap();
    let padded = |length: usize| format!("{:length$}", "node=a cpu_percent=1");
    for (length, answer) in [(1_024, "ok"), (1_025, "error: line longer than 1024 bytes"), (1_000, "ok")] {
        sender.send(&padded(length)).await.unwrap();
        assert_eq!(sender.answer().await.unwrap().as_deref(), Some(answer), "{length} bytes");
    }
    // A line that never ends is one error, however long it goes on.
    let mut endless = TextSender::connect(hub.address()).await.unwrap();
    for _ in 0..300 {
        endless.send_bytes(&[b'x'; 1_000]).await.unwrap();
    }
    endless.send("").await.unwrap();
    endless.send("node=b cpu_percent=1").await.unwrap();
    assert_eq!(endless.rest().await.unwrap(), "error: line longer than 1024 bytes\nok\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_costs_its_sender_only() {
    let mut hub = Hub::collector().start();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..50_u8 {
        let bytes: Vec<u8> = (0..random.usize(1..3_000)).map(|_| random.u8(..)).collect();
        let mut sender = TextSender::connect(hub.address()).await.unwrap();
        // Every language that the first bytes can promise.
        let first: &[u8] = match round % 4 {
            0 => b"node=",
            1 => &[0x16, 3, 1],
            2 => &lamon_wire::MAGIC,
            _ => b"",
        };
        // The hub may close while it is being written to.
        let _ = sender.send_bytes(first).await;
        let _ = sender.send_bytes(&bytes).await;
        let _ = sender.finish().await;
        let _ = sender.rest().await;
    }
    assert_eq!(say(hub.address(), "node=a cpu_percent=1").await.unwrap(), "ok");
    assert!(hub.is_running());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_told_that_they_are_not_listed() {
    let hub = Hub::collector().believing("[\"10.0.0.0/8\"]").start();
    let answer = say(hub.address(), "node=a cpu_percent=1").await.unwrap();
    assert!(
        answer.starts_with("error: plain connections are not taken from 127.0.0.1")
            && answer.contains("[intake] plain_from"),
        "{answer}"
    );
    let identity = lamon_tests::simulated::Identity::new("a", 1);
    let refused =
        lamon_tests::simulated::SimulatedAgent::connect(hub.address(), &identity).await.unwrap_err();
    assert!(refused.to_string().contains("the hub refuses: plain connections are not taken"), "{refused}");
    let (_, picture) = lamon_tests::bus::snapshot(hub.snapshot(), &["sample/", "node/"]).unwrap();
    assert_eq!(picture, []);
}

/// The script for computers that no agent runs on, by each shell that is here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_script_sends_what_the_agent_would() {
    if installed_netcat().is_none() {
        return;
    }
    let hub = Hub::collector().start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../etc/examples/agent.sh");
    let address = hub.address().to_string();
    for (shell, node) in [("dash", "Old-PC.example.org"), ("bash", "old_pc2")] {
        let run = |hub: &str| Command::new(shell).args([script, hub, node]).output();
        let output = match run(&address) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            output => output.unwrap(),
        };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{shell}: {said}");
        let node = node.split('.').next().unwrap().to_lowercase();
        let row = archive::rows(&hub.archive(), &node, 1).await.remove(0);
        for metric in ["cpu_percent", "memory_percent", "disk_percent"] {
            let value = row.metric(metric).unwrap_or(f64::NAN);
            assert!((0.0..=100.0).contains(&value), "{shell}: {metric} {value}");
        }
        for metric in ["load1", "processes", "uptime"] {
            assert!(row.metric(metric).is_some_and(|value| value >= 0.0), "{shell}: {metric}");
        }
        let refused = Command::new(shell).args([script, &address, "!"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1), "a name that is none");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("says error: "));
        assert_eq!(run("127.0.0.1:1").unwrap().status.code(), Some(69), "no hub there");
        assert_eq!(Command::new(shell).arg(script).output().unwrap().status.code(), Some(2));
    }
}
