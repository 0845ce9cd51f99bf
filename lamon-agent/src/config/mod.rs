//! The agent's configuration: `/etc/lamon/agent.toml`, on Windows `C:\ProgramData\lamon\agent.toml`, on macOS `agent.toml` in
//! `/Library/Application Support/lamon`. Every key has a default, so that an empty file works.

mod amounts;
mod hub_address;
mod lists;
mod places;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lamon_daemon::config::{ConfigError, load};
use lamon_daemon::logging::{LogLevel, LogTarget};
use lamon_keys::Fingerprint;
use lamon_wire::PORT;
use lamon_wire::names::NodeName;
use serde::Deserialize;

pub use self::amounts::{BufferSize, Interval};
pub use self::hub_address::HubAddress;
pub use self::places::{DEFAULT_KEY, DEFAULT_PATH};
use crate::readers::Selection;
use crate::trust;

/// The most hubs of one list: the hello has a byte for the position, and each costs a connection attempt in turn.
pub const MAX_HUBS: usize = 16;

/// What the agent is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The node's name; the host name when not given.
    pub node: Option<NodeName>,
    /// The hubs in the order in which they are tried: the first that accepts is used. Those that the agent was enrolled
    /// with when not given, else this computer.
    #[serde(deserialize_with = "lists::hubs")]
    pub hubs: Option<Vec<HubAddress>>,
    /// The file with this node's key; made when it is needed. What the agent was enrolled with stands beside it.
    #[serde(deserialize_with = "lists::file")]
    pub key: PathBuf,
    /// Keys of hubs that are believed, besides those that the agent was enrolled with.
    #[serde(deserialize_with = "lists::hub_keys")]
    pub hub_keys: Vec<Fingerprint>,
    /// A file with a token of `lamon join`, which lets this node in while the hub does not know its key.
    #[serde(deserialize_with = "lists::optional_file")]
    pub join: Option<PathBuf>,
    /// Time between samples.
    pub interval: Interval,
    /// How much of unacknowledged samples is kept.
    pub buffer: BufferSize,
    /// The folder where unacknowledged samples outlive a reboot; none when not given.
    #[serde(deserialize_with = "lists::folder")]
    pub spool: Option<PathBuf>,
    /// How much room the spool may take.
    pub spool_size: BufferSize,
    /// How long a sample may wait to be acknowledged before it is in the spool.
    pub spool_delay: Interval,
    /// How long the hub may be mute while samples wait to be acknowledged; three intervals at least.
    pub hub_timeout: Interval,
    /// Mount points to be watched whatever lies there.
    #[serde(deserialize_with = "lists::mounts")]
    pub disks: Vec<PathBuf>,
    /// Mount points to be left out; `/media/*` leaves out all below `/media`.
    #[serde(deserialize_with = "lists::patterns")]
    pub ignore_disks: Vec<String>,
    /// Names of processes to be counted.
    #[serde(deserialize_with = "lists::watch")]
    pub watch: Vec<String>,
    /// How much is logged.
    pub log: LogLevel,
    /// Where logs go.
    pub log_to: LogTarget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: None,
            hubs: None,
            key: DEFAULT_KEY.into(),
            hub_keys: Vec::new(),
            join: None,
            interval: Interval::of_seconds(10),
            buffer: BufferSize::of_bytes(2_000_000),
            spool: None,
            spool_size: BufferSize::of_bytes(4_000_000),
            spool_delay: Interval::of_seconds(60),
            hub_timeout: Interval::of_seconds(30),
            disks: Vec::new(),
            ignore_disks: Vec::new(),
            watch: Vec::new(),
            log: LogLevel::default(),
            log_to: LogTarget::default(),
        }
    }
}

impl Config {
    /// Reads `path`, or [`DEFAULT_PATH`] where that exists, else takes the defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when a file that was named or exists cannot be read, or something in it is wrong.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let default = Path::new(DEFAULT_PATH);
        match path {
            Some(path) => load(path),
            None if default.exists() => load(default),
            None => Ok(Self::default()),
        }
    }

    /// The hubs in the order in which they are tried, as they are known now. What cannot be read is told when it is needed.
    #[must_use]
    pub fn hubs_now(&self) -> Vec<HubAddress> {
        if let Some(hubs) = &self.hubs {
            return hubs.clone();
        }
        let known = trust::known(&self.known_hubs()).unwrap_or_default();
        if known.is_empty() {
            return vec![HubAddress { host: "localhost".into(), port: PORT }];
        }
        known.into_iter().map(|hub| hub.address).collect()
    }

    /// The file with the hubs that the agent was enrolled with, beside its key.
    #[must_use]
    pub fn known_hubs(&self) -> PathBuf {
        self.key.with_file_name("hubs")
    }

    /// The file that says that this agent was enrolled, beside its key.
    #[must_use]
    pub fn enrolled(&self) -> PathBuf {
        self.key.with_file_name("enrolled")
    }

    /// What is to be read on this node.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            disks: self.disks.clone(),
            ignore_disks: self.ignore_disks.clone(),
            watch: self.watch.clone(),
        }
    }

    /// How long the hub may be mute at this interval while samples wait: `hub_timeout`, or three intervals where they
    /// are longer.
    #[must_use]
    pub fn patience(&self, interval: Duration) -> Duration {
        self.hub_timeout.duration().max(interval * 3)
    }
}

#[cfg(test)]
mod tests {
    use lamon_daemon::config::parse;
    use lamon_wire::frames::MAX_WATCHED;

    use super::*;

    fn error(text: &str) -> String {
        parse::<Config>("agent.toml", text).unwrap_err().to_string().lines().next().unwrap().to_owned()
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse::<Config>("agent.toml", "").unwrap(), Config::default());
    }

    #[test]
    fn the_shipped_file_shows_every_default() {
        let shipped = include_str!("../../../etc/agent.toml");
        assert_eq!(parse::<Config>("agent.toml", shipped).unwrap(), Config::default(), "as it is shipped");
        let is_key = |line: &str| {
            line.split_once(" = ")
                .is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        };
        let keys: Vec<&str> =
            shipped.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| is_key(line)).collect();
        let uncommented = parse::<Config>("agent.toml", &keys.join("\n")).unwrap();
        // What has no default shows an example.
        let shown = Config {
            node: uncommented.node.clone(),
            hubs: uncommented.hubs.clone(),
            hub_keys: uncommented.hub_keys.clone(),
            join: uncommented.join.clone(),
            spool: uncommented.spool.clone(),
            ..Config::default()
        };
        assert_eq!(uncommented, shown, "with its keys uncommented");
        let known = error("zzzzzzzz = 1");
        let known = known.split("(known here: ").nth(1).unwrap().trim_end_matches(')').split(", ");
        let shown: Vec<&str> = keys.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(shown, known.collect::<Vec<_>>(), "every key, in order");
    }

    #[test]
    fn everything_can_be_said() {
        let text = "node = \"CCD01\"\nhubs = [\"hub\", \"10.0.0.2:7000\", \"[::1]:7618\"]\ninterval = \"1m\"\n\
            buffer = \"500 kB\"\nhub_timeout = 5\ndisks = [\"/mnt/nfs\"]\nignore_disks = [\"/media/*\"]\n\
            watch = [\"rts2-camd\"]\nlog = \"debug\"\nlog_to = \"stderr\"\n";
        let config: Config = parse("agent.toml", text).unwrap();
        assert_eq!(config.node.unwrap().as_str(), "ccd01");
        let hubs: Vec<String> = config.hubs.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(hubs, ["hub:7617", "10.0.0.2:7000", "[::1]:7618"]);
        assert_eq!((config.interval.to_string().as_str(), config.buffer.bytes()), ("1m", 500_000));
        assert_eq!((config.log, config.log_to), (LogLevel::Debug, LogTarget::Stderr));
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, expected) in [
            ("nod = \"a\"", "agent.toml:1:1: unknown key \"nod\" (did you mean \"node\"?)"),
            ("\nnode = \"a b\"", "agent.toml:2:8: character ' ' at position 1"),
            ("hubs = []", "agent.toml:1:8: no hub: name one, or leave the key out for localhost"),
            ("hubs = [\"a:b\"]", "agent.toml:1:8: \"a:b\" is no hub (write host, host:port or [ipv6]:port)"),
            ("interval = \"500ms\"", "agent.toml:1:12: 500ms is out of range (1s to 1d)"),
            ("interval = \"2d\"", "agent.toml:1:12: 2d is out of range (1s to 1d)"),
            ("interval = \"x\"", "agent.toml:1:12: \"x\" is no duration"),
            ("buffer = 1000", "agent.toml:1:10: 1000 is out of range (64kB to 1GB)"),
            ("buffer = \"much\"", "agent.toml:1:10: \"much\" is no size (write 500kB, 2MB or bytes)"),
            ("buffer = true", "agent.toml:1:10: a size such as \"2MB\", or bytes"),
            ("spool = \"spool\"", "agent.toml:1:9: spool is no folder (write its whole path)"),
            ("join = \"token\"", "agent.toml:1:8: token is no file (write its whole path)"),
            ("spool_size = 1", "agent.toml:1:14: 1 is out of range (64kB to 1GB)"),
            ("disks = [\"mnt\"]", "agent.toml:1:9: mnt is no mount point (write its whole path)"),
            ("watch = [\"/bin/sh\"]", "agent.toml:1:9: \"/bin/sh\" is no process name"),
            ("watch = [\"\"]", "agent.toml:1:9: \"\" is no process name"),
            ("log = \"loud\"", "agent.toml:1:7: unknown variant `loud`"),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let many = format!("watch = [{}]", "\"a\",".repeat(MAX_WATCHED + 1));
        assert!(error(&many).contains("65 entries, at most 64 are allowed"));
    }

    #[test]
    fn patience_is_three_intervals_at_least() {
        let config = Config::default();
        for (interval, patience) in [(1, 30), (10, 30), (60, 180)] {
            assert_eq!(config.patience(Duration::from_secs(interval)), Duration::from_secs(patience));
        }
        assert_eq!(Interval::clamped(Duration::from_millis(1)).duration(), Duration::from_secs(1));
    }
}
