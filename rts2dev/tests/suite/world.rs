//! Where a case runs: with the programs of this crate, or with RTS2's own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use rts2dev::client::Client;
use rts2dev::testing::{Centrald, CentraldOptions};
use rts2dev::{CentraldStatus, DeviceHandle, DeviceOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::common::real::{self, Program};
use crate::common::{Raw, Running, options, patiently, start};
use crate::dummy;

/// Who answers.
#[derive(Clone, Debug)]
pub(crate) enum World {
    BuiltIn,
    /// The programs in this folder.
    Real(PathBuf),
}

impl World {
    /// The real one, where it is.
    pub(crate) fn real() -> Option<Self> {
        say_what_is_not_run();
        real::bindir().map(Self::Real)
    }

    /// The real one, where its clients can run.
    pub(crate) fn real_with_clients() -> Option<Self> {
        Self::real().filter(|_| client_preload().is_some())
    }

    /// An observatory with nobody in it.
    pub(crate) async fn observatory(&self) -> Observatory {
        self.observatory_with(Rules::default()).await
    }

    pub(crate) async fn observatory_with(&self, rules: Rules) -> Observatory {
        let port = real::free_port().await;
        let folder = TempDir::new().unwrap();
        let mut observatory = Observatory { world: self.clone(), rules, folder, port, centrald: None };
        observatory.start_centrald().await;
        observatory
    }
}

/// What rts2.ini says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) required_devices: Vec<String>,
    pub(crate) blocked_by: BTreeMap<String, Vec<String>>,
}

impl Rules {
    fn ini(&self) -> String {
        let mut ini = real::OBSERVATORY.to_owned();
        ini.push_str(&format!("required_devices = \"{}\"\n", self.required_devices.join(" ")));
        ini.push_str("[centrald]\nmorning_off = false\nmorning_standby = false\nreboot_on = true\n");
        for (device, by) in &self.blocked_by {
            ini.push_str(&format!("[{device}]\nblocked_by = \"{}\"\n", by.join(" ")));
        }
        ini
    }
}

enum AnyCentrald {
    BuiltIn(Centrald),
    Real(Program),
}

/// A centrald, and what runs under it.
pub(crate) struct Observatory {
    world: World,
    rules: Rules,
    folder: TempDir,
    port: u16,
    centrald: Option<AnyCentrald>,
}

impl Observatory {
    /// Where centrald listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts centrald where it was, or is to be.
    pub(crate) async fn start_centrald(&mut self) {
        self.centrald = Some(match &self.world {
            World::BuiltIn => {
                let listen = ([127, 0, 0, 1], self.port).into();
                let Rules { required_devices, blocked_by } = self.rules.clone();
                let options =
                    CentraldOptions { listen, required_devices, blocked_by, ..CentraldOptions::default() };
                AnyCentrald::BuiltIn(Centrald::start_with(options).await.unwrap())
            }
            World::Real(bindir) => {
                let config = self.rules.ini();
                let program = Program::centrald_at(bindir, self.folder.path(), self.port, &config).await;
                AnyCentrald::Real(program)
            }
        });
    }

    pub(crate) async fn stop_centrald(&mut self) {
        match self.centrald.take() {
            Some(AnyCentrald::Real(program)) => program.stop().await,
            Some(AnyCentrald::BuiltIn(centrald)) => {
                centrald.stop();
                // Its socket is closed by its own task.
                patiently(async {
                    while TcpListener::bind(("127.0.0.1", self.port)).await.is_err() {
                        tokio::task::yield_now().await;
                    }
                })
                .await;
            }
            None => {}
        }
    }

    /// Waits until centrald got a message with this in it.
    pub(crate) async fn heard(&self, text: &str) {
        match self.centrald.as_ref().unwrap() {
            AnyCentrald::BuiltIn(centrald) => {
                let heard = |c: &Centrald| c.messages().iter().any(|message| message.contains(text));
                patiently(centrald.wait_for(heard)).await;
            }
            AnyCentrald::Real(_) => {
                let log = self.folder.path().join("centrald.log");
                // A file has no way to say that it grew.
                patiently(async {
                    while !std::fs::read_to_string(&log).unwrap_or_default().contains(text) {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                })
                .await;
            }
        }
    }

    /// A client of ours.
    pub(crate) async fn client(&self) -> Client {
        patiently(Client::login(&self.address(), "observer", "suite")).await.unwrap()
    }

    /// A connection to centrald that is logged in as a client, for what no client of ours would say.
    pub(crate) async fn raw_client(&self) -> Raw {
        let mut raw = Raw::connect(self.port).await;
        raw.command("login observer raw").await;
        raw.command("password observer").await;
        raw
    }

    /// A device of ours, registered.
    pub(crate) async fn device(&self, name: &str, declare: impl FnOnce(&DeviceHandle)) -> Running {
        let device = start(self.options(name), declare).await;
        let mut status = device.handle.centrald_status();
        patiently(status.wait_for(CentraldStatus::is_registered)).await.unwrap();
        device
    }

    pub(crate) fn options(&self, name: &str) -> DeviceOptions {
        options(name, &[self.address()])
    }

    /// A dummy sensor DUMMY: rts2-sensor-dummy, or ours that declares the same.
    pub(crate) async fn dummy(&self) -> Dummy {
        let address = self.address();
        match &self.world {
            World::BuiltIn => Dummy::BuiltIn(start(self.options("DUMMY"), dummy::declare).await),
            World::Real(bindir) => {
                let arguments = ["-d", "DUMMY", "--server", &address, "--localhost", "127.0.0.1"];
                let program = Program::start(bindir, "rts2-sensor-dummy", self.folder.path(), &arguments);
                Dummy::Real(program.await)
            }
        }
    }

    /// The same, which serves whoever connects.
    pub(crate) async fn dummy_for_all(&self) -> Dummy {
        match &self.world {
            World::BuiltIn => {
                let options = DeviceOptions { noauth: true, ..options("DUMMY", &[]) };
                Dummy::BuiltIn(start(options, dummy::declare).await)
            }
            World::Real(bindir) => {
                let arguments = ["-d", "DUMMY", "--noauth", "--server", "127.0.0.1:1"];
                let program = Program::start(bindir, "rts2-sensor-dummy", self.folder.path(), &arguments);
                Dummy::Real(program.await)
            }
        }
    }
}

/// A dummy sensor that runs.
pub(crate) enum Dummy {
    BuiltIn(Running),
    Real(Program),
}

impl Dummy {
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::BuiltIn(device) => device.port,
            Self::Real(program) => program.port,
        }
    }

    pub(crate) async fn stop(self) {
        match self {
            Self::BuiltIn(device) => drop(device),
            Self::Real(program) => program.stop().await,
        }
    }
}

/// Waits until a client's picture of centrald satisfies a condition.
pub(crate) async fn until(client: &mut Client, condition: impl Fn(&Client) -> bool) {
    patiently(async {
        while !condition(client) {
            client.changed().await.unwrap();
        }
    })
    .await;
}

/// The library that gives RTS2's clients a login name.
pub(crate) fn client_preload() -> Option<OsString> {
    std::env::var_os("RTS2_CLIENT_PRELOAD").filter(|path| !path.is_empty())
}

/// Whether there is tmux, in which rts2-mon can be watched.
pub(crate) fn tmux() -> bool {
    std::process::Command::new("tmux").arg("-V").output().is_ok_and(|output| output.status.success())
}

/// Says in one line what is not run and why, past the capture of the tests' output.
fn say_what_is_not_run() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let exposure = "the exposure of rts2-scriptexec";
        let monitor = "the picture of rts2-mon";
        let said = if real::bindir().is_none() {
            "RTS2_BINDIR is not set: no case of real:: and real_only:: was run\n".to_owned()
        } else if client_preload().is_none() {
            format!("RTS2_CLIENT_PRELOAD is not set: {exposure} and {monitor} were not run\n")
        } else if !tmux() {
            format!("there is no tmux: {monitor} was not run\n")
        } else {
            return;
        };
        let _ = std::io::stderr().write_all(said.as_bytes());
    });
}
