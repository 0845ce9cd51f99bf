//! Whoever comes to the hub's other doors without being asked: the bus where keys are listed, the control socket.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as the tests do")]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lamon_control::Operation;
use lamon_curve::{KeyPair, PublicKey};
use lamon_tests::hub::Hub;
use lamon_tests::keyed::Operator;
use lamon_tests::witness::{WITNESS, Witness};
use tempfile::TempDir;

/// The user and group of nobody, on every system.
const NOBODY: u32 = 65_534;

/// A subscriber to everything, with this key or none.
fn follower(context: &zmq::Context, endpoint: &str, by: Option<(&KeyPair, PublicKey)>) -> zmq::Socket {
    let socket = context.socket(zmq::SUB).unwrap();
    socket.set_linger(0).unwrap();
    socket.set_rcvhwm(0).unwrap();
    socket.set_reconnect_ivl(10).unwrap();
    socket.set_subscribe(b"").unwrap();
    if let Some((own, hub)) = by {
        own.follow(&socket, hub).unwrap();
    }
    socket.connect(endpoint).unwrap();
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_listed_key_nobody_hears_a_word_of_the_bus_and_those_who_have_one_hear_all() {
    let folder = TempDir::new().unwrap();
    let pair = |name: &str| KeyPair::load_or_make(&folder.path().join(name)).unwrap();
    let (listed, stranger) = (pair("listed"), pair("stranger"));
    let clients = format!("[bus.clients]\nwall = \"{}\"", listed.public());
    let hub = Hub::collector().with(&clients).start();
    let key = KeyPair::load(&hub.data_dir().join("bus.key")).unwrap().public();
    let witness = Witness::start(&hub).await.unwrap();
    let context = zmq::Context::new();
    let good = follower(&context, hub.publish(), Some((&listed, key)));
    // Without a key, with one that nobody listed, with another hub in mind; a hundred of each, and again and again.
    let mut bad = Vec::new();
    for _ in 0..100 {
        bad.push(follower(&context, hub.publish(), None));
        bad.push(follower(&context, hub.publish(), Some((&stranger, key))));
        bad.push(follower(&context, hub.publish(), Some((&listed, stranger.public()))));
    }
    // And those who say nothing, or what is no ZeroMQ.
    let address = hub.publish().trim_start_matches("tcp://");
    let mut raw: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in raw.iter_mut().step_by(2) {
        let _ = std::io::Write::write_all(stream, &[b'x'; 5_000]);
    }
    let (until, mut seen) = (Instant::now() + Duration::from_secs(8), Vec::new());
    while Instant::now() < until {
        if good.poll(zmq::POLLIN, 100).unwrap() == 0 {
            continue;
        }
        let message = good.recv_multipart(0).unwrap();
        let [topic, json] = message.as_slice() else { panic!("{message:?}") };
        if topic == format!("sample/{WITNESS}").as_bytes() {
            let json: serde_json::Value = serde_json::from_slice(json).unwrap();
            seen.push(json["seq"].as_u64().unwrap());
        }
    }
    assert!(seen.len() > 20, "{} messages", seen.len());
    assert!(seen.iter().zip(seen.iter().skip(1)).all(|(one, next)| one + 1 == *next), "a gap: {seen:?}");
    for socket in &bad {
        assert_eq!(socket.poll(zmq::POLLIN, 0).unwrap(), 0, "a stranger hears the bus");
    }
    hub.says("somebody may not follow the bus");
    witness.lost_nothing(&hub).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_socket_is_for_its_group_and_whoever_holds_it_open_stops_nobody() {
    let hub = Hub::collector().start();
    let witness = Witness::start(&hub).await.unwrap();
    let socket = hub.control().to_owned();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    if rustix::process::getuid().is_root() {
        // The way there is open to all, as /run is.
        fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
        let knock = |group: u32| {
            let mut nobody = Command::new("setpriv");
            nobody.args([&format!("--reuid={NOBODY}"), &format!("--regid={group}"), "--clear-groups", "--"]);
            nobody.args(["nc", "-N", "-U"]).arg(&socket).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = nobody.stderr(Stdio::piped()).spawn().unwrap();
            let _ = std::io::Write::write_all(
                &mut child.stdin.take().unwrap(),
                b"{\"v\":1,\"ask\":{\"revoke\":{\"target\":\"ccd99\",\"reason\":\"x\"}}}\n{\"v\":1,\"ask\":{\"status\":{}}}\n",
            );
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
        };
        assert_eq!(knock(NOBODY), "", "a stranger is answered");
        // Who is of the group is heard: that is what the group is for.
        chown(&socket, None, Some(4_242)).unwrap();
        assert_eq!(knock(NOBODY), "");
        let heard = knock(4_242);
        assert!(heard.contains("no node and no key is called") && heard.contains("status"), "{heard}");
    }
    // Those who may come and say nothing, or half an order, are as many as there are places.
    let mut held = Vec::new();
    for number in 0..60 {
        let mut stream = UnixStream::connect(&socket).unwrap();
        if number % 2 == 0 {
            let _ = std::io::Write::write_all(&mut stream, b"{\"v\":1,\"ask\":{\"revoke\":{\"target\":\"wit");
        }
        held.push(stream);
    }
    let refused = Operator::connect(&socket).unwrap().ask(Operation::Status {}).unwrap_err();
    assert!(format!("{refused:#}").contains("too many connections"), "{refused:#}");
    drop(held);
    lamon_tests::wait::eventually("an answer", || async {
        Operator::connect(&socket).ok()?.ask(Operation::Status {}).ok()
    })
    .await;
    witness.lost_nothing(&hub).await;
}
