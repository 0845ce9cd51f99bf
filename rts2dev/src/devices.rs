//! Several devices of one program.

use rts2_proto::DeviceName;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::device::{Device, RunError};

/// Devices that belong together, on one runtime: a hundred do with one thread.
///
/// The first is the primary one. With each centrald the others are registered only while the primary device is: where
/// its name is taken, by a second instance of the program for example, they stay away with it, even if their own names
/// are free. Otherwise two instances would share out the names between them, and each show half of what there is. When the
/// name comes free, they all take over.
#[derive(Debug)]
pub struct Devices {
    devices: Vec<(Device, TcpListener)>,
}

impl Devices {
    /// Begins with the primary device and the socket on which it listens.
    #[must_use]
    pub fn new(primary: Device, listener: TcpListener) -> Self {
        Self { devices: vec![(primary, listener)] }
    }

    /// Adds a device that follows the primary one.
    pub fn add(&mut self, mut device: Device, listener: TcpListener) {
        if let Some((primary, _)) = self.devices.first() {
            device.follow(&primary.handle());
        }
        self.devices.push((device, listener));
    }

    /// Runs them until `shutdown` is cancelled. When one ends by itself, by a client's `exit` or an error, all do.
    ///
    /// # Errors
    /// The first error of a device, with its name.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), DevicesError> {
        let shutdown = shutdown.child_token();
        let _end_all = shutdown.clone().drop_guard();
        let mut tasks = JoinSet::new();
        for (device, listener) in self.devices {
            let (name, shutdown) = (device.name().clone(), shutdown.clone());
            tasks.spawn(async move {
                device.run(listener, shutdown).await.map_err(|source| DevicesError { name, source })
            });
        }
        let mut result = Ok(());
        while let Some(ended) = tasks.join_next().await {
            shutdown.cancel();
            match ended {
                Ok(ended) => result = result.and(ended),
                // Every task of ours runs to its end, so it panicked: this is no time to go on without it.
                Err(error) => {
                    if let Ok(panic) = error.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
        result
    }
}

/// Why one of several devices ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("device {name}: {source}")]
pub struct DevicesError {
    /// Its name.
    pub name: DeviceName,
    /// Why.
    pub source: RunError,
}
