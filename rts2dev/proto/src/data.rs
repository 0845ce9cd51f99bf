//! The data of a value: scalars typed, everything else as the text it came in.

use crate::error::ParseError;
use crate::number::{write_f32, write_f64};
use crate::text::{QuotedString, Rest};
use crate::token::Tokens;
use crate::value_type::{BaseType, Composite, ValueType};

/// Data of a value. Two `nan` count as equal: nothing changed when a value stays unset.
#[derive(Clone, Debug)]
pub enum ValueData {
    /// Text; what was not UTF-8 is U+FFFD.
    String(QuotedString),
    /// 32-bit integer.
    Integer(i32),
    /// Unix seconds; nan when not set.
    Time(f64),
    /// Double; nan when not set.
    Double(f64),
    /// Float; nan when not set.
    Float(f32),
    /// True, false, or not known.
    Bool(Option<bool>),
    /// Index into the value's list of names.
    Selection(i32),
    /// 64-bit integer.
    Long(i64),
    /// A composite, an array, a position or a PID, in the text that came.
    Raw(String),
}

/// The text of a value does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a value of its type: expected {}", .0.expected)]
pub struct DataError(#[from] ParseError);

impl PartialEq for ValueData {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        match (self, other) {
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) | (Self::Selection(a), Self::Selection(b)) => a == b,
            (Self::Time(a), Self::Time(b)) | (Self::Double(a), Self::Double(b)) => same(*a, *b),
            (Self::Float(a), Self::Float(b)) => same(f64::from(*a), f64::from(*b)),
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Raw(a), Self::Raw(b)) => a == b,
            _ => false,
        }
    }
}

impl ValueData {
    /// What a value of a type holds before it is set (RTS2 lib/rts2/value.cpp, the constructors).
    #[must_use]
    pub fn unset(value_type: ValueType) -> Self {
        if value_type.composite != Composite::Scalar {
            return Self::Raw(String::new());
        }
        match value_type.base {
            BaseType::String => Self::String(QuotedString::default()),
            BaseType::Integer => Self::Integer(0),
            BaseType::Time => Self::Time(f64::NAN),
            BaseType::Double => Self::Double(f64::NAN),
            BaseType::Float => Self::Float(f32::NAN),
            BaseType::Bool => Self::Bool(None),
            BaseType::Selection => Self::Selection(0),
            BaseType::Long => Self::Long(0),
            BaseType::RaDec | BaseType::AltAz | BaseType::Pid => Self::Raw(String::new()),
        }
    }

    /// Reads what stands behind the name in a `V` line.
    ///
    /// # Errors
    /// When it is not a value of that type.
    pub fn parse(value_type: ValueType, value: Rest<'_>) -> Result<Self, DataError> {
        if value_type.composite != Composite::Scalar {
            return Ok(Self::Raw(value.to_str().into_owned()));
        }
        let mut tokens = Tokens::of_rest(value);
        let data = match value_type.base {
            BaseType::String => Self::String(tokens.text()?.into()),
            BaseType::Integer => Self::Integer(tokens.integer()?),
            BaseType::Time => Self::Time(tokens.number()?),
            BaseType::Double => Self::Double(tokens.number()?),
            BaseType::Float => Self::Float(to_f32(tokens.number()?)),
            BaseType::Bool => Self::Bool(match tokens.integer::<i32>()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }),
            BaseType::Selection => Self::Selection(tokens.integer()?),
            BaseType::Long => Self::Long(tokens.integer()?),
            BaseType::RaDec | BaseType::AltAz | BaseType::Pid => {
                return Ok(Self::Raw(value.to_str().into_owned()));
            }
        };
        tokens.end()?;
        Ok(data)
    }

    /// Writes it as it stands in a `V` line.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::String(text) => {
                out.push(b'"');
                out.extend_from_slice(text.as_str().as_bytes());
                out.push(b'"');
            }
            Self::Integer(number) | Self::Selection(number) => {
                out.extend_from_slice(number.to_string().as_bytes());
            }
            Self::Time(number) | Self::Double(number) => write_f64(*number, out),
            Self::Float(number) => write_f32(*number, out),
            Self::Bool(known) => out.push(match known {
                Some(false) => b'0',
                Some(true) => b'1',
                None => b'2',
            }),
            Self::Long(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Raw(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// Single precision is what the type holds: digits beyond it are lost, as in C.
#[expect(clippy::cast_possible_truncation, reason = "rounding to single precision is what is asked for")]
pub(crate) fn to_f32(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(base: BaseType, text: &str) -> Result<ValueData, DataError> {
        ValueData::parse(ValueType::scalar(base), Rest::new(text.as_bytes()).unwrap())
    }

    /// What RTS2 sent, what it means, and how it is written again.
    #[test]
    fn wire_format() {
        let table = [
            (
                BaseType::String,
                "\"hello world\"",
                ValueData::String(QuotedString::new("hello world").unwrap()),
                "\"hello world\"",
            ),
            (BaseType::String, "\"\"", ValueData::String(QuotedString::default()), "\"\""),
            (BaseType::Integer, "-8", ValueData::Integer(-8), "-8"),
            (
                BaseType::Time,
                "1.79532790604682397842e+09",
                ValueData::Time(1_795_327_906.046_824),
                "1795327906.046824",
            ),
            (BaseType::Double, "nan", ValueData::Double(f64::NAN), "nan"),
            (
                BaseType::Double,
                "3.25224599842898456359e+01",
                ValueData::Double(32.522_459_984_289_846),
                "32.522459984289846",
            ),
            (BaseType::Float, "1.00000000000000000000e-01", ValueData::Float(0.1), "0.1"),
            (BaseType::Bool, "2", ValueData::Bool(None), "2"),
            (BaseType::Bool, "1", ValueData::Bool(Some(true)), "1"),
            (BaseType::Selection, "5", ValueData::Selection(5), "5"),
            (BaseType::Long, "9223372036854775807", ValueData::Long(i64::MAX), "9223372036854775807"),
            (BaseType::Pid, "1 2 3", ValueData::Raw("1 2 3".into()), "1 2 3"),
        ];
        for (base, text, data, written) in table {
            assert_eq!(parse(base, text), Ok(data.clone()), "{text}");
            let mut out = Vec::new();
            data.write_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
            assert_eq!(parse(base, written), Ok(data));
        }
    }

    #[test]
    fn what_does_not_fit_its_type() {
        for (base, text) in [
            (BaseType::Integer, "foo"),
            (BaseType::Integer, "2147483648"),
            (BaseType::Integer, "1 2"),
            (BaseType::Double, ""),
            (BaseType::Double, "x"),
            (BaseType::String, "\"a\" b"),
            (BaseType::Long, "9223372036854775808"),
        ] {
            assert!(parse(base, text).is_err(), "{base:?} {text}");
        }
    }
}
