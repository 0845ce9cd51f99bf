//! Setting a value with `X`: what the new data is, and what is refused (RTS2 lib/rts2/daemon.cpp, `setValue`, and
//! lib/rts2/value.cpp, `setValue` and `doOpValue` of each type).
//!
//! Results and errors are RTS2's, faults and all: `-` of a position or a controller subtracts the old value from the
//! operand; the operand of `+` on a min-max value must lie between the limits itself; arrays know only `=`. What
//! differs, on purpose:
//!
//! - Operands that RTS2 takes in a way that nobody means are refused as bad parameters: integers beyond their range
//!   (RTS2 cuts their upper bits), `inf`, hexadecimal numbers, an empty text for a number, a quote that is not closed,
//!   the empty name of a selection, `+` or `-` on a bool, corners of a rectangle that are no numbers (RTS2 takes 0),
//!   sums of controllers beyond their range, and angles with letters in them ([`parse_degrees`](crate::parse_degrees)
//!   says which).
//! - An element that an array does not have, for which RTS2 writes behind its memory or dies, and an empty place in a
//!   list of indices, for which it takes the first element, are refused as `-3` with the index. So is, as for other
//!   values without elements, any index of a time series, with which RTS2 dies.
//! - New limits of a min-max value are taken also when the value stays the same; RTS2 says OK and drops them.
//! - An array that no line can hold ([`MAX_ARRAY_ITEMS`](crate::MAX_ARRAY_ITEMS),
//!   [`MAX_ARRAY_BYTES`](crate::MAX_ARRAY_BYTES)) is refused as bad parameters.

mod composite;
mod index;

pub use index::{IndexedName, apply_indexed_set};

use crate::data::ValueData;
use crate::error::{CommandReturn, ErrorCode, Expected, ParseError};
use crate::number::Number;
use crate::text::{QuotedString, Rest, Text};
use crate::token::Tokens;
use composite::counted;

/// What `X` does with its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOp {
    /// `=`: replaces.
    Set,
    /// `+`: adds.
    Add,
    /// `-`: subtracts.
    Subtract,
}

impl SetOp {
    /// The byte on the wire.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Set => b'=',
            Self::Add => b'+',
            Self::Subtract => b'-',
        }
    }

    /// RTS2 looks at the first byte of the word only.
    pub(crate) fn parse(tokens: &mut Tokens<'_>) -> Result<Self, ParseError> {
        match tokens.text()?.as_bytes() {
            [b'=', ..] => Ok(Self::Set),
            [b'+', ..] => Ok(Self::Add),
            [b'-', ..] => Ok(Self::Subtract),
            _ => Err(tokens.error(Expected::Keyword)),
        }
    }
}

/// Why a value cannot be set that way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The operand is not of the value's type, or the result is out of its range.
    #[error("operand does not fit the value")]
    Operand,
    /// Text and bools can only be replaced. (RTS2 adds to a bool as to an integer and makes it neither true nor
    /// false; here that is refused.)
    #[error("operation does not fit the value's type")]
    Operation,
    /// Index without its closing bracket.
    #[error("missing ] for end of array index")]
    MissingBracket,
    /// The index is none, or the array has no such element: what is left of the index from the fault on.
    #[error("{0}")]
    Index(String),
    /// Only arrays have elements.
    #[error("trying to index non-array value")]
    NotAnArray,
    /// The value cannot be set.
    #[error("cannot set read-only value")]
    ReadOnly,
    /// There is no such value.
    #[error("no such value")]
    NoSuchValue,
}

impl SetError {
    /// The line that ends the command, as RTS2 says it.
    #[must_use]
    pub fn command_return(self) -> CommandReturn {
        match self {
            Self::Operand | Self::Operation | Self::NoSuchValue => CommandReturn::bad_parameters(b"X"),
            Self::Index(left) => CommandReturn::failed(ErrorCode::Value, left),
            Self::MissingBracket | Self::NotAnArray | Self::ReadOnly => {
                CommandReturn::failed(ErrorCode::System, self.to_string())
            }
        }
    }
}

/// Computes what a value becomes. `items` are the names of a selection, empty for other types.
///
/// # Errors
/// When the operand does not fit, or the operation.
pub fn apply_set(
    old: &ValueData,
    items: &[QuotedString],
    op: SetOp,
    operand_text: Rest<'_>,
) -> Result<ValueData, SetError> {
    let mut tokens = Tokens::of_rest(operand_text);
    let bad = |_: ParseError| SetError::Operand;
    let new = match old {
        ValueData::String(_) => {
            let text = quoted(&mut tokens)?;
            if op != SetOp::Set {
                return Err(SetError::Operation);
            }
            ValueData::String(text)
        }
        ValueData::Integer(old) => ValueData::Integer(counted(*old, op, operand(&mut tokens)?)?),
        ValueData::Long(old) => ValueData::Long(counted(*old, op, operand(&mut tokens)?)?),
        ValueData::Double(old) => ValueData::Double(counted(*old, op, operand(&mut tokens)?)?),
        ValueData::Time(old) => ValueData::Time(counted(*old, op, operand(&mut tokens)?)?),
        ValueData::Float(old) => ValueData::Float(counted(*old, op, operand(&mut tokens)?)?),
        ValueData::Bool(_) => {
            let word = tokens.text().map_err(bad)?;
            if op != SetOp::Set {
                return Err(SetError::Operation);
            }
            ValueData::Bool(Some(parse_bool(word).ok_or(SetError::Operand)?))
        }
        ValueData::Selection(old) => {
            let operand = selection(tokens.text().map_err(bad)?, items).ok_or(SetError::Operand)?;
            let count = i32::try_from(items.len()).map_err(|_| SetError::Operand)?;
            let sum = counted(*old, op, operand)?;
            ValueData::Selection(sum.checked_rem_euclid(count).ok_or(SetError::Operand)?)
        }
        ValueData::RaDec(old) => ValueData::RaDec(composite::ra_dec(*old, op, &mut tokens)?),
        ValueData::AltAz(old) => ValueData::AltAz(composite::alt_az(*old, op, &mut tokens)?),
        ValueData::Pid(old) => ValueData::Pid(composite::pid(*old, op, &mut tokens)?),
        ValueData::Stat(old) => ValueData::Stat(Box::new(composite::statistics(**old, op, &mut tokens)?)),
        ValueData::MinMax(old) => ValueData::MinMax(Box::new(composite::min_max(**old, op, &mut tokens)?)),
        ValueData::Rectangle(old) => {
            ValueData::Rectangle(Box::new(composite::rectangle(**old, op, &mut tokens)?))
        }
        ValueData::Array(old) => ValueData::Array(Box::new(composite::array(old, op, &mut tokens)?)),
        ValueData::TimeSerie(old) => {
            ValueData::TimeSerie(Box::new(composite::time_serie(**old, op, &mut tokens)?))
        }
        ValueData::Raw(_) => return Err(SetError::Operation),
    };
    tokens.end().map_err(bad)?;
    Ok(new)
}

/// The next parameter as a number that RTS2 can bear.
fn operand<T: Number>(tokens: &mut Tokens<'_>) -> Result<T, SetError> {
    tokens.scalar().ok().filter(|number: &T| number.bearable()).ok_or(SetError::Operand)
}

/// The next parameter as a text that can be written again.
fn quoted(tokens: &mut Tokens<'_>) -> Result<QuotedString, SetError> {
    let text = tokens.text().map_err(|_| SetError::Operand)?;
    QuotedString::new(&text.to_str()).map_err(|_| SetError::Operand)
}

/// The words of RTS2 lib/rts2/utilsfunc.cpp, `charToBool`.
pub(crate) fn parse_bool(word: Text<'_>) -> Option<bool> {
    if ["on", "true", "yes", "1"].iter().any(|yes| word.is(yes)) {
        Some(true)
    } else if ["off", "false", "no", "0"].iter().any(|no| word.is(no)) {
        Some(false)
    } else {
        None
    }
}

/// An index, or a name of the list in its exact spelling.
fn selection(word: Text<'_>, items: &[QuotedString]) -> Option<i32> {
    let index = match word.to_str().parse::<i32>() {
        Ok(index) => usize::try_from(index).ok()?,
        Err(_) => items.iter().position(|item| item.as_str().as_bytes() == word.as_bytes())?,
    };
    if index < items.len() { i32::try_from(index).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value_type::ValueType;

    fn set(old: &ValueData, items: &[&str], op: SetOp, operand: &str) -> Result<ValueData, SetError> {
        let items: Vec<_> = items.iter().map(|item| QuotedString::new(item).unwrap()).collect();
        apply_set(old, &items, op, Rest::new(operand.as_bytes()).unwrap())
    }

    #[test]
    fn sets_of_the_captures() {
        use SetOp::{Add, Set, Subtract};
        let text = |text: &str| ValueData::String(QuotedString::new(text).unwrap());
        let selection = ["good", "warning", "error"];
        let table = [
            (ValueData::Integer(0), Set, "5", Ok(ValueData::Integer(5))),
            (ValueData::Integer(5), Add, "3", Ok(ValueData::Integer(8))),
            (ValueData::Integer(5), Subtract, "7", Ok(ValueData::Integer(-2))),
            (ValueData::Integer(8), Set, "foo", Err(SetError::Operand)),
            (ValueData::Integer(8), Set, "", Err(SetError::Operand)),
            (ValueData::Integer(8), Set, "1 2", Err(SetError::Operand)),
            (ValueData::Integer(8), Set, "5,", Ok(ValueData::Integer(5))),
            (ValueData::Integer(i32::MAX), Add, "1", Err(SetError::Operand)),
            (ValueData::Long(1), Add, "9223372036854775806", Ok(ValueData::Long(i64::MAX))),
            (text(""), Set, "\"hello world\"", Ok(text("hello world"))),
            (text(""), Set, "hello", Ok(text("hello"))),
            (text("a"), Add, "b", Err(SetError::Operation)),
            (ValueData::Selection(0), Set, "1", Ok(ValueData::Selection(1))),
            (ValueData::Selection(1), Set, "error", Ok(ValueData::Selection(2))),
            (ValueData::Selection(1), Set, "3", Err(SetError::Operand)),
            (ValueData::Selection(1), Set, "Error", Err(SetError::Operand)),
            (ValueData::Selection(2), Add, "2", Ok(ValueData::Selection(1))),
            (ValueData::Selection(0), Subtract, "1", Ok(ValueData::Selection(2))),
            (ValueData::Bool(None), Set, "true", Ok(ValueData::Bool(Some(true)))),
            (ValueData::Bool(None), Set, "OFF", Ok(ValueData::Bool(Some(false)))),
            (ValueData::Bool(None), Set, "2", Err(SetError::Operand)),
            (ValueData::Time(f64::NAN), Set, "+10m", Ok(ValueData::Time(10.0))),
            (ValueData::Double(1.0), Subtract, "0.5", Ok(ValueData::Double(0.5))),
            (ValueData::Double(1.0), Set, "nan", Ok(ValueData::Double(f64::NAN))),
            (ValueData::Double(1.0), Set, "inf", Err(SetError::Operand)),
            (ValueData::Double(1e308), Add, "1e308", Err(SetError::Operand)),
            (ValueData::Float(1.0), Set, "1e300", Err(SetError::Operand)),
        ];
        for (old, op, operand, new) in table {
            assert_eq!(set(&old, &selection, op, operand), new, "{old:?} {op:?} {operand}");
        }
    }

    #[test]
    fn selections_without_items_refuse() {
        for op in [SetOp::Set, SetOp::Add, SetOp::Subtract] {
            assert_eq!(set(&ValueData::Selection(0), &[], op, "0"), Err(SetError::Operand));
        }
    }

    /// What the real dummy sensor answered: old data, operation, operand and new data as they stand on the wire.
    #[test]
    fn sets_of_the_real_dummy() {
        let bad = None;
        let table = [
            // Positions: one angle means both, and `-` is the wrong way round.
            (9, "nan nan", "=", "10:20:30 +20:30:40", Some("10.341666666666667 20.511111111111113")),
            (9, "10.5 20.5", "+", "1 1", Some("11.5 21.5")),
            (9, "10.5 20.5", "-", "1 1", Some("-9.5 -19.5")),
            (9, "10.5 20.5", "+", "1", Some("11.5 21.5")),
            (9, "1 2", "=", "10", Some("10.0 10.0")),
            (9, "1 2", "=", "10, 20", Some("10.0 20.0")),
            (9, "1 2", "=", "\"10 30 0\" \"+20 30\"", Some("10.5 20.5")),
            (9, "1 2", "=", "10 20 30", bad),
            (9, "1 2", "=", "10 bar", bad),
            (9, "1 2", "=", "nan nan", bad),
            (9, "1 2", "=", "", bad),
            (9, "1 2", "=", "10h20m30s 0", bad),
            (10, "nan nan", "=", "45 -10.5", Some("45.0 -10.5")),
            (10, "45 10", "=", "nan", Some("nan nan")),
            (10, "45 10", "-", "50,5", Some("5.0 -5.0")),
            (11, "0 0 0", "=", "1,2,3", Some("1 2 3")),
            (11, "1 2 3", "+", "1 1 1", Some("2 3 4")),
            (11, "2 3 4", "-", "1 1 1", Some("-1 -2 -3")),
            (11, "1 2 3", "+", "5", bad),
            (11, "1 2 3", "=", "1.5 2 3", bad),
            (11, "1 2 3", "=", "1 2 3 4", bad),
            (11, "1 2 3", "+", "2147483647 0 0", bad),
            // Limits.
            (0x24, "5 nan nan", "=", "7", Some("7.0 nan nan")),
            (0x24, "5 nan nan", "=", "5 0 10", Some("5.0 0.0 10.0")),
            (0x24, "5 0 10", "=", "11", bad),
            (0x24, "5 0 10", "+", "1", Some("6.0 0.0 10.0")),
            (0x24, "5 0 10", "+", "6", bad),
            (0x24, "5 3 10", "+", "1", bad),
            (0x24, "8 3 10", "-", "3", Some("5.0 3.0 10.0")),
            (0x24, "3 0 10", "+", "1 0 20", Some("4.0 0.0 20.0")),
            (0x24, "4 0 20", "-", "1 2 3", bad),
            (0x24, "4 0 20", "+", "nan", Some("nan 0.0 20.0")),
            (0x24, "4 0 20", "=", "5 6 10", bad),
            (0x24, "4 0 20", "=", "5 4", bad),
            (0x24, "4 0 20", "=", "3 0 inf", bad),
            (0x22, "4 0 20", "=", "21", bad),
            (0x22, "4 0 20", "+", "7", Some("11 0 20")),
            (0x22, "4 0 20", "=", "1.5", bad),
            (0x22, "1 -2147483648 2147483647", "+", "2147483647", bad),
            // Rectangles and statistics.
            (0x32, "0 0 1 1", "=", "1 2 30 40", Some("1 2 30 40")),
            (0x32, "0 0 1 1", "+", "1 2 30 40", bad),
            (0x32, "0 0 1 1", "=", "1 2 30", bad),
            (0x32, "0 0 1 1", "=", "1 2 30 foo", bad),
            (0x35, "0 0 1 1", "=", "1 2 30 1e300", bad),
            (0x14, "nan 0 nan nan nan nan", "=", "1 2 3 4 5 6", Some("1.0 2 3.0 4.0 5.0 6.0")),
            (0x14, "1 2 3 4 5 6", "+", "1 1 1 1 1 1", Some("2.0 1 1.0 1.0 1.0 1.0")),
            (0x14, "1 2 3 4 5 6", "=", "1 2 3 4 5 inf", bad),
            (0x14, "1 2 3 4 5 6", "=", "5", bad),
            (0x74, "1 2 3 4 5 6 7 8", "-", "1 1 1 1 1 1 1 1", Some("0.0 1 1.0 1.0 1.0 1.0 1.0 1.0")),
            // Arrays are replaced.
            (0x44, "", "=", "1,2, 3", Some("1.0 2.0 3.0")),
            (0x44, "1", "=", "", Some("")),
            (0x44, "1", "+", "4", bad),
            (0x44, "1", "-", "4", bad),
            (0x44, "1", "=", "1 foo", bad),
            (0x44, "1", "=", "1,,2", bad),
            (0x44, "1", "=", "inf", bad),
            (0x42, "1", "=", "1 -2", Some("1 -2")),
            (0x42, "1", "=", "1.5", bad),
            (0x42, "1", "=", "99999999999", bad),
            (0x43, "1", "=", "+1h nan", Some("1.0 nan")),
            (0x43, "1", "=", "now", bad),
            (0x46, "0", "=", "on off yes no 1 0 TRUE", Some("1 0 1 0 1 0 1")),
            (0x46, "0", "=", "2", bad),
            (0x46, "0", "=", "on,off", bad),
            (0x41, "a", "=", "b \"c d\"", Some("b \"c d\"")),
            (0x41, "a", "=", "b \"c d", bad),
            (0x41, "a", "+", "b", bad),
        ];
        for (bits, old, op, operand, new) in table {
            let value_type = ValueType::from_bits(bits).unwrap();
            let old_data = ValueData::parse(value_type, Rest::new(old.as_bytes()).unwrap()).unwrap();
            let op = SetOp::parse(&mut Tokens::of_rest(Rest::new(op.as_bytes()).unwrap())).unwrap();
            let written = set(&old_data, &[], op, operand).ok().map(|data| {
                let mut out = Vec::new();
                data.write_to(&mut out);
                String::from_utf8(out).unwrap()
            });
            assert_eq!(written.as_deref(), new, "{old} {op:?} {operand}");
        }
    }

    #[test]
    fn an_array_that_no_line_holds_is_refused() {
        let old = ValueData::unset(ValueType::from_bits(0x42).unwrap());
        assert!(set(&old, &[], SetOp::Set, &"1 ".repeat(2048)).is_ok());
        assert_eq!(set(&old, &[], SetOp::Set, &"1 ".repeat(2049)), Err(SetError::Operand));
    }

    #[test]
    fn errors_in_rts2s_words() {
        assert_eq!(
            SetError::NoSuchValue.command_return().to_string(),
            "-2 invalid parameters/invalid number of parameters - X"
        );
        assert_eq!(SetError::Index(";2".into()).command_return().to_string(), "-3 ;2");
        assert_eq!(SetError::ReadOnly.command_return().to_string(), "-5 cannot set read-only value");
    }
}
