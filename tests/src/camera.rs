//! The real RTS2's camera and the program that has it expose: what a gate holds up.
#![expect(clippy::panic, reason = "a test that waited in vain ends here, with what it waited for")]

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use rts2dev::client::RemoteDevice;
use rts2dev::proto::DeviceState;

use crate::process::Process;
use crate::rts2::{self, RealCentrald};
use crate::wait::PATIENCE;

/// A running rts2-camd-dummy called `C0`, and a client that watches it.
#[derive(Debug)]
pub struct Camera {
    /// The camera as RTS2 sees it.
    pub device: RemoteDevice,
    _process: Process,
}

/// A running rts2-scriptexec that takes one image; it is killed when this is dropped.
#[derive(Debug)]
pub struct Script {
    process: Process,
    image: PathBuf,
}

/// Whether clients of RTS2 can run here: they need a login session, or a library that stands in for one, which the
/// environment variable `RTS2_CLIENT_PRELOAD` names.
#[must_use]
pub fn clients_can_run() -> bool {
    std::env::var_os("RTS2_CLIENT_PRELOAD").is_some()
}

impl Camera {
    /// Starts it and waits until centrald knows it.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub async fn start(centrald: &RealCentrald) -> anyhow::Result<Self> {
        let mut command = Command::new(centrald.programs().join("rts2-camd-dummy"));
        command
            .args(["-i", "-d", "C0", "--localhost", "127.0.0.1", "--width", "100", "--height", "80"])
            .args(["--server", &centrald.address().to_string()])
            .arg("--lock-prefix")
            .arg(format!("{}/", centrald.folder().join("lock").display()));
        if let Some(library) = std::env::var_os("RTS2_PRELOAD") {
            command.env("LD_PRELOAD", library);
        }
        let process = Process::run("rts2-camd-dummy", command, None)?;
        let device = rts2::device(centrald.address(), "C0").await;
        Ok(Self { device, _process: process })
    }

    /// Waits until the camera may, or may not, begin an exposure.
    ///
    /// # Panics
    ///
    /// When it does not come to that in time.
    pub async fn is_blocked(&mut self, blocked: bool) {
        let wanted = |device: &RemoteDevice| device.bop().contains(DeviceState::BOP_EXPOSURE) == blocked;
        self.comes_to(&format!("blocked: {blocked}"), wanted).await;
    }

    /// Waits until the camera exposes.
    ///
    /// # Panics
    ///
    /// When it does not in time.
    pub async fn exposes(&mut self) {
        self.comes_to("exposing", |device| device.state().contains(DeviceState::CAM_EXPOSING)).await;
    }

    async fn comes_to(&mut self, what: &str, wanted: impl Fn(&RemoteDevice) -> bool) {
        let waiting = async {
            while !wanted(&self.device) {
                if let Err(lost) = self.device.changed().await {
                    panic!("C0 is lost: {lost}");
                }
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("C0 does not come to be {what}: {:?} {:?}", self.device.state(), self.device.bop());
        }
    }
}

impl Script {
    /// Has the camera take an image of a tenth of a second into this file of centrald's folder.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(centrald: &RealCentrald, image: &str) -> anyhow::Result<Self> {
        let folder = centrald.folder();
        let mut command = Command::new(centrald.programs().join("rts2-scriptexec"));
        command
            .args(["--server", "127.0.0.1", "--port", &centrald.address().port().to_string(), "--config"])
            .arg(folder.join("rts2.ini"))
            .args(["-d", "C0", "-s", "E 0.1", "-o", image])
            .current_dir(folder);
        if let Some(library) = std::env::var_os("RTS2_CLIENT_PRELOAD") {
            command.env("LD_PRELOAD", library);
        }
        let process = Process::run("rts2-scriptexec", command, None)?;
        Ok(Self { process, image: folder.join(image) })
    }

    /// The image, which may not be there yet.
    #[must_use]
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// Waits until it ends, with the image taken.
    ///
    /// # Errors
    ///
    /// When it does not end, fails, or leaves no image.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let status = self.process.wait()?;
        anyhow::ensure!(status.success(), "rts2-scriptexec ended with {status}");
        std::fs::metadata(&self.image).map(drop).context("rts2-scriptexec left no image")
    }
}
