//! Every kind of line, read and written.

use crate::command::Command;
use crate::data::ValueData;
use crate::error::{CommandReturn, Expected, ParseError};
use crate::flags::ValueFlags;
use crate::image::ImageLine;
use crate::message::Message;
use crate::number::write_seconds;
use crate::set::SetOp;
use crate::state::DeviceState;
use crate::text::{Rest, Text, is_space, trim};
use crate::token::Tokens;

/// One line. Names follow RTS2 include/block.h, `PROTO_*`.
///
/// ```
/// use rts2_proto::{Line, Technical};
///
/// let line = Line::parse(b"T ready").unwrap();
/// assert_eq!(line, Line::Technical(Technical::Ready));
/// let mut out = Vec::new();
/// Line::Technical(Technical::Ok).write_to(&mut out);
/// assert_eq!(out, b"T OK\n");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Line<'a> {
    /// `V name value…`: a value changed. What the value means depends on the type that its metainfo gave.
    Value {
        /// Name of the value.
        name: Text<'a>,
        /// The value as it stands; see [`crate::ValueData::parse`].
        value: Rest<'a>,
    },
    /// `E flags "name" "description" `: declares a value, or changes its flags.
    MetaInfo {
        /// Type and flags.
        flags: ValueFlags,
        /// Name of the value.
        name: Text<'a>,
        /// Description, by custom beginning with the unit in brackets.
        description: Text<'a>,
    },
    /// `F "name"` clears the list of a selection, `F "name" "item"` adds to it.
    SelMetaInfo {
        /// Name of the value.
        name: Text<'a>,
        /// The item to add, or nothing to clear.
        item: Option<Text<'a>>,
    },
    /// `S state ["text"]`: the state word.
    Status {
        /// The state.
        state: DeviceState,
        /// Why it changed.
        text: Option<Text<'a>>,
    },
    /// `R state start end ["text"]`: the state word with progress.
    StatusProgress {
        /// The state.
        state: DeviceState,
        /// Start, unix seconds.
        start: f64,
        /// Expected end, unix seconds.
        end: f64,
        /// Why it changed.
        text: Option<Text<'a>>,
    },
    /// `P start end`: progress alone.
    Progress {
        /// Start, unix seconds.
        start: f64,
        /// Expected end, unix seconds.
        end: f64,
    },
    /// `B state bop`: state, and the mask of operations that are blocked for the receiver.
    BopState {
        /// The sender's state.
        state: DeviceState,
        /// The full mask.
        bop: DeviceState,
    },
    /// `M …`: a log message.
    Message(Message<'a>),
    /// `X name op operand`: sets a value.
    SetValue {
        /// Name of the value, with an index where an element of an array is meant.
        name: Text<'a>,
        /// What to do.
        op: SetOp,
        /// With what.
        operand: Rest<'a>,
    },
    /// `A what id`: centrald on registration and authorization.
    Auth(Auth),
    /// `T ready`, `T OK`: whether the peer lives.
    Technical(Technical),
    /// `+0 text`, `-n text`: the end of a command.
    Return(CommandReturn),
    /// `C`, `D`, `H`, `I`, `J`, `K`, `fits_data`: about the data of an image.
    Image(ImageLine<'a>),
    /// Anything else is a command.
    Command(Command<'a>),
}

/// What centrald says in `A` (RTS2 src/centrald/centrald.cpp, `sendAValue`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `A registered_as id`: the device is registered under this number.
    RegisteredAs(i32),
    /// `A authorization_ok id`: this client's key is right.
    AuthorizationOk(i32),
    /// `A authorization_failed id`: it is not.
    AuthorizationFailed(i32),
}

/// Responsiveness check (RTS2 lib/rts2/connection.cpp, `PROTO_TECHNICAL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Technical {
    /// The question.
    Ready,
    /// The answer.
    Ok,
}

impl<'a> Line<'a> {
    /// Reads a line, given without its end.
    ///
    /// # Errors
    /// When the line is not what its first word promises. The connection can go on.
    pub fn parse(line: &'a [u8]) -> Result<Self, ParseError> {
        let line = trim(line);
        let mut tokens = Tokens::of_line(line)?;
        let line = match tokens.word() {
            b"" => return Err(tokens.error(Expected::Line)),
            b"V" => Self::Value { name: tokens.text()?, value: tokens.rest() },
            b"E" => Self::MetaInfo {
                flags: flags(&mut tokens)?,
                name: tokens.text()?,
                description: tokens.text()?,
            },
            b"F" => Self::SelMetaInfo { name: tokens.text()?, item: tokens.optional_text()? },
            b"S" => Self::Status { state: state(&mut tokens)?, text: tokens.optional_text()? },
            b"R" => Self::StatusProgress {
                state: state(&mut tokens)?,
                start: tokens.number()?,
                end: tokens.number()?,
                text: tokens.optional_text()?,
            },
            b"P" => Self::Progress { start: tokens.number()?, end: tokens.number()? },
            b"B" => Self::BopState { state: state(&mut tokens)?, bop: state(&mut tokens)? },
            b"M" => Self::Message(Message::parse(&mut tokens)?),
            b"X" => Self::SetValue {
                name: tokens.text()?,
                op: SetOp::parse(&mut tokens)?,
                operand: tokens.rest(),
            },
            b"A" => Self::Auth(auth(&mut tokens)?),
            b"T" => match tokens.text()?.as_bytes() {
                b"ready" => Self::Technical(Technical::Ready),
                b"OK" => Self::Technical(Technical::Ok),
                _ => return Err(tokens.error(Expected::Keyword)),
            },
            [b'+' | b'-', ..] => Self::Return(command_return(&mut tokens)?),
            _ => match ImageLine::parse(&mut tokens)? {
                Some(image) => Self::Image(image),
                None => Self::Command(Command::parse(&mut tokens)?),
            },
        };
        tokens.end()?;
        Ok(line)
    }

    /// Whether a line, given without its end, is answered by an end line: whether its first word is that of a command or
    /// `X`, right or wrong. Whoever waits for the answer of another one waits for ever.
    #[must_use]
    pub fn is_answered(line: &[u8]) -> bool {
        let line = trim(line);
        let word = line.iter().position(|&b| is_space(b)).and_then(|end| line.get(..end)).unwrap_or(line);
        match word {
            b"" | b"V" | b"E" | b"F" | b"S" | b"R" | b"P" | b"B" | b"M" | b"A" | b"T" => false,
            [b'+' | b'-', ..] => false,
            word => !ImageLine::is_word(word),
        }
    }

    /// Writes a whole `V` line from the data itself, as [`Line::Value`] would from its text.
    pub fn write_value(name: Text<'_>, data: &ValueData, out: &mut Vec<u8>) {
        out.extend_from_slice(b"V ");
        name.write_word(out);
        out.push(b' ');
        data.write_to(out);
        out.push(b'\n');
    }

    /// Writes the line with its end.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Value { name, value } => {
                out.extend_from_slice(b"V ");
                name.write_word(out);
                out.push(b' ');
                out.extend_from_slice(value.as_bytes());
            }
            Self::MetaInfo { flags, name, description } => {
                out.extend_from_slice(format!("E {} ", flags.to_wire()).as_bytes());
                name.write_quoted(out);
                out.push(b' ');
                description.write_quoted(out);
                // RTS2 leaves a blank here, and so does every capture.
                out.push(b' ');
            }
            Self::SelMetaInfo { name, item } => {
                out.extend_from_slice(b"F ");
                name.write_quoted(out);
                write_reason(*item, out);
            }
            Self::Status { state, text } => {
                out.extend_from_slice(format!("S {}", state.bits()).as_bytes());
                write_reason(*text, out);
            }
            Self::StatusProgress { state, start, end, text } => {
                out.extend_from_slice(format!("R {} ", state.bits()).as_bytes());
                write_seconds(*start, out);
                out.push(b' ');
                write_seconds(*end, out);
                write_reason(*text, out);
            }
            Self::Progress { start, end } => {
                out.extend_from_slice(b"P ");
                write_seconds(*start, out);
                out.push(b' ');
                write_seconds(*end, out);
            }
            Self::BopState { state, bop } => {
                out.extend_from_slice(format!("B {} {}", state.bits(), bop.bits()).as_bytes());
            }
            Self::Message(message) => message.write(out),
            Self::SetValue { name, op, operand } => {
                out.extend_from_slice(b"X ");
                name.write_word(out);
                out.extend_from_slice(&[b' ', op.byte(), b' ']);
                out.extend_from_slice(operand.as_bytes());
            }
            Self::Auth(auth) => {
                let (what, id) = match auth {
                    Auth::RegisteredAs(id) => ("registered_as", id),
                    Auth::AuthorizationOk(id) => ("authorization_ok", id),
                    Auth::AuthorizationFailed(id) => ("authorization_failed", id),
                };
                out.extend_from_slice(format!("A {what} {id}").as_bytes());
            }
            Self::Technical(Technical::Ready) => out.extend_from_slice(b"T ready"),
            Self::Technical(Technical::Ok) => out.extend_from_slice(b"T OK"),
            Self::Return(end) => {
                end.write_to(out);
                return;
            }
            Self::Image(image) => image.write(out),
            Self::Command(command) => command.write(out),
        }
        out.push(b'\n');
    }

    /// The line as bytes, with its end.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

/// C cuts a wider number to 32 bits; here the signed and the unsigned reading of them are taken, nothing else.
fn flags(tokens: &mut Tokens<'_>) -> Result<ValueFlags, ParseError> {
    Ok(ValueFlags::from_bits_retain(word(tokens)?))
}

fn state(tokens: &mut Tokens<'_>) -> Result<DeviceState, ParseError> {
    Ok(DeviceState::from_bits_retain(word(tokens)?))
}

fn word(tokens: &mut Tokens<'_>) -> Result<u32, ParseError> {
    let number: i64 = tokens.integer()?;
    u32::try_from(number)
        .or_else(|_| i32::try_from(number).map(i32::cast_unsigned))
        .map_err(|_| tokens.error(Expected::Integer))
}

fn auth(tokens: &mut Tokens<'_>) -> Result<Auth, ParseError> {
    let what = tokens.text()?;
    let kind = match what.as_bytes() {
        b"registered_as" => Auth::RegisteredAs,
        b"authorization_ok" => Auth::AuthorizationOk,
        b"authorization_failed" => Auth::AuthorizationFailed,
        _ => return Err(tokens.error(Expected::Keyword)),
    };
    Ok(kind(tokens.integer()?))
}

fn command_return(tokens: &mut Tokens<'_>) -> Result<CommandReturn, ParseError> {
    let code = std::str::from_utf8(tokens.word())
        .ok()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| tokens.error(Expected::Integer))?;
    Ok(CommandReturn { code, text: tokens.rest().to_str().into_owned() })
}

fn write_reason(text: Option<Text<'_>>, out: &mut Vec<u8>) {
    if let Some(text) = text {
        out.push(b' ');
        text.write_quoted(out);
    }
}

#[cfg(test)]
mod tests;
