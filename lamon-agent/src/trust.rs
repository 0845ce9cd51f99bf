//! Whom the agent believes, and by what it is believed: its key, the hubs that it was enrolled with, a secret to join.
//!
//! An agent that knows no hub's key speaks plain, which a hub takes from addresses that it lists. One that knows a key
//! speaks TLS and nothing else: nobody can talk it back. That it was enrolled is written down apart from the hubs' keys, so that
//! losing those does not make it speak plain, not even after a restart.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lamon_keys::{Believed, Fingerprint, JoinToken, Key, KeyFileError, SessionError};
use lamon_secret::{Readers, SecretError};
use lamon_wire::names::NodeName;
use rustls::ClientConfig;
use thiserror::Error;

use crate::config::{Config, HubAddress, MAX_HUBS};

/// The longest file that is read here, in bytes: sixteen hubs, and notes about them.
const MAX_FILE_BYTES: u64 = 16 * 1_024;

/// Why the agent does not know whom to believe. It rather keeps its samples than tells them to anybody.
#[derive(Debug, Error)]
pub enum TrustError {
    /// Its own key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Nor by TLS.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A file cannot be read or written.
    #[error("{path} cannot be {what}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Read, written.
        what: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A line of the known hubs is none.
    #[error("{path}:{line}: this is no hub with its key (host:port SHA256:…): run lamon-agent enroll again")]
    Known {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
    /// The hubs that were known are not known any more.
    #[error(
        "{hubs} is gone or empty, and with it the hubs' keys: run lamon-agent enroll again; the agent speaks plain only when {} is removed too, and it is started anew",
        marker.display()
    )]
    Gone {
        /// The file that had them.
        hubs: PathBuf,
        /// The file that says that this agent was enrolled.
        marker: PathBuf,
    },
    /// The join secret cannot be read, or others may read it.
    #[error("the join token in {0}")]
    Secret(#[from] SecretError),
    /// The file with the join secret holds none.
    #[error("{0} holds no join token: put there what lamon join printed on the hub")]
    Join(PathBuf),
}

/// A hub that the agent was enrolled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHub {
    /// Where it is.
    pub address: HubAddress,
    /// Its key.
    pub key: Fingerprint,
}

/// What a connection needs to be one in TLS.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The session's settings.
    pub tls: Arc<ClientConfig>,
    /// What lets the node in, while the hub does not know its key.
    pub join: Option<JoinToken>,
}

impl Trust {
    /// What is configured and known of the hub at this address; `None` when no hub's key is known at all, and none ever was, so
    /// that the agent speaks plain.
    ///
    /// At an address that the agent was enrolled with it believes the key that was there, and those that the operator lists; at
    /// any other, which may be another name of the same hub, the keys of all that it was enrolled with.
    ///
    /// # Errors
    ///
    /// [`TrustError`].
    pub fn load(config: &Config, node: &NodeName, hub: &HubAddress) -> Result<Option<Self>, TrustError> {
        let join = config.join.as_deref().map(join_token).transpose()?.flatten();
        let (hubs, marker) = (config.known_hubs(), config.enrolled());
        let enrolled = known(&hubs)?;
        if !enrolled.is_empty() && !marker.exists() {
            // Of an agent that was enrolled before there was such a file. Where it cannot be written, the next time.
            if let Err(error) = mark(&marker) {
                tracing::warn!(
                    "{} cannot be written ({error}): were {} lost, this agent would speak plain",
                    marker.display(),
                    hubs.display()
                );
            }
        }
        let keys = believed_at(config, join.as_ref(), &enrolled, hub);
        if keys.is_empty() {
            return if marker.exists() { Err(TrustError::Gone { hubs, marker }) } else { Ok(None) };
        }
        let own = own_key(&config.key, node)?;
        Ok(Some(Self { tls: lamon_keys::client(&own, Believed::Keys(keys))?, join }))
    }
}

/// The keys that are believed of who answers at this address.
fn believed_at(
    config: &Config,
    join: Option<&JoinToken>,
    enrolled: &[KnownHub],
    hub: &HubAddress,
) -> Vec<Fingerprint> {
    let bound = enrolled.iter().any(|known| known.address.is_same(hub));
    let of_hub = enrolled.iter().filter(|known| !bound || known.address.is_same(hub)).map(|known| known.key);
    // A token is for a hub that is not known yet.
    let of_token = join.map(JoinToken::hub).filter(|_| !bound);
    config.hub_keys.iter().copied().chain(of_token).chain(of_hub).collect()
}

/// The agent's own key, made where there is none.
///
/// # Errors
///
/// See [`Key::load_or_make`].
pub fn own_key(path: &Path, node: &NodeName) -> Result<Key, KeyFileError> {
    own_folder(path).map_err(|error| KeyFileError::Unmade { path: path.into(), error })?;
    Key::load_or_make(path, node.as_str())
}

/// The token in a file; `None` when there is no file, because it was removed after it had done its work.
///
/// # Errors
///
/// [`TrustError`].
pub fn join_token(path: &Path) -> Result<Option<JoinToken>, TrustError> {
    // systemd shows its credentials to a group.
    match lamon_secret::text(path, MAX_FILE_BYTES, Readers::OwnerAndGroup) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| TrustError::Join(path.into())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The hubs that the agent was enrolled with, in the order in which it was.
///
/// # Errors
///
/// [`TrustError`] when the file is damaged. None that is there is no error.
pub fn known(path: &Path) -> Result<Vec<KnownHub>, TrustError> {
    let text = read(path)?.unwrap_or_default();
    let mut hubs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = || TrustError::Known { path: path.into(), line: number + 1 };
        let (address, key) = line.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let (Ok(address), Ok(key)) = (address.parse(), key.trim().parse()) else { return Err(wrong()) };
        if hubs.len() < MAX_HUBS {
            hubs.push(KnownHub { address, key });
        }
    }
    Ok(hubs)
}

/// Writes a hub down as known, in the place of what was known of its address, and before that, in `marker`, that the agent was
/// enrolled.
///
/// # Errors
///
/// [`TrustError`].
pub fn learn(path: &Path, marker: &Path, hub: &KnownHub) -> Result<(), TrustError> {
    let mut hubs = known(path)?;
    mark(marker).map_err(|error| TrustError::File { path: marker.into(), what: "written", error })?;
    match hubs.iter_mut().find(|known| known.address.is_same(&hub.address)) {
        Some(known) => known.key = hub.key,
        None => hubs.push(hub.clone()),
    }
    let mut text =
        String::from("# Hubs that this agent believes, with their keys: written by lamon-agent enroll.\n");
    for KnownHub { address, key } in &hubs {
        text += &format!("{address} {key}\n");
    }
    let unwritten = |error| TrustError::File { path: path.into(), what: "written", error };
    lamon_secret::replace(path, text.as_bytes()).map_err(unwritten)
}

/// Writes down that the agent was enrolled.
fn mark(marker: &Path) -> io::Result<()> {
    lamon_secret::replace(marker, b"# This agent was enrolled, and speaks plain to nobody while this file is here, though it knows no hub's key.\n")
}

fn read(path: &Path) -> Result<Option<String>, TrustError> {
    let unreadable = |error| TrustError::File { path: path.into(), what: "read", error };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
            return Err(unreadable(io::Error::other("it is longer than 16 KiB")));
        }
        _ => {}
    }
    fs::read_to_string(path).map(Some).map_err(unreadable)
}

/// Makes the folder of the key, where everybody reads what is made: on Windows.
#[cfg(windows)]
fn own_folder(path: &Path) -> io::Result<()> {
    crate::service::folder::make(path.parent().unwrap_or(path))
}

/// Elsewhere the file has its own rights.
#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "it may fail on Windows")]
fn own_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(address: &str, number: u8) -> KnownHub {
        let digit = char::from(b'A' + number);
        let key = format!("SHA256:{}A", String::from(digit).repeat(42)).parse().unwrap();
        KnownHub { address: address.parse().unwrap(), key }
    }

    #[test]
    fn hubs_are_learned_and_learned_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/hubs");
        let marker = path.with_file_name("enrolled");
        assert_eq!(known(&path).unwrap(), []);
        for learned in [hub("a", 1), hub("[::1]:7618", 2), hub("A:7617", 3)] {
            learn(&path, &marker, &learned).unwrap();
            assert!(marker.exists());
        }
        assert_eq!(known(&path).unwrap(), [hub("a", 3), hub("[::1]:7618", 2)]);
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_in_the_way_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("hubs"), folder.path().join("victim"));
        fs::write(&victim, "whole").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("hubs.new")).unwrap();
        learn(&path, &folder.path().join("enrolled"), &hub("a", 1)).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "whole");
        assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
        assert_eq!(known(&path).unwrap(), [hub("a", 1)]);
    }

    #[test]
    fn a_damaged_file_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hubs");
        for (text, line) in [("a SHA256:x", 1), ("# a\n\na", 3), ("a b SHA256:x", 1), ("a/b SHA256:x\n", 1)] {
            fs::write(&path, text).unwrap();
            let error = known(&path).unwrap_err().to_string();
            assert!(error.contains(&format!("hubs:{line}: this is no hub with its key")), "{error}");
        }
        fs::write(&path, "x".repeat(20_000)).unwrap();
        assert!(known(&path).unwrap_err().to_string().contains("longer than 16 KiB"));
    }

    #[test]
    fn an_agent_that_knows_no_key_speaks_plain_and_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let node = NodeName::new("ccd01").unwrap();
        let key = folder.path().join("agent.key");
        let config = Config { key: key.clone(), ..Config::default() };
        let load = || Trust::load(&config, &node, &hub("a", 1).address);
        assert!(load().unwrap().is_none());
        assert!(!key.exists());
        own_key(&key, &node).unwrap();
        assert!(load().unwrap().is_none(), "lamon-agent key alone enrolls nobody");
        learn(&config.known_hubs(), &config.enrolled(), &hub("a", 1)).unwrap();
        assert!(load().unwrap().is_some());
        // A key that cannot be used is no reason to speak plain.
        fs::write(&key, "").unwrap();
        assert!(load().is_err());
    }

    #[test]
    fn an_agent_that_was_enrolled_speaks_plain_no_more_whatever_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let node = NodeName::new("ccd01").unwrap();
        let config = Config { key: folder.path().join("agent.key"), ..Config::default() };
        let (hubs, marker) = (config.known_hubs(), config.enrolled());
        let load = || Trust::load(&config, &node, &hub("a", 1).address);
        // As it was enrolled before there was a marker.
        fs::write(&hubs, format!("a:7617 {}\n", hub("a", 1).key)).unwrap();
        assert!(load().unwrap().is_some() && marker.exists());
        fs::write(&hubs, "").unwrap();
        assert!(matches!(load(), Err(TrustError::Gone { .. })), "cut to nothing by a loss of power");
        fs::remove_file(&hubs).unwrap();
        let why = load().unwrap_err().to_string();
        assert!(why.contains("lamon-agent enroll again") && why.contains("enrolled is removed too"), "{why}");
        fs::remove_file(&marker).unwrap();
        assert!(load().unwrap().is_none(), "that is what somebody wants");
    }

    #[test]
    fn a_hubs_key_is_believed_at_its_own_address() {
        let enrolled = [hub("a", 1), hub("b:7618", 2)];
        let folder = tempfile::tempdir().unwrap();
        let listed = vec![hub("x", 3).key];
        let config = Config { key: folder.path().join("agent.key"), hub_keys: listed, ..Config::default() };
        for known in &enrolled {
            learn(&config.known_hubs(), &config.enrolled(), known).unwrap();
        }
        for (address, believed) in
            [("a", [3, 1].as_slice()), ("A:7617", &[3, 1]), ("b:7618", &[3, 2]), ("b", &[3, 1, 2])]
        {
            let expected: Vec<_> = believed.iter().map(|number| hub("x", *number).key).collect();
            assert_eq!(
                believed_at(&config, None, &enrolled, &address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
        // A token is for a hub that is not known yet: it changes nobody whom the agent knows already.
        let token = JoinToken::make(hub("y", 4).key).unwrap();
        let with_token =
            |address: &str| believed_at(&config, Some(&token), &enrolled, &address.parse().unwrap());
        assert!(!with_token("a").contains(&token.hub()));
        assert!(with_token("c").contains(&token.hub()));
    }

    #[test]
    fn a_token_tells_the_hubs_key_and_may_be_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("join");
        assert!(join_token(&path).unwrap().is_none());
        lamon_secret::replace(&path, b"x").unwrap();
        assert!(join_token(&path).unwrap_err().to_string().contains("holds no join token"));
        let token = JoinToken::make(hub("a", 1).key).unwrap();
        lamon_secret::replace(&path, format!("{token}\n").as_bytes()).unwrap();
        assert_eq!(join_token(&path).unwrap(), Some(token));
        let config = Config { key: folder.path().join("agent.key"), join: Some(path), ..Config::default() };
        let loaded = Trust::load(&config, &NodeName::new("a").unwrap(), &hub("a", 1).address);
        assert!(loaded.unwrap().unwrap().join.is_some());
    }
}
