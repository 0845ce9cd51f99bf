//! The agent's configuration: `/etc/lamon/agent.toml`, on Windows `C:\ProgramData\lamon\agent.toml`, on macOS `agent.toml` in
//! `/Library/Application Support/lamon`. Every key has a default, so that an empty file works.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lamon_daemon::config::{ConfigError, load};
use lamon_daemon::logging::{LogLevel, LogTarget};
use lamon_daemon::seconds::Seconds;
use lamon_keys::Fingerprint;
use lamon_wire::PORT;
use lamon_wire::frames::{MAX_LABEL_BYTES, MAX_WATCHED};
use lamon_wire::names::NodeName;
use serde::Deserialize;

use crate::readers::Selection;
use crate::trust;

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(not(any(windows, target_os = "macos")))]
pub const DEFAULT_PATH: &str = "/etc/lamon/agent.toml";

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(target_os = "macos")]
pub const DEFAULT_PATH: &str = "/Library/Application Support/lamon/agent.toml";

/// Where the configuration is looked for when the command line names none; this file may be absent.
#[cfg(windows)]
pub const DEFAULT_PATH: &str = r"C:\ProgramData\lamon\agent.toml";

/// Where the agent's key is when nobody says otherwise.
#[cfg(not(any(windows, target_os = "macos")))]
pub const DEFAULT_KEY: &str = "/var/lib/lamon-agent/agent.key";

/// Where the agent's key is when nobody says otherwise.
#[cfg(target_os = "macos")]
pub const DEFAULT_KEY: &str = "/Library/Application Support/lamon/agent.key";

/// Where the agent's key is when nobody says otherwise.
#[cfg(windows)]
pub const DEFAULT_KEY: &str = r"C:\ProgramData\lamon\agent.key";

/// The most hubs of one list: the hello has a byte for the position, and each costs a connection attempt in turn.
pub const MAX_HUBS: usize = 16;

/// The most mounts that can be named, and as many patterns to be ignored: each that hangs costs a thread.
const MAX_MOUNTS: usize = 16;

/// What the agent is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The node's name; the host name when not given.
    pub node: Option<NodeName>,
    /// The hubs in the order in which they are tried: the first that accepts is used. Those that the agent was enrolled
    /// with when not given, else this computer.
    #[serde(deserialize_with = "hubs")]
    pub hubs: Option<Vec<HubAddress>>,
    /// The file with this node's key; made when it is needed. What the agent was enrolled with stands beside it.
    #[serde(deserialize_with = "file")]
    pub key: PathBuf,
    /// Keys of hubs that are believed, besides those that the agent was enrolled with.
    #[serde(deserialize_with = "hub_keys")]
    pub hub_keys: Vec<Fingerprint>,
    /// A file with a token of `lamon join`, which lets this node in while the hub does not know its key.
    #[serde(deserialize_with = "folder")]
    pub join: Option<PathBuf>,
    /// Time between samples.
    pub interval: Interval,
    /// How much of unacknowledged samples is kept.
    pub buffer: BufferSize,
    /// The folder where unacknowledged samples outlive a reboot; none when not given.
    #[serde(deserialize_with = "folder")]
    pub spool: Option<PathBuf>,
    /// How much room the spool may take.
    pub spool_size: BufferSize,
    /// How long a sample may wait to be acknowledged before it is in the spool.
    pub spool_delay: Interval,
    /// How long the hub may be mute while samples wait to be acknowledged; three intervals at least.
    pub hub_timeout: Interval,
    /// Mount points to be watched whatever lies there.
    #[serde(deserialize_with = "mounts")]
    pub disks: Vec<PathBuf>,
    /// Mount points to be left out; `/media/*` leaves out all below `/media`.
    #[serde(deserialize_with = "patterns")]
    pub ignore_disks: Vec<String>,
    /// Names of processes to be counted.
    #[serde(deserialize_with = "watch")]
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
            interval: Interval(Duration::from_secs(10)),
            buffer: BufferSize(2_000_000),
            spool: None,
            spool_size: BufferSize(4_000_000),
            spool_delay: Interval(Duration::from_secs(60)),
            hub_timeout: Interval(Duration::from_secs(30)),
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
        self.hub_timeout.0.max(interval * 3)
    }
}

/// A hub, as `host`, `host:port` or `[ipv6]:port`; the port is 7617 when not given. Whether the host exists is found
/// out when it is called, again and again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct HubAddress {
    /// A name or an address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl HubAddress {
    /// Whether both are written for the same: the case of a name does not count.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl std::str::FromStr for HubAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no hub (write host, host:port or [ipv6]:port)");
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) })
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(PORT), str::parse).map_err(|_| wrong())?;
        let good = |c: char| !c.is_whitespace() && !c.is_control() && !"/[]@".contains(c);
        if host.is_empty() || host.len() > 253 || port == 0 || !host.chars().all(good) {
            return Err(wrong());
        }
        Ok(Self { host: host.into(), port })
    }
}

impl TryFrom<String> for HubAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for HubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// A time from one second to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Seconds")]
pub struct Interval(Duration);

impl Interval {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(86_400);

    /// The time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The nearest time that is allowed: what a hub asks for.
    #[must_use]
    pub fn clamped(wanted: Duration) -> Self {
        Self(wanted.clamp(Self::SHORTEST, Self::LONGEST))
    }
}

impl TryFrom<Seconds> for Interval {
    type Error = String;

    fn try_from(seconds: Seconds) -> Result<Self, String> {
        let time = seconds.duration();
        if (Self::SHORTEST..=Self::LONGEST).contains(&time) {
            return Ok(Self(time));
        }
        Err(format!("{seconds} is out of range (1s to 1d)"))
    }
}

impl std::str::FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<Seconds>().map_err(|error| error.to_string())?.try_into()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Seconds::from(self.0).fmt(f)
    }
}

/// How much memory or room unacknowledged samples may take: 64 kB to 1 GB, written `2MB`, `500kB` or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SizeText")]
pub struct BufferSize(usize);

impl BufferSize {
    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

/// The two ways to write a size.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a size such as \"2MB\", or bytes")]
enum SizeText {
    Bytes(u64),
    Text(String),
}

impl TryFrom<SizeText> for BufferSize {
    type Error = String;

    fn try_from(size: SizeText) -> Result<Self, String> {
        let (text, bytes) = match size {
            SizeText::Bytes(bytes) => (bytes.to_string(), Some(bytes)),
            SizeText::Text(text) => {
                let bare = text.trim();
                let (number, factor) = match bare.split_at_checked(bare.len().saturating_sub(2)) {
                    Some((number, "kB" | "KB")) => (number, 1_000),
                    Some((number, "MB")) => (number, 1_000_000),
                    Some((number, "GB")) => (number, 1_000_000_000),
                    _ => (bare, 1),
                };
                let bytes = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
                (text, bytes)
            }
        };
        let bytes = bytes.ok_or_else(|| format!("{text:?} is no size (write 500kB, 2MB or bytes)"))?;
        let in_range = Some(bytes).filter(|bytes| (64_000..=1_000_000_000).contains(bytes));
        let size = in_range.and_then(|bytes| usize::try_from(bytes).ok());
        size.map(Self).ok_or_else(|| format!("{text} is out of range (64kB to 1GB)"))
    }
}

/// A list of at most `max` items that pass `check`.
fn list<'de, D, T>(
    deserializer: D,
    max: usize,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    use serde::de::Error as _;

    let items = Vec::<T>::deserialize(deserializer)?;
    if items.len() > max {
        return Err(D::Error::custom(format!("{} entries, at most {max} are allowed", items.len())));
    }
    items.iter().try_for_each(check).map_err(D::Error::custom)?;
    Ok(items)
}

fn hubs<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<HubAddress>>, D::Error> {
    let hubs = list(deserializer, MAX_HUBS, |_| Ok(()))?;
    if hubs.is_empty() {
        return Err(serde::de::Error::custom("no hub: name one, or leave the key out for localhost"));
    }
    Ok(Some(hubs))
}

fn hub_keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Fingerprint>, D::Error> {
    list(deserializer, MAX_HUBS, |_| Ok(()))
}

fn file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let file = PathBuf::deserialize(deserializer)?;
    if file.is_absolute() && file.file_name().is_some() {
        return Ok(file);
    }
    Err(serde::de::Error::custom(format!("{} is no file (write its whole path)", file.display())))
}

fn folder<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let folder = PathBuf::deserialize(deserializer)?;
    if folder.is_absolute() {
        return Ok(Some(folder));
    }
    Err(serde::de::Error::custom(format!("{} is no folder (write its whole path)", folder.display())))
}

fn mounts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    list(deserializer, MAX_MOUNTS, |point: &PathBuf| absolute(point.is_absolute(), &point.display()))
}

fn patterns<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    list(deserializer, MAX_MOUNTS, |pattern: &String| absolute(Path::new(pattern).is_absolute(), pattern))
}

fn absolute(is_absolute: bool, point: &dyn fmt::Display) -> Result<(), String> {
    is_absolute.then_some(()).ok_or_else(|| format!("{point} is no mount point (write its whole path)"))
}

fn watch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    list(deserializer, MAX_WATCHED, |name: &String| {
        if name.is_empty() || name.len() > MAX_LABEL_BYTES || name.contains('/') {
            return Err(format!(
                "{name:?} is no process name (1 to {MAX_LABEL_BYTES} bytes, without a path)"
            ));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use lamon_daemon::config::parse;

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
        let shipped = include_str!("../../etc/agent.toml");
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
    fn hubs_are_hosts_with_ports() {
        for (text, shown) in [
            ("hub", Some("hub:7617")),
            ("hub.lamost.org:80", Some("hub.lamost.org:80")),
            ("[fe80::1]", Some("[fe80::1]:7617")),
            ("[fe80::1]:1", Some("[fe80::1]:1")),
            ("", None),
            (":7617", None),
            ("hub:", None),
            ("hub:0", None),
            ("hub:65536", None),
            ("::1", None),
            ("[::1", None),
            ("[hub]:1", None),
            ("tcp://hub:7617", None),
            ("a hub", None),
        ] {
            let hub = text.parse::<HubAddress>().ok().map(|hub| hub.to_string());
            assert_eq!(hub.as_deref(), shown, "{text:?}");
        }
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
