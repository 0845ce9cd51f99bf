//! Programs of the real RTS2, where `RTS2_BINDIR` says where they are.
//!
//! RTS2's daemons listen on all interfaces. `RTS2_PRELOAD` names a library that keeps them to loopback, or it is
//! RTS2_BINDIR/../lib/bind-loopback-shim.so where that exists.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::patiently;

/// The least that centrald wants of its configuration: a place on Earth.
pub(crate) const OBSERVATORY: &str =
    "[observatory]\nlongitude = 117.575\nlatitude = 40.393\naltitude = 960\n";

/// Where the programs are.
pub(crate) fn bindir() -> Option<PathBuf> {
    std::env::var_os("RTS2_BINDIR").map(PathBuf::from)
}

/// A port that was free a moment ago.
pub(crate) async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A program that listens on a port of this machine, and ends with this.
pub(crate) struct Program {
    pub(crate) port: u16,
    child: Child,
}

impl Program {
    /// Starts a program on a free port and waits until it listens.
    pub(crate) async fn start(bindir: &Path, name: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::start_at(bindir, name, folder, free_port().await, arguments).await
    }

    /// Starts a program on that port and waits until it listens.
    pub(crate) async fn start_at(
        bindir: &Path,
        name: &str,
        folder: &Path,
        port: u16,
        arguments: &[&str],
    ) -> Self {
        let mut command = Command::new(bindir.join(name));
        command.args(["-i", "--local-port"]).arg(port.to_string());
        command.arg("--lock-prefix").arg(folder.join("lock_")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let named = std::env::var_os("RTS2_PRELOAD").map(PathBuf::from);
        let preload = named.unwrap_or_else(|| bindir.join("../lib/bind-loopback-shim.so"));
        if preload.exists() {
            command.env("LD_PRELOAD", preload);
        }
        let mut child = command.spawn().unwrap();
        // It has no way to say that it listens; one that ended would leave the port to somebody else.
        patiently(async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert_eq!(child.try_wait().unwrap(), None, "{name} ended");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        Self { port, child }
    }

    /// A centrald.
    pub(crate) async fn centrald(bindir: &Path, folder: &Path) -> Self {
        Self::centrald_at(bindir, folder, free_port().await, OBSERVATORY).await
    }

    /// A centrald on that port with that configuration; it logs to `centrald.log` of the folder.
    pub(crate) async fn centrald_at(bindir: &Path, folder: &Path, port: u16, config: &str) -> Self {
        let path = folder.join("rts2.ini");
        std::fs::write(&path, config).unwrap();
        let log = folder.join("centrald.log");
        let arguments = ["--config", path.to_str().unwrap(), "--logfile", log.to_str().unwrap()];
        Self::start_at(bindir, "rts2-centrald", folder, port, &arguments).await
    }

    pub(crate) async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}
