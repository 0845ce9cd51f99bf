//! Devices in the place of those before: RTS2 cannot withdraw a value, so what shows nodes or rules that are
//! gone is registered anew.

use std::time::{Duration, Instant};

use lamon_collector::config::HubConfig;
use lamon_collector::face::Picture;
use lamon_collector::sample::Now;
use rts2dev::Device;
use rts2dev::proto::DeviceState;
use tokio::sync::mpsc;
use tracing::warn;

use super::Rts2Face;
use crate::config::Rts2Config;
use crate::sky::Sky;

/// How long the devices stay as they are: whoever had a node forgotten from RTS2 hears on his connection that it was done, the
/// message of it reaches centrald, and several nodes that are forgotten together cost one registration.
const WAIT: Duration = Duration::from_secs(2);

/// Of what the devices were made, and when they are to be made again.
pub(super) struct Anew {
    config: Box<(Rts2Config, HubConfig)>,
    /// Takes devices that stand in the place of those before.
    devices: Option<mpsc::Sender<Vec<Device>>>,
    due: Option<Instant>,
    /// Follows the summary device.
    sky: Option<Sky>,
}

impl Anew {
    pub(super) fn new(config: &Rts2Config, hub: &HubConfig) -> Self {
        Self { config: Box::new((config.clone(), hub.clone())), devices: None, due: None, sky: None }
    }

    /// Something is shown that is gone.
    pub(super) fn is_due(&mut self, now: Now) {
        self.due.get_or_insert(now.monotonic + WAIT);
    }

    /// A place for new devices, when the time has come and those before are through.
    fn take(&mut self, now: Now) -> Option<mpsc::OwnedPermit<Vec<Device>>> {
        self.due.filter(|due| *due <= now.monotonic)?;
        let place = self.devices.clone()?.try_reserve_owned().ok()?;
        self.due = None;
        Some(place)
    }
}

impl Rts2Face {
    /// Hands devices that stand in the place of these to whoever runs them, as many and in the same order.
    pub fn replace_by(&mut self, devices: mpsc::Sender<Vec<Device>>) {
        self.anew.devices = Some(devices);
    }

    /// Keeps what follows the centralds of the summary device on the device that takes its place.
    pub fn keep_sky(&mut self, sky: Sky) {
        self.anew.sky = Some(sky);
    }

    /// Whether one of the devices blocks something, or is bad weather.
    fn holds_up(&self) -> bool {
        let handles = self.groups.iter().map(|of| &of.shelf.device).chain([&self.main.device]);
        let held = DeviceState::BOP_MASK | DeviceState::BAD_WEATHER | DeviceState::STOP_EVERYTHING;
        handles.into_iter().any(|device| device.state().intersects(held))
    }

    /// Registers the devices anew, when that is due and can be.
    pub(super) fn keep_up(&mut self, picture: &Picture<'_>) {
        if self.anew.due.is_none() {
            return;
        }
        if self.holds_up() {
            // What a device blocks is free while it is away: it goes when nothing has been held up for a while.
            self.anew.due = Some(picture.now.monotonic + WAIT);
        } else if let Some(place) = self.anew.take(picture.now) {
            self.register_anew(picture, place);
        }
    }

    fn register_anew(&mut self, picture: &Picture<'_>, place: mpsc::OwnedPermit<Vec<Device>>) {
        let (config, hub) = &*self.anew.config;
        let (face, devices) = match Self::build(config, hub, self.operator.clone()) {
            Ok(built) => built,
            // What was built at the start can be built again.
            Err(error) => return warn!("the RTS2 devices keep the values of what is gone: {error}"),
        };
        let before = std::mem::replace(self, face);
        (self.anew.devices, self.anew.sky) = (before.anew.devices, before.anew.sky);
        if let Some(sky) = &mut self.anew.sky {
            sky.follow_anew(self.main.device.centrald_status());
        }
        (self.message_limit, self.node_limits) = (before.message_limit, before.node_limits);
        self.refusal_limit = before.refusal_limit;
        let names: Vec<_> = picture.watch.nodes().map(|node| node.name.clone()).collect();
        for name in names {
            self.show(picture, &name);
        }
        self.show_gates(picture);
        self.show_limits(picture);
        self.sum_up(picture);
        place.send(devices);
    }
}
