//! A device: it listens to clients, keeps its centralds informed, and runs until it is told to stop.

mod centrald;
mod client;
mod clients;
mod errors;
mod primary;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rts2_proto::{DeviceName, DeviceState, INFOTIME, NameError, UPTIME};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::errors::ErrorBudget;
use self::primary::Primary;
use crate::declaration::DeclareError;
use crate::handle::DeviceHandle;
use crate::hooks;
use crate::options::{DeviceOptions, with_port};
use crate::presets::autosave::Autosave;
use crate::presets::{self, PresetError, Presets};
use crate::shared::Shared;
use crate::status::{CentraldStatus, LinkStatus, Registration};
use crate::syslog::Syslog;
use crate::value::Time;

/// Requests of clients that may wait for one centrald: one authorization and one state per client, twice over.
const MAX_WAITING_REQUESTS: usize = 128;

/// Shortest and longest pause between two refreshes of the values; beyond, the clock's own numbers end.
const INFO_INTERVALS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(365 * 86400));

/// First pause after the system refused to accept a connection; it doubles.
const FIRST_ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause after the system refused to accept a connection (out of descriptors, usually).
const MAX_ACCEPT_PAUSE: Duration = Duration::from_secs(4);

/// Why a device cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The name cannot be used.
    #[error("device {0}")]
    Name(#[from] NameError),
    /// The values that every device has could not be declared.
    #[error(transparent)]
    Declare(#[from] DeclareError),
    /// What the options have values begin with cannot be read.
    #[error(transparent)]
    Preset(#[from] PresetError),
}

/// Why a device ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The listening socket has no address.
    #[error("listening socket: {0}")]
    Listener(#[source] io::Error),
    /// What the options have a value begin with is not possible: there is no such value, or its handler refuses.
    #[error(transparent)]
    Preset(#[from] PresetError),
}

/// A device that is about to run.
///
/// [`Device::new`] makes it, [`Device::handle`] gives what the program drives it with, [`Device::run`] runs it. Values
/// can be declared before and while it runs; `infotime` and `uptime` are there from the beginning.
pub struct Device {
    options: DeviceOptions,
    shared: Arc<Shared>,
    /// The device without which this one is not registered.
    primary: Option<watch::Receiver<CentraldStatus>>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A connection that the accepting loop keeps account of.
struct Slot {
    authorized: Arc<AtomicBool>,
    /// Ends the connection, and is cancelled when it has ended.
    shutdown: CancellationToken,
}

impl Device {
    /// Makes a device.
    ///
    /// # Errors
    /// When its name cannot be used.
    pub fn new(options: DeviceOptions) -> Result<Self, DeviceError> {
        let name = DeviceName::new(&options.name)?;
        let links = options
            .centralds
            .iter()
            .map(|address| LinkStatus {
                address: with_port(address),
                registration: Registration::Disconnected,
                state: DeviceState::empty(),
                state_heard: false,
                bop: DeviceState::empty(),
            })
            .collect();
        let syslog = options.syslog.clone().and_then(Syslog::new);
        let shared = Arc::new(Shared::new(name, CentraldStatus { links }, Presets::load(&options)?, syslog));
        shared.tell_faults();
        let handle = DeviceHandle::new(Arc::clone(&shared));
        handle.time(INFOTIME, "time of last update").declare()?;
        handle.time(UPTIME, "daemon uptime").initial(Time::now()).declare()?;
        Ok(Self { options, shared, primary: None })
    }

    /// What the program drives it with.
    #[must_use]
    pub fn handle(&self) -> DeviceHandle {
        DeviceHandle::new(Arc::clone(&self.shared))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &DeviceName {
        &self.shared.name
    }

    /// Has it registered with a centrald only while another device of the program is. A centrald that the other one
    /// does not have is not concerned. [`Devices`](crate::Devices) does it for many.
    pub fn follow(&mut self, primary: &DeviceHandle) {
        self.primary = Some(primary.centrald_status());
    }

    /// Runs the device on a listening socket until `shutdown` is cancelled, or until a client sends `exit` where that
    /// is allowed. It spawns its connections on the runtime; dropping the future ends them.
    ///
    /// Before it serves anybody, the set handlers of values that the options gave something are asked for it, and waited for.
    ///
    /// # Errors
    /// When the socket has no address, or the options name a value that there is not, or one that its handler refuses.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), RunError> {
        let port = listener.local_addr().map_err(RunError::Listener)?.port();
        // Everything of this device ends with it, also when one client's `exit` ends it.
        let shutdown = shutdown.child_token();
        let _end_all = shutdown.clone().drop_guard();
        tokio::select! {
            // The end makes the handlers refuse, which is no error then.
            biased;
            () = shutdown.cancelled() => return Ok(()),
            ready = presets::ask_handlers(&self.shared, &shutdown) => ready?,
        }
        let mut tasks = JoinSet::new();
        if let Some(path) = self.options.autosave {
            let requests = self.shared.begin_autosave();
            let autosave = Autosave { shared: Arc::clone(&self.shared), path, requests };
            tasks.spawn(autosave.run(shutdown.clone()));
        }
        let host = self.options.host.clone().unwrap_or_else(machine_name);
        let mut centralds = Vec::new();
        let addresses: Vec<String> =
            self.shared.status().borrow().links.iter().map(|link| link.address.clone()).collect();
        for (index, address) in addresses.into_iter().enumerate() {
            let (requests, receiver) = mpsc::channel(MAX_WAITING_REQUESTS);
            centralds.push(requests);
            let link = centrald::Link {
                shared: Arc::clone(&self.shared),
                device_type: self.options.device_type,
                index,
                primary: self.primary.as_ref().and_then(|primary| Primary::at(primary, &address)),
                address,
                host: host.clone(),
                port,
                requests: receiver,
            };
            tasks.spawn(link.run(shutdown.clone()));
        }
        let centralds: Arc<[_]> = centralds.into();
        let (shortest, longest) = INFO_INTERVALS;
        let interval = self.options.info_interval.map(|period| period.clamp(shortest, longest));
        let mut info = tokio::time::interval_at(
            Instant::now() + interval.unwrap_or(Duration::from_secs(3600)),
            interval.unwrap_or(Duration::from_secs(3600)),
        );
        info.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if interval.is_some() {
            // Whoever looks at a device that has just started sees numbers, not a minute of nan.
            let _ = hooks::begin_info(&self.shared, shutdown.clone());
        }
        let strangers = Arc::new(Mutex::new(ErrorBudget::new(Instant::now())));
        let mut slots: Vec<Slot> = Vec::new();
        let mut clients = JoinSet::new();
        let mut pause = FIRST_ACCEPT_PAUSE;
        let mut paused_until = None;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = clients.join_next() => slots.retain(|slot| !slot.shutdown.is_cancelled()),
                () = until(paused_until), if paused_until.is_some() => paused_until = None,
                _ = info.tick(), if interval.is_some() => {
                    // Nobody waits for its end.
                    let _ = hooks::begin_info(&self.shared, shutdown.clone());
                }
                accepted = listener.accept(), if paused_until.is_none() => match accepted {
                    Ok((stream, peer)) => {
                        pause = FIRST_ACCEPT_PAUSE;
                        if !make_room(&mut slots, self.options.max_clients) {
                            tracing::warn!(device = %self.shared.name, %peer, "refused: all connections are taken");
                            continue;
                        }
                        let slot = Slot {
                            authorized: Arc::new(AtomicBool::new(self.options.noauth)),
                            shutdown: shutdown.child_token(),
                        };
                        let client = client::Client {
                            shared: Arc::clone(&self.shared),
                            centralds: Arc::clone(&centralds),
                            noauth: self.options.noauth,
                            allow_exit: self.options.allow_exit,
                            authorized: Arc::clone(&slot.authorized),
                            strangers: Arc::clone(&strangers),
                            shutdown: slot.shutdown.clone(),
                            end_device: shutdown.clone(),
                        };
                        slots.push(slot);
                        clients.spawn(client.run(stream, peer));
                    }
                    Err(error) => {
                        tracing::warn!(device = %self.shared.name, %error, "cannot accept a connection");
                        paused_until = Some(Instant::now() + pause);
                        pause = (pause * 2).min(MAX_ACCEPT_PAUSE);
                    }
                },
            }
        }
        while clients.join_next().await.is_some() {}
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

/// Whether another connection may be served. When all are taken, the oldest that never authorized itself gives way:
/// whoever only connects must not lock the others out.
fn make_room(slots: &mut Vec<Slot>, max: usize) -> bool {
    if slots.len() < max {
        return true;
    }
    let Some(idle) = slots.iter().position(|slot| !slot.authorized.load(Ordering::Relaxed)) else {
        return false;
    };
    slots.remove(idle).shutdown.cancel();
    true
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
