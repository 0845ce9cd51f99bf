//! The parameters of a command that a device adds to RTS2's own.

use crate::error::{Expected, ParseError};
use crate::set::parse_bool;
use crate::text::{Rest, Text};
use crate::token::Tokens;

/// Reads a command's parameters one after the other, as RTS2 does (lib/rts2/connection.cpp, `paramNext…`): separated
/// by blanks, a text with blanks between quotes, numbers may end at a comma.
///
/// ```
/// use rts2_proto::{Parameters, Rest};
///
/// let mut parameters = Parameters::new(Rest::new(b"3 \"slow and steady\" on")?);
/// assert_eq!(parameters.integer::<i32>()?, 3);
/// assert_eq!(parameters.text()?.to_str(), "slow and steady");
/// assert!(parameters.boolean()?);
/// parameters.end()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parameters<'a>(Tokens<'a>);

impl<'a> Parameters<'a> {
    /// Begins with the first.
    #[must_use]
    pub fn new(parameters: Rest<'a>) -> Self {
        Self(Tokens::of_rest(parameters))
    }

    /// The next one as text.
    ///
    /// # Errors
    /// When there is none, or a quote is not closed.
    pub fn text(&mut self) -> Result<Text<'a>, ParseError> {
        self.0.text()
    }

    /// The next one as a whole number of the type asked for.
    ///
    /// # Errors
    /// When there is none, or it is no whole number of that range.
    pub fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, ParseError> {
        self.0.integer()
    }

    /// The next one as a number; `nan` is one, `inf` is not.
    ///
    /// # Errors
    /// When there is none, or it is no number.
    pub fn number(&mut self) -> Result<f64, ParseError> {
        let number = self.0.number()?;
        if number.is_infinite() { Err(self.0.error(Expected::Number)) } else { Ok(number) }
    }

    /// The next one as a bool: `on`, `true`, `yes`, `1`, or `off`, `false`, `no`, `0`, in any case.
    ///
    /// # Errors
    /// When there is none, or it is another word.
    pub fn boolean(&mut self) -> Result<bool, ParseError> {
        parse_bool(self.0.text()?).ok_or_else(|| self.0.error(Expected::Keyword))
    }

    /// None is left.
    pub fn is_at_end(&mut self) -> bool {
        self.0.end().is_ok()
    }

    /// Ends the parameters.
    ///
    /// # Errors
    /// When one is left.
    pub fn end(&mut self) -> Result<(), ParseError> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &str) -> Parameters<'_> {
        Parameters::new(Rest::new(bytes.as_bytes()).unwrap())
    }

    #[test]
    fn read_one_by_one() {
        let mut parameters = of("-3, 1e3 nan OFF \"a b\" \"\"");
        assert_eq!(parameters.integer::<i64>(), Ok(-3));
        assert_eq!(parameters.number(), Ok(1000.0));
        assert!(parameters.number().unwrap().is_nan());
        assert_eq!(parameters.boolean(), Ok(false));
        assert_eq!(parameters.text().unwrap().as_bytes(), b"a b");
        assert!(!parameters.is_at_end() && parameters.end().is_err());
        assert_eq!(parameters.text().unwrap().as_bytes(), b"");
        assert!(parameters.is_at_end() && parameters.end().is_ok());
        assert_eq!(parameters.text().unwrap_err().expected, Expected::Parameter);
    }

    #[test]
    fn faults() {
        assert_eq!(of("3000000000").integer::<i32>().unwrap_err().expected, Expected::Integer);
        assert_eq!(of("inf").number().unwrap_err().expected, Expected::Number);
        assert_eq!(of("2").boolean().unwrap_err().expected, Expected::Keyword);
        assert_eq!(of("\"open").text().unwrap_err().expected, Expected::Quote);
    }
}
