//! Cuts a line into parameters as RTS2 does (lib/rts2/connection.cpp, `paramNext…`): separated by white space, a
//! parameter that starts with a quote runs to the next quote, numbers may also end at a comma (quirk `CommaAfterNumber`),
//! and blanks at the line's end are no parameter (quirk `TrailingBlank`).

use crate::error::{Expected, ParseError};
use crate::number::Number;
use crate::text::{Rest, Text, is_space};

/// Reads a line's parameters one by one.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    /// Without NUL and line ends, so that no parameter is looked through for them again.
    line: &'a [u8],
    word: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Takes the first word off a line; the parameters follow. Fails when a byte in the line cannot stand there.
    pub(crate) fn of_line(line: &'a [u8]) -> Result<Self, ParseError> {
        let end = line.iter().position(|&b| is_space(b)).unwrap_or(line.len());
        let (word, _) = line.split_at(end);
        if has_control(line)
            && let Some(at) = line.iter().position(|&b| is_control(b))
        {
            return Err(ParseError::new(word, at, Expected::Text));
        }
        Ok(Self { line, word, at: end })
    }

    /// Parameters without a first word, for an operand.
    pub(crate) fn of_rest(rest: Rest<'a>) -> Self {
        Self { line: rest.as_bytes(), word: b"", at: 0 }
    }

    /// The first word.
    pub(crate) fn word(&self) -> &'a [u8] {
        self.word
    }

    /// An error at the present place.
    pub(crate) fn error(&self, expected: Expected) -> ParseError {
        ParseError::new(self.word, self.at, expected)
    }

    /// The next parameter as text.
    pub(crate) fn text(&mut self) -> Result<Text<'a>, ParseError> {
        let bytes = self.token(false)?;
        Text::of_line(bytes).ok_or_else(|| self.error(Expected::Quote))
    }

    /// The next parameter as text, or nothing when the line ends here.
    pub(crate) fn optional_text(&mut self) -> Result<Option<Text<'a>>, ParseError> {
        if self.at_end() { Ok(None) } else { self.text().map(Some) }
    }

    /// The next parameter as a whole number of the type asked for.
    pub(crate) fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, ParseError> {
        let start = self.at;
        let token = self.token(true)?;
        std::str::from_utf8(token)
            .ok()
            .and_then(|token| token.parse::<i64>().ok())
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| ParseError::new(self.word, start, Expected::Integer))
    }

    /// The next parameter as a number.
    pub(crate) fn number(&mut self) -> Result<f64, ParseError> {
        self.scalar()
    }

    /// The next parameter as a number of the type asked for.
    pub(crate) fn scalar<T: Number>(&mut self) -> Result<T, ParseError> {
        let start = self.at;
        let token = self.token(true)?;
        T::read(token).ok_or_else(|| ParseError::new(self.word, start, Expected::Number))
    }

    /// What `read` makes of each parameter that is left.
    pub(crate) fn all<T, E>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, E>) -> Result<Vec<T>, E> {
        let mut found = Vec::new();
        while !self.at_end() {
            found.push(read(self)?);
        }
        Ok(found)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> Rest<'a> {
        let rest = self.line.get(self.at..).unwrap_or_default();
        self.at = self.line.len();
        Rest::of_line(rest)
    }

    /// Fails when anything is left.
    pub(crate) fn end(&mut self) -> Result<(), ParseError> {
        if self.at_end() { Ok(()) } else { Err(self.error(Expected::End)) }
    }

    /// Nothing but white space is left.
    pub(crate) fn at_end(&mut self) -> bool {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.peek().is_none()
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn token(&mut self, comma_ends: bool) -> Result<&'a [u8], ParseError> {
        if self.at_end() {
            return Err(self.error(Expected::Parameter));
        }
        let left = self.line.get(self.at..).unwrap_or_default();
        if let [b'"', quoted @ ..] = left {
            let Some(end) = quoted.iter().position(|&b| b == b'"') else {
                return Err(self.error(Expected::Quote));
            };
            self.at += end + 2;
            return Ok(quoted.split_at(end).0);
        }
        let end = left.iter().position(|&b| is_space(b) || (comma_ends && b == b',')).unwrap_or(left.len());
        self.at = (self.at + end + 1).min(self.line.len());
        Ok(left.split_at(end).0)
    }
}

/// What can stand in no line.
fn is_control(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

/// Whether any byte is one. Looks at all of them without a branch, so that the compiler can take many at a time: a
/// search that stops at the first took a third of the time that reading a line took.
fn has_control(line: &[u8]) -> bool {
    line.iter().fold(false, |found, &b| found | is_control(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let mut tokens = Tokens::of_line(b"F  \"a b\"\"c\" d 5,6  nan \"\" rest \"of it\"").unwrap();
        assert_eq!(tokens.word(), b"F");
        assert_eq!(tokens.text().unwrap().as_bytes(), b"a b");
        assert_eq!(tokens.text().unwrap().as_bytes(), b"c");
        assert_eq!(tokens.text().unwrap().as_bytes(), b"d");
        assert_eq!(tokens.integer::<i32>().unwrap(), 5);
        assert_eq!(tokens.integer::<u8>().unwrap(), 6);
        assert!(tokens.number().unwrap().is_nan());
        assert_eq!(tokens.text().unwrap().as_bytes(), b"");
        assert_eq!(tokens.rest().as_bytes(), b"rest \"of it\"");
        assert!(tokens.end().is_ok());
    }

    #[test]
    fn faults_say_where() {
        let table: [(&[u8], usize, Expected); 5] = [
            (b"S", 1, Expected::Parameter),
            (b"S ", 2, Expected::Parameter),
            (b"S 1x", 1, Expected::Integer),
            (b"S 99999999999", 1, Expected::Integer),
            (b"S \"1", 2, Expected::Quote),
        ];
        for (line, at, expected) in table {
            let error = Tokens::of_line(line).unwrap().integer::<i32>().unwrap_err();
            assert_eq!((error.at, error.expected), (at, expected), "{line:?}");
        }
    }
}
