//! What a client gets to see of devices, clients and values.

use rts2_proto::{AnyMinMax, DeviceType, DisplayType, Level, ValueData, ValueFlags};

/// A device as centrald lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its name.
    pub name: String,
    /// Its number at centrald.
    pub id: i32,
    /// Number of that centrald in the device's own list.
    pub centrald_num: i32,
    /// Host to connect to.
    pub host: String,
    /// Port to connect to.
    pub port: u16,
    /// What it is.
    pub device_type: DeviceType,
}

/// A client as centrald lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// Its number at centrald.
    pub id: i32,
    /// Its login.
    pub login: String,
    /// Its program.
    pub program: String,
}

/// A value of a device, as last heard.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteValue {
    /// Name.
    pub name: String,
    /// Type and flags, without the bits that mean nothing to a reader.
    pub flags: ValueFlags,
    /// Description.
    pub description: String,
    /// Names of a selection.
    pub items: Vec<String>,
    /// What it holds; [`ValueData::Raw`] for a type that RTS2 does not have.
    pub data: ValueData,
}

impl RemoteValue {
    /// Good, warning or error.
    #[must_use]
    pub fn level(&self) -> Level {
        self.flags.level()
    }

    /// How it wants to be shown.
    #[must_use]
    pub fn display_type(&self) -> DisplayType {
        self.flags.display_type()
    }

    /// It can be set.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.flags.contains(ValueFlags::WRITABLE)
    }

    /// Its unit, which stands in brackets at the beginning of the description; empty when none does.
    #[must_use]
    pub fn unit(&self) -> &str {
        let inside = self.description.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        inside.map_or("", |(unit, _)| unit.trim())
    }

    /// What it holds as a number, where it is one: also the mean of statistics, and a number without its limits.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match &self.data {
            ValueData::Integer(number) | ValueData::Selection(number) => Some(f64::from(*number)),
            ValueData::Time(number) | ValueData::Double(number) => Some(*number),
            ValueData::Float(number) => Some(f64::from(*number)),
            #[expect(clippy::cast_precision_loss, reason = "a double is what the caller asked for")]
            ValueData::Long(number) => Some(*number as f64),
            ValueData::Bool(Some(on)) => Some(f64::from(u8::from(*on))),
            ValueData::Stat(it) => Some(it.value),
            ValueData::TimeSerie(it) => Some(it.statistics.value),
            ValueData::MinMax(it) => Some(match **it {
                AnyMinMax::Integer(it) => f64::from(it.value),
                AnyMinMax::Double(it) => it.value,
            }),
            _ => None,
        }
    }

    /// What it holds, for a person: the name of a selection, on and off, right ascension as hours and declination as
    /// degrees with minutes and seconds, times as ISO 8601 in UTC, lists for arrays, `value min..max` for min-max
    /// values, other numbers as they are.
    #[must_use]
    pub fn text(&self) -> String {
        super::text::text(self)
    }

    /// What it costs in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let items = self.items.iter().map(String::len).sum::<usize>();
        self.name.len() + self.description.len() + items + self.data.heap_bytes()
    }
}
