//! Log messages: `M sec usec origin type text`.

use crate::error::ParseError;
use crate::text::{Rest, Text};
use crate::token::Tokens;

/// Longest text of a message that a device sends, in bytes after escaping.
pub const MAX_MESSAGE_BYTES: usize = 2048;

bitflags::bitflags! {
    /// Kind of a message; higher bits carry message numbers. `message_mask` selects by the same bits
    /// (RTS2 include/message.h).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MessageType: u32 {
        /// `MESSAGE_ERROR`.
        const ERROR = 0x01;
        /// `MESSAGE_WARNING`.
        const WARNING = 0x02;
        /// `MESSAGE_INFO`.
        const INFO = 0x04;
        /// `MESSAGE_DEBUG`.
        const DEBUG = 0x08;
        /// `MESSAGE_CRITICAL`.
        const CRITICAL = 0x10;

        const _ = !0;
    }
}

impl MessageType {
    /// `MESSAGE_MASK_ALL`: every message.
    pub const ALL: Self = Self::from_bits_retain(0x00ff_ffff);
    /// `MESSAGE_LEVEL_MASK`: the bits that say how bad it is.
    pub const LEVEL_MASK: Self = Self::from_bits_retain(0x0000_001f);
    /// `MESSAGE_ID_MASK`: the number of the message; programs look for these numbers, people read the text.
    pub const ID_MASK: Self = Self::from_bits_retain(0x000f_ff00);
    /// `MESSAGE_REPORTIT`: to be reported to people who are not there.
    pub const REPORTIT: Self = Self::from_bits_retain(0x0010_0000);
    /// `CRITICAL_TELESCOPE_FAILURE`.
    pub const CRITICAL_TELESCOPE_FAILURE: Self = Self::from_bits_retain(0x0000_0110);
    /// `CRITICAL_DOME_FAILURE`.
    pub const CRITICAL_DOME_FAILURE: Self = Self::from_bits_retain(0x0000_0210);
    /// `CRITICAL_CAMERA_FAILURE`.
    pub const CRITICAL_CAMERA_FAILURE: Self = Self::from_bits_retain(0x0000_0310);
    /// `CRITICAL_REQUIRED_FAILURE`: a required device is missing.
    pub const CRITICAL_REQUIRED_FAILURE: Self = Self::from_bits_retain(0x0000_0410);

    /// The level alone: one of the named bits, or several, or none.
    #[must_use]
    pub const fn level(self) -> Self {
        self.intersection(Self::LEVEL_MASK)
    }

    /// The same message under a number, 0 to 0xfff; more bits are cut off. RTS2 include/message.h has the numbers that
    /// are taken.
    #[must_use]
    pub const fn with_id(self, id: u16) -> Self {
        let bits = (id as u32) << 8;
        self.difference(Self::ID_MASK).union(Self::from_bits_retain(bits).intersection(Self::ID_MASK))
    }

    /// The number of the message, 0 where it has none.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.intersection(Self::ID_MASK).bits() >> 8
    }
}

/// One log message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// When it was made, unix seconds.
    pub seconds: i64,
    /// Microseconds of it.
    pub micros: u32,
    /// Device that made it, or `centrald`.
    pub origin: Text<'a>,
    /// Kind.
    pub kind: MessageType,
    /// Text; `\n` and `\r` stand as two characters each (see [`escape_message`]).
    pub text: Rest<'a>,
}

impl<'a> Message<'a> {
    pub(crate) fn parse(tokens: &mut Tokens<'a>) -> Result<Self, ParseError> {
        Ok(Self {
            seconds: tokens.integer()?,
            micros: tokens.integer()?,
            origin: tokens.text()?,
            kind: MessageType::from_bits_retain(tokens.integer()?),
            text: tokens.rest(),
        })
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("M {} {} ", self.seconds, self.micros).as_bytes());
        self.origin.write_word(out);
        out.extend_from_slice(format!(" {} ", self.kind.bits()).as_bytes());
        out.extend_from_slice(self.text.as_bytes());
    }
}

/// Makes a text fit for one line: line ends and NUL become `\n`, `\r`, `\0` in two characters each, as RTS2 writes
/// them (lib/rts2/message.cpp, `toConn`), and it is cut at [`MAX_MESSAGE_BYTES`].
#[must_use]
pub fn escape_message(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len().min(MAX_MESSAGE_BYTES));
    for c in text.trim().chars() {
        let mut utf8 = [0; 4];
        let part = match c {
            '\n' => "\\n",
            '\r' => "\\r",
            '\0' => "\\0",
            c => c.encode_utf8(&mut utf8),
        };
        if escaped.len() + part.len() > MAX_MESSAGE_BYTES {
            break;
        }
        escaped.push_str(part);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_carry_numbers() {
        let failure = MessageType::CRITICAL.with_id(2);
        assert_eq!(failure, MessageType::CRITICAL_DOME_FAILURE);
        assert_eq!((failure.level(), failure.id()), (MessageType::CRITICAL, 2));
        assert_eq!(failure.with_id(0), MessageType::CRITICAL);
        assert_eq!(MessageType::INFO.with_id(0xffff).bits(), 0x000f_ff04);
    }

    #[test]
    fn texts_fit_one_line() {
        assert_eq!(escape_message("a\r\nb\0"), "a\\r\\nb\\0");
        assert_eq!(escape_message(&"x".repeat(5000)).len(), MAX_MESSAGE_BYTES);
        assert!(Rest::new(escape_message("a\nb").as_bytes()).is_ok());
    }
}
