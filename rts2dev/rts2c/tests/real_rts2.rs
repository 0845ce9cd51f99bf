//! The built program against the real RTS2, where `RTS2_BINDIR` says where its programs are.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program of RTS2 that ends with this.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(bindir: &Path, name: &str, folder: &Path, arguments: &[&str]) -> Program {
    let mut command = Command::new(bindir.join(name));
    command.args(["-i", "--lock-prefix"]).arg(folder.join("lock_")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let shim = bindir.join("../lib/bind-loopback-shim.so");
    if shim.exists() {
        command.env("LD_PRELOAD", shim);
    }
    Program(command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// What `rts2c` wrote and its exit code.
fn rts2c(server: &str, words: &str) -> (String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_rts2c"))
        .args(words.split(' '))
        .env("RTS2_SERVER", server)
        .output()
        .unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn against_the_real_dummies() {
    let Some(bindir) = std::env::var_os("RTS2_BINDIR").map(PathBuf::from) else {
        let said = "RTS2_BINDIR is not set: rts2c was not run against the real RTS2\n";
        let _ = std::io::stderr().write_all(said.as_bytes());
        return;
    };
    let folder = tempfile::TempDir::new().unwrap();
    let config = folder.path().join("rts2.ini");
    std::fs::write(&config, "[observatory]\nlongitude = 117.575\nlatitude = 40.393\naltitude = 960\n")
        .unwrap();
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let (server, port_text) = (format!("127.0.0.1:{port}"), port.to_string());
    let log = folder.path().join("centrald.log");
    let own = ["--local-port", &port_text, "--config", config.to_str().unwrap(), "--logfile"];
    let own = [own.as_slice(), &[log.to_str().expect("a path of text")]].concat();
    let _centrald = start(&bindir, "rts2-centrald", folder.path(), &own);
    // A device that comes before centrald listens tries again after a minute only.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let place = ["--server", &server, "--localhost", "127.0.0.1", "-d"];
    let device =
        |program, name| start(&bindir, program, folder.path(), &[place.as_slice(), &[name]].concat());
    let _sensor = device("rts2-sensor-dummy", "DUMMY");
    let _camera = device("rts2-camd-dummy", "C0");

    for name in ["DUMMY", "C0"] {
        assert_eq!(rts2c(&server, &format!("wait {name} present --timeout 30")).1, 0, "{name}");
    }
    let (list, _) = rts2c(&server, "ls");
    assert!(list.contains("DUMMY") && list.contains("sensor") && list.contains("bad weather"), "{list}");
    // Every value of every type is there.
    let (all, _) = rts2c(&server, "get DUMMY");
    for shown in ["TEST_INT ", "open_close ", "ra_dec_test ", "test_PID ", "bools ", "test_timeserie_6 "] {
        assert!(all.lines().any(|line| line.starts_with(shown)), "{shown} in {all}");
    }
    assert!(all.lines().count() >= 35, "{all}");
    for (set, condition, shown) in [
        ("TEST_INT 4", "TEST_INT == 4", "4\n"),
        ("TEST_INT += 3", "TEST_INT gt 6", "7\n"),
        ("test_string two words", "test_string == two words", "two words\n"),
        ("open_close OPEN", "open_close == open", "OPEN\n"),
        ("stop_move_err error", "stop_move.level == error", "error\n"),
        ("test_on_off on", "test_on_off == yes", "on\n"),
    ] {
        assert_eq!(rts2c(&server, &format!("set DUMMY.{set}")).1, 0, "{set}");
        assert_eq!(rts2c(&server, &format!("wait DUMMY.{condition} --timeout 30")).1, 0, "{condition}");
        let name = set.split(' ').next().unwrap_or_default();
        assert_eq!(rts2c(&server, &format!("get DUMMY.{name}")), (shown.to_owned(), 0));
    }
    assert_eq!(rts2c(&server, "set DUMMY.random_double 4").1, 1, "it is read-only");
    assert_eq!(rts2c(&server, "wait DUMMY.state has BAD_WEATHER --timeout 30").1, 0);

    assert_eq!(rts2c(&server, "set C0.exposure 0.1").1, 0);
    assert_eq!(rts2c(&server, "cmd C0 expose"), ("+0 OK\n".to_owned(), 0));
    // The dummy sensor keeps an exposure waiting for ten seconds.
    assert_eq!(rts2c(&server, "wait C0.exposure_num ge 1 --timeout 60").1, 0);
    assert_eq!(rts2c(&server, "wait C0.state lacks 3 --timeout 60").1, 0);
    assert_eq!(rts2c(&server, "get C0.exposure_num"), ("1\n".to_owned(), 0));
}
