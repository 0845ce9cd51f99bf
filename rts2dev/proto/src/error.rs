//! What can be wrong with a line, and how a command ends.

use std::fmt;

/// How many bytes of a peer's first word are repeated to it and to the log.
const MAX_ECHO_BYTES: usize = 64;

/// A line could not be read. It costs that line only; the connection goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad line \"{word}\" at byte {at}: expected {expected}")]
pub struct ParseError {
    /// The line's first word, as far as it is safe to repeat.
    pub word: String,
    /// Where in the line the fault is, bytes from 0.
    pub at: usize,
    /// What should have been there.
    pub expected: Expected,
}

impl ParseError {
    pub(crate) fn new(word: &[u8], at: usize, expected: Expected) -> Self {
        Self { word: echo(word), at, expected }
    }
}

/// What a line should have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Something at all.
    Line,
    /// No NUL and no carriage return inside.
    Text,
    /// Another parameter.
    Parameter,
    /// The second quote of a quoted text, or no quote inside a word.
    Quote,
    /// A whole number within its range.
    Integer,
    /// A number, or nan.
    Number,
    /// The end of the line.
    End,
    /// One of the words that the protocol knows at this place.
    Keyword,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line => "a line",
            Self::Text => "text without control bytes",
            Self::Parameter => "another parameter",
            Self::Quote => "a closing quote",
            Self::Integer => "an integer in range",
            Self::Number => "a number",
            Self::End => "the end of the line",
            Self::Keyword => "a known word",
        })
    }
}

/// Why a command failed (RTS2 include/status.h, `DEVDEM_E_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i8)]
pub enum ErrorCode {
    /// Unknown command.
    Command = -1,
    /// Bad parameters, or not the right number of them.
    Parameters = -2,
    /// A parameter has a bad value.
    Value = -3,
    /// Hardware failed.
    Hardware = -4,
    /// The system failed, or it is not allowed.
    System = -5,
    /// Priority.
    Priority = -6,
    /// Timed out.
    Timeout = -7,
    /// Ignored.
    Ignored = -8,
}

/// The line that ends a command: `+0 OK`, `+1 value NAME change was queued`, `-2 …` (RTS2 lib/rts2/connection.cpp,
/// `sendCommandEnd`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandReturn {
    /// 0 done, positive done with a note, negative failed.
    pub code: i32,
    /// What it says.
    pub text: String,
}

impl CommandReturn {
    /// `+0 OK`.
    #[must_use]
    pub fn ok() -> Self {
        Self { code: 0, text: "OK".to_owned() }
    }

    /// `+0` with a text of its own.
    #[must_use]
    pub fn done(text: &str) -> Self {
        Self { code: 0, text: text.to_owned() }
    }

    /// `-n text`.
    #[must_use]
    pub fn failed(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code: i32::from(code as i8), text: text.into() }
    }

    /// The answer to a command that nobody knows; the spelling is RTS2's.
    #[must_use]
    pub fn unknown_command(word: &[u8]) -> Self {
        Self::failed(ErrorCode::Command, format!("unknow command {}", echo(word)))
    }

    /// The answer to bad parameters.
    #[must_use]
    pub fn bad_parameters(word: &[u8]) -> Self {
        let word = echo(word);
        Self::failed(
            ErrorCode::Parameters,
            format!("invalid parameters/invalid number of parameters - {word}"),
        )
    }

    /// The command failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.code < 0
    }

    /// Writes the line with its end. Line ends in the text become blanks.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let sign = if self.code < 0 { "" } else { "+" };
        out.extend_from_slice(format!("{sign}{}", self.code).as_bytes());
        if !self.text.is_empty() {
            out.push(b' ');
            out.extend(self.text.bytes().map(|b| if matches!(b, b'\n' | b'\r' | 0) { b' ' } else { b }));
        }
        out.push(b'\n');
    }
}

impl fmt::Display for CommandReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+} {}", self.code, self.text)
    }
}

/// A peer's word, cut and cleaned, to be said back to it.
fn echo(word: &[u8]) -> String {
    let word = word.get(..MAX_ECHO_BYTES).unwrap_or(word);
    String::from_utf8_lossy(word).chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_as_rts2_writes_them() {
        let table = [
            (CommandReturn::ok(), "+0 OK\n"),
            (
                CommandReturn { code: 1, text: "value A change was queued".into() },
                "+1 value A change was queued\n",
            ),
            (CommandReturn::unknown_command(b"bogus"), "-1 unknow command bogus\n"),
            (CommandReturn::bad_parameters(b"X"), "-2 invalid parameters/invalid number of parameters - X\n"),
            (CommandReturn::failed(ErrorCode::System, "two\nlines"), "-5 two lines\n"),
            (CommandReturn { code: 0, text: String::new() }, "+0\n"),
        ];
        for (end, bytes) in table {
            let mut out = Vec::new();
            end.write_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), bytes);
        }
    }

    #[test]
    fn a_long_word_is_not_repeated_whole() {
        assert_eq!(CommandReturn::unknown_command(&[b'x'; 60_000]).text.len(), 64 + "unknow command ".len());
    }
}
