//! The data of a value, typed for every type that RTS2 has.

mod array;
mod bounds;
mod position;
mod statistics;

pub use array::{Array, ArrayError, ArrayItems, MAX_ARRAY_BYTES, MAX_ARRAY_ITEMS};
pub use bounds::{AnyMinMax, AnyRectangle, MinMax, Rectangle};
pub use position::{AltAz, Pid, RaDec};
pub use statistics::{Statistics, TimeSerie};

use crate::display_type::DisplayType;
use crate::error::ParseError;
use crate::number::sealed::Sealed;
use crate::number::{write_f32, write_f64};
use crate::text::{QuotedString, Rest};
use crate::token::Tokens;
use crate::value_type::{BaseType, Composite, ValueType};

/// Data of a value. Two `nan` count as equal: nothing changed when a value stays unset. Programs hold thousands of
/// them, so that what is larger than a text is boxed.
///
/// It is written as RTS2 writes it, but for numbers: these are the shortest that read back the same, where RTS2
/// writes 20 digits of a double and six decimals of one in an array. Texts of an array that hold blanks stand between
/// quotes, which RTS2 reads well but forgets to write.
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
    /// Right ascension and declination.
    RaDec(RaDec),
    /// Altitude and azimuth.
    AltAz(AltAz),
    /// Factors of a controller.
    Pid(Pid),
    /// Statistics.
    Stat(Box<Statistics>),
    /// A number between limits.
    MinMax(Box<AnyMinMax>),
    /// A rectangle.
    Rectangle(Box<AnyRectangle>),
    /// An array.
    Array(Box<Array>),
    /// Statistics with a trend.
    TimeSerie(Box<TimeSerie>),
    /// The text of a type that RTS2 does not have, or that its clients cannot bear.
    Raw(Box<str>),
}

/// The text of a value does not fit its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a value of its type: expected {}", .0.expected)]
pub struct DataError(#[from] ParseError);

impl PartialEq for ValueData {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) | (Self::Selection(a), Self::Selection(b)) => a == b,
            (Self::Time(a), Self::Time(b)) | (Self::Double(a), Self::Double(b)) => a.same(*b),
            (Self::Float(a), Self::Float(b)) => a.same(*b),
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::RaDec(a), Self::RaDec(b)) => a == b,
            (Self::AltAz(a), Self::AltAz(b)) => a == b,
            (Self::Pid(a), Self::Pid(b)) => a == b,
            (Self::Stat(a), Self::Stat(b)) => a == b,
            (Self::MinMax(a), Self::MinMax(b)) => a == b,
            (Self::Rectangle(a), Self::Rectangle(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::TimeSerie(a), Self::TimeSerie(b)) => a == b,
            (Self::Raw(a), Self::Raw(b)) => a == b,
            _ => false,
        }
    }
}

impl ValueData {
    /// What a value of a type holds before it is set (RTS2 lib/rts2/value.cpp, the constructors).
    #[must_use]
    pub fn unset(value_type: ValueType) -> Self {
        let base = value_type.base();
        let data = match value_type.composite() {
            Composite::Scalar => Some(Self::unset_scalar(base)),
            Composite::Stat => Some(Self::Stat(Box::new(Statistics::UNSET))),
            Composite::MinMax => AnyMinMax::unset(base).map(Box::new).map(Self::MinMax),
            Composite::Rectangle => AnyRectangle::unset(base).map(Box::new).map(Self::Rectangle),
            Composite::Array => Array::empty(base).map(Box::new).map(Self::Array),
            Composite::TimeSerie => Some(Self::TimeSerie(Box::new(TimeSerie::UNSET))),
        };
        data.unwrap_or_else(|| Self::Raw("".into()))
    }

    fn unset_scalar(base: BaseType) -> Self {
        match base {
            BaseType::String => Self::String(QuotedString::default()),
            BaseType::Integer => Self::Integer(0),
            BaseType::Time => Self::Time(f64::NAN),
            BaseType::Double => Self::Double(f64::NAN),
            BaseType::Float => Self::Float(f32::NAN),
            BaseType::Bool => Self::Bool(None),
            BaseType::Selection => Self::Selection(0),
            BaseType::Long => Self::Long(0),
            BaseType::RaDec => Self::RaDec(RaDec::UNSET),
            BaseType::AltAz => Self::AltAz(AltAz::UNSET),
            BaseType::Pid => Self::Pid(Pid::default()),
        }
    }

    /// Reads what stands behind the name in a `V` line.
    ///
    /// # Errors
    /// When it is not a value of that type.
    pub fn parse(value_type: ValueType, value: Rest<'_>) -> Result<Self, DataError> {
        let base = value_type.base();
        let mut tokens = Tokens::of_rest(value);
        let data = match value_type.composite() {
            Composite::Scalar => Some(Self::parse_scalar(base, &mut tokens)),
            Composite::Stat => Some(Statistics::parse(&mut tokens).map(Box::new).map(Self::Stat)),
            Composite::MinMax => {
                AnyMinMax::parse(base, &mut tokens).map(|read| read.map(Box::new).map(Self::MinMax))
            }
            Composite::Rectangle => {
                AnyRectangle::parse(base, &mut tokens).map(|read| read.map(Box::new).map(Self::Rectangle))
            }
            Composite::Array => {
                Array::parse(base, &mut tokens).map(|read| read.map(Box::new).map(Self::Array))
            }
            Composite::TimeSerie => Some(TimeSerie::parse(&mut tokens).map(Box::new).map(Self::TimeSerie)),
        };
        let Some(data) = data else { return Ok(Self::Raw(value.to_str().into())) };
        let data = data?;
        tokens.end()?;
        Ok(data)
    }

    fn parse_scalar(base: BaseType, tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        Ok(match base {
            BaseType::String => Self::String(tokens.text()?.into()),
            BaseType::Integer => Self::Integer(tokens.integer()?),
            BaseType::Time => Self::Time(tokens.number()?),
            BaseType::Double => Self::Double(tokens.number()?),
            BaseType::Float => Self::Float(tokens.scalar()?),
            BaseType::Bool => Self::Bool(match tokens.integer::<i32>()? {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }),
            BaseType::Selection => Self::Selection(tokens.integer()?),
            BaseType::Long => Self::Long(tokens.integer()?),
            BaseType::RaDec => Self::RaDec(RaDec { ra: tokens.number()?, dec: tokens.number()? }),
            BaseType::AltAz => Self::AltAz(AltAz { alt: tokens.number()?, az: tokens.number()? }),
            BaseType::Pid => {
                Self::Pid(Pid { p: tokens.integer()?, i: tokens.integer()?, d: tokens.integer()? })
            }
        })
    }

    /// As RTS2 keeps it in a value of that display type: [`DisplayType::DegDist180`] brings doubles and positions
    /// into -180 to 180 degrees, the others change nothing (RTS2 lib/rts2/value.cpp, `setValueDouble`, `setRa`).
    #[must_use]
    pub fn normalized(self, display: DisplayType) -> Self {
        if display != DisplayType::DegDist180 {
            return self;
        }
        match self {
            Self::Double(number) => Self::Double(within_180(number)),
            Self::Time(number) => Self::Time(within_180(number)),
            Self::RaDec(it) => Self::RaDec(RaDec { ra: within_180(it.ra), dec: within_180(it.dec) }),
            other => other,
        }
    }

    /// How much memory it takes beside itself, bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(text) => text.as_str().len(),
            Self::Stat(it) => size_of_val(&**it),
            Self::MinMax(it) => size_of_val(&**it),
            Self::Rectangle(it) => size_of_val(&**it),
            Self::Array(array) => size_of_val(&**array) + array.heap_bytes(),
            Self::TimeSerie(it) => size_of_val(&**it),
            Self::Raw(text) => text.len(),
            _ => 0,
        }
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
            Self::RaDec(it) => write_two(it.ra, it.dec, out),
            Self::AltAz(it) => write_two(it.alt, it.az, out),
            Self::Pid(Pid { p, i, d }) => out.extend_from_slice(format!("{p} {i} {d}").as_bytes()),
            Self::Stat(it) => it.write_to(out),
            Self::MinMax(it) => it.write_to(out),
            Self::Rectangle(it) => it.write_to(out),
            Self::Array(array) => array.write_to(out),
            Self::TimeSerie(it) => it.write_to(out),
            Self::Raw(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

fn write_two(a: f64, b: f64, out: &mut Vec<u8>) {
    write_f64(a, out);
    out.push(b' ');
    write_f64(b, out);
}

fn within_180(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    if turned > 180.0 { turned - 360.0 } else { turned }
}

#[cfg(test)]
mod tests;
