//! How a [`Centrald`](super::Centrald) is to behave: what rts2.ini and the Sun decide for the real one.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rts2_proto::DeviceState;

/// What a centrald starts with. [`CentraldOptions::default`] is an observatory that is on, by day, where everybody
/// blocks everybody and nobody is required.
#[derive(Clone, Debug)]
pub struct CentraldOptions {
    /// Where to listen; by default a free port of the loopback interface.
    pub listen: SocketAddr,
    /// Devices without which the weather is bad and everything stops (rts2.ini, `[observatory] required_devices`).
    pub required_devices: Vec<String>,
    /// Who may block a device (rts2.ini, `blocked_by` in the device's own section); a device that is not named here is
    /// blocked by everybody.
    pub blocked_by: BTreeMap<String, Vec<String>>,
    /// The part of the day; [`Centrald::set_part_of_day`](super::Centrald::set_part_of_day) changes it.
    pub part_of_day: PartOfDay,
    /// Whether it is on. The real one starts with [`OnOff::HardOff`] unless its `reboot_on` says otherwise.
    pub on_off: OnOff,
    /// Takes lines for a person.
    pub log: Log,
}

impl Default for CentraldOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            required_devices: Vec::new(),
            blocked_by: BTreeMap::new(),
            part_of_day: PartOfDay::Day,
            on_off: OnOff::On,
            log: Log::default(),
        }
    }
}

/// The part of the day, as the real centrald computes it from the Sun (RTS2 include/status.h, `SERVERD_DAY` to
/// `SERVERD_MORNING`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartOfDay {
    /// 0.
    Day,
    /// 1: cameras cool down.
    Evening,
    /// 2: the Sun is down, the sky is not dark yet.
    Dusk,
    /// 3.
    Night,
    /// 4: the sky is not dark any more.
    Dawn,
    /// 5: cameras warm up.
    Morning,
}

impl PartOfDay {
    const ALL: [Self; 6] = [Self::Day, Self::Evening, Self::Dusk, Self::Night, Self::Dawn, Self::Morning];

    /// From the low four bits of centrald's state; `None` for those that mean nothing.
    #[must_use]
    pub fn of(state: DeviceState) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.bits() == state.intersection(DeviceState::SERVERD_STATUS_MASK))
    }

    /// Its bits in centrald's state.
    #[must_use]
    pub fn bits(self) -> DeviceState {
        DeviceState::from_bits_retain(match self {
            Self::Day => 0,
            Self::Evening => 1,
            Self::Dusk => 2,
            Self::Night => 3,
            Self::Dawn => 4,
            Self::Morning => 5,
        })
    }

    /// RTS2's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Evening => "evening",
            Self::Dusk => "dusk",
            Self::Night => "night",
            Self::Dawn => "dawn",
            Self::Morning => "morning",
        }
    }

    /// The names of all, in their order.
    pub(super) fn names() -> [&'static str; 6] {
        Self::ALL.map(Self::name)
    }

    /// Whether the dome is open in it, when the weather is good and the system on.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Dusk | Self::Night | Self::Dawn)
    }
}

/// Whether the observatory observes (RTS2 include/status.h, `SERVERD_ON` to `SERVERD_HARD_OFF`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnOff {
    /// 0: observes when it can.
    On,
    /// 0x10: ready, does not observe.
    Standby,
    /// 0x20: off.
    SoftOff,
    /// 0x30: off, and nothing but a person switches it on.
    HardOff,
}

impl OnOff {
    /// From bits 4 and 5 of centrald's state.
    #[must_use]
    pub fn of(state: DeviceState) -> Self {
        match state.intersection(DeviceState::SERVERD_ONOFF_MASK).bits() {
            0x00 => Self::On,
            0x10 => Self::Standby,
            0x20 => Self::SoftOff,
            _ => Self::HardOff,
        }
    }

    /// Its bits in centrald's state.
    #[must_use]
    pub fn bits(self) -> DeviceState {
        DeviceState::from_bits_retain(match self {
            Self::On => 0x00,
            Self::Standby => 0x10,
            Self::SoftOff => 0x20,
            Self::HardOff => 0x30,
        })
    }

    /// The word of the command that switches to it, in RTS2 `off` for a hard off.
    pub(super) fn of_command(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"on" => Self::On,
            b"standby" => Self::Standby,
            b"soft_off" => Self::SoftOff,
            b"off" => Self::HardOff,
            _ => return None,
        })
    }

    /// As RTS2 writes it (lib/rts2/centralstate.cpp).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "ON",
            Self::Standby => "standby",
            Self::SoftOff => "SOFT OFF",
            Self::HardOff => "HARD OFF",
        }
    }
}

/// Takes lines for a person, from any thread. It is called while nothing waits for it, and must not wait itself.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    /// Hands every line to a function.
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    pub(super) fn say(&self, line: &str) {
        (self.0)(line);
    }
}

impl Default for Log {
    /// Says nothing.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_both_ways() {
        for part in PartOfDay::ALL {
            for on_off in [OnOff::On, OnOff::Standby, OnOff::SoftOff, OnOff::HardOff] {
                let state = part.bits().union(on_off.bits()).union(DeviceState::BAD_WEATHER);
                assert_eq!((PartOfDay::of(state), OnOff::of(state)), (Some(part), on_off));
            }
        }
        assert_eq!(PartOfDay::of(DeviceState::from_bits_retain(13)), None);
    }
}
