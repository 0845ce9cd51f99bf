//! `testing::Centrald` over sockets: what rts2-centrald says in these situations, as its own programs showed it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod captures;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Raw, patiently};
use rts2dev::proto::DeviceState;
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

#[tokio::test]
async fn names_that_are_taken() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let _nodes = device(address, "NODES", 15).await;
    let mut client = client(address).await;
    let mut second = connect(address).await;
    // A program's name is a name too, and nothing is the name of strangers.
    for (name, id) in [("NODES", 1), ("rts2-mon", 2), ("\"\"", 3)] {
        let end = second.command(&format!("register 0 {name} 15 127.0.0.1 4712")).await.pop().unwrap();
        let name = name.trim_matches('"');
        assert_eq!(end, format!("-5 name {name} already registered with id {id}"));
    }
    said.expect("NODES at 127.0.0.1:");
    said.expect("refused: the name is taken");
    assert_eq!(centrald.devices(), ["NODES"]);
    // It can take another one, and then cannot change it.
    assert_eq!(second.command("register 0 OTHER 15 127.0.0.1 4712").await.pop().unwrap(), "+0 OK");
    assert_eq!(told(&mut client, "device").await, "device 0 3 OTHER 127.0.0.1 4712 15");
    let end = second.command("register 0 THIRD 15 127.0.0.1 4712").await.pop().unwrap();
    assert_eq!(end, "-1 cannot switch server type to DEVICE_SERVER");
    let end = client.command("login a b").await.pop().unwrap();
    assert_eq!(end, "-1 cannot switch server type to CLIENT_SERVER");
    drop(second);
    assert_eq!(told(&mut client, "delete_device").await, "delete_device 3 OTHER");
    said.expect("OTHER is gone");
}

#[tokio::test]
async fn logins_keys_and_authorization() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut peer = connect(address).await;
    for command in ["info", "key NODES", "on", "password obs", "authorize 1 1", "weather_update \"a\" \"b\""]
    {
        let word = command.split(' ').next().unwrap();
        assert_eq!(peer.command(command).await, [format!("-1 unknow command {word}")]);
    }
    assert_eq!(peer.command("login obs rts2-mon").await, ["client 2 obs rts2-mon", "+0 OK"]);
    assert_eq!(peer.command("info").await, ["-1 unknow command info"]);
    assert_eq!(peer.command("password wrong").await, ["-5 invalid login or password"]);
    assert_eq!(peer.command("password obs").await, ["logged_as 2", "S 0", "+0 OK"]);
    said.expect("rts2-mon of obs at 127.0.0.1:");
    said.expect("rts2-mon of obs logged in from 127.0.0.1:");
    for (command, end) in [
        ("login obs", "-2 invalid parameters/invalid number of parameters - login"),
        ("key", "-2 invalid parameters/invalid number of parameters - key"),
        ("info x", "-2 invalid parameters/invalid number of parameters - info"),
        ("message_mask x", "-2 invalid parameters/invalid number of parameters - message_mask"),
        ("key NOSUCH", "-5 cannot find device with name"),
        ("device_status", "-1 unknow command device_status"),
        ("authorize 2 1", "-1 unknow command authorize"),
        ("S what", "-2 invalid parameters/invalid number of parameters - S"),
    ] {
        assert_eq!(peer.command(command).await, [end], "{command}");
    }
    // Its key opens the device for it alone, and only after it asked for one.
    let answers = nodes.command("authorize 2 1").await;
    assert_eq!(
        answers[answers.len() - 2..],
        ["A authorization_failed 2", "-5 client didn't ask for authorization"]
    );
    let key = peer.command("key NODES").await;
    let key: i32 = key[0].strip_prefix("authorization_key NODES ").unwrap().parse().unwrap();
    for (command, answer, end) in [
        (
            format!("authorize 2 {}", key ^ 1),
            Some("A authorization_failed 2"),
            "-5 invalid authorization key",
        ),
        ("authorize 99 1".to_owned(), None, "-5 client vanished during auth sequence"),
        ("authorize -1 1".to_owned(), None, "-2 invalid parameters/invalid number of parameters - authorize"),
        (format!("authorize 2 {key}"), Some("A authorization_ok 2"), "+0 OK"),
    ] {
        let answers = nodes.command(&command).await;
        assert_eq!(answers.first().map(String::as_str), answer.or(Some(end)), "{answers:?}");
        assert_eq!(answers.last().unwrap(), end);
    }
}

#[tokio::test]
async fn required_devices_stop_everything_while_they_are_missing() {
    let options = CentraldOptions { required_devices: vec!["D1".to_owned()], ..CentraldOptions::default() };
    let (centrald, said) = centrald(options).await;
    let address = centrald.address();
    let mut client = client(address).await;
    let nodes = device(address, "NODES", 15).await;
    // Nobody looked before the first device was ready.
    assert_eq!(states(&mut client).await, ["S 3221225472 \"stop state update from stopChanged\""]);
    said.expect("everything stops: D1 (missing)");
    let d1 = device(address, "D1", 15).await;
    assert_eq!(
        states(&mut client).await,
        [
            "S 1073741824 \"weather state update from weatherChanged\"",
            "S 0 \"stop state update from stopChanged\""
        ]
    );
    said.expect("the weather is good");
    said.expect("everything may move again");
    drop(d1);
    assert_eq!(told(&mut client, "delete_device").await, "delete_device 3 D1");
    assert_eq!(centrald.state(), DeviceState::BAD_WEATHER | DeviceState::STOP_EVERYTHING);
    said.expect("the weather is bad: D1 (missing)");
    drop(nodes);
}

#[tokio::test]
async fn bad_weather_and_its_reason() {
    let (centrald, said) = centrald(CentraldOptions::default()).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut client = client(address).await;
    nodes.send("S 2147483648 \"rain\"").await;
    assert_eq!(
        client.until(|line| line.starts_with("V bad_weather_device ")).await,
        [
            "V bad_weather_devices NODES",
            "S 2147483648 \"weather state update from weatherChanged\"",
            "V bad_weather_reason \"rain\"",
            "V bad_weather_device \"NODES\""
        ]
    );
    said.expect("NODES reports bad weather (rain)");
    said.expect("the weather is bad: NODES (rain)");
    // Only the first to see it may say more.
    other.send("S 2147483648 \"late\"").await;
    assert_eq!(told(&mut client, "V").await, "V bad_weather_devices NODES OTHER");
    assert_eq!(other.command("weather_update \"OTHER\" \"hail\"").await.pop().unwrap(), "+0 OK");
    assert_eq!(nodes.command("weather_update \"NODES\" \"snow\"").await.pop().unwrap(), "+0 OK");
    assert_eq!(told(&mut client, "V").await, "V bad_weather_reason \"snow\"");
    nodes.send("S 0").await;
    assert_eq!(told(&mut client, "V").await, "V bad_weather_devices OTHER");
    // Its end counts as good weather.
    drop(other);
    let lines = client.until(|line| line.starts_with("delete_device")).await;
    assert!(lines.contains(&"V bad_weather_reason \"\"".to_owned()), "{lines:?}");
    patiently(centrald.wait_for(|c| c.state().is_empty())).await;
}

#[tokio::test]
async fn who_blocks_whom() {
    let blocked_by = BTreeMap::from([("C0".to_owned(), vec!["NODES".to_owned()])]);
    let (centrald, said) = centrald(CentraldOptions { blocked_by, ..CentraldOptions::default() }).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut camera = device(address, "C0", 3).await;
    other.send("S 16777216 \"not heard\"").await;
    assert_eq!(told(&mut nodes, "B").await, "B 0 16777216");
    assert_eq!(told(&mut camera, "B").await, "B 0 0");
    nodes.send("S 50331648 \"ccd07 lost\"").await;
    assert_eq!(told(&mut camera, "B").await, "B 0 50331648");
    assert_eq!(told(&mut camera, "S").await, "S 0");
    said.expect("C0 may not expose: blocked by NODES (ccd07 lost)");
    said.expect("C0 may not read out: blocked by NODES (ccd07 lost)");
    assert!(!said.has("not expose: blocked by OTHER"));
    nodes.send("S 33554432 \"node back\"").await;
    assert_eq!(told(&mut camera, "B").await, "B 0 33554432");
    said.expect("NODES blocks exposures no more (node back)");
    said.expect("C0 may expose again");
    // What a device blocks goes with it.
    drop(nodes);
    assert_eq!(told(&mut camera, "B").await, "B 0 0");
    said.expect("C0 may read out again");
    assert_eq!(centrald.device_state("OTHER"), Some(DeviceState::BOP_EXPOSURE));
    assert_eq!(centrald.device_state("NODES"), None);
}

#[tokio::test]
async fn status_info_waits_for_those_that_may_block() {
    let blocked_by = BTreeMap::from([("C0".to_owned(), vec!["NODES".to_owned()])]);
    let (centrald, _) = centrald(CentraldOptions { blocked_by, ..CentraldOptions::default() }).await;
    let address = centrald.address();
    let mut nodes = device(address, "NODES", 15).await;
    let mut other = device(address, "OTHER", 15).await;
    let mut camera = device(address, "C0", 3).await;
    let mut client = client(address).await;
    let _stranger = connect(address).await;
    // The camera asks the one that may block it, and gets its answer.
    camera.send("status_info").await;
    nodes.until(|line| line == "status_info").await;
    assert!(states(&mut camera).await.is_empty());
    nodes.send("S 16777216\n+0 OK").await;
    let lines = camera.until(|line| line.starts_with('+')).await;
    assert_eq!(lines[lines.len() - 2..], ["B 0 16777216", "+0 OK"]);
    // A client asks all; of two rounds each ends, and an error is an answer.
    client.send("status_info\nstatus_info").await;
    for _ in 0..2 {
        for device in [&mut nodes, &mut other, &mut camera] {
            device.until(|line| line == "status_info").await;
            device.send("-4 device error").await;
        }
        let lines = client.until(|line| line.starts_with('+')).await;
        assert_eq!(lines[lines.len() - 2..], ["B 0 0", "+0 OK"]);
    }
    // A mute device holds everybody up until it is gone.
    client.send("status_info").await;
    for device in [&mut other, &mut camera] {
        device.until(|line| line == "status_info").await;
        device.send("+0 OK").await;
    }
    assert!(!states(&mut client).await.iter().any(|line| line.starts_with('B')));
    drop(nodes);
    client.until(|line| line == "+0 OK").await;
    // Rounds have a limit.
    client.send("status_info\nstatus_info\nstatus_info\nstatus_info\nstatus_info").await;
    assert_eq!(told(&mut client, "-").await, "-5 too many status_info at the same time");
    // Nobody is left to be asked.
    drop((other, camera));
    for _ in 0..4 {
        client.until(|line| line == "+0 OK").await;
    }
    assert_eq!(client.command("status_info").await.pop().unwrap(), "+0 OK");
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
