//! `testing::Centrald` over sockets: what rts2-centrald says in these situations, as its own programs showed it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;

mod blocking;
mod bounds;
mod captures;
mod logins;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Raw, patiently};
use rts2dev::testing::{Centrald, CentraldOptions, Log, OnOff, PartOfDay};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// What centrald said to people.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    fn log(&self) -> Log {
        let lines = Arc::clone(&self.0);
        Log::new(move |line| lines.lock().unwrap().push(line.to_owned()))
    }

    fn has(&self, line: &str) -> bool {
        self.0.lock().unwrap().iter().any(|said| said.contains(line))
    }

    #[track_caller]
    fn expect(&self, line: &str) {
        assert!(self.has(line), "{line:?} is not in {:#?}", self.0.lock().unwrap());
    }
}

async fn centrald(options: CentraldOptions) -> (Centrald, Said) {
    let said = Said::default();
    let centrald = Centrald::start_with(CentraldOptions { log: said.log(), ..options }).await.unwrap();
    (centrald, said)
}

/// A connection that has got its greeting: the metainfo of centrald's own values.
async fn connect(address: SocketAddr) -> Raw {
    let mut peer = Raw::connect(address.port()).await;
    peer.until(|line| line.starts_with("V moon_set")).await;
    peer
}

/// A device that is registered and ready.
async fn device(address: SocketAddr, name: &str, device_type: i32) -> Raw {
    let mut peer = connect(address).await;
    let end = peer.command(&format!("register 0 {name} {device_type} 127.0.0.1 4711")).await.pop().unwrap();
    assert_eq!(end, "+0 OK");
    peer.send("S 0").await;
    peer.send("T ready").await;
    peer.until(|line| line == "T OK").await;
    peer
}

async fn client(address: SocketAddr) -> Raw {
    let mut peer = connect(address).await;
    assert_eq!(peer.command("login obs rts2-mon").await.pop().unwrap(), "+0 OK");
    assert_eq!(peer.command("password obs").await.pop().unwrap(), "+0 OK");
    peer
}

/// What a peer has been told up to now, without the lines about values and other peers.
async fn states(peer: &mut Raw) -> Vec<String> {
    peer.send("T ready").await;
    let mut lines = peer.until(|line| line == "T OK").await;
    lines.retain(|line| line.starts_with(['S', 'B']));
    lines
}

async fn told(peer: &mut Raw, start: &str) -> String {
    peer.until(|line| line.starts_with(start)).await.pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_mute_device_is_asked_and_then_dropped() {
    let (centrald, _) = centrald(CentraldOptions::default()).await;
    let mut nodes = device(centrald.address(), "NODES", 15).await;
    nodes.patience = Duration::from_secs(1000);
    let begin = tokio::time::Instant::now();
    nodes.until(|line| line == "T ready").await;
    assert_eq!(begin.elapsed().as_secs(), 300);
    while nodes.line().await.is_some() {}
    assert_eq!(begin.elapsed().as_secs(), 600);
    assert!(centrald.devices().is_empty());
}

#[tokio::test]
async fn on_off_and_the_part_of_the_day() {
    let options = CentraldOptions {
        on_off: OnOff::HardOff,
        part_of_day: PartOfDay::Dusk,
        ..CentraldOptions::default()
    };
    let (centrald, said) = centrald(options).await;
    let address = centrald.address();
    let _nodes = device(address, "NODES", 15).await;
    let mut client = client(address).await;
    client.command("message_mask 4").await;
    // In the order of the real one: what it does, what it was, the state, and when it began to observe.
    let mut lines = client.command("on").await;
    for line in &mut lines {
        if let Some(at) = line.find(" centrald ") {
            line.replace_range(..at, "M");
        }
    }
    assert_eq!(
        lines,
        [
            "M centrald 4 State switched to ON dusk by obs",
            "M centrald 4 State changed from HARD OFF dusk to ON dusk description obs",
            "S 2 \"obs\"",
            "V open_close 0",
            "+0 OK"
        ]
    );
    said.expect("obs switches to ON");
    centrald.set_part_of_day(PartOfDay::Night);
    assert_eq!(told(&mut client, "S").await, "S 3 \"by idle routine\"");
    assert!(told(&mut client, "V last_night_on").await.starts_with("V last_night_on 1"));
    assert_eq!(told(&mut client, "V next_state").await, "V next_state 4");
    said.expect("it is night now");
    for (command, state) in [("standby", "S 19"), ("soft_off", "S 35"), ("off", "S 51")] {
        let lines = client.command(command).await;
        assert!(lines.contains(&format!("{state} \"obs\"")), "{command}: {lines:?}");
    }
    centrald.switch(OnOff::On, "a test");
    assert_eq!(told(&mut client, "S").await, "S 3 \"a test\"");
    let end = client.command("open").await.pop().unwrap();
    assert_eq!(end, "-3 invalid parameter values for command open");
    assert_eq!(client.command("close").await.pop().unwrap(), "+0 OK");
}

#[tokio::test]
async fn messages_go_to_those_who_want_them() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut errors = client(address).await;
    let mut all = client(address).await;
    let mut nothing = client(address).await;
    errors.command("message_mask 1").await;
    all.command("message_mask 16777215").await;
    for line in ["M 1 2 NODES 4 disk \"a\" is full", "M 1 3 NODES 1 disk b is lost"] {
        nodes.send(line).await;
    }
    assert_eq!(told(&mut all, "M").await, "M 1 2 NODES 4 disk \"a\" is full");
    assert_eq!(told(&mut all, "M").await, "M 1 3 NODES 1 disk b is lost");
    assert_eq!(told(&mut errors, "M").await, "M 1 3 NODES 1 disk b is lost");
    assert_eq!(centrald.messages().len(), 2);
    said.expect("NODES says (info): disk \"a\" is full");
    said.expect("NODES says (error): disk b is lost");
    // centrald's own: a command that failed.
    nothing.command("bogus").await;
    let line = told(&mut errors, "M").await;
    assert!(
        line.ends_with(" centrald 1 command end with error -1 description: unknow command bogus"),
        "{line}"
    );
    nothing.send("T ready").await;
    assert!(!nothing.until(|line| line == "T OK").await.iter().any(|line| line.starts_with('M')));
}

#[tokio::test]
async fn its_own_values_can_be_set() {
    let (centrald, _) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let _nodes = device(address, "NODES", 15).await;
    let mut client = client(address).await;
    let bad = "-2 invalid parameters/invalid number of parameters - X";
    for (line, answers) in [
        ("X required_devices = D1 D2", vec!["V required_devices D1 D2", "+0 OK"]),
        ("X required_devices + D3", vec![bad]),
        ("X required_devices =", vec!["V required_devices ", "+0 OK"]),
        ("X evening_time + 10", vec!["V evening_time 7210", "+0 OK"]),
        ("X day_horizon = -20", vec![bad]),
        ("X night_horizon = 1", vec![bad]),
        ("X night_horizon = -12", vec!["V night_horizon -12.0", "+0 OK"]),
        ("X infotime = 2", vec![bad]),
        ("X sun_alt = 2", vec!["-5 cannot set read-only value"]),
        ("X nosuch = 2", vec![bad]),
    ] {
        assert_eq!(client.command(line).await, answers, "{line}");
    }
}

#[tokio::test]
async fn it_ends_from_outside() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let said = Said::default();
    let options = CentraldOptions { log: said.log(), ..CentraldOptions::default() };
    let task = tokio::spawn(Centrald::run(listener, options, shutdown.clone()));
    let mut nodes = device(address, "NODES", 15).await;
    said.expect(&format!("centrald listens on {address}"));
    said.expect("NODES registered from 127.0.0.1:");
    said.expect(" as a sensor");
    shutdown.cancel();
    patiently(task).await.unwrap().unwrap();
    while nodes.line().await.is_some() {}
    assert!(TcpStream::connect(address).await.is_err());
}
