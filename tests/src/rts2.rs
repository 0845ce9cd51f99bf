//! The RTS2 side: a client, and the real rts2-centrald where `RTS2_BINDIR` says where it is.
#![expect(clippy::panic, reason = "a test that waited in vain ends here, with what it waited for")]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rts2dev::client::{Client, RemoteDevice, RemoteValue};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::process::Process;
use crate::wait::{PATIENCE, eventually};

/// A running rts2-centrald, in a folder of its own; it is killed when this is dropped.
#[derive(Debug)]
pub struct RealCentrald {
    address: SocketAddr,
    programs: PathBuf,
    process: Process,
    folder: TempDir,
}

/// The folder of the real RTS2's programs, which the environment variable `RTS2_BINDIR` names.
#[must_use]
pub fn real_programs() -> Option<PathBuf> {
    std::env::var_os("RTS2_BINDIR").map(PathBuf::from)
}

impl RealCentrald {
    /// Starts one on a free port of the loopback interface and waits until it listens.
    ///
    /// RTS2's daemons listen on all interfaces. Where the environment variable `RTS2_PRELOAD` names a library that makes
    /// them listen on loopback alone, it is preloaded.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn start(programs: &Path) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("lamon-rts2").context("no folder for centrald")?;
        std::fs::write(folder.path().join("rts2.ini"), RTS2_INI).context("cannot write rts2.ini")?;
        std::fs::create_dir(folder.path().join("lock")).context("cannot make a folder")?;
        // centrald has no way to say which free port it got, so one is found here.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = launch(programs, folder.path(), address).await?;
        Ok(Self { address, programs: programs.into(), process, folder })
    }

    /// Kills it and starts another on the same port.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn restart(mut self) -> anyhow::Result<Self> {
        self.process.kill();
        self.process = launch(&self.programs, self.folder.path(), self.address).await?;
        Ok(self)
    }

    /// Where RTS2's programs are.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Its folder: `rts2.ini`, and room for what its clients write.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn launch(programs: &Path, folder: &Path, address: SocketAddr) -> anyhow::Result<Process> {
    let mut command = Command::new(programs.join("rts2-centrald"));
    command
        .args(["-i", "--local-port", &address.port().to_string()])
        .arg("--lock-prefix")
        .arg(format!("{}/", folder.join("lock").display()))
        .arg("--config")
        .arg(folder.join("rts2.ini"))
        .arg("--logfile")
        .arg(folder.join("centrald.log"));
    if let Some(library) = std::env::var_os("RTS2_PRELOAD") {
        command.env("LD_PRELOAD", library);
    }
    let process = Process::run("rts2-centrald", command, None)?;
    eventually("rts2-centrald listens", || async { TcpStream::connect(address).await.ok() }).await;
    Ok(process)
}

/// The least that centrald wants to know: where it is, and that it shall do nothing by itself.
const RTS2_INI: &str = "\
[observatory]
longitude = 117.57
latitude = 40.39
altitude = 960
base_path = \"/tmp\"
que_path = \"%b/%f\"
required_devices = \"\"
open_sequence = \"\"
[centrald]
morning_off = false
morning_standby = false
[scriptexec]
expand_path = \"%f\"
[C0]
instrume = \"dummy\"
telescop = \"none\"
origin = \"test\"
";

/// Logs in to a centrald and connects to a device, as soon as it is registered there.
pub async fn device(centrald: SocketAddr, name: &str) -> RemoteDevice {
    eventually(&format!("device {name} at {centrald}"), || try_device(centrald, name)).await
}

async fn try_device(centrald: SocketAddr, name: &str) -> Option<RemoteDevice> {
    let client = Client::login(&centrald.to_string(), "test", "lamon-tests").await.ok()?;
    client.device(name).await.ok()
}

/// Waits until a value is there and as wanted.
///
/// # Panics
///
/// When it is not in time; with how it is.
pub async fn value(
    device: &mut RemoteDevice,
    name: &str,
    wanted: impl Fn(&RemoteValue) -> bool,
) -> RemoteValue {
    let waiting = async {
        loop {
            if let Some(value) = device.value(name).filter(&wanted) {
                return Ok(value);
            }
            device.changed().await?;
        }
    };
    let found = tokio::time::timeout(PATIENCE, waiting).await;
    match found {
        Ok(Ok(value)) => value,
        Ok(Err(lost)) => {
            let lost: rts2dev::client::ClientError = lost;
            panic!("{name}: {lost}")
        }
        Err(_) => panic!("{name} does not become what it should; it is {:?}", device.value(name)),
    }
}
