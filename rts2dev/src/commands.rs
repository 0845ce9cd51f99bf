//! Commands that a device adds to those of RTS2.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use rts2_proto::{
    Command, CommandReturn, ErrorCode, Line, MAX_TEXT_BYTES, NameError, Parameters, ParseError, Rest, Text,
    ValueName,
};
use tokio_util::sync::CancellationToken;

use crate::handlers::{Caller, Refusal};
use crate::lane::{Begun, Kind};
use crate::parameters::FromParameters;
use crate::shared::Shared;

/// The longest usage of a command, characters: it stands in one line of the protocol.
const MAX_USAGE: usize = 120;

/// Commands of one device. People type them: nobody knows that many.
pub const MAX_COMMANDS: usize = 256;

/// Why a command cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The name cannot be used: letters, digits and `_` only.
    #[error("command {0}")]
    Name(#[from] NameError),
    /// RTS2 has a command of that name, or kinds of lines: all that are one letter long are kept for these.
    #[error("command \"{name}\" is RTS2's own")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The device has a command of that name.
    #[error("command \"{name}\" exists")]
    Exists {
        /// The name.
        name: String,
    },
    /// The device has [`MAX_COMMANDS`] already.
    #[error("{MAX_COMMANDS} commands already")]
    TooMany,
}

/// How a command ends that was done: `+0 OK`, or `+0` with a text. `()` is the former.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply(CommandReturn);

impl Reply {
    /// `+0 text`: programs take it for done, people read the text. It is cut at
    /// [`MAX_TEXT_BYTES`], and line ends in it become blanks.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let end = text.floor_char_boundary(MAX_TEXT_BYTES);
        Self(CommandReturn::done(text.get(..end).unwrap_or_default()))
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self(CommandReturn::ok())
    }
}

/// Reads the parameters and makes the work of it; nothing of the program runs before that is polled.
type Handler = Arc<dyn Fn(Caller, Rest<'_>) -> Result<Doing, ParseError> + Send + Sync>;
type Doing = Pin<Box<dyn Future<Output = CommandReturn> + Send>>;

/// A device's commands by name; as in RTS2, the case of a command matters.
#[derive(Default)]
pub(crate) struct Commands(BTreeMap<String, Declared>);

struct Declared {
    handler: Handler,
    /// Its parameters, for who gave others; empty when nobody said.
    usage: String,
}

impl Commands {
    /// Adds one.
    pub(crate) fn add<P, F, D, R>(&mut self, name: &str, command: F) -> Result<(), CommandError>
    where
        P: FromParameters,
        F: Fn(Caller, P) -> D + Send + Sync + 'static,
        D: Future<Output = Result<R, Refusal>> + Send + 'static,
        R: Into<Reply>,
    {
        ValueName::new(name)?;
        let name = name.to_owned();
        if name.len() == 1
            || !matches!(Line::parse(name.as_bytes()), Ok(Line::Command(Command::Other { .. })))
        {
            return Err(CommandError::Reserved { name });
        }
        if self.0.contains_key(&name) {
            return Err(CommandError::Exists { name });
        }
        if self.0.len() >= MAX_COMMANDS {
            return Err(CommandError::TooMany);
        }
        let command = Arc::new(command);
        let handler: Handler = Arc::new(move |caller, parameters| {
            let parameters = P::from_parameters(Parameters::new(parameters))?;
            let command = Arc::clone(&command);
            Ok(Box::pin(async move {
                match command(caller, parameters).await {
                    Ok(reply) => reply.into().0,
                    Err(refusal) => refusal.command_return(),
                }
            }))
        });
        self.0.insert(name, Declared { handler, usage: String::new() });
        Ok(())
    }

    /// Says what the parameters of a command are. One that is not there stays so.
    pub(crate) fn set_usage(&mut self, name: &str, usage: &str) {
        if let Some(declared) = self.0.get_mut(name) {
            // A line of the protocol is one line.
            declared.usage = usage.chars().filter(|c| !c.is_control()).take(MAX_USAGE).collect();
        }
    }
}

/// Begins a command that is none of RTS2's own.
pub(crate) fn begin(
    shared: &Shared,
    word: Text<'_>,
    parameters: Rest<'_>,
    caller: Caller,
    end: CancellationToken,
) -> Begun {
    let declared = std::str::from_utf8(word.as_bytes()).ok().and_then(|word| {
        let commands = shared.commands();
        let Declared { handler, usage } = commands.0.get(word)?;
        Some((Arc::clone(handler), usage.clone()))
    });
    let Some((handler, usage)) = declared else {
        return Begun::Ended(CommandReturn::unknown_command(word.as_bytes()));
    };
    match handler(caller, parameters) {
        Ok(work) => shared.lane.submit(Kind::Command, end, work).into(),
        Err(_) if usage.is_empty() => Begun::Ended(CommandReturn::bad_parameters(word.as_bytes())),
        Err(_) => Begun::Ended(CommandReturn::failed(
            ErrorCode::Parameters,
            format!("invalid parameters/invalid number of parameters - {word} {usage}"),
        )),
    }
}
