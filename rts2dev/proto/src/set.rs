//! Setting a value with `X`: what the new data is, and what is refused (RTS2 lib/rts2/daemon.cpp, `setValue`, and
//! lib/rts2/value.cpp, `setValue` and `doOpValue` of each type).
//!
//! Results and errors are RTS2's, but for operands that it takes in a way that nobody means; these are refused as bad
//! parameters: integers beyond their range (RTS2 cuts their upper bits), `inf`, hexadecimal numbers, a quote that is
//! not closed, the empty name of a selection, and `+` or `-` on a bool.

use crate::data::{ValueData, to_f32};
use crate::error::{CommandReturn, ErrorCode, Expected, ParseError};
use crate::text::{QuotedString, Rest, Text};
use crate::token::Tokens;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
            Self::MissingBracket | Self::NotAnArray | Self::ReadOnly => {
                CommandReturn::failed(ErrorCode::System, self.to_string())
            }
        }
    }
}

/// A value's name as `X` gives it, with the index of an element where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedName<'a> {
    /// The name alone.
    pub name: &'a [u8],
    /// What stood in the brackets, or behind the last `_`.
    pub index: Option<&'a [u8]>,
}

impl<'a> IndexedName<'a> {
    /// Takes a name apart: `name[2]` always names an element; `name_2` does so only when there is no value of that
    /// whole name but one called `name`.
    ///
    /// # Errors
    /// When the closing bracket is missing.
    pub fn resolve(given: Text<'a>, exists: impl Fn(&[u8]) -> bool) -> Result<Self, SetError> {
        let given = given.as_bytes();
        let whole = Self { name: given, index: None };
        if let Some(at) = given.iter().position(|&b| b == b'[') {
            let (name, index) = given.split_at(at);
            return match index {
                [b'[', index @ .., b']'] => Ok(Self { name, index: Some(index) }),
                _ => Err(SetError::MissingBracket),
            };
        }
        if exists(given) {
            return Ok(whole);
        }
        if let Some(at) = given.iter().rposition(|&b| b == b'_') {
            let (name, index) = given.split_at(at);
            if exists(name) {
                return Ok(Self { name, index: index.get(1..) });
            }
        }
        Ok(whole)
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
    operand: Rest<'_>,
) -> Result<ValueData, SetError> {
    let mut tokens = Tokens::of_rest(operand);
    let bad = |_: ParseError| SetError::Operand;
    let new = match old {
        ValueData::String(_) => {
            let text = tokens.text().map_err(bad)?;
            if op != SetOp::Set {
                return Err(SetError::Operation);
            }
            ValueData::String(QuotedString::new(&text.to_str()).map_err(|_| SetError::Operand)?)
        }
        ValueData::Integer(old) => ValueData::Integer(integer(*old, op, tokens.integer().map_err(bad)?)?),
        ValueData::Long(old) => ValueData::Long(integer(*old, op, tokens.integer().map_err(bad)?)?),
        ValueData::Double(old) => ValueData::Double(number(*old, op, tokens.number().map_err(bad)?)?),
        ValueData::Time(old) => ValueData::Time(number(*old, op, tokens.number().map_err(bad)?)?),
        ValueData::Float(old) => {
            let new = to_f32(number(f64::from(*old), op, tokens.number().map_err(bad)?)?);
            if new.is_infinite() {
                return Err(SetError::Operand);
            }
            ValueData::Float(new)
        }
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
            let sum = match op {
                SetOp::Set => Some(operand),
                SetOp::Add => old.checked_add(operand),
                SetOp::Subtract => old.checked_sub(operand),
            };
            let index = sum.and_then(|sum| sum.checked_rem_euclid(count)).ok_or(SetError::Operand)?;
            ValueData::Selection(index)
        }
        ValueData::Raw(_) => return Err(SetError::Operation),
    };
    tokens.end().map_err(bad)?;
    Ok(new)
}

/// The two integer types, so that both are counted the same way.
trait Integer: Copy {
    fn plus(self, other: Self) -> Option<Self>;
    fn minus(self, other: Self) -> Option<Self>;
}

impl Integer for i32 {
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
}

impl Integer for i64 {
    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }
    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }
}

fn integer<T: Integer>(old: T, op: SetOp, operand: T) -> Result<T, SetError> {
    match op {
        SetOp::Set => Some(operand),
        SetOp::Add => old.plus(operand),
        SetOp::Subtract => old.minus(operand),
    }
    .ok_or(SetError::Operand)
}

fn number(old: f64, op: SetOp, operand: f64) -> Result<f64, SetError> {
    let new = match op {
        SetOp::Set => operand,
        SetOp::Add => old + operand,
        SetOp::Subtract => old - operand,
    };
    if new.is_infinite() { Err(SetError::Operand) } else { Ok(new) }
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

    #[test]
    fn names_with_an_index() {
        let exists = |name: &[u8]| [&b"bools"[..], b"a_1"].contains(&name);
        let resolve = |given: &'static str| {
            IndexedName::resolve(Text::new(given.as_bytes()).unwrap(), exists)
                .map(|found| (found.name, found.index))
        };
        assert_eq!(resolve("bools"), Ok((&b"bools"[..], None)));
        assert_eq!(resolve("bools[1]"), Ok((&b"bools"[..], Some(&b"1"[..]))));
        assert_eq!(resolve("bools_1"), Ok((&b"bools"[..], Some(&b"1"[..]))));
        assert_eq!(resolve("a_1"), Ok((&b"a_1"[..], None)));
        assert_eq!(resolve("nosuch_1"), Ok((&b"nosuch_1"[..], None)));
        assert_eq!(resolve("bools[1"), Err(SetError::MissingBracket));
    }

    #[test]
    fn errors_in_rts2s_words() {
        assert_eq!(
            SetError::NoSuchValue.command_return().to_string(),
            "-2 invalid parameters/invalid number of parameters - X"
        );
        assert_eq!(SetError::ReadOnly.command_return().to_string(), "-5 cannot set read-only value");
    }
}
