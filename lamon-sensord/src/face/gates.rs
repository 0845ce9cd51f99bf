//! Gates in RTS2: bits of the devices' states, which hold the observatory up, and values that say why.

use std::collections::BTreeMap;

use lamon_collector::sample::utc;
use lamon_collector::watch::{Effect, GateStanding, Gates, Position};
use rts2dev::proto::{DeviceState, Level};
use rts2dev::{DeclareError, DeviceHandle, Selection, Value};

use super::health::text;

/// The bits that gates set. The vote for bad weather has a reason of its own, and is set by itself.
const BLOCKS: [(Effect, DeviceState); 4] = [
    (Effect::BlockExposure, DeviceState::BOP_EXPOSURE),
    (Effect::BlockReadout, DeviceState::BOP_READOUT),
    (Effect::BlockTelescope, DeviceState::BOP_TEL_MOVE),
    (Effect::Stop, DeviceState::STOP_EVERYTHING),
];

/// Values of gates, on the summary device.
pub(super) struct GateValues {
    device: DeviceHandle,
    blocking: Value<String>,
    overrides: Value<String>,
    /// One for each gate that there was since the hub's start: RTS2 cannot withdraw a value. `None` for one that RTS2 cannot
    /// have, so that it is tried, and complained of, once.
    positions: BTreeMap<String, Option<Value<Selection>>>,
    /// What of the gates is shown.
    revision: Option<u64>,
}

impl GateValues {
    pub(super) fn declare(device: &DeviceHandle) -> Result<Self, DeclareError> {
        Ok(Self {
            blocking: device
                .string("blocking", "which gates are closed, what they block, and why")
                .declare()?,
            overrides: device
                .string("overrides", "which gates operators override, and until when")
                .declare()?,
            device: device.clone(),
            positions: BTreeMap::new(),
            revision: None,
        })
    }

    /// Whether the gates look otherwise than what was shown last. Says so once.
    pub(super) fn look(&mut self, gates: &Gates) -> bool {
        self.revision.replace(gates.revision()) != Some(gates.revision())
    }

    /// Shows how every gate stands. Returns those that RTS2 cannot show.
    pub(super) fn show(&mut self, gates: &Gates) -> Vec<(String, DeclareError)> {
        let mut refused = Vec::new();
        for standing in gates.iter() {
            let gate = standing.gate();
            let device = &self.device;
            let value = self.positions.entry(gate.name().into()).or_insert_with(|| {
                let (name, words) = (format!("{}_gate", gate.name()), Position::ALL.map(Position::as_str));
                let declared = device.selection(&name, &gate.to_string(), &words).declare();
                declared.map_err(|error| refused.push((name, error))).ok()
            });
            if let Some(value) = value {
                let (number, level) = match standing.position() {
                    Position::Open => (0, Level::Good),
                    Position::Closed => (1, Level::Error),
                    Position::WouldClose => (2, Level::Warning),
                };
                value.set_with_level(Selection(number), level);
            }
        }
        for (_, value) in self.positions.iter().filter(|(name, _)| gates.named(name).is_none()) {
            if let Some(value) = value {
                value.set_with_level(Selection(0), Level::Good);
            }
        }
        let blocking =
            gates.closed().map(|standing| format!("{} {}", standing.gate().does(), because(standing)));
        let level = if gates.closed().next().is_some() { Level::Error } else { Level::Good };
        self.blocking.set_with_level(text(blocking), level);
        let overrides = gates.overrides().map(|kept| {
            format!("{} until {}: {} (by {})", kept.gate, utc(kept.until_ms), kept.reason, kept.who)
        });
        let level = if gates.overrides().next().is_some() { Level::Warning } else { Level::Good };
        self.overrides.set_with_level(text(overrides), level);
        refused
    }
}

/// Has a device block what those of the closed gates block that are for it. rts2dev tells every centrald that comes back.
pub(super) fn block(device: &DeviceHandle, closed: &[&GateStanding]) {
    let does =
        |effect| closed.iter().copied().filter(move |standing| standing.gate().effects().contains(&effect));
    device.at_once(|| {
        if does(Effect::BadWeather).next().is_some() {
            device.bad_weather(DeviceState::empty(), &text(does(Effect::BadWeather).map(because)));
        } else {
            device.good_weather("no gate votes for bad weather");
        }
        let (mut mask, mut bits) = (DeviceState::empty(), DeviceState::empty());
        for (effect, bit) in BLOCKS {
            mask |= bit;
            if does(effect).next().is_some() {
                bits |= bit;
            }
        }
        let why = text(closed.iter().copied().map(because));
        device.mask_state(mask, bits, if why.is_empty() { "no gate is closed" } else { &why });
    });
}

/// `(gate ccd_disk): ccd01 disk_percent 97 > 90`.
fn because(standing: &GateStanding) -> String {
    format!("(gate {}): {}", standing.gate().name(), standing.why())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use lamon_collector::sample::{Arrival, Identity, Now, Sample};
    use lamon_collector::watch::{Gate, Groups, Rules, Watch};
    use lamon_wire::names::{MetricName, NodeName};
    use rts2dev::{Device, DeviceOptions};

    use super::*;

    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        gate: Vec<Gate>,
    }

    fn watch(now: Now, percent: f64) -> Watch {
        let mut watch = Watch::new(Rules::default(), Groups::default());
        let sample = Sample {
            node: NodeName::new("door").unwrap(),
            identity: Identity { epoch: 1, sequence: 1 },
            taken_ms: now.unix_ms,
            age: Duration::ZERO,
            interval: Some(Duration::from_secs(10)),
            arrival: Arrival::Ordered,
            metrics: vec![(MetricName::new("disk_percent").unwrap(), percent)],
        };
        watch.handle_sample(now, &Arc::new(sample)).unwrap();
        watch
    }

    #[test]
    fn each_effect_is_its_bit_and_goes_with_its_gate() {
        let now = Now::read();
        let device = Device::new(DeviceOptions::new("NODES")).unwrap().handle();
        for (effects, bits) in [
            (&["block = ['exposure']"][..], DeviceState::BOP_EXPOSURE),
            (&["block = ['readout', 'telescope']"], DeviceState::BOP_READOUT | DeviceState::BOP_TEL_MOVE),
            (&["bad_weather = true"], DeviceState::BAD_WEATHER),
            (&["stop = true"], DeviceState::STOP_EVERYTHING),
            (&["stop = true\nshadow = true"], DeviceState::empty()),
            (
                &["bad_weather = true", "block = ['exposure']", "block = ['exposure', 'readout']"],
                DeviceState::BAD_WEATHER | DeviceState::BOP_EXPOSURE | DeviceState::BOP_READOUT,
            ),
        ] {
            let tables = effects.iter().enumerate();
            let text: String = tables
                .map(|(number, effects)| {
                    format!("[[gate]]\nname = 'g{number}'\nnodes = ['door']\n{effects}\n")
                })
                .collect();
            for (percent, bits) in [(97.0, bits), (10.0, DeviceState::empty())] {
                let mut gates = Gates::new(toml::from_str::<File>(&text).unwrap().gate);
                gates.start(now, &watch(now, percent));
                block(&device, &gates.closed().collect::<Vec<_>>());
                assert_eq!(device.state(), bits, "{text}");
            }
        }
    }

    #[test]
    fn the_values_follow_the_gates_and_outlive_them() {
        let now = Now::read();
        let device = Device::new(DeviceOptions::new("NODES")).unwrap().handle();
        let mut values = GateValues::declare(&device).unwrap();
        let text = "[[gate]]\nname = 'door'\nnodes = ['door']\nblock = ['telescope']";
        let mut gates = Gates::new(toml::from_str::<File>(text).unwrap().gate);
        assert!(values.look(&gates), "nothing was shown yet");
        assert!(!values.look(&gates));
        gates.start(now, &watch(now, 97.0));
        assert!(values.look(&gates));
        assert!(values.show(&gates).is_empty());
        let position = values.positions["door"].clone().unwrap();
        assert_eq!((position.get(), position.level()), (Selection(1), Level::Error));
        assert_eq!(values.blocking.get(), "blocks telescope (gate door): door disk_percent 97 > 90");
        gates.reload(now, &watch(now, 97.0), Vec::new());
        assert!(values.look(&gates));
        assert!(values.show(&gates).is_empty());
        assert_eq!((position.get(), values.blocking.get()), (Selection(0), String::new()));
    }
}
