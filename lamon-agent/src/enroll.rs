//! `lamon-agent enroll`: makes this node known to a hub, and the hub to this node.
//!
//! Each side shows the other its key. The hub's is compared by the person who enrolls, or comes with the join secret; the
//! node's is approved on the hub, or the secret lets it in.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lamon_keys::{Believed, Fingerprint, JoinToken, Key};
use lamon_wire::MAGIC;
use lamon_wire::hello::{Answer, Extra, Hello, VERSION};
use lamon_wire::names::NodeName;
use thiserror::Error;
use tokio::time::{sleep, timeout};

use crate::clock::Now;
use crate::config::{Config, HubAddress};
use crate::connection::{Connection, Turn};
use crate::identity;
use crate::trust::{self, KnownHub, TrustError};

/// How often the hub is asked whether the node was approved.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// How long the hub may take to answer a hello.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Why a node is not enrolled.
#[derive(Debug, Error)]
pub enum EnrollError {
    /// A file is wrong.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The hub cannot be reached, or is another.
    #[error("{0}: {1}")]
    Hub(HubAddress, io::Error),
    /// Nobody compared the hub's key.
    #[error(
        "{0} has the key {1}: say --hub-key {1} when it is that of your hub (lamon keys, there), or --join FILE"
    )]
    NotCompared(HubAddress, Fingerprint),
    /// Somebody did, and it is not the hub's.
    #[error("nothing was changed: {0} is not believed")]
    NotBelieved(HubAddress),
    /// The join secret is of another hub.
    #[error("the join token is of a hub with another key than --hub-key says")]
    TwoHubs,
    /// Nobody approved it in time.
    #[error("not approved yet. The agent goes on asking, once it runs; nothing more is to be done here")]
    NotApproved,
}

/// What is wanted.
#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// The hub
    #[arg(value_name = "HUB[:PORT]")]
    pub hub: HubAddress,
    /// The hub's key, as lamon keys prints it there; asked for on a terminal when not given
    #[arg(long, value_name = "SHA256:…")]
    pub hub_key: Option<Fingerprint>,
    /// A file with the secret that lamon join printed: nobody is asked then
    #[arg(long, value_name = "FILE")]
    pub join: Option<PathBuf>,
    /// How long to wait to be approved; 0 to end at once
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub wait: lamon_daemon::seconds::Seconds,
}

/// Enrolls this node; sentences about how it goes are written to `say`.
///
/// # Errors
///
/// [`EnrollError`].
pub async fn run(
    config: &Config,
    node: &NodeName,
    wanted: &Wanted,
    mut say: impl FnMut(&str),
) -> Result<(), EnrollError> {
    let token = wanted.join.as_deref().map(read_token).transpose()?;
    let own = trust::own_key(&config.key, node).map_err(TrustError::from)?;
    say(&format!("this node is {node}, with the key {}", own.fingerprint()));
    let given = match (wanted.hub_key, token.as_ref().map(JoinToken::hub)) {
        (Some(key), Some(of_token)) if key != of_token => return Err(EnrollError::TwoHubs),
        (key, of_token) => key.or(of_token),
    };
    let key = match given {
        Some(key) => key,
        None => compare(&own, &wanted.hub).await?,
    };
    // Now with the hub alone that has this key.
    let tls = lamon_keys::client(&own, Believed::Keys(vec![key])).map_err(TrustError::from)?;
    let connect = || async {
        let connected = Connection::connect(&wanted.hub, Some(tls.clone())).await;
        connected.map_err(|error| EnrollError::Hub(wanted.hub.clone(), error))
    };
    let mut connection = connect().await?;
    let known = config.known_hubs();
    trust::learn(&known, &config.enrolled(), &KnownHub { address: wanted.hub.clone(), key })?;
    say(&format!("{} is known by its key {key}, in {}", wanted.hub, known.display()));
    let until = Instant::now() + wanted.wait.duration();
    let mut told = String::new();
    loop {
        let why = match ask(connection, config, node, token.as_ref()).await {
            Ok(Ok(())) => {
                say(&format!(
                    "{} takes the samples of {node}: start the agent, or leave it running",
                    wanted.hub
                ));
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        if why != told {
            say(&why);
            told.clone_from(&why);
        }
        loop {
            if Instant::now() + ASK_AGAIN > until {
                return Err(EnrollError::NotApproved);
            }
            sleep(ASK_AGAIN).await;
            // A hub that is restarted meanwhile is waited for.
            if let Ok(connected) = connect().await {
                connection = connected;
                break;
            }
        }
    }
}

/// A token that was named is to be there.
fn read_token(path: &Path) -> Result<JoinToken, TrustError> {
    trust::join_token(path)?.ok_or_else(|| TrustError::File {
        path: path.into(),
        what: "read",
        error: io::ErrorKind::NotFound.into(),
    })
}

/// Finds out the hub's key, and has the person at the terminal compare it.
async fn compare(own: &Key, hub: &HubAddress) -> Result<Fingerprint, EnrollError> {
    let tls = lamon_keys::client(own, Believed::Anybody).map_err(TrustError::from)?;
    let failed = |error| EnrollError::Hub(hub.clone(), error);
    let connection = Connection::connect(hub, Some(tls)).await.map_err(failed)?;
    let key = connection.hub_key().ok_or_else(|| failed(io::Error::other("it showed no key")))?;
    if !io::stdin().is_terminal() {
        return Err(EnrollError::NotCompared(hub.clone(), key));
    }
    let mut terminal = io::stderr();
    let asked =
        write!(terminal, "{hub} has the key {key}\nIs that what `lamon keys` prints on the hub? [y/N] ")
            .and_then(|()| terminal.flush());
    asked.map_err(failed)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(failed)?;
    let yes = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if yes { Ok(key) } else { Err(EnrollError::NotBelieved(hub.clone())) }
}

/// Says hello; the hub's sentence when it does not take this node.
async fn ask(
    mut connection: Connection,
    config: &Config,
    node: &NodeName,
    token: Option<&JoinToken>,
) -> io::Result<Result<(), String>> {
    let now = Now::read();
    let hello = Hello {
        version: VERSION,
        node: node.clone(),
        os: identity::operating_system(),
        agent_version: lamon_daemon::VERSION.into(),
        boot_id: identity::boot_id(),
        epoch: fastrand::u32(..),
        hub_position: 0,
        interval_ms: u32::try_from(config.interval.duration().as_millis()).unwrap_or(u32::MAX),
        monotonic_ms: now.monotonic_ms(),
        wall_ms: now.wall_ms(),
    };
    let extra = Extra { join: token.map(|token| token.secret().to_owned()) };
    connection.output.extend_from_slice(&MAGIC);
    hello.write_with(&extra, &mut connection.output).map_err(io::Error::other)?;
    let answer = async {
        loop {
            if let Some(payload) = connection.input.next_frame() {
                return Answer::parse(payload).map_err(io::Error::other);
            }
            if connection.turn().await? == Turn::End {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the hub closed the connection"));
            }
        }
    };
    let answer =
        timeout(ANSWER_TIME, answer).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(match answer {
        Answer::Welcome(_) => Ok(()),
        Answer::Standby { why } | Answer::Refused { why } => Err(why),
    })
}
