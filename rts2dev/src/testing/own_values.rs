//! The values of the small centrald itself: all that the real one shows, in its order (RTS2
//! src/centrald/centrald.cpp, the constructor). Those that come from the Sun and the Moon stay unset.

use std::time::SystemTime;

use rts2_proto::{
    Array, ArrayItems, BaseType, CommandReturn, DisplayType, INFOTIME, IndexedName, Line, QuotedString, Rest,
    SetError, SetOp, Text, UPTIME, ValueData, ValueFlags, ValueType, apply_indexed_set, apply_set,
};

use super::options::PartOfDay;
use crate::shared::unix_seconds;

/// Times kept in `switched_standby`. The real one forgets them every evening; nobody looks at more than a few.
const MAX_SWITCHED_STANDBY: usize = 100;

/// The values that the rest of the core sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    BadWeatherDevice,
    BadWeatherDevices,
    BadWeatherReason,
    LastNightOn,
    OpenClose,
    SwitchedStandby,
}

impl Own {
    fn name(self) -> &'static str {
        match self {
            Self::BadWeatherDevice => "bad_weather_device",
            Self::BadWeatherDevices => "bad_weather_devices",
            Self::BadWeatherReason => "bad_weather_reason",
            Self::LastNightOn => "last_night_on",
            Self::OpenClose => "open_close",
            Self::SwitchedStandby => "switched_standby",
        }
    }
}

const REQUIRED_DEVICES: &str = "required_devices";
const NEXT_STATE: &str = "next_state";
const DAY_HORIZON: &str = "day_horizon";
const NIGHT_HORIZON: &str = "night_horizon";

const TEXT: ValueType = ValueType::scalar(BaseType::String);
const NAMES: ValueType = ValueType::STRING_ARRAY;
const TIME: ValueType = ValueType::scalar(BaseType::Time);
const TIMES: ValueType = ValueType::TIME_ARRAY;
const DOUBLE: ValueType = ValueType::scalar(BaseType::Double);
const INTEGER: ValueType = ValueType::scalar(BaseType::Integer);
const BOOL: ValueType = ValueType::scalar(BaseType::Bool);
const SELECTION: ValueType = ValueType::scalar(BaseType::Selection);

/// Name, type, display, whether it can be set, description.
type Row = (&'static str, ValueType, DisplayType, bool, &'static str);

use DisplayType::{Dec, Degrees, Plain};

#[rustfmt::skip]
const ROWS: [Row; 37] = [
    (INFOTIME,              TIME,      Plain,   false, "time of last update"),
    (UPTIME,                TIME,      Plain,   false, "daemon uptime"),
    ("longitude",           DOUBLE,    Degrees, false, "observatory longitude"),
    ("latitude",            DOUBLE,    Dec,     false, "observatory latitude"),
    ("morning_off",         BOOL,      Plain,   true,  "switch to off in the morning"),
    ("morning_standby",     BOOL,      Plain,   true,  "switch to standby in the morning"),
    ("open_close",          SELECTION, Plain,   false, "open/close operation in progress"),
    ("open_close_timeout",  TIME,      Plain,   false, "timeout for open/close device"),
    ("open_close_last",     TEXT,      Plain,   false, "name of opening/closing device"),
    ("close_failed",        NAMES,     Plain,   false, "device(s) failed to close"),
    (REQUIRED_DEVICES,      NAMES,     Plain,   true,  "devices necessary to automatically switch system to on state"),
    ("bad_weather_devices", NAMES,     Plain,   false, "devices reporting bad weather or required and not present"),
    ("open_sequence",       NAMES,     Plain,   true,  "opening sequence (reverse for closing)"),
    ("bad_weather_reason",  TEXT,      Plain,   false, "why system was switched to bad weather"),
    ("bad_weather_device",  TEXT,      Plain,   false, "device reporting as the first bad weather"),
    ("next_state_change",   TIME,      Plain,   false, "time of next state change"),
    (NEXT_STATE,            SELECTION, Plain,   false, "next server state"),
    (NIGHT_HORIZON,         DOUBLE,    Dec,     true,  "observatory night horizon"),
    (DAY_HORIZON,           DOUBLE,    Dec,     true,  "observatory day horizon"),
    ("evening_time",        INTEGER,   Plain,   true,  "time needed to cool down cameras"),
    ("morning_time",        INTEGER,   Plain,   true,  "time needed to heat up cameras"),
    ("night_beginning",     TIME,      Plain,   false, "beginning of the next night"),
    ("night_ending",        TIME,      Plain,   false, "ending of the current or next night"),
    ("dark_beginning",      TIME,      Plain,   false, "beginning of the next dark period"),
    ("dark_ending",         TIME,      Plain,   false, "ending of the current or next dark period"),
    ("switched_standby",    TIMES,     Plain,   false, "times when the system was switched to standby"),
    ("last_night_on",       TIME,      Plain,   false, "time when system was last switched to on in ready night state"),
    ("sun_alt",             DOUBLE,    Dec,     false, "Sun altitude"),
    ("sun_az",              DOUBLE,    Degrees, false, "Sun azimuth"),
    ("sun_rise",            TIME,      Plain,   false, "sun rise"),
    ("sun_set",             TIME,      Plain,   false, "sun set"),
    ("moon_alt",            DOUBLE,    Dec,     false, "[deg] moon altitude"),
    ("moon_az",             DOUBLE,    Degrees, false, "[deg] moon azimuth"),
    ("lunar_phase",         DOUBLE,    Degrees, false, "[deg] lunar phase angle (sun-earth-moon)"),
    ("lunar_limb",          DOUBLE,    Degrees, false, "[deg] lunar bright limb"),
    ("moon_rise",           TIME,      Plain,   false, "Moon rise"),
    ("moon_set",            TIME,      Plain,   false, "Moon set"),
];

/// A value.
#[derive(Clone, Debug)]
struct OwnValue {
    name: &'static str,
    flags: ValueFlags,
    description: &'static str,
    items: Vec<QuotedString>,
    data: ValueData,
    /// Whether it changed since it was last sent to everybody.
    changed: bool,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct OwnValues(Vec<OwnValue>);

impl OwnValues {
    pub(super) fn new(now: SystemTime, part: PartOfDay, required_devices: &[String]) -> Self {
        let cleaned = |items: &[&str]| items.iter().map(|item| QuotedString::cleaned(item)).collect();
        let value = |(name, value_type, display, writable, description): Row| {
            let mut flags = ValueFlags::of_type(value_type).with_display_type(display);
            flags.set(ValueFlags::WRITABLE, writable);
            let items = match name {
                "open_close" => cleaned(&["none", "opening", "closing"]),
                NEXT_STATE => cleaned(&PartOfDay::names()),
                _ => Vec::new(),
            };
            OwnValue { name, flags, description, items, data: ValueData::unset(value_type), changed: false }
        };
        let mut values = Self(ROWS.map(value).into());
        let now = unix_seconds(now);
        for (name, data) in [
            (INFOTIME, ValueData::Time(now)),
            (UPTIME, ValueData::Time(now)),
            ("longitude", ValueData::Double(117.575)),
            ("latitude", ValueData::Double(40.393)),
            ("morning_off", ValueData::Bool(Some(false))),
            ("morning_standby", ValueData::Bool(Some(false))),
            ("open_close", ValueData::Selection(2)),
            (NIGHT_HORIZON, ValueData::Double(-10.0)),
            (DAY_HORIZON, ValueData::Double(0.0)),
            ("evening_time", ValueData::Integer(7200)),
            ("morning_time", ValueData::Integer(1800)),
            (REQUIRED_DEVICES, list(required_devices)),
        ] {
            values.set_named(name, data);
        }
        values.set_next_state(part);
        for value in &mut values.0 {
            value.changed = false;
        }
        values
    }

    /// `E`, `F` and `V` of every value, as a new connection gets them.
    pub(super) fn metainfo(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for value in &self.0 {
            value.write_metainfo(&mut out);
            value.write_line(&mut out);
        }
        out
    }

    pub(super) fn set(&mut self, value: Own, data: ValueData) {
        self.set_named(value.name(), data);
    }

    /// Sets a list of names.
    pub(super) fn set_names(&mut self, value: Own, names: &[String]) {
        self.set(value, list(names));
    }

    /// The line of a value that changed since it was last sent to everybody; the caller sends it.
    pub(super) fn take_change(&mut self, value: Own) -> Option<Vec<u8>> {
        self.0.iter_mut().find(|own| own.name == value.name())?.take_change()
    }

    /// Everything that changed since it was last sent to everybody (RTS2 lib/rts2/daemon.cpp, `infoAll`).
    pub(super) fn take_changed(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_changed(&mut out);
        for value in &mut self.0 {
            value.changed = false;
        }
        out
    }

    /// As [`OwnValues::take_changed`], for one peer alone: what changed still waits for the others (`sendInfo`).
    pub(super) fn write_changed(&self, out: &mut Vec<u8>) {
        let always = |value: &OwnValue| [INFOTIME, UPTIME].contains(&value.name);
        for value in self.0.iter().filter(|value| value.changed && !always(value)) {
            value.write_line(out);
        }
        for value in self.0.iter().filter(|value| always(value)) {
            value.write_line(out);
        }
    }

    /// Sets `infotime`.
    pub(super) fn touch(&mut self, now: SystemTime) {
        self.set_named(INFOTIME, ValueData::Time(unix_seconds(now)));
    }

    pub(super) fn required_devices(&self) -> Vec<String> {
        let Some(ValueData::Array(array)) = self.get(REQUIRED_DEVICES).map(|value| &value.data) else {
            return Vec::new();
        };
        match array.items() {
            ArrayItems::Strings(names) => names.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn bad_weather_reason(&self) -> &str {
        match self.get(Own::BadWeatherReason.name()).map(|value| &value.data) {
            Some(ValueData::String(reason)) => reason.as_str(),
            _ => "",
        }
    }

    pub(super) fn set_bad_weather(&mut self, device: &str, reason: &str) {
        self.set(Own::BadWeatherDevice, ValueData::String(QuotedString::cleaned(device)));
        self.set(Own::BadWeatherReason, ValueData::String(QuotedString::cleaned(reason)));
    }

    /// A device says more about its bad weather; it counts when that device was the first to see it.
    pub(super) fn weather_update(&mut self, device: Text<'_>, reason: Text<'_>) -> Option<Vec<u8>> {
        let first = self.get(Own::BadWeatherDevice.name())?;
        if first.data != ValueData::String(device.into()) {
            return None;
        }
        self.set(Own::BadWeatherReason, ValueData::String(reason.into()));
        self.take_change(Own::BadWeatherReason)
    }

    pub(super) fn add_switched_standby(&mut self, now: f64) {
        let own = Own::SwitchedStandby;
        let Some(ValueData::Array(array)) = self.get(own.name()).map(|value| &value.data) else { return };
        let ArrayItems::Times(before) = array.items() else { return };
        let surplus = (before.len() + 1).saturating_sub(MAX_SWITCHED_STANDBY);
        let times = before.iter().skip(surplus).copied().chain([now]).collect();
        self.set(own, ValueData::Array(Box::new(Array::cut(ArrayItems::Times(times)))));
    }

    /// The part of the day that follows this one.
    pub(super) fn set_next_state(&mut self, part: PartOfDay) {
        let next = (part.bits().bits() + 1) % 6;
        self.set_named(NEXT_STATE, ValueData::Selection(i32::try_from(next).unwrap_or_default()));
    }

    /// An `X`: its end, and the line for everybody. RTS2 asks for no right to set them.
    pub(super) fn set_by_peer(
        &mut self,
        name: Text<'_>,
        op: SetOp,
        operand: Rest<'_>,
    ) -> (CommandReturn, Option<Vec<u8>>) {
        match self.try_set(name, op, operand) {
            Ok(line) => (CommandReturn::ok(), line),
            Err(error) => (error.command_return(), None),
        }
    }

    fn try_set(&mut self, name: Text<'_>, op: SetOp, operand: Rest<'_>) -> Result<Option<Vec<u8>>, SetError> {
        let is = |value: &OwnValue, name: &[u8]| value.name.as_bytes().eq_ignore_ascii_case(name);
        let exists = |name: &[u8]| self.0.iter().any(|value| is(value, name));
        let found = IndexedName::resolve(name, exists)?;
        let at = self.0.iter().position(|value| is(value, found.name)).ok_or(SetError::NoSuchValue)?;
        let limits = (self.number(NIGHT_HORIZON), self.number(DAY_HORIZON));
        let value = self.0.get_mut(at).ok_or(SetError::NoSuchValue)?;
        if [INFOTIME, UPTIME, "longitude", "latitude"].contains(&value.name) {
            return Err(SetError::NoSuchValue);
        }
        if !value.flags.contains(ValueFlags::WRITABLE) {
            return Err(SetError::ReadOnly);
        }
        let data = match found.index {
            Some(index) => apply_indexed_set(&value.data, index, op, operand)?,
            None => apply_set(&value.data, &value.items, op, operand)?,
        };
        match (value.name, &data, limits) {
            (DAY_HORIZON, ValueData::Double(day), (night, _)) if *day < night => Err(SetError::Operand),
            (NIGHT_HORIZON, ValueData::Double(night), (_, day)) if *night > day => Err(SetError::Operand),
            _ => {
                value.set(data);
                Ok(value.take_change())
            }
        }
    }

    fn get(&self, name: &str) -> Option<&OwnValue> {
        self.0.iter().find(|value| value.name == name)
    }

    fn number(&self, name: &str) -> f64 {
        match self.get(name).map(|value| &value.data) {
            Some(ValueData::Double(number)) => *number,
            _ => f64::NAN,
        }
    }

    fn set_named(&mut self, name: &str, data: ValueData) {
        if let Some(value) = self.0.iter_mut().find(|value| value.name == name) {
            value.set(data);
        }
    }
}

fn list(names: &[String]) -> ValueData {
    let names = names.iter().map(|name| QuotedString::cleaned(name)).collect();
    ValueData::Array(Box::new(Array::cut(ArrayItems::Strings(names))))
}

impl OwnValue {
    fn set(&mut self, data: ValueData) {
        if self.data != data {
            self.data = data;
            self.changed = true;
        }
    }

    fn take_change(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut line = Vec::new();
        self.write_line(&mut line);
        Some(line)
    }

    fn write_metainfo(&self, out: &mut Vec<u8>) {
        let (Ok(name), Ok(description)) =
            (Text::new(self.name.as_bytes()), Text::new(self.description.as_bytes()))
        else {
            return;
        };
        Line::MetaInfo { flags: self.flags, name, description }.write_to(out);
        if self.items.is_empty() {
            return;
        }
        Line::SelMetaInfo { name, item: None }.write_to(out);
        for item in &self.items {
            Line::SelMetaInfo { name, item: Some(Text::from(item)) }.write_to(out);
        }
        // RTS2 sends an empty line behind the list.
        out.push(b'\n');
    }

    fn write_line(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("V {} ", self.name).as_bytes());
        self.data.write_to(out);
        out.push(b'\n');
    }
}
