//! Arrays: any number of values of one type, within what a line can hold.

use crate::error::ParseError;
use crate::number::{Number, sealed::Sealed};
use crate::set::parse_bool;
use crate::text::{QuotedString, Text};
use crate::token::Tokens;
use crate::value_type::BaseType;

/// Items of an array that is sent. A double takes at most 24 digits and a blank, so that 2048 of them, with the
/// longest name, stay below [`MAX_LINE_BYTES`](crate::MAX_LINE_BYTES): a longer line would be dropped by the peer
/// that reads it, and the value would never be seen. An array that is read is bounded by its line.
pub const MAX_ARRAY_ITEMS: usize = 2048;

/// Bytes that the texts of a string array take in its line, with quotes and blanks, for the same reason.
pub const MAX_ARRAY_BYTES: usize = 60_000;

/// What a text of an array takes in its line beside itself, at most.
const QUOTES_AND_BLANK: usize = 3;

/// Why an array cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArrayError {
    /// Too many items.
    #[error("array of {count} items, {MAX_ARRAY_ITEMS} at most: its line would be too long to be read")]
    TooMany {
        /// How many there were.
        count: usize,
    },
    /// Too much text.
    #[error("array of {bytes} bytes, {MAX_ARRAY_BYTES} at most: its line would be too long to be read")]
    TooLong {
        /// How long its line would be.
        bytes: usize,
    },
    /// `inf`, which hangs some displays of rts2-mon.
    #[error("infinite number at {at} of an array: RTS2 clients cannot bear it")]
    Infinite {
        /// Its place, from 0.
        at: usize,
    },
}

/// The items of an array. RTS2 has arrays of these five types; clients exit when they meet another.
#[derive(Clone, Debug)]
pub enum ArrayItems {
    /// Texts.
    Strings(Vec<QuotedString>),
    /// 32-bit integers.
    Integers(Vec<i32>),
    /// Unix seconds, nan for one that is not set.
    Times(Vec<f64>),
    /// Doubles, nan for one that is not set.
    Doubles(Vec<f64>),
    /// Bools.
    Bools(Vec<bool>),
}

/// An array that can be sent, or that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Array(ArrayItems);

impl Array {
    /// Checks items.
    ///
    /// # Errors
    /// Too many, too long, or a number that RTS2 programs cannot bear.
    pub fn new(items: ArrayItems) -> Result<Self, ArrayError> {
        let count = items.len();
        if count > MAX_ARRAY_ITEMS {
            return Err(ArrayError::TooMany { count });
        }
        match &items {
            ArrayItems::Strings(texts) => {
                let bytes = texts.iter().map(|text| text.as_str().len() + QUOTES_AND_BLANK).sum();
                if bytes > MAX_ARRAY_BYTES {
                    return Err(ArrayError::TooLong { bytes });
                }
            }
            ArrayItems::Times(numbers) | ArrayItems::Doubles(numbers) => {
                if let Some(at) = numbers.iter().position(|number| number.is_infinite()) {
                    return Err(ArrayError::Infinite { at });
                }
            }
            ArrayItems::Integers(_) | ArrayItems::Bools(_) => {}
        }
        Ok(Self(items))
    }

    /// Makes any items fit: as many from the front as a line can hold, and nan for what is infinite.
    #[must_use]
    pub fn cut(mut items: ArrayItems) -> Self {
        match &mut items {
            ArrayItems::Strings(texts) => {
                texts.truncate(MAX_ARRAY_ITEMS);
                let mut room = MAX_ARRAY_BYTES;
                let fits = texts.iter().take_while(|text| {
                    let left = room.checked_sub(text.as_str().len() + QUOTES_AND_BLANK);
                    room = left.unwrap_or(0);
                    left.is_some()
                });
                let count = fits.count();
                texts.truncate(count);
            }
            ArrayItems::Integers(numbers) => numbers.truncate(MAX_ARRAY_ITEMS),
            ArrayItems::Times(numbers) | ArrayItems::Doubles(numbers) => {
                numbers.truncate(MAX_ARRAY_ITEMS);
                for number in numbers.iter_mut().filter(|number| number.is_infinite()) {
                    *number = f64::NAN;
                }
            }
            ArrayItems::Bools(bools) => bools.truncate(MAX_ARRAY_ITEMS),
        }
        Self(items)
    }

    /// Its items.
    #[must_use]
    pub fn items(&self) -> &ArrayItems {
        &self.0
    }

    /// How much memory its items take, bytes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            ArrayItems::Strings(texts) => {
                texts.iter().map(|text| text.as_str().len() + size_of::<QuotedString>()).sum()
            }
            ArrayItems::Integers(numbers) => size_of_val(numbers.as_slice()),
            ArrayItems::Times(numbers) | ArrayItems::Doubles(numbers) => size_of_val(numbers.as_slice()),
            ArrayItems::Bools(bools) => bools.len(),
        }
    }

    /// Without items; `None` when RTS2 has no array of that type.
    pub(super) const fn empty(base: BaseType) -> Option<Self> {
        Some(Self(match base {
            BaseType::String => ArrayItems::Strings(Vec::new()),
            BaseType::Integer => ArrayItems::Integers(Vec::new()),
            BaseType::Time => ArrayItems::Times(Vec::new()),
            BaseType::Double => ArrayItems::Doubles(Vec::new()),
            BaseType::Bool => ArrayItems::Bools(Vec::new()),
            _ => return None,
        }))
    }

    pub(super) fn parse(base: BaseType, tokens: &mut Tokens<'_>) -> Option<Result<Self, ParseError>> {
        let items = match base {
            BaseType::String => {
                tokens.all(|tokens| tokens.text().map(QuotedString::from)).map(ArrayItems::Strings)
            }
            BaseType::Integer => tokens.all(Tokens::scalar).map(ArrayItems::Integers),
            BaseType::Time => tokens.all(Tokens::number).map(ArrayItems::Times),
            BaseType::Double => tokens.all(Tokens::number).map(ArrayItems::Doubles),
            BaseType::Bool => tokens
                .all(|tokens| {
                    let word = tokens.text()?;
                    parse_bool(word).ok_or_else(|| tokens.error(crate::error::Expected::Keyword))
                })
                .map(ArrayItems::Bools),
            _ => return None,
        };
        Some(items.map(Self))
    }

    pub(super) fn write_to(&self, out: &mut Vec<u8>) {
        match &self.0 {
            ArrayItems::Strings(texts) => write(texts, out, |text, out| Text::from(text).write_word(out)),
            ArrayItems::Integers(numbers) => write_numbers(numbers, out),
            ArrayItems::Times(numbers) | ArrayItems::Doubles(numbers) => write_numbers(numbers, out),
            ArrayItems::Bools(bools) => write(bools, out, |on, out| out.push(if *on { b'1' } else { b'0' })),
        }
    }
}

impl ArrayItems {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Strings(items) => items.len(),
            Self::Integers(items) => items.len(),
            Self::Times(items) | Self::Doubles(items) => items.len(),
            Self::Bools(items) => items.len(),
        }
    }

    /// There are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PartialEq for ArrayItems {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Strings(a), Self::Strings(b)) => a == b,
            (Self::Integers(a), Self::Integers(b)) => a == b,
            (Self::Times(a), Self::Times(b)) | (Self::Doubles(a), Self::Doubles(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b))
            }
            (Self::Bools(a), Self::Bools(b)) => a == b,
            _ => false,
        }
    }
}

fn write_numbers<T: Number>(numbers: &[T], out: &mut Vec<u8>) {
    write(numbers, out, |number, out| number.write(out));
}

fn write<T>(items: &[T], out: &mut Vec<u8>, mut write_one: impl FnMut(&T, &mut Vec<u8>)) {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        write_one(item, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::MAX_VALUE_NAME_BYTES;
    use crate::splitter::MAX_LINE_BYTES;

    #[test]
    fn the_longest_arrays_fit_a_line() {
        let longest = Array::new(ArrayItems::Doubles(vec![-f64::MIN_POSITIVE; MAX_ARRAY_ITEMS])).unwrap();
        let texts = vec![QuotedString::new(&"a b,".repeat(6)).unwrap(); MAX_ARRAY_ITEMS];
        let texts = Array::new(ArrayItems::Strings(texts)).unwrap();
        for array in [longest, texts] {
            let mut out = Vec::new();
            array.write_to(&mut out);
            assert!(out.len() + MAX_VALUE_NAME_BYTES + "V  ".len() < MAX_LINE_BYTES, "{}", out.len());
        }
    }

    #[test]
    fn what_no_peer_would_read_is_refused() {
        assert_eq!(Array::new(ArrayItems::Bools(vec![true; 2049])), Err(ArrayError::TooMany { count: 2049 }));
        let text = QuotedString::new(&"x".repeat(1000)).unwrap();
        let texts = ArrayItems::Strings(vec![text; 60]);
        assert_eq!(Array::new(texts.clone()), Err(ArrayError::TooLong { bytes: 60_180 }));
        assert_eq!(Array::cut(texts).items().len(), 59);
        assert_eq!(
            Array::new(ArrayItems::Times(vec![0.0, f64::INFINITY])),
            Err(ArrayError::Infinite { at: 1 })
        );
    }
}
