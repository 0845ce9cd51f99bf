//! `/etc/lamon/web.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lamon_bus::{Addresses, Keys, PublicKey};
use lamon_daemon::config::{self, ConfigError};
use lamon_daemon::logging::{LogLevel, LogTarget};
use lamon_store::ArchiveUrl;
use lamon_store::archive::DatabaseTable;
use lamon_store::reading::Site;
use serde::Deserialize;

use crate::history::SiteTable;
use crate::login::{Hosts, LoginConfig};
use crate::operate::ControlConfig;
use crate::tls::TlsConfig;

/// Where the configuration is when nothing else is said.
pub(crate) const DEFAULT_PATH: &str = "/etc/lamon/web.toml";

/// What the file says; an empty one, or none, gives these defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebConfig {
    /// Where browsers connect: this computer alone, unless there is TLS.
    pub(crate) listen: SocketAddr,
    /// The names that it answers to, beside those of this computer itself.
    pub(crate) hosts: Vec<String>,
    /// How much is logged.
    pub(crate) log: LogLevel,
    /// Where logs go.
    pub(crate) log_to: LogTarget,
    /// Where the hub publishes.
    pub(crate) bus: BusConfig,
    /// Section `[database]` as it is written.
    #[serde(rename = "database")]
    database_table: DatabaseTable,
    /// The archive that the past is read from; none when the file names none.
    #[serde(skip)]
    pub(crate) database: Option<ArchiveUrl>,
    /// Section `[site]` as it is written.
    #[serde(rename = "site")]
    site_table: SiteTable,
    /// When nights begin.
    #[serde(skip, default = "anywhere")]
    pub(crate) site: Site,
    /// How the hub is operated.
    pub(crate) control: ControlConfig,
    /// Who may log in.
    pub(crate) login: LoginConfig,
    /// The certificate; without it browsers come by plain HTTP.
    pub(crate) tls: Option<TlsConfig>,
}

/// `[bus]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BusConfig {
    /// What the hub publishes.
    pub(crate) publish: String,
    /// Where it answers for the whole picture.
    pub(crate) snapshot: String,
    /// The hub's key, where it lists who may follow.
    pub(crate) hub_key: Option<PublicKey>,
    /// The page's own, made when it is needed.
    pub(crate) key: PathBuf,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8617)),
            hosts: Vec::new(),
            log: LogLevel::default(),
            log_to: LogTarget::default(),
            bus: BusConfig::default(),
            database_table: DatabaseTable::default(),
            database: None,
            site_table: SiteTable::default(),
            site: anywhere(),
            control: ControlConfig::default(),
            login: LoginConfig::default(),
            tls: None,
        }
    }
}

/// Until it is known where.
fn anywhere() -> Site {
    Site::at_utc_offset(0)
}

impl Default for BusConfig {
    fn default() -> Self {
        let Addresses { publish, snapshot, .. } = Addresses::default();
        Self { publish, snapshot, hub_key: None, key: "/var/lib/lamon-web/bus.key".into() }
    }
}

impl WebConfig {
    /// Reads the file that was named, or the usual one where it exists.
    ///
    /// # Errors
    ///
    /// A mistake with its place, or the address when it is not of this computer alone.
    pub(crate) fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        let path = named.unwrap_or_else(|| Path::new(DEFAULT_PATH));
        if named.is_none() && !path.exists() {
            return Self::parse("", "");
        }
        Self::parse(&path.display().to_string(), &config::read(path)?)
    }

    fn parse(file: &str, text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = config::parse(file, text)?;
        let wrong = |span, said: &str| ConfigError::Wrong(config::mistake(file, text, span, said));
        config.database = std::mem::take(&mut config.database_table).check_named(wrong)?;
        config.site = std::mem::take(&mut config.site_table).check(wrong)?;
        if !config.listen.ip().is_loopback() && config.tls.is_none() {
            let said = format!(
                "{} is not of this computer alone, and passwords would go over the network in the clear: listen on 127.0.0.1 or \
                 [::1], or give a certificate in [tls]",
                config.listen
            );
            return Err(mistake(file, text, "listen", &said));
        }
        config.answered().map_err(|said| mistake(file, text, "hosts", &said))?;
        Ok(config)
    }

    /// The names that the page answers to.
    ///
    /// # Errors
    ///
    /// A sentence, when one is no name.
    pub(crate) fn answered(&self) -> Result<Hosts, String> {
        Hosts::new(&self.hosts, !self.listen.ip().is_loopback())
    }

    /// Whether nothing is shown to whoever is not logged in.
    pub(crate) const fn login_is_required(&self) -> bool {
        self.login.required || !self.listen.ip().is_loopback()
    }

    /// The hub's bus.
    pub(crate) fn addresses(&self) -> Addresses {
        let BusConfig { publish, snapshot, hub_key, key } = self.bus.clone();
        let keys = hub_key.map(|hub| Keys { hub, own: key });
        Addresses { publish, snapshot, keys }
    }
}

/// A mistake in the line that begins with a key.
fn mistake(file: &str, text: &str, key: &str, said: &str) -> ConfigError {
    let lines = text.split_inclusive('\n').scan(0, |at, line| {
        let begin = *at;
        *at += line.len();
        Some((begin, line.trim_end()))
    });
    let found = lines.filter(|(_, line)| line.starts_with(key)).map(|(at, line)| at..at + line.len()).next();
    ConfigError::Wrong(config::mistake(file, text, found.unwrap_or(0..0), said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_loopback_and_the_shipped_one_is_the_same() {
        let shipped = include_str!("../../../etc/web.toml");
        let keys: String = shipped
            .lines()
            .filter_map(|line| line.strip_prefix('#').or(Some(line)).filter(|line| !line.starts_with(' ')))
            .filter(|line| line.contains('=') || line.starts_with('['))
            // Without files there is no TLS.
            .filter(|line| !line.starts_with("[tls]") && !line.contains("/etc/lamon/web."))
            .flat_map(|line| [line, "\n"])
            .collect();
        for text in ["", shipped, &keys] {
            let config = WebConfig::parse("web.toml", text).unwrap();
            assert_eq!(config.listen.to_string(), "127.0.0.1:8617");
            assert_eq!(config.addresses(), Addresses::default());
            assert_eq!(config.database, None);
        }
    }

    #[test]
    fn an_archive_is_named_as_the_hub_names_it() {
        let config = WebConfig::parse("web.toml", "[database]\nurl = 'sqlite:/a/archive.sqlite'").unwrap();
        assert_eq!(config.database, Some(ArchiveUrl::sqlite("/a/archive.sqlite")));
        for (text, wanted) in [
            ("[database]\nurl = 'ftp://x'", "web.toml:2:7: "),
            ("[database]\npassword_file = '/x'", "web.toml:2:17: [database] has no url"),
            ("[database]\nurls = 'sqlite:a'", "(did you mean \"url\"?)"),
        ] {
            let said = WebConfig::parse("web.toml", text).unwrap_err().to_string();
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn other_computers_are_not_served() {
        for address in ["0.0.0.0:8617", "192.0.2.1:80", "[::]:8617"] {
            let error = WebConfig::parse("web.toml", &format!("\nlisten = \"{address}\"")).unwrap_err();
            let said = error.to_string();
            assert!(said.starts_with("web.toml:2:1: ") && said.contains("this computer alone"), "{said}");
        }
        let tls = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n";
        for (text, required) in [
            ("listen = \"[::1]:1\"".to_owned(), false),
            ("[login]\nrequired = true".to_owned(), true),
            (tls.to_owned(), false),
            (format!("listen = \"0.0.0.0:443\"\n{tls}[login]\nrequired = false"), true),
        ] {
            let config = WebConfig::parse("web.toml", &text).unwrap();
            assert_eq!(config.login_is_required(), required, "{text}");
        }
        let error = WebConfig::parse("web.toml", "# hosts\nhosts = [\"https://a\"]").unwrap_err().to_string();
        assert!(error.starts_with("web.toml:2:1: hosts has \"https://a\""), "{error}");
    }
}
