//! The main cases against the real RTS2, where `RTS2_BINDIR` says where its programs are, and against the built-in
//! centrald always. The real programs run on free ports; where RTS2_BINDIR/../lib has `bind-loopback-shim.so`, it
//! keeps them to the loopback interface (they would listen on all).
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;
use std::time::Duration;

use common::{options, patiently, start};
use rts2dev::client::{Client, Condition, Follower, ImageNews, Login, RemoteDevice};
use rts2dev::proto::{BaseType, DeviceState, DisplayType, Level, MessageType, SetOp, ValueData};
use rts2dev::testing::Centrald;
use rts2dev::{DeviceOptions, Refusal, Registration};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// Where the real programs are; says in one line that they are not there, past the capture of the tests' output.
fn bindir() -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let found = std::env::var_os("RTS2_BINDIR").map(PathBuf::from);
    if found.is_none() {
        SAID.call_once(|| {
            let said = "RTS2_BINDIR is not set: the cases against the real RTS2 were not run\n";
            let _ = std::io::stderr().write_all(said.as_bytes());
        });
    }
    found
}

/// A port that was free a moment ago.
async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A program of RTS2 that ends with this.
struct Program {
    child: Child,
}

impl Program {
    fn start(bindir: &Path, name: &str, folder: &TempDir, arguments: &[String]) -> Self {
        let mut command = Command::new(bindir.join(name));
        let prefix = folder.path().join("lock_");
        command.arg("-i").arg("--lock-prefix").arg(prefix).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let shim = bindir.join("../lib/bind-loopback-shim.so");
        if shim.exists() {
            command.env("LD_PRELOAD", shim);
        }
        Self { child: command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")) }
    }

    async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn real_centrald(bindir: &Path, folder: &TempDir, port: u16) -> Program {
    let config = folder.path().join("rts2.ini");
    std::fs::write(&config, "[observatory]\nlongitude = 117.575\nlatitude = 40.393\naltitude = 960\n")
        .unwrap();
    let log = folder.path().join("centrald.log");
    let arguments = [
        "--local-port".to_owned(),
        port.to_string(),
        "--config".to_owned(),
        config.display().to_string(),
        "--logfile".to_owned(),
        log.display().to_string(),
    ];
    let program = Program::start(bindir, "rts2-centrald", folder, &arguments);
    // It has no way to say that it listens.
    patiently(async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    program
}

async fn until(device: &mut RemoteDevice, condition: impl Fn(&RemoteDevice) -> bool) {
    patiently(async {
        while !condition(device) {
            device.changed().await.unwrap();
        }
    })
    .await;
}

/// What a sensor does all night: registers, shows values with their levels, is set, blocks, is asked.
async fn a_night(centrald: &str) {
    let mut load = None;
    let sensor = start(options("SENSOR", &[centrald.to_owned()]), |handle| {
        let declared = handle.double("load", "[%] a load").display(DisplayType::Percent).fits().declare();
        load = Some(declared.unwrap());
        let modes = ["slow", "fast"];
        handle.selection("mode", "how fast", &modes).writable().declare().unwrap();
        handle
            .integer("limit", "a limit")
            .on_set(|_| async { Err(Refusal::value("not tonight")) })
            .declare()
            .unwrap();
        handle.string("note", "a note").writable().declare().unwrap();
    })
    .await;
    let load = load.unwrap();
    let mut status = sensor.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();

    let mut client = Client::login(centrald, "observer", "test").await.unwrap();
    patiently(client.command("message_mask 16777215")).await.unwrap();
    let listed = client.devices();
    assert!(listed.iter().any(|device| device.name == "SENSOR" && device.port == sensor.port), "{listed:?}");
    let mut remote = client.device("SENSOR").await.unwrap();
    let names: Vec<String> = remote.values().into_iter().map(|value| value.name).collect();
    assert_eq!(names, ["infotime", "uptime", "load", "mode", "limit", "note"]);

    // Values and levels.
    load.set_with_level(91.5, Level::Error);
    until(&mut remote, |remote| remote.value("load").is_some_and(|value| value.level() == Level::Error))
        .await;
    let value = remote.value("LOAD").unwrap();
    assert_eq!((value.text().as_str(), value.display_type()), ("91.5", DisplayType::Percent));
    assert_eq!(value.description, "[%] a load");

    // Sets, by name and by number, and a refusal.
    assert_eq!(remote.set("mode", SetOp::Set, "fast").await.unwrap().to_string(), "+0 OK");
    assert_eq!(remote.value("mode").unwrap().text(), "fast");
    assert_eq!(remote.set("note", SetOp::Set, "\"ciao a tutti\"").await.unwrap().code, 0);
    assert_eq!(remote.value("note").unwrap().text(), "ciao a tutti");
    assert_eq!(remote.set("limit", SetOp::Set, "5").await.unwrap().to_string(), "-3 not tonight");
    assert_eq!(
        remote.set("load", SetOp::Set, "5").await.unwrap().to_string(),
        "-5 cannot set read-only value"
    );
    assert_eq!(remote.command("info").await.unwrap().to_string(), "+0 OK");

    // Blocked operations come back from centrald, to the device and through it to its clients.
    sensor.handle.set_state(DeviceState::BOP_EXPOSURE, "node lost");
    until(&mut remote, |remote| remote.bop().contains(DeviceState::BOP_EXPOSURE)).await;
    assert_eq!(remote.state(), DeviceState::BOP_EXPOSURE);
    let blocked = status.wait_for(|status| status.links[0].bop.contains(DeviceState::BOP_EXPOSURE));
    patiently(blocked).await.unwrap();
    assert_eq!(remote.command("device_status").await.unwrap().to_string(), "+0 device status updated");
    sensor.handle.set_state(DeviceState::empty(), "node back");
    until(&mut remote, |remote| !remote.bop().contains(DeviceState::BOP_EXPOSURE)).await;

    // Bad weather of a device is bad weather of the system.
    sensor.handle.set_state(DeviceState::BAD_WEATHER, "it rains");
    patiently(async {
        while !client.value("bad_weather_devices").is_some_and(|value| value.text().contains("SENSOR")) {
            client.changed().await.unwrap();
        }
    })
    .await;
    assert!(client.state().contains(DeviceState::BAD_WEATHER));
    sensor.handle.message(MessageType::WARNING, "clouds\nand rain");

    // Everybody's state is asked: nobody is held up.
    assert_eq!(patiently(client.command("status_info")).await.unwrap().code, 0);

    // A second device of that name stands by, and takes over when the first is gone.
    let second = start(options("SENSOR", &[centrald.to_owned()]), |_| {}).await;
    let mut second_status = second.handle.centrald_status();
    patiently(second_status.wait_for(|s| s.links[0].registration == Registration::StandBy)).await.unwrap();
    drop(sensor);
    patiently(second_status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let refused = client.device("NOSUCH").await.unwrap_err();
    assert_eq!(refused.to_string(), "centrald has no device NOSUCH");
}

#[tokio::test]
async fn a_night_under_the_built_in_centrald() {
    let centrald = Centrald::start().await.unwrap();
    a_night(&centrald.address().to_string()).await;
    patiently(centrald.wait_for(|c| c.messages().iter().any(|m| m.ends_with("SENSOR 2 clouds\\nand rain"))))
        .await;
}

#[tokio::test]
async fn a_night_under_the_real_centrald() {
    let Some(bindir) = bindir() else { return };
    let folder = TempDir::new().unwrap();
    let port = free_port().await;
    let centrald = real_centrald(&bindir, &folder, port).await;
    a_night(&format!("127.0.0.1:{port}")).await;
    centrald.stop().await;
    let log = std::fs::read_to_string(folder.path().join("centrald.log")).unwrap();
    assert!(log.contains("SENSOR 2 clouds"), "{log}");
    assert!(log.contains("command end with error -3 description: not tonight"), "{log}");
}

#[tokio::test]
async fn a_restart_of_the_real_centrald() {
    let Some(bindir) = bindir() else { return };
    let folder = TempDir::new().unwrap();
    let port = free_port().await;
    let address = format!("127.0.0.1:{port}");
    let centrald = real_centrald(&bindir, &folder, port).await;
    let sensor = start(options("SENSOR", std::slice::from_ref(&address)), |handle| {
        handle.double("load", "[%] x").initial(12.5).level(Level::Warning).declare().unwrap();
    })
    .await;
    let mut status = sensor.handle.centrald_status();
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    centrald.stop().await;
    patiently(status.wait_for(|status| !status.is_registered())).await.unwrap();
    let centrald = real_centrald(&bindir, &folder, port).await;
    patiently(status.wait_for(rts2dev::CentraldStatus::is_registered)).await.unwrap();
    let client = Client::login(&address, "observer", "test").await.unwrap();
    let load = client.device("SENSOR").await.unwrap().value("load").unwrap();
    assert_eq!((load.number(), load.level()), (Some(12.5), Level::Warning));
    centrald.stop().await;
}

#[tokio::test]
async fn our_client_and_the_real_dummy_sensor() {
    let Some(bindir) = bindir() else { return };
    let folder = TempDir::new().unwrap();
    let port = free_port().await;
    let address = format!("127.0.0.1:{port}");
    let centrald = real_centrald(&bindir, &folder, port).await;
    let arguments = ["-d", "DUMMY", "--server", &address, "--localhost", "127.0.0.1"].map(str::to_owned);
    let dummy = Program::start(&bindir, "rts2-sensor-dummy", &folder, &arguments);
    let mut client = Client::login(&address, "observer", "test").await.unwrap();
    patiently(async {
        while !client.devices().iter().any(|device| device.name == "DUMMY") {
            client.changed().await.unwrap();
        }
    })
    .await;
    let mut remote = client.device("DUMMY").await.unwrap();
    let value = |remote: &RemoteDevice, name: &str| remote.value(name).unwrap();
    assert!(remote.values().len() >= 35, "{:?}", remote.values());
    assert_eq!(remote.values()[0].name, "infotime");
    // No value of it is beyond us.
    assert!(remote.values().iter().all(|value| !matches!(value.data, ValueData::Raw(_))));
    let bases = [
        ("TEST_INT", BaseType::Integer),
        ("TEST_DOUBLE", BaseType::Double),
        ("test_string", BaseType::String),
        ("random_interval", BaseType::Float),
        ("open_close", BaseType::Selection),
        ("TEST_TIME", BaseType::Time),
        ("good_weather", BaseType::Bool),
        ("timer_count", BaseType::Long),
    ];
    for (name, base) in bases {
        assert_eq!(value(&remote, name).flags.value_type().unwrap().base(), base, "{name}");
        assert!(!matches!(value(&remote, name).data, ValueData::Raw(_)), "{name}");
    }
    // Each set with its answer, as the captures have them.
    let bad = "-2 invalid parameters/invalid number of parameters - X";
    let sets = [
        ("TEST_INT", SetOp::Set, "5", "+0 OK", "5"),
        ("TEST_INT", SetOp::Add, "3", "+0 OK", "8"),
        ("TEST_INT", SetOp::Set, "foo", bad, "8"),
        ("random_double", SetOp::Set, "3", "-5 cannot set read-only value", ""),
        ("test_string", SetOp::Set, "\"hello world\"", "+0 OK", "hello world"),
        ("TEST_TIME", SetOp::Set, "+10m", "+0 OK", "10.0"),
        ("test_PID", SetOp::Set, "1 2 3", "+0 OK", "1 2 3"),
        ("ra_dec_test", SetOp::Set, "155:07:30 -0:30:40", "+0 OK", "10:20:30.00 -00:30:40.0"),
        ("test_minmax", SetOp::Set, "7 0 10", "+0 OK", "7.0 0.0..10.0"),
        ("test_content1", SetOp::Set, "1 2.5", "+0 OK", "1.0, 2.5"),
        ("bools[2]", SetOp::Set, "off", "+0 OK", ""),
        ("generate_critical", SetOp::Set, "on", "+0 OK", "on"),
        ("TEST_INT_1", SetOp::Set, "1", "-5 trying to index non-array value", ""),
        ("TEST_INT[1", SetOp::Set, "1", "-5 missing ] for end of array index", ""),
    ];
    for (name, op, text, answer, after) in sets {
        assert_eq!(remote.set(name, op, text).await.unwrap().to_string(), answer, "{name} {text}");
        if !after.is_empty() {
            assert_eq!(value(&remote, name).text(), after, "{name} {text}");
        }
    }
    // A level, set by the dummy on another value, and a value that changes by itself.
    remote.set("stop_move_err", SetOp::Set, "error").await.unwrap();
    until(&mut remote, |remote| remote.value("stop_move").is_some_and(|value| value.level() == Level::Error))
        .await;
    let before = value(&remote, "random_double").number();
    until(&mut remote, |remote| remote.value("random_double").unwrap().number() != before).await;
    assert_eq!(remote.command("bogus").await.unwrap().to_string(), "-1 unknow command bogus");
    // Its end is told.
    dummy.stop().await;
    let lost = patiently(async {
        loop {
            if let Err(lost) = remote.changed().await {
                break lost;
            }
        }
    });
    assert!(lost.await.to_string().starts_with("connection to DUMMY lost"));
    patiently(async {
        while !client.devices().is_empty() {
            client.changed().await.unwrap();
        }
    })
    .await;
    centrald.stop().await;
}

/// `X` lines for values that both have; what is behind `=` shows the corners of RTS2's reading.
const SETS: &[&str] = &[
    "X TEST_INT = 5",
    "X TEST_INT + 3",
    "X TEST_INT - 10",
    "X test_int = 4",
    "X TEST_INT = 4",
    "X TEST_INT = foo",
    "X TEST_INT =",
    "X TEST_INT",
    "X",
    "X TEST_INT = 5,",
    "X TEST_INT = 6,7",
    "X TEST_INT = \"9\"",
    "X TEST_INT = 1 2",
    "X TEST_INT == 11",
    "X TEST_INT * 11",
    "X TEST_INT =12",
    "X TEST_INT = 1.5",
    "X TEST_INT = 5x",
    "X TEST_INT = +13",
    "X TEST_INT =  14  ",
    "X \"TEST_INT\" = 15",
    "X TEST_INT[1] = 3",
    "X TEST_INT[1 = 3",
    "X TEST_INT_1 = 3",
    "X TEST_DOUBLE = 1.5",
    "X TEST_DOUBLE + 1",
    "X TEST_DOUBLE - .25",
    "X TEST_DOUBLE = 2m",
    "X TEST_DOUBLE = 1e3",
    "X TEST_DOUBLE = foo",
    "X TEST_DOUBLE = 3,",
    "X TEST_DOUBLE = NaN",
    "X test_string = hello",
    "X test_string = \"hello world\"",
    "X test_string = hello world",
    "X test_string = \"\"",
    "X test_string + abc",
    "X random_double = 3",
    "X random_double_1 = 3",
    "X random_interval = 2.5",
    "X random_interval + 1",
    "X random_interval = x",
    "X stop_move_err = error",
    "X stop_move_err = Error",
    "X stop_move_err = 3",
    "X stop_move_err + 2",
    "X stop_move_err - 2",
    "X stop_move_err = -1",
    "X stop_move_err = 1x",
    "X TEST_TIME = +10m",
    "X TEST_TIME + 1h",
    "X TEST_TIME = now",
    "X test_on_off = on",
    "X test_on_off = FALSE",
    "X test_on_off = Yes",
    "X test_on_off = 0",
    "X test_on_off = 2",
    // Positions and controllers: one angle for both, and `-` the wrong way round.
    "X ra_dec_test = 10:20:30 +20:30:40",
    "X ra_dec_test = 10:20:30 +20:30:40",
    "X ra_dec_test + 1 1",
    "X ra_dec_test - 1 1",
    "X ra_dec_test + 1",
    "X ra_dec_test = 10",
    "X ra_dec_test = 10 20 30",
    "X ra_dec_test = foo",
    "X ra_dec_test = 10 bar",
    "X ra_dec_test = nan nan",
    "X ra_dec_test = 10.5 -20.25",
    "X ra_dec_test = -10:20:30.5 -0:30:40",
    "X ra_dec_test = \"10 20 30\" \"+20 30 40\"",
    "X ra_dec_test = 10, 20",
    "X ra_dec_test = 10,20",
    "X ra_dec_test = 10:70:30 0",
    "X ra_dec_test = 10: 1e2",
    "X ra_dec_test = 10::20 0",
    "X ra_dec_test = 1e400 0",
    "X ra_dec_test =",
    "X ra_dec_test[0] = 1",
    "X test_PID = 1 2 3",
    "X test_PID = 1 2 3",
    "X test_PID + 1 1 1",
    "X test_PID - 1 1 1",
    "X test_PID + 5",
    "X test_PID = 1 2",
    "X test_PID = 1.5 2 3",
    "X test_PID = 4,5,6",
    "X test_PID = 1 2 3 4",
    // A number between limits.
    "X test_minmax = 7",
    "X test_minmax = 8 0 10",
    "X test_minmax = 11",
    "X test_minmax + 2",
    "X test_minmax + 1",
    "X test_minmax - 5",
    "X test_minmax = 4 3 10",
    "X test_minmax + 1",
    "X test_minmax + 3 0 20",
    "X test_minmax - 1 2 3",
    "X test_minmax + nan",
    "X test_minmax = 4,0,9",
    "X test_minmax = 5 4",
    "X test_minmax = foo",
    "X test_minmax =",
    "X test_minmax = 1 2 3 4",
    "X test_minmax[0] = 1",
    "X deg_minmax = 10:20:30",
    // Arrays.
    "X test_content1 = 1 2 3",
    "X test_content1 + 4",
    "X test_content1 - 4",
    "X test_content1 = 4,5, 6",
    "X test_content1 = foo",
    "X test_content1 = 1 foo",
    "X test_content1 = 1,,2",
    "X test_content1 = nan 1.25",
    "X test_content1 = \"1 2\" 3",
    "X test_content1 = 1 2 3",
    "X test_content1[1] = 7",
    "X test_content1[0:1] = 8",
    "X test_content1[2:] = 5",
    "X test_content1[:2] = 6",
    "X test_content1[2:1] = 9",
    "X test_content1[1:2,3] = 9",
    "X test_content1[5:9] = 1",
    "X test_content1[] = 2.5",
    "X test_content1[1] + 7",
    "X test_content1[1] = foo",
    "X test_content1[1] = 7 8",
    "X test_content1[1] =",
    "X test_content1[1;2] = 9",
    "X test_content1[-1] = 9",
    "X test_content1[1:2:3] = 9",
    "X test_content1_2 = 99",
    "X test_content1_x = 99",
    "X test_content1 =",
    "X test_content2 = 1",
    "X test_content2[0] = 1",
    "X test_content3 = 1 2 3",
    "X test_content3[2] = -20",
    "X test_content3 = 1.5",
    "X test_content3 = 5x",
    "X test_content3 + 2",
    "X times = 1 2 3.5",
    "X times[1] = 7",
    "X times[2] = nan",
    "X times = now",
    "X times = +1h -5",
    "X bools = on off yes no 1 0 TRUE",
    "X bools[7] = off",
    "X bools[1,2] = on",
    "X bools = 2",
    "X bools = on,off",
    "X bools[1:2] = maybe",
    "X bools[0-1] = off",
    "X bools[1 = off",
    "X bools + on",
    "X bools =",
    "X test_stat = 5",
    "X nosuch = 3",
    "X nosuch_1 = 3",
    "X nosuch[1] = 3",
    "autosave",
    "autosav e",
    "base_info",
    "bogus 1",
    "auth",
    "key X",
    "authorize 1 2",
];

/// A name without the `_2` that stands for an element.
fn named(name: &str) -> String {
    let name = name.to_lowercase();
    match name.rsplit_once('_') {
        Some((array, index)) if array == "test_content1" && !index.is_empty() => array.to_owned(),
        _ => name,
    }
}

/// What a device answers to a line: changes of the value that the line names, and the end line.
async fn answer(device: &mut common::Raw, line: &str) -> Vec<String> {
    let name = line.split([' ', '[']).nth(1).unwrap_or_default().trim_matches('"').to_lowercase();
    let mut lines = device.command(line).await;
    let end = lines.pop().unwrap();
    let changes = lines.iter().filter_map(|line| {
        let (changed, value) = line.strip_prefix("V ")?.split_once(' ')?;
        // Numbers are written in different lengths.
        let word = |word: &str| word.parse::<f64>().map_or_else(|_| word.to_owned(), |it| it.to_string());
        let value = value.split(' ').map(word).collect::<Vec<_>>().join(" ");
        (named(changed) == named(&name)).then(|| format!("{changed} {value}"))
    });
    changes.chain([end.clone()]).collect()
}

#[tokio::test]
async fn our_device_answers_as_the_real_one() {
    let Some(bindir) = bindir() else { return };
    let folder = TempDir::new().unwrap();
    let port = free_port().await;
    // No centrald: the dummy serves clients all the same.
    let nobody = format!("127.0.0.1:{}", free_port().await);
    let port_text = port.to_string();
    let arguments =
        ["-d", "DUMMY", "--noauth", "--server", &nobody, "--local-port", &port_text].map(str::to_owned);
    let dummy = Program::start(&bindir, "rts2-sensor-dummy", &folder, &arguments);
    patiently(async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let ours = start(DeviceOptions { noauth: true, ..options("DUMMY", &[]) }, |handle| {
        handle.integer("TEST_INT", "x").writable().declare().unwrap();
        handle.double("TEST_DOUBLE", "x").writable().declare().unwrap();
        handle.string("test_string", "x").initial("?").writable().declare().unwrap();
        handle.double("random_double", "x").declare().unwrap();
        handle.float("random_interval", "x").initial(1.0).writable().declare().unwrap();
        let levels = ["good", "warning", "error"];
        handle.selection("stop_move_err", "x", &levels).writable().declare().unwrap();
        handle.time("TEST_TIME", "x").writable().declare().unwrap();
        handle.boolean("test_on_off", "x").writable().declare().unwrap();
        handle.ra_dec("ra_dec_test", "x").writable().declare().unwrap();
        handle.pid("test_PID", "x").writable().declare().unwrap();
        handle.min_max::<f64>("test_minmax", "x").writable().declare().unwrap();
        handle.min_max::<f64>("deg_minmax", "x").display(DisplayType::Degrees).writable().declare().unwrap();
        handle.doubles("test_content1", "x").writable().declare().unwrap();
        handle.doubles("test_content2", "x").declare().unwrap();
        handle.integers("test_content3", "x").writable().declare().unwrap();
        handle.times("times", "x").writable().declare().unwrap();
        handle.booleans("bools", "x").initial([false, true, true]).writable().declare().unwrap();
        handle.statistics("test_stat", "x", 5).declare().unwrap();
    })
    .await;
    let mut real = common::Raw::connect(port).await;
    let mut ours = common::Raw::connect(ours.port).await;
    for line in SETS {
        assert_eq!(answer(&mut ours, line).await, answer(&mut real, line).await, "{line}");
    }
    dummy.stop().await;
}

#[tokio::test]
async fn our_client_takes_an_image_of_the_real_camera() {
    let Some(bindir) = bindir() else { return };
    let folder = TempDir::new().unwrap();
    let port = free_port().await;
    let centrald = format!("127.0.0.1:{port}");
    let _centrald = real_centrald(&bindir, &folder, port).await;
    let arguments =
        ["-d", "C0", "--server", &centrald, "--localhost", "127.0.0.1", "--width", "100", "--height", "80"];
    let _camera = Program::start(&bindir, "rts2-camd-dummy", &folder, &arguments.map(str::to_owned));
    let login = Login { centrald, user: "observer".to_owned(), program: "test".to_owned() };
    let mut follower = Follower::new(login, "C0");
    let present: Condition = "C0 present".parse().unwrap();
    patiently(follower.wait(&present, |_| {})).await.unwrap();
    let camera = follower.device().unwrap();
    let mut images = camera.images().await.unwrap();
    assert_eq!(camera.set_to("exposure", 0.1).await.unwrap().to_string(), "+0 OK");
    assert_eq!(camera.command("expose").await.unwrap().to_string(), "+0 OK");
    let (mut announced, mut taken) = (0, 0);
    patiently(async {
        while let Some(news) = images.next().await {
            match news {
                ImageNews::Begun { sizes, .. } => announced = sizes.iter().sum(),
                ImageNews::Bytes { bytes, complete, .. } => {
                    taken += bytes.len();
                    if complete {
                        return;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    // A header of 44 bytes, and two for each pixel.
    assert_eq!((announced, taken), (16_044, 16_044));
    // What came behind the image is lines again.
    let done: Condition = "C0.exposure_num == 1".parse().unwrap();
    camera.wait(&done, common::PATIENCE).await.unwrap();
    assert_eq!(camera.command("info").await.unwrap().to_string(), "+0 OK");
}
