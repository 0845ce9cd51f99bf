//! Text as it stands in a line: parameters, the rest of a line, and strings that may be put between quotes.

use std::borrow::Cow;
use std::fmt;

/// Longest text of a string value, a selection item, a description or a state, in bytes: more than any terminal
/// shows, and small enough that a table of thousands stays small.
pub const MAX_TEXT_BYTES: usize = 1024;

/// Why bytes cannot be a text of the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// RTS2 has no escape for this byte: a quote, a line end, NUL.
    #[error("byte {byte:#04x} at {at} cannot stand in a text")]
    InvalidByteAt {
        /// The byte.
        byte: u8,
        /// Its place, from 0.
        at: usize,
    },
    /// Longer than [`MAX_TEXT_BYTES`].
    #[error("text of {bytes} bytes, {MAX_TEXT_BYTES} at most")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A percent sign, which rts2-mon takes for a printf format in strings and selection items.
    #[error("percent sign at {at}: rts2-mon takes it for a format")]
    PercentAt {
        /// Its place, from 0.
        at: usize,
    },
}

/// One parameter of a line, without its quotes: bytes that hold neither a quote nor a line end nor NUL, so that they
/// can be written again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Takes bytes as a parameter.
    ///
    /// # Errors
    /// When a byte in them cannot be written: `"`, `\n`, `\r`, NUL.
    pub fn new(bytes: &'a [u8]) -> Result<Self, TextError> {
        match bytes.iter().position(|b| matches!(b, b'"' | b'\n' | b'\r' | 0)) {
            Some(at) => Err(invalid(bytes, at)),
            None => Ok(Self(bytes)),
        }
    }

    /// A part of a line, which has neither line ends nor NUL. `None` when there is a quote in it.
    pub(crate) fn of_line(bytes: &'a [u8]) -> Option<Self> {
        (!bytes.contains(&b'"')).then_some(Self(bytes))
    }

    /// The bytes as they came.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn to_str(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// Compared without ASCII case, as RTS2 compares names (include/value.h, `isValue`).
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Writes it between quotes.
    pub(crate) fn write_quoted(self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.0);
        out.push(b'"');
    }

    /// Writes it bare where that reads back the same, else between quotes.
    pub(crate) fn write_word(self, out: &mut Vec<u8>) {
        if self.0.is_empty() || self.0.iter().any(|&b| is_space(b) || b == b',') {
            self.write_quoted(out);
        } else {
            out.extend_from_slice(self.0);
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str())
    }
}

impl<'a> From<&'a QuotedString> for Text<'a> {
    fn from(text: &'a QuotedString) -> Self {
        Self(text.0.as_bytes())
    }
}

/// The rest of a line, quotes and all: the value of a `V`, the operand of an `X`, the text of an `M` or of a command's
/// end. Neither begins nor ends with a blank.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Takes bytes as the rest of a line; blanks around them are dropped.
    ///
    /// # Errors
    /// When a byte in them cannot be written: `\n`, `\r`, NUL.
    pub fn new(bytes: &'a [u8]) -> Result<Self, TextError> {
        let bytes = trim(bytes);
        match bytes.iter().position(|b| matches!(b, b'\n' | b'\r' | 0)) {
            Some(at) => Err(invalid(bytes, at)),
            None => Ok(Self(bytes)),
        }
    }

    /// A part of a line, which has neither line ends nor NUL.
    pub(crate) fn of_line(bytes: &'a [u8]) -> Self {
        Self(trim(bytes))
    }

    /// Nothing.
    pub const EMPTY: Self = Rest(b"");

    /// The bytes as they came.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn to_str(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_str())
    }
}

/// A string that can stand between quotes: no `"`, no control characters, at most [`MAX_TEXT_BYTES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuotedString(String);

impl QuotedString {
    /// Checks a string.
    ///
    /// # Errors
    /// A quote, a control character, or too long.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TextError::TooLong { bytes: text.len() });
        }
        match text.bytes().position(|b| b == b'"' || b.is_ascii_control()) {
            Some(at) => Err(invalid(text.as_bytes(), at)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Checks a string that rts2-mon prints as a string value or a selection item, which besides must not hold `%`.
    ///
    /// # Errors
    /// As [`QuotedString::new`], and a percent sign.
    pub fn without_percent(text: &str) -> Result<Self, TextError> {
        match text.find('%') {
            Some(at) => Err(TextError::PercentAt { at }),
            None => Self::new(text),
        }
    }

    /// Makes any string fit: quotes become apostrophes, control characters blanks, and it is cut at the limit.
    #[must_use]
    pub fn cleaned(text: &str) -> Self {
        let mut clean = String::with_capacity(text.len().min(MAX_TEXT_BYTES));
        for c in text.chars() {
            let c = match c {
                '"' => '\'',
                c if c.is_ascii_control() => ' ',
                c => c,
            };
            if clean.len() + c.len_utf8() > MAX_TEXT_BYTES {
                break;
            }
            clean.push(c);
        }
        Self(clean)
    }

    /// As [`QuotedString::cleaned`], with `pct` for every percent sign.
    #[must_use]
    pub fn cleaned_without_percent(text: &str) -> Self {
        if text.contains('%') { Self::cleaned(&text.replace('%', "pct")) } else { Self::cleaned(text) }
    }

    /// The string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuotedString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Text<'_>> for QuotedString {
    /// What a peer sent, lossy and cut where needed.
    fn from(text: Text<'_>) -> Self {
        let text = text.to_str();
        // Nearly all that comes is right as it is.
        Self::new(&text).unwrap_or_else(|_| Self::cleaned(&text))
    }
}

/// C's `isspace`, which decides where an RTS2 parameter ends.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Cuts what C calls white space off both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_space(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_space(*last)
    {
        bytes = rest;
    }
    bytes
}

fn invalid(bytes: &[u8], at: usize) -> TextError {
    TextError::InvalidByteAt { byte: bytes.get(at).copied().unwrap_or_default(), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_wire_cannot_bear_is_refused() {
        assert_eq!(Text::new(b"a\"b"), Err(TextError::InvalidByteAt { byte: b'"', at: 1 }));
        assert_eq!(Rest::new(b"a\nb"), Err(TextError::InvalidByteAt { byte: b'\n', at: 1 }));
        assert!(Rest::new(b"say \"this\"").is_ok());
        assert_eq!(QuotedString::new("a\tb"), Err(TextError::InvalidByteAt { byte: b'\t', at: 1 }));
        assert_eq!(QuotedString::without_percent("9%"), Err(TextError::PercentAt { at: 1 }));
        assert_eq!(QuotedString::new(&"x".repeat(1025)), Err(TextError::TooLong { bytes: 1025 }));
    }

    #[test]
    fn cleaned_text_always_fits() {
        assert_eq!(QuotedString::cleaned("a \"b\"\nc").as_str(), "a 'b' c");
        assert_eq!(QuotedString::cleaned_without_percent("91 %").as_str(), "91 pct");
        let long = QuotedString::cleaned(&"é".repeat(2000));
        assert_eq!(QuotedString::new(long.as_str()).unwrap(), long);
        assert_eq!(long.as_str().len(), 1024);
    }

    #[test]
    fn broken_utf8_is_kept_on_the_wire() {
        let text = Text::new(b"caf\xe9").unwrap();
        assert_eq!(text.as_bytes(), b"caf\xe9");
        assert_eq!(text.to_str(), "caf\u{fffd}");
    }
}
