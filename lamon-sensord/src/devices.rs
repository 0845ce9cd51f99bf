//! The thread that runs the RTS2 devices.
//!
//! It has a runtime of its own: whatever intake, disk or bus do, `status_info` is answered within a second, because RTS2
//! holds up exposures until every device has answered.

use std::net::{IpAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

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
    /// As it is configured: 0 lets the system choose.
    at: (IpAddr, u16),
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
        Ok(Self { device, listener, at: (address, port) })
    }
}

/// How long devices stay away that register anew, without a port, as those of RTS2 do that are restarted. A client that hears of a
/// device again before it has dropped the connection to the one before gives the new address to that connection, and loses both
/// (RTS2 lib/rts2/block.cpp, `addAddress`; seen with rts2-mon after 4 ms; it looks once a second).
const AWAY: Duration = Duration::from_secs(3);

/// Starts the thread. It ends when `ended` is cancelled. Devices that are sent to it, as many as there are and in their
/// order, stand in the place of those before: RTS2 cannot withdraw a value, so a device that shall
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

async fn run_all(mut bound: Vec<Bound>, mut anew: mpsc::Receiver<Vec<Device>>, ended: CancellationToken) {
    let ports: Vec<_> = bound.iter().map(|bound| bound.at).collect();
    loop {
        let round = ended.child_token();
        let running = run_once(bound, round.clone());
        tokio::pin!(running);
        let devices = tokio::select! {
            () = &mut running => return,
            Some(next) = anew.recv() => {
                round.cancel();
                running.await;
                info!("the RTS2 devices register anew");
                next
            }
        };
        tokio::select! {
            () = ended.cancelled() => return,
            () = tokio::time::sleep(AWAY) => {}
        }
        let again = devices.into_iter().zip(&ports).map(|(device, (address, port))| {
            // Its own port is free, unless somebody took it in these seconds: clients ask centrald for another.
            let free = TcpListener::bind((*address, *port)).is_ok();
            Bound::new(device, *address, if free { *port } else { 0 })
        });
        bound = again.filter_map(|bound| bound.inspect_err(|error| error!("{error:#}")).ok()).collect();
    }
}

/// Runs devices until they are told to end.
async fn run_once(devices: Vec<Bound>, ended: CancellationToken) {
    let mut together: Option<Devices> = None;
    for Bound { device, listener, .. } in devices {
        match tokio::net::TcpListener::from_std(listener) {
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
