//! Values as a person reads them.

use std::fmt::Display;

use rts2_proto::{
    AnyMinMax, AnyRectangle, ArrayItems, DisplayType, MinMax, Rectangle, Statistics, ValueData,
};

use super::news::RemoteValue;
use super::utc::format_utc;

/// What a value holds, for a person.
pub(super) fn text(value: &RemoteValue) -> String {
    let display = value.display_type();
    match &value.data {
        ValueData::String(text) => text.as_str().to_owned(),
        ValueData::Selection(index) => usize::try_from(*index)
            .ok()
            .and_then(|index| value.items.get(index).cloned())
            .unwrap_or_else(|| index.to_string()),
        ValueData::Time(seconds) if display != DisplayType::TimeInterval => format_utc(*seconds),
        ValueData::Bool(None) => "unknown".to_owned(),
        ValueData::Bool(Some(on)) => boolean(*on, display).to_owned(),
        ValueData::Double(degrees) if display == DisplayType::Ra => hours(*degrees),
        ValueData::Double(degrees) if display == DisplayType::Dec => sexagesimal(*degrees),
        ValueData::RaDec(it) if display == DisplayType::ArcSec => {
            format!("{:.2}\" {:.2}\"", it.ra * 3600.0, it.dec * 3600.0)
        }
        ValueData::RaDec(it) => format!("{} {}", hours(it.ra), sexagesimal(it.dec)),
        ValueData::AltAz(it) => format!("{} {}", sexagesimal(it.alt), sexagesimal(it.az)),
        ValueData::Stat(it) => statistics(it),
        ValueData::TimeSerie(it) => format!("{}, {}/s", statistics(&it.statistics), number(it.beta)),
        ValueData::MinMax(it) => match **it {
            AnyMinMax::Integer(MinMax { value, min, max }) => format!("{value} {min}..{max}"),
            AnyMinMax::Double(MinMax { value, min, max }) => {
                format!("{} {}..{}", number(value), number(min), number(max))
            }
        },
        ValueData::Rectangle(it) => match **it {
            AnyRectangle::Integer(it) => rectangle(it, |it| it.to_string()),
            AnyRectangle::Long(it) => rectangle(it, |it| it.to_string()),
            AnyRectangle::Float(it) => rectangle(it, |it| number(f64::from(it))),
            AnyRectangle::Double(it) => rectangle(it, number),
        },
        ValueData::Array(array) => match array.items() {
            ArrayItems::Strings(items) => list(items.iter()),
            ArrayItems::Integers(items) => list(items.iter()),
            ArrayItems::Times(items) => list(items.iter().map(|it| format_utc(*it))),
            ArrayItems::Doubles(items) => list(items.iter().map(|it| number(*it))),
            ArrayItems::Bools(items) => list(items.iter().map(|on| boolean(*on, display))),
        },
        other => {
            let mut text = Vec::new();
            other.write_to(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

fn boolean(on: bool, display: DisplayType) -> &'static str {
    match (on, display) {
        (true, DisplayType::OnOff) => "on",
        (false, DisplayType::OnOff) => "off",
        (true, _) => "true",
        (false, _) => "false",
    }
}

fn number(number: f64) -> String {
    let mut text = Vec::new();
    rts2_proto::write_f64(number, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn statistics(it: &Statistics) -> String {
    let [value, min, max, deviation] = [it.value, it.min, it.max, it.deviation].map(number);
    format!("{value} +- {deviation}, {} of {min}..{max}", it.count)
}

/// As cameras write it: columns, then rows.
fn rectangle<T>(it: Rectangle<T>, write: impl Fn(T) -> String) -> String {
    let Rectangle { x, y, width, height } = it;
    format!("[{}:{},{}:{}]", write(x), write(width), write(y), write(height))
}

fn list(items: impl Iterator<Item = impl Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Degrees as hours, minutes and seconds, to a hundredth.
fn hours(degrees: f64) -> String {
    if degrees.is_finite() { sixty(degrees / 15.0, 100.0, "", 2) } else { "nan".to_owned() }
}

/// Degrees, minutes and seconds, to a tenth.
fn sexagesimal(degrees: f64) -> String {
    if degrees.is_finite() { sixty(degrees, 10.0, "+", 1) } else { "nan".to_owned() }
}

/// In whole parts of a second first, so that no rounding makes 60 seconds.
fn sixty(whole: f64, parts: f64, plus: &str, digits: usize) -> String {
    let sign = if whole < 0.0 { "-" } else { plus };
    let total = (whole.abs() * 3600.0 * parts).round();
    let seconds = (total % (60.0 * parts)) / parts;
    let minutes = (total / (60.0 * parts)).floor() % 60.0;
    let wide = (total / (3600.0 * parts)).floor();
    format!("{sign}{wide:02.0}:{minutes:02.0}:{seconds:0width$.digits$}", width = digits + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rts2_proto::{Rest, ValueFlags, ValueType};

    fn shown(bits: u8, display: DisplayType, data: &str) -> String {
        let value_type = ValueType::from_bits(bits).unwrap();
        text(&RemoteValue {
            name: "x".into(),
            flags: ValueFlags::of_type(value_type).with_display_type(display),
            description: String::new(),
            items: Vec::new(),
            data: ValueData::parse(value_type, Rest::new(data.as_bytes()).unwrap()).unwrap(),
        })
    }

    #[test]
    fn every_type_as_a_person_reads_it() {
        use DisplayType::{ArcSec, Dec, OnOff, Plain, Ra, TimeInterval};
        for (bits, display, data, shown_as) in [
            (0x04, Ra, "155.125", "10:20:30.00"),
            (0x04, Dec, "-0.5111111111111111", "-00:30:40.0"),
            (0x04, Plain, "12.5", "12.5"),
            (0x09, Plain, "155.125 20.511111111111113", "10:20:30.00 +20:30:40.0"),
            (0x09, Plain, "359.9999999999 -89.9999999999", "24:00:00.00 -90:00:00.0"),
            (0x09, Plain, "nan nan", "nan nan"),
            (0x09, ArcSec, "0.5 -0.25", "1800.00\" -900.00\""),
            (0x0a, Plain, "45.5 -10", "+45:30:00.0 -10:00:00.0"),
            (0x0b, Plain, "1 2 3", "1 2 3"),
            (0x14, Plain, "15.25 2 15.25 10 20.5 5.25", "15.25 +- 5.25, 2 of 10.0..20.5"),
            (0x74, Plain, "15.25 2 15.25 10 20.5 5.25 15.25 17.5", "15.25 +- 5.25, 2 of 10.0..20.5, 17.5/s"),
            (0x24, Plain, "7 0 10.5", "7.0 0.0..10.5"),
            (0x22, Plain, "7 0 10", "7 0..10"),
            (0x32, Plain, "1 2 100 80", "[1:100,2:80]"),
            (0x35, Plain, "0.5 2 100 80", "[0.5:100.0,2.0:80.0]"),
            (0x44, Plain, "1 nan 2.5", "1.0, nan, 2.5"),
            (0x43, Plain, "1795369449.75 nan", "2026-11-22T17:44:09.750Z, nan"),
            (0x03, Plain, "1795369449.75", "2026-11-22T17:44:09.750Z"),
            (0x03, Plain, "nan", "nan"),
            (0x03, TimeInterval, "90.5", "90.5"),
            (0x42, Plain, "", ""),
            (0x46, OnOff, "0 1", "off, on"),
            (0x46, Plain, "0 1", "false, true"),
            (0x41, Plain, "C0 \"a b\"", "C0, a b"),
            (0x06, Plain, "2", "unknown"),
        ] {
            assert_eq!(shown(bits, display, data), shown_as, "{bits:#x} {data}");
        }
    }
}
