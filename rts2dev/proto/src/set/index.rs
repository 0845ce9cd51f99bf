//! Elements of arrays: `X bools[1:2] = on`.

use super::{SetError, SetOp, operand, parse_bool, quoted};
use crate::data::{Array, ArrayItems, ValueData};
use crate::text::{Rest, Text};
use crate::token::Tokens;

/// A value's name as `X` gives it, with the index of elements where there is one.
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

/// Computes what an array becomes when elements of it are set to one operand.
///
/// `index` counts from 1, with 0 for the first, too: `2`, `1:3` (both ends are set), `2:`, `:2`, lists of these
/// behind commas; nothing means all. A range that ends behind the array ends with it.
///
/// # Errors
/// When the value is no array, the index is none of its, or the operand or the operation does not fit.
pub fn apply_indexed_set(
    old: &ValueData,
    index: &[u8],
    op: SetOp,
    operand_text: Rest<'_>,
) -> Result<ValueData, SetError> {
    let ValueData::Array(array) = old else { return Err(SetError::NotAnArray) };
    let mut items = array.items().clone();
    let chosen = parse_range(index, items.len())?;
    let mut tokens = Tokens::of_rest(operand_text);
    match &mut items {
        ArrayItems::Strings(items) => fill(items, &chosen, quoted(&mut tokens)?),
        ArrayItems::Integers(items) => fill(items, &chosen, operand(&mut tokens)?),
        ArrayItems::Times(items) | ArrayItems::Doubles(items) => {
            fill(items, &chosen, operand(&mut tokens)?);
        }
        ArrayItems::Bools(items) => {
            let word = tokens.text().map_err(|_| SetError::Operand)?;
            fill(items, &chosen, parse_bool(word).ok_or(SetError::Operand)?);
        }
    }
    tokens.end().map_err(|_| SetError::Operand)?;
    if op != SetOp::Set {
        return Err(SetError::Operation);
    }
    let array = Array::new(items).map_err(|_| SetError::Operand)?;
    Ok(ValueData::Array(Box::new(array)))
}

fn fill<T: Clone>(items: &mut [T], chosen: &[usize], new: T) {
    for &place in chosen {
        if let Some(item) = items.get_mut(place) {
            *item = new.clone();
        }
    }
}

/// The places, from 0, that an index means in an array of `count` items (RTS2 lib/rts2/utilsfunc.cpp, `parseRange`).
/// A fault is answered with what is left from it on, as RTS2 does.
fn parse_range(index: &[u8], count: usize) -> Result<Vec<usize>, SetError> {
    let bad = |at: usize| {
        let left = index.get(at..).unwrap_or_default();
        let left = left.get(..MAX_ECHO_BYTES).unwrap_or(left);
        SetError::Index(String::from_utf8_lossy(left).into_owned())
    };
    if index.is_empty() {
        return Ok((0..count).collect());
    }
    let mut chosen = Vec::new();
    let mut at = 0;
    for part in index.split(|&b| b == b',') {
        let mut ends = part.splitn(2, |&b| b == b':');
        let first = ends.next().unwrap_or_default();
        let second = ends.next();
        let digits = |end: &[u8]| end.iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = digits(first);
        if whole < first.len() || part.is_empty() {
            return Err(bad(at + whole));
        }
        // What does not fit a number lies beyond every array.
        let number = |end: &[u8]| {
            let text = std::str::from_utf8(end).unwrap_or_default();
            if text.is_empty() { 0 } else { text.parse().unwrap_or(usize::MAX) }
        };
        let from = number(first).saturating_sub(1);
        let to = match second {
            None if from >= count => return Err(bad(at)),
            None => from + 1,
            Some(second) => {
                let whole = digits(second);
                if whole < second.len() {
                    return Err(bad(at + first.len() + 1 + whole));
                }
                match number(second) {
                    0 => count,
                    to => to.min(count),
                }
            }
        };
        if chosen.len() + to.saturating_sub(from) > MAX_CHOSEN {
            return Err(bad(at));
        }
        chosen.extend(from..to);
        at += part.len() + 1;
    }
    Ok(chosen)
}

/// How much of a wrong index is said back.
const MAX_ECHO_BYTES: usize = 64;

/// Places that one index may choose, with those chosen twice: twice the longest array is more than anybody means,
/// and a long list of whole ranges costs no memory.
const MAX_CHOSEN: usize = 2 * crate::data::MAX_ARRAY_ITEMS;

#[cfg(test)]
mod tests {
    use super::*;

    /// As the real dummy sensor takes them, for an array of three.
    #[test]
    fn ranges() {
        for (index, places) in [
            ("", &[0, 1, 2][..]),
            ("0", &[0]),
            ("1", &[0]),
            ("01", &[0]),
            ("3", &[2]),
            ("1:2", &[0, 1]),
            ("0:1", &[0]),
            (":", &[0, 1, 2]),
            ("2:", &[1, 2]),
            (":2", &[0, 1]),
            ("1:9", &[0, 1, 2]),
            ("5:9", &[]),
            ("2:1", &[]),
            ("1,2", &[0, 1]),
            ("1:2,3", &[0, 1, 2]),
        ] {
            assert_eq!(parse_range(index.as_bytes(), 3), Ok(places.to_vec()), "{index}");
        }
        for (index, left) in [
            ("-1", "-1"),
            ("a", "a"),
            ("0-1", "-1"),
            ("1;2", ";2"),
            ("1:2:3", ":3"),
            ("1][2", "][2"),
            // RTS2 writes behind the array, or takes nothing for the first.
            ("4", "4"),
            ("1,99999999999999999999999", "99999999999999999999999"),
            ("1,", ""),
            (",2", ",2"),
        ] {
            assert_eq!(parse_range(index.as_bytes(), 3), Err(SetError::Index(left.into())), "{index}");
        }
        assert!(parse_range(b"1", 0).is_err());
        assert_eq!(parse_range(b"", 0), Ok(vec![]));
        let long = [":", ":", ":", ":"].join(",");
        assert!(parse_range(long.as_bytes(), 2048).is_err());
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
    fn elements() {
        use SetOp::{Add, Set};
        let old = |items| ValueData::Array(Box::new(Array::new(items).unwrap()));
        let bools = old(ArrayItems::Bools(vec![false, true, true]));
        let set = |old: &ValueData, index: &str, op, text: &str| {
            apply_indexed_set(old, index.as_bytes(), op, Rest::new(text.as_bytes()).unwrap())
        };
        let becomes = |items| Ok(old(ArrayItems::Bools(items)));
        assert_eq!(set(&bools, "1", Set, "on"), becomes(vec![true, true, true]));
        assert_eq!(set(&bools, "2:", Set, "OFF"), becomes(vec![false, false, false]));
        assert_eq!(set(&bools, "1", Add, "on"), Err(SetError::Operation));
        for operand in ["maybe", "on off", ""] {
            assert_eq!(set(&bools, "1", Set, operand), Err(SetError::Operand), "{operand}");
        }
        assert_eq!(set(&bools, "9", Set, "maybe"), Err(SetError::Index("9".into())));
        let numbers = old(ArrayItems::Doubles(vec![1.0, 2.0]));
        assert_eq!(set(&numbers, "2", Set, "7.5"), Ok(old(ArrayItems::Doubles(vec![1.0, 7.5]))));
        assert_eq!(set(&numbers, "2", Set, "inf"), Err(SetError::Operand));
        assert_eq!(set(&ValueData::Integer(1), "1", Set, "2"), Err(SetError::NotAnArray));
    }
}
