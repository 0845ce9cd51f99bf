//! The picture as RTS2 devices.
//!
//! [`Rts2Face`] is called by the core task with each update. It sets values, which never waits: rts2dev keeps the newest
//! of each and sends what changed from its own thread.
//!
//! | file | what it holds |
//! |---|---|
//! | `node` | the values of one node |
//! | `remarks` | what else is to be said of a node, in one text |
//! | `summary` | the values that sum up all nodes, or a group |
//! | `limits` | the limits of rules, which operators set |
//! | `commands` | what else operators can do from RTS2 |
//! | `operator` | whose commands and sets are taken |
//! | `anew` | devices in the place of those before, without what is gone |
//! | `health` | the values of the hub itself |
//! | `gates` | what gates block, and the values that say why |

mod anew;
mod commands;
mod gates;
mod health;
mod limits;
mod node;
mod operator;
mod remarks;
mod summary;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lamon_collector::config::HubConfig;
use lamon_collector::control::Operations;
use lamon_collector::face::{Face, Picture};
use lamon_collector::per_node::{NodeLimits, left_out};
use lamon_collector::watch::{GateStanding, Level, Line, NameGlob, OTHER, Update};
use lamon_daemon::limit::LogLimit;
use lamon_wire::names::NodeName;
use rts2dev::proto::MessageType;
use rts2dev::{CommandError, DeclareError, Device, DeviceError, DeviceOptions};
use tracing::warn;

use self::anew::Anew;
use self::gates::GateValues;
use self::health::HealthValues;
use self::limits::LimitValues;
use self::node::{NodeValues, Shelf, ShowError};
use self::operator::Operator;
use self::summary::SummaryValues;
use crate::config::{Rts2Config, group_device};

/// RTS2's level of ours: what is silent is an error there.
fn rts2_level(level: Level) -> rts2dev::proto::Level {
    match level {
        Level::Good => rts2dev::proto::Level::Good,
        Level::Warning => rts2dev::proto::Level::Warning,
        Level::Error | Level::Silent => rts2dev::proto::Level::Error,
    }
}

/// The picture as RTS2 devices.
pub struct Rts2Face {
    main: Shelf,
    summary: SummaryValues,
    health: HealthValues,
    gates: GateValues,
    /// Devices of groups, the one of all other nodes last; none in the layout that has everything on one device.
    groups: Vec<GroupDevice>,
    nodes: HashMap<NodeName, Shown>,
    fits: Vec<NameGlob>,
    /// Messages are broadcast to every client of the site.
    message_limit: LogLimit,
    /// Those of one node.
    node_limits: NodeLimits,
    /// What a new node may write about its values.
    refusal_limit: LogLimit,
    /// Something happened since the nodes were summed up.
    summary_due: bool,
    limits: LimitValues,
    operator: Operator,
    /// Registers the devices anew when what they show is gone.
    anew: Anew,
}

struct GroupDevice {
    group: String,
    shelf: Shelf,
    summary: SummaryValues,
}

struct Shown {
    /// The group on whose device it is.
    group: Arc<str>,
    values: NodeValues,
}

/// Messages of a common cause, such as a switch that takes a rack with it, then one a second.
const MESSAGE_BURST: u32 = 60;

/// Why the face cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// A device's options are wrong.
    #[error("RTS2 device {name}: {source}")]
    Device {
        /// Its name.
        name: String,
        /// Why.
        source: DeviceError,
    },
    /// One of its commands cannot be added.
    #[error("RTS2 device {name}: {source}")]
    Command {
        /// The device's name.
        name: String,
        /// Why.
        source: CommandError,
    },
    /// One of the fixed values cannot be declared.
    #[error("RTS2 device {name}: {source}")]
    Value {
        /// The device's name.
        name: String,
        /// Why.
        source: DeclareError,
    },
}

impl Rts2Face {
    /// Makes the face and its devices, the summary device first. They are still to be run. Operators are served by
    /// `operations`.
    ///
    /// # Errors
    ///
    /// [`FaceError`].
    pub fn new(
        config: &Rts2Config,
        hub: &HubConfig,
        operations: &Operations,
    ) -> Result<(Self, Vec<Device>), FaceError> {
        let operator = Operator::new(operations.clone(), &config.allow);
        Self::build(config, hub, operator)
    }

    fn build(
        config: &Rts2Config,
        hub: &HubConfig,
        operator: Operator,
    ) -> Result<(Self, Vec<Device>), FaceError> {
        let make = |name: &str, options: DeviceOptions| {
            let options = DeviceOptions {
                name: name.into(),
                centralds: config.centrald.clone(),
                host: config.host.clone(),
                noauth: config.noauth,
                ..options
            };
            let failed = |source| FaceError::Device { name: name.into(), source };
            let device = Device::new(options).map_err(failed)?;
            let failed = |source| FaceError::Command { name: name.into(), source };
            commands::declare(&device.handle(), &operator).map_err(failed)?;
            Ok(device)
        };
        let device = make(&config.device, config.given.options(&config.device))?;
        let main = device.handle();
        let summary = declared(&config.device, SummaryValues::declare(&main))?;
        let health = declared(&config.device, HealthValues::declare(&main))?;
        let gates = declared(&config.device, GateValues::declare(&main))?;
        let mut devices = vec![device];
        let mut groups = Vec::new();
        if config.layout.by_group(hub) {
            for group in hub.groups.names().chain([OTHER]) {
                let name = group_device(&config.device, group);
                let device = make(&name, DeviceOptions::new(&name))?;
                let handle = device.handle();
                let summary = declared(&name, SummaryValues::declare(&handle))?;
                groups.push(GroupDevice { group: group.into(), shelf: Shelf::new(handle), summary });
                devices.push(device);
            }
        }
        let face = Self {
            main: Shelf::new(main),
            summary,
            health,
            gates,
            groups,
            nodes: HashMap::new(),
            fits: config.fits.clone(),
            message_limit: LogLimit::new(MESSAGE_BURST, Duration::from_secs(1)),
            node_limits: NodeLimits::default(),
            refusal_limit: LogLimit::default(),
            summary_due: true,
            limits: LimitValues::new(),
            operator,
            anew: Anew::new(config, hub),
        };
        Ok((face, devices))
    }

    /// Shows a node, with values for what it did not have before.
    fn show(&mut self, picture: &Picture<'_>, name: &NodeName) {
        let Some(node) = picture.watch.node(name) else { return };
        let Self { main, groups, nodes, fits, refusal_limit, .. } = self;
        // A node stays on the device where it first was, also when a reload moves it: RTS2 cannot withdraw a value.
        let home = nodes.get(name).map_or(&*node.group, |shown| &shown.group);
        let place = groups.iter().position(|of| of.group == *home).or(groups.len().checked_sub(1));
        let shelf = place.and_then(|place| groups.get_mut(place)).map_or(main, |of| &mut of.shelf);
        let mut complaints = Vec::new();
        if !nodes.contains_key(name) {
            match NodeValues::declare(shelf, name, !fits.is_empty(), &mut complaints) {
                Ok(values) => {
                    nodes.insert(name.clone(), Shown { group: Arc::clone(&node.group), values });
                }
                Err(error) => complaints.push(error),
            }
        }
        if let Some(shown) = nodes.get_mut(name) {
            let device = shelf.device.clone();
            let remarks = remarks::remarks(picture, node);
            device.at_once(|| shown.values.show(shelf, (node, &remarks), fits, &mut complaints));
        }
        for complaint in complaints {
            complain(refusal_limit, picture, &complaint);
        }
    }

    /// Shows the limits of rules. Those of a rule that the file has no more go when the devices register anew.
    fn show_limits(&mut self, picture: &Picture<'_>) {
        let (rules, mut complaints) = (picture.watch.rules(), Vec::new());
        self.limits.show(&self.main.device, &self.operator, rules, &mut complaints);
        for (value, source) in complaints {
            complain(&mut self.refusal_limit, picture, &ShowError::Declare { value, source });
        }
        if self.limits.is_stale(rules) {
            self.anew.is_due(picture.now);
        }
    }

    fn sum_up(&self, picture: &Picture<'_>) {
        self.main.device.at_once(|| {
            self.health.show(picture.watch, picture.health, picture.now);
            self.summary.show(&picture.watch.summary(None));
        });
        for of in &self.groups {
            of.shelf.device.at_once(|| of.summary.show(&picture.watch.summary(Some(&of.group))));
        }
    }

    /// Has each device block what its gates block, and shows how they stand, when that is not what was shown last.
    fn show_gates(&mut self, picture: &Picture<'_>) {
        if !self.gates.look(picture.gates) {
            return;
        }
        let home = |group: &str| self.groups.iter().any(|of| of.group == group);
        let group_of = |standing: &GateStanding| {
            standing.gate().device_group().filter(|group| home(group)).map(ToOwned::to_owned)
        };
        let closed: Vec<_> = picture.gates.closed().map(|standing| (group_of(standing), standing)).collect();
        let of = |device: Option<&str>| {
            let of_device = closed.iter().filter(move |(group, _)| group.as_deref() == device);
            of_device.map(|(_, standing)| *standing).collect::<Vec<_>>()
        };
        gates::block(&self.main.device, &of(None));
        for group in &self.groups {
            gates::block(&group.shelf.device, &of(Some(&group.group)));
        }
        for (value, error) in self.gates.show(picture.gates) {
            warn!("not shown in RTS2: {value}: {error}");
        }
    }

    /// A message, unless it is about how a muted node is. What operators do with such a node is told.
    fn tell(&mut self, picture: &Picture<'_>, update: &Update, line: &Line) {
        let of_operators = matches!(update, Update::Event(_)) && line.level == Level::Good;
        let node = line.node.as_ref().and_then(|node| picture.watch.node(node));
        if !of_operators && node.is_some_and(|node| node.muted) {
            return;
        }
        if let Some(held_back) = self.node_limits.admit(picture.now, line) {
            if let Some(text) = left_out(line, held_back) {
                self.message(picture, Level::Warning, &text);
            }
            self.message(picture, line.level, &line.text);
        }
    }

    fn message(&mut self, picture: &Picture<'_>, level: Level, text: &str) {
        let kind = match level {
            Level::Good => MessageType::INFO,
            Level::Warning => MessageType::WARNING,
            Level::Error | Level::Silent => MessageType::ERROR,
        };
        if let Some(held_back) = self.message_limit.admit(picture.now.monotonic) {
            if held_back > 0 {
                let left_out = format!("{held_back} messages were left out, because too many came at once");
                self.main.device.message(MessageType::WARNING, &left_out);
            }
            self.main.device.message(kind, text);
        }
    }
}

fn declared<V>(device: &str, values: Result<V, DeclareError>) -> Result<V, FaceError> {
    values.map_err(|source| FaceError::Value { name: device.into(), source })
}

/// A value that RTS2 cannot have is left out there, and said so; the bus and the store have it all the same.
fn complain(limit: &mut LogLimit, picture: &Picture<'_>, error: &ShowError) {
    if let Some(held_back) = limit.admit(picture.now.monotonic) {
        warn!(held_back, "not shown in RTS2: {error}");
    }
}

impl Face for Rts2Face {
    fn update(&mut self, picture: &Picture<'_>, update: &Update) {
        // A sample alone changes no level: what sums up all nodes can wait for the heartbeat.
        self.summary_due |= !matches!(update, Update::Sampled { .. });
        match update {
            Update::Joined { node } => self.show(picture, node),
            Update::Sampled { sample, .. } => self.show(picture, &sample.node),
            Update::Levels { node, .. } | Update::Silent { node, .. } | Update::Back { node, .. } => {
                self.show(picture, node);
            }
            Update::Standing { node, .. } => self.show(picture, node),
            Update::Gone { .. } => self.anew.is_due(picture.now),
            Update::Event(_) | Update::Condition | Update::Heartbeat => {}
        }
        // That a node joined is no news for observers.
        if !matches!(update, Update::Joined { .. }) {
            update.told().iter().for_each(|line| self.tell(picture, update, line));
        }
    }

    fn settle(&mut self, picture: &Picture<'_>) {
        // First of all: somebody may be about to expose.
        self.show_gates(picture);
        self.keep_up(picture);
        if std::mem::take(&mut self.summary_due) {
            self.show_limits(picture);
            self.sum_up(picture);
        }
    }
}
