//! How the program fails: what a person reads, and the exit code that a script sees.

use std::fmt;
use std::io;

use rts2dev::client::{ClientError, ConditionError, MismatchError};

/// Exit code after Ctrl-C, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// What goes below `--help`.
pub(crate) const CODES: &str = "Exit codes:
  0    done; the condition holds
  1    refused by the device, or the condition did not come to hold in time
  2    wrong use: an unknown option, a condition that cannot be read or can never hold
  3    centrald or the device cannot be reached, or the connection was lost
  4    no such device, or no such value
  130  ended by Ctrl-C";

/// Why a task was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The condition did not come to hold within so many seconds; what was seen last.
    NotInTime {
        condition: String,
        seconds: f64,
        last: String,
    },
    /// The device said no.
    Refused {
        peer: String,
        answer: String,
    },
    /// The command line cannot be meant like this.
    Usage(String),
    Condition(ConditionError),
    Mismatch(MismatchError),
    NoSuchValue {
        device: String,
        value: String,
    },
    Client(ClientError),
    /// Nothing can be written.
    Output(io::Error),
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NotInTime { .. } | Self::Refused { .. } | Self::Client(ClientError::Refused { .. }) => 1,
            Self::Usage(_) | Self::Condition(_) | Self::Mismatch(_) => 2,
            Self::Client(ClientError::Text(_) | ClientError::NoCommand { .. }) => 2,
            Self::NoSuchValue { .. }
            | Self::Client(ClientError::NoSuchDevice { .. } | ClientError::NoSuchValue { .. }) => 4,
            Self::Client(_) | Self::Output(_) => 3,
        }
    }

    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInTime { condition, seconds, last } => {
                write!(f, "not in {seconds} s: {condition} ({last})")
            }
            Self::Refused { peer, answer } => write!(f, "{peer} refused: {answer}"),
            Self::Usage(text) => f.write_str(text),
            Self::Condition(error) => {
                let caret = format!("{:>width$}", "^", width = error.at + 1);
                write!(f, "expected {}\n  {}\n  {caret}", error.expected, error.text)
            }
            Self::Mismatch(error) => error.fmt(f),
            Self::NoSuchValue { device, value } => {
                write!(f, "{device} has no value {value}; `rts2c get {device}` lists what it has")
            }
            Self::Client(error) => write!(f, "{error}{}", remedy(error)),
            Self::Output(error) => write!(f, "cannot write: {error}"),
        }
    }
}

/// What to do about it.
fn remedy(error: &ClientError) -> &'static str {
    match error {
        ClientError::Connect { peer, .. } if peer == rts2dev::client::CENTRALD => {
            "\nIs rts2-centrald running there? --server HOST:PORT or RTS2_SERVER says where it is; its port is 617."
        }
        ClientError::Connect { .. } => {
            "\nThe device is registered, but this machine does not reach it at the address that it gave."
        }
        ClientError::NoSuchDevice { .. } => "; `rts2c ls` lists those that it has",
        ClientError::Timeout { .. } => "; --timeout SECONDS waits longer",
        _ => "",
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
