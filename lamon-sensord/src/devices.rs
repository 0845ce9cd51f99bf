//! The thread that runs the RTS2 devices.
//!
//! It has a runtime of its own: whatever intake, disk or bus do, `status_info` is answered within a second, because RTS2
//! holds up exposures until every device has answered.

use std::net::{IpAddr, TcpListener};
use std::thread::JoinHandle;

use anyhow::Context;
use rts2dev::{Device, Devices};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// A device and the port that it will listen on, bound before anything is started.
#[derive(Debug)]
pub struct Bound {
    device: Device,
    listener: TcpListener,
}

impl Bound {
    /// Binds the device's port; 0 lets the system choose.
    ///
    /// # Errors
    ///
    /// A sentence that names the port.
    pub fn new(device: Device, address: IpAddr, port: u16) -> anyhow::Result<Self> {
        let name = device.handle().name().to_owned();
        let listener = TcpListener::bind((address, port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| {
                {
                format!("RTS2 device {name} cannot listen on {address}, port {port} ([rts2] listen and port, --local-port)")
            }
            })?;
        info!(
            device = name,
            port = listener.local_addr().map(|address| address.port()).ok(),
            "RTS2 device listens"
        );
        Ok(Self { device, listener })
    }
}

/// Starts the thread. It ends when `ended` is cancelled. Devices that are sent to it, as many as there are and in their
/// order, stand in the place of those before, on the same ports: RTS2 cannot withdraw a value, so a device that shall
/// have fewer is registered anew.
///
/// # Errors
///
/// When the system gives no thread.
pub fn spawn(
    devices: Vec<Bound>,
    ended: CancellationToken,
) -> anyhow::Result<(JoinHandle<()>, mpsc::Sender<Vec<Device>>)> {
    let (anew, anew_in) = mpsc::channel(1);
    let thread = std::thread::Builder::new().name("rts2".into());
    let run = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run_all(devices, anew_in, ended)),
        Err(error) => error!(%error, "the RTS2 thread has no runtime"),
    };
    Ok((thread.spawn(run).context("cannot start the RTS2 thread")?, anew))
}

async fn run_all(bound: Vec<Bound>, mut anew: mpsc::Receiver<Vec<Device>>, ended: CancellationToken) {
    let (mut devices, listeners): (Vec<_>, Vec<_>) =
        bound.into_iter().map(|Bound { device, listener }| (device, listener)).unzip();
    loop {
        let round = ended.child_token();
        let running = run_once(devices, &listeners, round.clone());
        tokio::pin!(running);
        devices = tokio::select! {
            () = &mut running => return,
            Some(next) = anew.recv() => {
                round.cancel();
                running.await;
                info!("the RTS2 devices register anew");
                next
            }
        };
    }
}

/// Runs devices until they are told to end.
async fn run_once(devices: Vec<Device>, listeners: &[TcpListener], ended: CancellationToken) {
    let mut together: Option<Devices> = None;
    for (device, listener) in devices.into_iter().zip(listeners) {
        match listener.try_clone().and_then(tokio::net::TcpListener::from_std) {
            // The summary device comes first, and the devices of groups follow it: of two hubs one shows everything.
            Ok(listener) => match &mut together {
                None => together = Some(Devices::new(device, listener)),
                Some(together) => together.add(device, listener),
            },
            Err(error) => error!(device = %device.name(), %error, "an RTS2 device cannot listen"),
        }
    }
    if let Some(together) = together
        && let Err(error) = together.run(ended).await
    {
        error!("the RTS2 devices ended: {error}");
    }
}
