//! The hub's configuration file, `/etc/lamon/hub.toml`: it works when it is empty, and a mistake in it is pointed at.
//!
//! The section `[rts2]` belongs to the face that is built on the collector; its type is a parameter, and the collector
//! by itself reads over it ([`NoFace`]).

mod agents;
mod archive;
mod bus;
mod consequences;
mod control;
mod durable;
mod file;
mod gates;
mod groups;
mod intake;
mod site;

use std::path::{Path, PathBuf};

use lamon_daemon::config::{ConfigError, mistake};
use lamon_daemon::logging::{LogLevel, LogTarget};
use lamon_wire::names::NodeName;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

pub use self::agents::AgentRule;
pub use self::archive::{ArchiveConfig, Keep};
pub use self::bus::{BusConfig, Endpoint};
pub use self::control::ControlConfig;
pub use self::durable::{DatabaseConfig, Durability, JournalConfig};
use self::file::HubFile;
pub use self::intake::{IntakeConfig, Network};
use crate::sun::Site;
use crate::watch::{Gate, Groups, Rules, When};

/// Where the configuration is when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/lamon/hub.toml";

/// A checked configuration of the hub.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// The hub's own name, a column of every stored row: two hubs may write into one database.
    pub name: NodeName,
    /// Where journal and archive are when their sections don't say otherwise.
    pub data_dir: PathBuf,
    /// Section `[intake]`.
    pub intake: IntakeConfig,
    /// Section `[bus]`.
    pub bus: BusConfig,
    /// Section `[control]`.
    pub control: ControlConfig,
    /// Section `[journal]`.
    pub journal: JournalConfig,
    /// Section `[database]`.
    pub database: DatabaseConfig,
    /// Section `[archive]`.
    pub archive: ArchiveConfig,
    /// How much is logged.
    pub log: LogLevel,
    /// Where logs go.
    pub log_to: LogTarget,
    /// Tables `[[group]]` and `[[tag]]`.
    pub groups: Groups,
    /// Tables `[[rule]]`, with the built-in rules below them.
    pub rules: Rules,
    /// Tables `[[gate]]`.
    pub gates: Vec<Gate>,
    /// Tables `[[agents]]`.
    pub agents: Vec<AgentRule>,
    /// Section `[site]`; rules that know night and day want it.
    pub site: Option<Site>,
}

/// The face section of a collector without a face: whatever it holds is for somebody else.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NoFace;

impl<'de> Deserialize<'de> for NoFace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl HubConfig {
    /// Reads a file, and the section `[rts2]` of it as `F`. Without a path the default file is read, or, where there is
    /// none, every default is taken.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the place of the first mistake.
    pub fn load<F: DeserializeOwned + Default>(path: Option<&Path>) -> Result<(Self, F), ConfigError> {
        let default = Path::new(DEFAULT_PATH);
        match path {
            None if !default.exists() => Self::parse("the built-in defaults", ""),
            path => {
                let path = path.unwrap_or(default);
                Self::parse(&path.display().to_string(), &lamon_daemon::config::read(path)?)
            }
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with the place of the first mistake.
    pub fn parse<F: DeserializeOwned + Default>(file: &str, text: &str) -> Result<(Self, F), ConfigError> {
        let table: HubFile<F> = lamon_daemon::config::parse(file, text)?;
        let wrong = |span, message: &str| ConfigError::Wrong(mistake(file, text, span, message));
        groups::check_groups(&table.group, &wrong)?;
        groups::check_group_names(&table, &wrong)?;
        gates::check(&table.gate, &wrong)?;
        let site = table.site.check(wrong)?;
        let of_phase = table.rule.iter().find(|rule| rule.get_ref().when() != When::Always);
        if let Some(rule) = of_phase.filter(|_| site.is_none()) {
            let message = "this rule is for night or day, which want [site] with latitude and longitude";
            return Err(wrong(rule.span(), message));
        }
        let name = match &table.name {
            None => host_name(),
            Some(name) => NodeName::new(name.get_ref())
                .map_err(|error| wrong(name.span(), &format!("hub name: {error}")))?,
        };
        let config = Self {
            name,
            database: DatabaseConfig { url: table.database.check(&table.data_dir, wrong)? },
            journal: table.journal,
            archive: table.archive,
            data_dir: table.data_dir,
            intake: table.intake,
            bus: table.bus,
            control: table.control,
            log: table.log,
            log_to: table.log_to,
            groups: Groups::new(table.group.into_iter().map(Spanned::into_inner).collect())
                .with_tags(table.tag),
            rules: Rules::new(table.rule.into_iter().map(Spanned::into_inner).collect()),
            gates: table.gate.into_iter().map(Spanned::into_inner).collect(),
            agents: table.agents.into_iter().map(Spanned::into_inner).collect(),
            site,
        };
        Ok((config, table.rts2))
    }

    /// Where the journal is.
    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        self.journal.path.clone().unwrap_or_else(|| self.data_dir.join("journal.sqlite"))
    }

    /// Where the hub's own key is.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.data_dir.join("hub.key")
    }

    /// Where the bus's own key is, when it speaks CURVE.
    #[must_use]
    pub fn bus_key_path(&self) -> PathBuf {
        self.data_dir.join("bus.key")
    }

    /// Where what operators change is kept.
    #[must_use]
    pub fn settings_path(&self) -> PathBuf {
        self.data_dir.join("operator.json")
    }

    /// The sections that are not as they were at the start, of those that are looked at only then.
    #[must_use]
    pub fn waits_for_a_start(&self, at_start: &Self) -> Vec<&'static str> {
        [
            ("name", self.name != at_start.name),
            ("data_dir", self.data_dir != at_start.data_dir),
            ("log", (self.log, self.log_to) != (at_start.log, at_start.log_to)),
            ("[intake]", self.intake != at_start.intake),
            ("[bus]", self.bus != at_start.bus),
            ("[control]", self.control != at_start.control),
            ("[journal]", self.journal != at_start.journal),
            ("[database]", self.database != at_start.database),
            ("[archive]", self.archive != at_start.archive),
        ]
        .into_iter()
        .filter_map(|(section, changed)| changed.then_some(section))
        .collect()
    }

    /// What the hub tells agents of this name about how to watch their node.
    #[must_use]
    pub fn settings_for(&self, node: &NodeName) -> lamon_wire::frames::Settings {
        agents::settings_for(&self.agents, self.groups.of(node), node)
    }
}

type Wrong<'a> = dyn Fn(std::ops::Range<usize>, &str) -> ConfigError + 'a;

/// This computer's name, or `hub` where it has none that can be used.
fn host_name() -> NodeName {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[expect(clippy::expect_used, reason = "a literal that is a name")]
    NodeName::from_host(&host).unwrap_or_else(|_| NodeName::new("hub").expect("a name"))
}

#[cfg(test)]
mod tests {
    use lamon_daemon::config::Mistake;
    use lamon_store::ArchiveUrl;

    use super::*;

    fn mistake_of(text: &str) -> Mistake {
        match HubConfig::parse::<NoFace>("hub.toml", text) {
            Err(ConfigError::Wrong(mistake)) => mistake,
            other => panic!("expected a mistake, got {other:?}"),
        }
    }

    #[test]
    fn an_empty_file_is_a_hub_that_listens_on_loopback_alone() {
        let (config, NoFace) = HubConfig::parse("hub.toml", "").unwrap();
        assert_eq!(config.journal_path(), Path::new("/var/lib/lamon/journal.sqlite"));
        assert_eq!(config.database.url.to_string(), "sqlite:/var/lib/lamon/archive.sqlite");
        assert!(
            config
                .intake
                .listen
                .iter()
                .all(|address| address.starts_with("127.") || address.starts_with("[::1]"))
        );
        assert!(config.bus.publish.as_str().starts_with("tcp://127.0.0.1:"));
        assert_eq!(config.groups.names().count(), 0);
    }

    #[test]
    fn mistakes_beyond_the_form_have_a_place_too() {
        for (text, place, message) in [
            (
                "[[rule]]\nmetrics = ['a']\nnodes = ['@ccd']\nwarning = 1",
                (1, 1),
                "no [[group]] has that name",
            ),
            (
                "[[gate]]\nname = 'x'\nnodes = ['@ccd']\nstop = true",
                (1, 1),
                "group \"ccd\", but no [[group]] has",
            ),
            (
                "[[gate]]\nname = 'x'\nnodes = ['a']\nstop = true\ndevice = '@ccd'",
                (1, 1),
                "group \"ccd\", but no [[group]] has",
            ),
            ("[[gate]]\nname = 'x'\nnodes = []\nstop = true", (1, 1), "gate \"x\" names no nodes"),
            (
                "[[gate]]\nname = 'x'\nnodes = ['a']\nstop = true\n[[gate]]\nname = 'x'\nnodes = ['b']\nstop = true",
                (5, 1),
                "gate \"x\" stands twice",
            ),
            ("[[gate]]\nname = 'x'\nnods = ['a']", (3, 1), "did you mean \"nodes\"?"),
            ("[[group]]\nname = 'a'\nnodes = []\n[[group]]\nname = 'A'\nnodes = []", (4, 1), "stands twice"),
            ("[[group]]\nname = 'other'\nnodes = []", (1, 1), "no group wants"),
            ("[[rule]]\nmetrics = ['a']\nwarning = 1\nwhen = 'night'", (1, 1), "want [site]"),
            ("[[tag]]\nname = ''\nnodes = []", (2, 8), "says what it is"),
            ("[site]\nlatitude = 40", (2, 12), "a latitude and a longitude"),
            ("[site]\nlatitude = 91\nlongitude = 0", (2, 12), "-90 to 90"),
            ("[[rule]]\nmetrics = ['a']\nwarning = 1\nfor = '6 of 5'", (4, 7), "no number of samples"),
            ("name = 'my hub'", (1, 8), "hub name: character ' '"),
            ("[database]\nurl = 'oracle://x'", (2, 7), "begins with sqlite: or mysql://"),
            ("[database]\nurl = ['mysql://a@b/c', 'mysql://b/c']", (2, 25), "the user is missing"),
            ("[database]\nurl = ['mysql://a@b/c', 'mysql://a@b/d']", (2, 7), "name one database"),
            ("[database]\nurl = []", (2, 7), "the list is empty"),
            ("[database]\nurl = 7", (2, 7), "an address, or a list of them"),
            ("[database]\nurl = 'mysql://a@b/c'\ntls = 'perhaps'", (3, 7), "unknown"),
            ("[database]\nurl = 'mysql://a@b/c'\ntls = 'off'\nca = 'ca.pem'", (4, 6), "without TLS"),
            ("[database]\nca = 'ca.pem'", (2, 6), "of no use for a SQLite file"),
            ("[intake]\nplain_from = ['10.0.0.0/33']", (2, 14), "no address or network"),
            ("[[agents]]\ninterval = '10s'\nwhach = ['a']", (3, 1), "did you mean \"watch\"?"),
            ("[[agents]]\nnodes = ['@ccd']", (1, 1), "no [[group]] has that name"),
            ("[intake]\nlisten = ['nonsense']", (2, 10), "no address to listen on"),
            ("[intake]\nlisten = []", (2, 10), "hears nobody"),
            ("[archive]\nsamples = '1h'", (2, 11), "2d is the least"),
            ("[archive]\nhours = 'always'", (2, 9), "no time to keep"),
            ("[bus]\npublish = '127.0.0.1:7618'", (2, 11), "no endpoint"),
            ("[bus]\nhigh_water_mark = 0", (2, 19), "nonzero"),
        ] {
            let mistake = mistake_of(text);
            assert!(mistake.message.contains(message), "{text}: {mistake}");
            assert_eq!((mistake.line, mistake.column), place, "{mistake}");
        }
    }

    #[test]
    fn several_servers_are_one_archive() {
        let text =
            "[database]\nurl = ['mysql://a@db1/x', 'mysql://a@db2/x']\npassword_env = 'P'\nca = '/ca.pem'";
        let (config, NoFace) = HubConfig::parse("hub.toml", text).unwrap();
        assert_eq!(config.database.url.name(), "mysql://a@db1:3306/x,mysql://a@db2:3306/x");
        let (config, NoFace) = HubConfig::parse("hub.toml", "[database]\nurl = ['sqlite:/a']").unwrap();
        assert_eq!(config.database.url, ArchiveUrl::sqlite("/a"));
    }

    #[test]
    fn the_faces_section_is_its_own_business() {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Face {
            device: Option<String>,
        }
        let text = "[rts2]\ndevice = 'NODES'";
        assert!(HubConfig::parse::<NoFace>("hub.toml", text).is_ok());
        assert_eq!(HubConfig::parse::<Face>("hub.toml", text).unwrap().1.device.as_deref(), Some("NODES"));
        assert!(HubConfig::parse::<Face>("hub.toml", "[rts2]\ndevize = 'NODES'").is_err());
    }
}
