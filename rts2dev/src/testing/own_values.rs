//! The values of the small centrald itself: a handful of what the real one shows, under its names
//! (RTS2 src/centrald/centrald.cpp).

use std::time::SystemTime;

use rts2_proto::{
    BaseType, DisplayType, INFOTIME, QuotedString, UPTIME, ValueData, ValueFlags, ValueName, ValueType,
};

use crate::shared::unix_seconds;
use crate::table::{NewEntry, Table};

/// Place of `infotime`.
pub(super) const INFOTIME_PLACE: usize = 0;
/// Place of `uptime`.
pub(super) const UPTIME_PLACE: usize = 1;
/// Place of `bad_weather_devices`.
pub(super) const BAD_WEATHER_DEVICES: usize = 4;
/// Place of `bad_weather_reason`.
pub(super) const BAD_WEATHER_REASON: usize = 5;
/// Place of `bad_weather_device`.
pub(super) const BAD_WEATHER_DEVICE: usize = 6;

const PART_OF_THE_DAY: [&str; 6] = ["day", "evening", "dusk", "night", "dawn", "morning"];

/// Declares them all, in the order of their places.
pub(super) fn declare() -> Table {
    use BaseType::{Double, Selection, String, Time};
    let scalar = ValueType::scalar;
    let names = ValueType::STRING_ARRAY;
    let now = ValueData::Time(unix_seconds(SystemTime::now()));
    let text = || ValueData::String(QuotedString::default());
    let plain = DisplayType::Plain;
    let values = [
        (INFOTIME, "time of last update", scalar(Time), plain, now.clone()),
        (UPTIME, "daemon uptime", scalar(Time), plain, now),
        (
            "longitude",
            "observatory longitude",
            scalar(Double),
            DisplayType::Degrees,
            ValueData::Double(117.575),
        ),
        ("latitude", "observatory latitude", scalar(Double), DisplayType::Dec, ValueData::Double(40.393)),
        (
            "bad_weather_devices",
            "devices reporting bad weather or required and not present",
            names,
            plain,
            ValueData::unset(names),
        ),
        ("bad_weather_reason", "why system was switched to bad weather", scalar(String), plain, text()),
        ("bad_weather_device", "device reporting as the first bad weather", scalar(String), plain, text()),
        ("next_state_change", "time of next state change", scalar(Time), plain, ValueData::Time(f64::NAN)),
        ("next_state", "next server state", scalar(Selection), plain, ValueData::Selection(1)),
        ("sun_alt", "Sun altitude", scalar(Double), DisplayType::Dec, ValueData::Double(f64::NAN)),
    ];
    let mut table = Table::new();
    for (name, description, value_type, display, data) in values {
        let items = match value_type.base() {
            Selection => PART_OF_THE_DAY.iter().map(|item| QuotedString::cleaned(item)).collect(),
            _ => Vec::new(),
        };
        let (Ok(name), description) = (ValueName::new(name), QuotedString::cleaned(description)) else {
            continue;
        };
        let flags = ValueFlags::of_type(value_type).with_display_type(display);
        // Names and texts are those above; none is refused.
        let _ = table.declare(NewEntry { name, flags, description, items, data, on_set: None });
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_right() {
        let table = declare();
        for (place, name) in [
            (INFOTIME_PLACE, INFOTIME),
            (UPTIME_PLACE, UPTIME),
            (BAD_WEATHER_DEVICES, "bad_weather_devices"),
            (BAD_WEATHER_REASON, "bad_weather_reason"),
            (BAD_WEATHER_DEVICE, "bad_weather_device"),
        ] {
            assert_eq!(table.entry(place).unwrap().name.as_str(), name);
        }
    }
}
