//! Programs of the real RTS2, where `RTS2_BINDIR` says where they are. Where RTS2_BINDIR/../lib has
//! `bind-loopback-shim.so`, it keeps them to the loopback interface (they would listen on all).

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::patiently;

/// Where the programs are.
pub(crate) fn bindir() -> Option<PathBuf> {
    std::env::var_os("RTS2_BINDIR").map(PathBuf::from)
}

/// A program that listens on a port of this machine, and ends with this.
pub(crate) struct Program {
    pub(crate) port: u16,
    child: Child,
}

impl Program {
    /// Starts a program and waits until it listens.
    pub(crate) async fn start(bindir: &Path, name: &str, folder: &Path, arguments: &[&str]) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
        let mut command = Command::new(bindir.join(name));
        command.args(["-i", "--local-port"]).arg(port.to_string());
        command.arg("--lock-prefix").arg(folder.join("lock_")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let shim = bindir.join("../lib/bind-loopback-shim.so");
        if shim.exists() {
            command.env("LD_PRELOAD", shim);
        }
        let child = command.spawn().unwrap();
        // It has no way to say that it listens.
        patiently(async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        Self { port, child }
    }

    /// A centrald.
    pub(crate) async fn centrald(bindir: &Path, folder: &Path) -> Self {
        let config = folder.join("rts2.ini");
        let observatory = "[observatory]\nlongitude = 117.575\nlatitude = 40.393\naltitude = 960\n";
        std::fs::write(&config, observatory).unwrap();
        let log = folder.join("centrald.log");
        let arguments = ["--config", config.to_str().unwrap(), "--logfile", log.to_str().unwrap()];
        Self::start(bindir, "rts2-centrald", folder, &arguments).await
    }

    pub(crate) async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}
