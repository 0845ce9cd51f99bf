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
mod tests {
    use super::*;

    fn parse(bits: u8, text: &str) -> Result<ValueData, DataError> {
        ValueData::parse(ValueType::from_bits(bits).unwrap(), Rest::new(text.as_bytes()).unwrap())
    }

    fn text(text: &str) -> QuotedString {
        QuotedString::new(text).unwrap()
    }

    fn array(items: ArrayItems) -> ValueData {
        ValueData::Array(Box::new(Array::new(items).unwrap()))
    }

    /// What RTS2 sent, what it means, and how it is written again.
    #[test]
    fn wire_format() {
        let nan = f64::NAN;
        let statistics = Statistics {
            value: 15.25,
            count: 2,
            mode: 15.25,
            min: 10.0,
            max: 20.5,
            deviation: 7.424_621_202_458_749,
        };
        let serie =
            TimeSerie { statistics: Statistics { deviation: 5.25, ..statistics }, alpha: nan, beta: 17.5 };
        let one = Statistics { value: 10.0, count: 1, mode: 10.0, min: 10.0, max: 10.0, deviation: 0.0 };
        let table = [
            (1, "\"hello world\"", ValueData::String(text("hello world")), "\"hello world\""),
            (1, "\"\"", ValueData::String(QuotedString::default()), "\"\""),
            (2, "-8", ValueData::Integer(-8), "-8"),
            (3, "1.79532790604682397842e+09", ValueData::Time(1_795_327_906.046_824), "1795327906.046824"),
            (4, "nan", ValueData::Double(nan), "nan"),
            (
                4,
                "3.25224599842898456359e+01",
                ValueData::Double(32.522_459_984_289_846),
                "32.522459984289846",
            ),
            (5, "1.00000000000000000000e-01", ValueData::Float(0.1), "0.1"),
            (6, "2", ValueData::Bool(None), "2"),
            (6, "1", ValueData::Bool(Some(true)), "1"),
            (7, "5", ValueData::Selection(5), "5"),
            (8, "9223372036854775807", ValueData::Long(i64::MAX), "9223372036854775807"),
            (9, "nan nan", ValueData::RaDec(RaDec::UNSET), "nan nan"),
            (
                9,
                "1.03416666666666667851e+01 2.05111111111111128480e+01",
                ValueData::RaDec(RaDec { ra: 10.341_666_666_666_667, dec: 20.511_111_111_111_113 }),
                "10.341666666666667 20.511111111111113",
            ),
            (
                10,
                "45.00000000000000000000 -10.25000000000000000000",
                ValueData::AltAz(AltAz { alt: 45.0, az: -10.25 }),
                "45.0 -10.25",
            ),
            (11, "1 -2 3", ValueData::Pid(Pid { p: 1, i: -2, d: 3 }), "1 -2 3"),
            (
                0x14,
                "nan 0 nan nan nan nan",
                ValueData::Stat(Box::new(Statistics::UNSET)),
                "nan 0 nan nan nan nan",
            ),
            (
                0x14,
                "1.52500000000000000000e+01 2 1.52500000000000000000e+01 1.00000000000000000000e+01 \
                 2.05000000000000000000e+01 7.42462120245874857005e+00",
                ValueData::Stat(Box::new(statistics)),
                "15.25 2 15.25 10.0 20.5 7.424621202458749",
            ),
            (
                0x74,
                "1.525e+01 2 1.525e+01 1.0e+01 2.05e+01 5.25e+00 -nan 17.5",
                ValueData::TimeSerie(Box::new(serie)),
                "15.25 2 15.25 10.0 20.5 5.25 nan 17.5",
            ),
            (
                0x74,
                "10 1 10 10 10 0.00000000000000000000e+00 -nan -nan",
                ValueData::TimeSerie(Box::new(TimeSerie { statistics: one, alpha: nan, beta: nan })),
                "10.0 1 10.0 10.0 10.0 0.0 nan nan",
            ),
            (
                0x24,
                "7.00000000000000000000e+00 nan 1e1",
                ValueData::MinMax(Box::new(AnyMinMax::Double(MinMax { value: 7.0, min: nan, max: 10.0 }))),
                "7.0 nan 10.0",
            ),
            (
                0x22,
                "7 -2147483648 2147483647",
                ValueData::MinMax(Box::new(AnyMinMax::Integer(MinMax {
                    value: 7,
                    min: i32::MIN,
                    max: i32::MAX,
                }))),
                "7 -2147483648 2147483647",
            ),
            (
                0x32,
                "0 1 100 80",
                ValueData::Rectangle(Box::new(AnyRectangle::Integer(Rectangle {
                    x: 0,
                    y: 1,
                    width: 100,
                    height: 80,
                }))),
                "0 1 100 80",
            ),
            (
                0x34,
                "0 1.5 nan 80",
                ValueData::Rectangle(Box::new(AnyRectangle::Double(Rectangle {
                    x: 0.0,
                    y: 1.5,
                    width: nan,
                    height: 80.0,
                }))),
                "0.0 1.5 nan 80.0",
            ),
            (0x44, "", array(ArrayItems::Doubles(vec![])), ""),
            (
                0x44,
                "10.000000 20.500000 nan",
                array(ArrayItems::Doubles(vec![10.0, 20.5, nan])),
                "10.0 20.5 nan",
            ),
            (
                0x43,
                "1795327920.136821",
                array(ArrayItems::Times(vec![1_795_327_920.136_821])),
                "1795327920.136821",
            ),
            (0x42, "20 -40", array(ArrayItems::Integers(vec![20, -40])), "20 -40"),
            (0x46, "0 1 1", array(ArrayItems::Bools(vec![false, true, true])), "0 1 1"),
            (0x41, "C0 C1", array(ArrayItems::Strings(vec![text("C0"), text("C1")])), "C0 C1"),
            (
                0x41,
                "\"a b\" \"\" c",
                array(ArrayItems::Strings(vec![text("a b"), text(""), text("c")])),
                "\"a b\" \"\" c",
            ),
            // Types that clients cannot bear, and a rectangle that nobody can print.
            (0x45, "1 2", ValueData::Raw("1 2".into()), "1 2"),
            (0x28, "1 2 3", ValueData::Raw("1 2 3".into()), "1 2 3"),
            (0x31, "a b c d", ValueData::Raw("a b c d".into()), "a b c d"),
        ];
        for (bits, text, data, written) in table {
            assert_eq!(parse(bits, text), Ok(data.clone()), "{text}");
            let mut out = Vec::new();
            data.write_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
            assert_eq!(parse(bits, written), Ok(data));
        }
    }

    #[test]
    fn what_does_not_fit_its_type() {
        for (bits, text) in [
            (2, "foo"),
            (2, "2147483648"),
            (2, "1 2"),
            (4, ""),
            (4, "x"),
            (1, "\"a\" b"),
            (8, "9223372036854775808"),
            (9, "1"),
            (9, "1 2 3"),
            (11, "1 2"),
            (0x14, "1 2 3"),
            (0x14, "1 2.5 3 4 5 6"),
            (0x22, "1 2 x"),
            (0x24, "1 2"),
            (0x32, "1 2 3"),
            (0x41, "a \"b"),
            (0x42, "1 x"),
            (0x44, "1 x"),
            (0x46, "1 2"),
            (0x74, "1 2 3 4 5 6"),
        ] {
            assert!(parse(bits, text).is_err(), "{bits:#x} {text}");
        }
    }

    #[test]
    fn unset_is_what_rts2_begins_with() {
        for bits in 0..0x80 {
            let Ok(value_type) = ValueType::from_bits(bits) else { continue };
            let mut out = Vec::new();
            ValueData::unset(value_type).write_to(&mut out);
            assert_eq!(parse(bits, std::str::from_utf8(&out).unwrap()), Ok(ValueData::unset(value_type)));
        }
    }

    #[test]
    fn distances_are_kept_within_half_a_turn() {
        let keep = |degrees, display| ValueData::Double(degrees).normalized(display);
        assert_eq!(keep(190.0, DisplayType::DegDist180), ValueData::Double(-170.0));
        assert_eq!(keep(-370.0, DisplayType::DegDist180), ValueData::Double(-10.0));
        assert_eq!(keep(190.0, DisplayType::DegDist), ValueData::Double(190.0));
    }

    /// Clients of large systems hold hundreds of thousands of values.
    #[test]
    fn data_is_small() {
        assert_eq!(size_of::<ValueData>(), 24);
    }
}
