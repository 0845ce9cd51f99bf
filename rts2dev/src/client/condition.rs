//! Conditions on a device, as a script writes them: `NODES.level == good`.
//!
//! # Grammar
//!
//! ```text
//! condition = device "present"                       it is registered and answers
//!           | device "absent"                        centrald knows no such device
//!           | device "." value compare operand       what a value holds
//!           | device "." value ".level" compare ( "good" | "warning" | "error" )
//!           | device ".state" bits-test bits         its own state word
//!           | device ".bop" bits-test bits           what others block for it
//! compare   = "==" | "!=" | "<" | ">" | "<=" | ">="   or in letters: eq ne lt gt le ge
//! bits-test = "&"  any of the bits is set             or in letters: has
//!           | "!&" none of the bits is set            or in letters: lacks
//! bits      = bit { "|" bit }                        RTS2's names (BOP_EXPOSURE, BAD_WEATHER, …), or numbers (0x4)
//! operand   = the rest of the text; quotes around it are taken off
//! ```
//!
//! The device `centrald` is centrald itself. Names of devices and values are compared without case, as RTS2 does. The
//! letters are there because a shell takes `<`, `>` and `&` for itself.
//!
//! What a comparison means depends on the value's type: numbers and times are compared as numbers, a time being unix
//! seconds or as [`parse_utc`] reads it; `nan` equals `nan`, and is neither less nor greater than anything. Names of a selection are compared without case, and so
//! are their numbers; for order, the place in the list counts. Bools are compared with on, true, yes, 1, off, false, no,
//! 0, unknown. Text and everything else is compared as [`RemoteValue::text`] gives it, byte by byte, and has no order.
//! `!=` holds exactly where `==` does not. Nothing holds about a value that the device has not got.

mod parse;

use std::cmp::Ordering;
use std::str::FromStr;

use rts2_proto::{DeviceState, Level, ValueData, parse_f64};

use super::{RemoteDevice, RemoteValue, parse_utc};

pub use parse::ConditionError;

/// A condition on one device; see the [grammar](self).
///
/// ```
/// use rts2dev::client::condition::Condition;
///
/// let condition: Condition = "NODES.level == good".parse().unwrap();
/// assert_eq!(condition.device(), "NODES");
/// let error = "NODES.level = good".parse::<Condition>().unwrap_err();
/// assert_eq!(error.to_string(), "expected == != < > <= >= (or eq ne lt gt le ge) at character 13, before \"= good\"");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    device: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Present,
    Absent,
    Value { name: String, compare: Compare, operand: String },
    Level { name: String, compare: Compare, level: Level },
    State { bits: DeviceState, set: bool },
    Bop { bits: DeviceState, set: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// What is known of a device when a condition is looked at.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// Nothing: centrald cannot be asked, or the device is registered and does not answer.
    Unknown,
    /// centrald knows no such device.
    Absent,
    /// It is connected.
    Present(&'a RemoteDevice),
}

/// A condition can never hold as it is written, because of what the device's value turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MismatchError {
    /// The operand is no number.
    #[error("{value} is a number, and \"{operand}\" is none")]
    NotANumber {
        /// The value.
        value: String,
        /// What it was compared with.
        operand: String,
    },
    /// No such name in the selection.
    #[error("{value} has no \"{operand}\"; it has: {}", .names.join(", "))]
    NotASelection {
        /// The value.
        value: String,
        /// What it was compared with.
        operand: String,
        /// What there is.
        names: Vec<String>,
    },
    /// The operand is neither on nor off.
    #[error("{value} is on or off, and \"{operand}\" is neither")]
    NotABool {
        /// The value.
        value: String,
        /// What it was compared with.
        operand: String,
    },
    /// Only numbers, times, selections and levels have an order.
    #[error("{value} has no order: only == and != can be asked of it")]
    NoOrder {
        /// The value.
        value: String,
    },
}

impl Condition {
    /// The device that it is about.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// The value that it is about, where it is about one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match &self.test {
            Test::Value { name, .. } | Test::Level { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Whether it holds now.
    ///
    /// # Errors
    /// When it can never hold: the value is of a type that does not fit what it is compared with.
    pub fn holds(&self, view: View<'_>) -> Result<bool, MismatchError> {
        let device = match (view, &self.test) {
            (View::Absent, Test::Absent) | (View::Present(_), Test::Present) => return Ok(true),
            (View::Present(device), _) => device,
            (View::Unknown | View::Absent, _) => return Ok(false),
        };
        match &self.test {
            Test::Present => Ok(true),
            Test::Absent => Ok(false),
            Test::State { bits, set } => Ok(device.state().intersects(*bits) == *set),
            Test::Bop { bits, set } => Ok(device.bop().intersects(*bits) == *set),
            Test::Level { name, compare, level } => Ok(device
                .value(name)
                .is_some_and(|value| compare.accepts(Some(rank(value.level()).cmp(&rank(*level)))))),
            Test::Value { name, compare, operand } => {
                device.value(name).map_or(Ok(false), |value| compare_value(&value, *compare, operand))
            }
        }
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        parse::condition(text)
    }
}

impl Compare {
    /// `None` is an order that is not there: of nan, of texts.
    fn accepts(self, ordering: Option<Ordering>) -> bool {
        match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::NotEqual => ordering != Some(Ordering::Equal),
            Self::Less => ordering == Some(Ordering::Less),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }

    fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

fn rank(level: Level) -> u8 {
    match level {
        Level::Good => 0,
        Level::Warning => 1,
        Level::Error => 2,
    }
}

fn compare_value(value: &RemoteValue, compare: Compare, operand: &str) -> Result<bool, MismatchError> {
    let name = || value.name.clone();
    let text = || operand.to_owned();
    let ordering = match &value.data {
        ValueData::Selection(index) => {
            let named = value.items.iter().position(|item| item.eq_ignore_ascii_case(operand));
            let wanted = match named {
                Some(place) => i32::try_from(place).ok(),
                None => operand.parse().ok(),
            };
            let Some(wanted) = wanted else {
                let names = value.items.clone();
                return Err(MismatchError::NotASelection { value: name(), operand: text(), names });
            };
            Some(index.cmp(&wanted))
        }
        ValueData::Bool(known) => {
            let wanted = match operand.to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Some(true),
                "off" | "false" | "no" | "0" => Some(false),
                "unknown" | "nan" | "2" => None,
                _ => return Err(MismatchError::NotABool { value: name(), operand: text() }),
            };
            if !compare.is_equality() {
                return Err(MismatchError::NoOrder { value: name() });
            }
            (*known == wanted).then_some(Ordering::Equal)
        }
        _ => match value.number() {
            Some(number) => {
                let is_time = matches!(value.data, ValueData::Time(_));
                let wanted = whole_number(operand)
                    .or_else(|| if is_time { parse_utc(operand) } else { None })
                    .ok_or_else(|| MismatchError::NotANumber { value: name(), operand: text() })?;
                if number.is_nan() && wanted.is_nan() {
                    Some(Ordering::Equal)
                } else {
                    number.partial_cmp(&wanted)
                }
            }
            None if compare.is_equality() => (value.text() == operand).then_some(Ordering::Equal),
            None => return Err(MismatchError::NoOrder { value: name() }),
        },
    };
    Ok(compare.accepts(ordering))
}

/// A number with nothing behind it; RTS2 would take the 10 of `10m`, which nobody means in a condition.
fn whole_number(text: &str) -> Option<f64> {
    let number = parse_f64(text.as_bytes())?;
    (number.is_nan() || text.parse::<f64>().is_ok()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rts2_proto::{QuotedString, ValueFlags};

    fn value(data: ValueData, items: &[&str]) -> RemoteValue {
        RemoteValue {
            name: "v".to_owned(),
            flags: ValueFlags::empty(),
            description: String::new(),
            items: items.iter().map(|&item| item.to_owned()).collect(),
            data,
        }
    }

    fn holds(value: &RemoteValue, text: &str) -> Result<bool, MismatchError> {
        let condition: Condition = format!("D.v {text}").parse().unwrap();
        let Test::Value { compare, operand, .. } = &condition.test else { unreachable!("{text}") };
        compare_value(value, *compare, operand)
    }

    #[test]
    fn numbers() {
        let twelve = value(ValueData::Double(12.5), &[]);
        for text in ["== 12.5", "== 1.25e1", "!= 12", "> 3", ">= 12.5", "< 13", "<= 12.5", "!= nan"] {
            assert_eq!(holds(&twelve, text), Ok(true), "{text}");
        }
        for text in ["== 12", "!= 12.5", "> 12.5", "< 12.5", "== nan", "< nan"] {
            assert_eq!(holds(&twelve, text), Ok(false), "{text}");
        }
        let unset = value(ValueData::Double(f64::NAN), &[]);
        for (text, expected) in
            [("== nan", true), ("!= nan", false), ("!= 3", true), ("< 3", false), ("> 3", false)]
        {
            assert_eq!(holds(&unset, text), Ok(expected), "{text}");
        }
        assert_eq!(holds(&value(ValueData::Integer(-3), &[]), "lt -2"), Ok(true));
        assert!(matches!(holds(&twelve, "> 10m"), Err(MismatchError::NotANumber { .. })));
    }

    #[test]
    fn times() {
        let at = value(ValueData::Time(1_795_369_449.75), &[]);
        for (text, expected) in [
            ("> 2026-11-22T17:44:00Z", true),
            ("> 2026-11-22 17:45", false),
            ("== 2026-11-22T17:44:09.75", true),
            ("> 1795369449", true),
            ("== nan", false),
        ] {
            assert_eq!(holds(&at, text), Ok(expected), "{text}");
        }
        assert!(matches!(holds(&at, "> noon"), Err(MismatchError::NotANumber { .. })));
        let number = value(ValueData::Double(1_795_369_449.75), &[]);
        assert!(matches!(holds(&number, "> 2026-11-22T17:44:00Z"), Err(MismatchError::NotANumber { .. })));
    }

    #[test]
    fn selections() {
        let level = value(ValueData::Selection(1), &["good", "Warning", "error"]);
        for (text, expected) in
            [("== warning", true), ("== good", false), ("!= GOOD", true), ("== 1", true), ("< error", true)]
        {
            assert_eq!(holds(&level, text), Ok(expected), "{text}");
        }
        let error = holds(&level, "== bad").unwrap_err().to_string();
        assert_eq!(error, "v has no \"bad\"; it has: good, Warning, error");
    }

    #[test]
    fn bools_and_texts() {
        let on = value(ValueData::Bool(Some(true)), &[]);
        for (text, expected) in [("== on", true), ("== Yes", true), ("!= off", true), ("== unknown", false)] {
            assert_eq!(holds(&on, text), Ok(expected), "{text}");
        }
        assert!(matches!(holds(&on, "== maybe"), Err(MismatchError::NotABool { .. })));
        assert!(matches!(holds(&on, "> 0"), Err(MismatchError::NoOrder { .. })));
        assert_eq!(holds(&value(ValueData::Bool(None), &[]), "== unknown"), Ok(true));
        let note = value(ValueData::String(QuotedString::new("two words").unwrap()), &[]);
        assert_eq!(holds(&note, "== two words"), Ok(true));
        assert_eq!(holds(&note, "== \"two words\""), Ok(true));
        assert_eq!(holds(&note, "!= Two words"), Ok(true));
        assert!(matches!(holds(&note, "< x"), Err(MismatchError::NoOrder { .. })));
    }

    #[test]
    fn nobody_there() {
        let holds = |text: &str, view| text.parse::<Condition>().unwrap().holds(view).unwrap();
        assert!(holds("D absent", View::Absent));
        for text in ["D present", "D.v != 3", "D.state lacks BOP_EXPOSURE", "D.bop !& 1"] {
            assert!(!holds(text, View::Absent) && !holds(text, View::Unknown), "{text}");
        }
        assert!(!holds("D absent", View::Unknown));
    }
}
