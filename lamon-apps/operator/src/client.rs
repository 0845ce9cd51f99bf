//! The connection to the hub.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lamon_control::{Answer, MAX_ANSWER_BYTES, Operation, Outcome, Refusal, Request, Response};
use thiserror::Error;

/// The longest wait for an answer: the hub itself answers within five seconds, whatever its disk does.
pub const ANSWER_TIME: Duration = Duration::from_secs(20);

/// Why something was not done.
#[derive(Debug, Error)]
pub enum AskError {
    /// Nobody is there.
    #[error(
        "no hub answers at {0}: is it running (systemctl status lamon-sensord), and is this the socket that [control] of \
         its configuration names (--socket, or LAMON_SOCKET)?"
    )]
    NoHub(PathBuf),
    /// This user is not let in.
    #[error("{path}: this user may not operate the hub: {remedy}")]
    NotAllowed {
        /// The socket.
        path: PathBuf,
        /// What to do.
        remedy: String,
    },
    /// The connection broke.
    #[error("the hub at {path} does not answer: {source}")]
    Broken {
        /// The socket.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What came is no answer.
    #[error(
        "the hub answers in a language that this lamon does not know ({0}): use the programs of one release"
    )]
    Language(String),
    /// The hub refused.
    #[error("{}", .0.text)]
    Refused(Refusal),
}

/// A connection to the hub.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
    who: Option<String>,
}

impl Client {
    /// Connects to the hub's socket; `who` is written beside the user of this process.
    ///
    /// # Errors
    ///
    /// [`AskError`] when nobody is there, or this user is not let in.
    pub fn connect(path: &Path, who: Option<String>) -> Result<Self, AskError> {
        let connected = UnixStream::connect(path).and_then(|stream| {
            stream.set_read_timeout(Some(ANSWER_TIME))?;
            stream.set_write_timeout(Some(ANSWER_TIME))?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => Ok(Self { stream: BufReader::new(stream), path: path.into(), who }),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => AskError::NoHub(path.into()),
                io::ErrorKind::PermissionDenied => {
                    AskError::NotAllowed { path: path.into(), remedy: remedy(path) }
                }
                _ => AskError::Broken { path: path.into(), source: error },
            }),
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`AskError`] when the connection broke, or the hub refused.
    pub fn ask(&mut self, operation: Operation) -> Result<Answer, AskError> {
        match self.exchange(operation)?.outcome {
            Outcome::Done(answer) => Ok(answer),
            Outcome::Refused(refusal) => Err(AskError::Refused(refusal)),
        }
    }

    fn exchange(&mut self, operation: Operation) -> Result<Response, AskError> {
        let broken = |source| AskError::Broken { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&Request::new(self.who.clone(), operation))
            .map_err(|error| AskError::Language(error.to_string()))?;
        line.push(b'\n');
        // A hub that turns everybody away has said so already, and closed.
        let sent = self.stream.get_mut().write_all(&line);
        line.clear();
        let most = u64::try_from(MAX_ANSWER_BYTES).unwrap_or(u64::MAX);
        self.stream.by_ref().take(most).read_until(b'\n', &mut line).map_err(broken)?;
        if line.is_empty() {
            return Err(broken(sent.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())));
        }
        serde_json::from_slice(&line).map_err(|error| AskError::Language(error.to_string()))
    }
}

/// What a user does who is not let in: the group of the socket lets him.
fn remedy(path: &Path) -> String {
    let group = std::fs::metadata(path).ok().map(|socket| group_name(socket.gid()));
    match group {
        Some(group) => {
            format!("members of the group {group} may (usermod -aG {group} NAME, then log in anew)")
        }
        // The folder does not even let him look.
        None => "ask whoever runs it which group may ([control] group)".into(),
    }
}

/// The name of a group, as the system's file has it; else its number.
fn group_name(gid: u32) -> String {
    let named = |line: &str| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(gid)).then(|| name.to_owned())
    };
    let file = std::fs::read_to_string("/etc/group").unwrap_or_default();
    file.lines().find_map(named).unwrap_or_else(|| gid.to_string())
}
