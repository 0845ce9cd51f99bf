//! The section `[rts2]` of `hub.toml`, and the options that RTS2's start scripts give (RTS2 lib/rts2/device.cpp,
//! daemon.cpp, app.cpp), which stand over it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use clap::Args;
use lamon_collector::config::{HubConfig, Network};
use lamon_collector::watch::NameGlob;
use rts2dev::cli::DeviceArgs;
use serde::{Deserialize, Deserializer};

/// The device's name where none is given.
pub const DEFAULT_DEVICE: &str = "NODES";

/// Section `[rts2]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rts2Config {
    /// The device's name, under which rts2-mon shows it.
    #[serde(deserialize_with = "device_name")]
    pub device: String,
    /// The centralds to register with, `host` or `host:port`; none leaves the device alone with its clients.
    pub centrald: Vec<String>,
    /// The host that clients are told to connect to; this computer's name when not given.
    pub host: Option<String>,
    /// The address on which the devices listen. RTS2's own listen on all of them, so that clients of other hosts reach them;
    /// a site whose clients are all here can narrow it.
    pub listen: IpAddr,
    /// The port of the summary device; 0 lets the system choose, which is usual: centrald tells clients.
    pub port: u16,
    /// How nodes are spread over devices.
    pub layout: Layout,
    /// Metrics whose values images carry in their FITS headers, each with its node's `_level` and `_heard`.
    pub fits: Vec<NameGlob>,
    /// From which addresses commands and limits of operators are taken; everybody reads.
    pub allow: Vec<Network>,
    /// Serve commands to clients that centrald does not vouch for.
    pub noauth: bool,
    /// What the command line gave, for what is not in the file: what values of the summary device begin with.
    #[serde(skip)]
    pub given: DeviceArgs,
}

impl Default for Rts2Config {
    fn default() -> Self {
        Self {
            device: DEFAULT_DEVICE.into(),
            centrald: vec!["localhost".into()],
            host: None,
            listen: Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
            layout: Layout::default(),
            fits: Vec::new(),
            allow: Network::loopback(),
            noauth: false,
            given: DeviceArgs::default(),
        }
    }
}

/// The longest device name: with `_` and a group's 16 letters behind it within RTS2's 50.
const MAX_DEVICE_NAME_BYTES: usize = 32;

fn device_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    checked_device_name(&name).map_err(serde::de::Error::custom)
}

/// A name that RTS2 and FITS headers take, or why it is none. For clap and the file alike.
fn checked_device_name(name: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > MAX_DEVICE_NAME_BYTES || !name.chars().all(good) {
        return Err(format!(
            "\"{name}\" is no name of a device (letters, digits and _, at most {MAX_DEVICE_NAME_BYTES})"
        ));
    }
    Ok(name.into())
}

/// The most values of one device. Clients look values up one by one: 4,000 at 400 changes a second cost a client 0.7 % of
/// a core, ten times as many at ten times the rate all of it.
pub const MAX_DEVICE_VALUES: usize = 5_000;

/// How nodes are spread over devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// [`Layout::Group`] where groups are configured, else [`Layout::Single`].
    #[default]
    Auto,
    /// Everything on one device.
    Single,
    /// A summary device, and one device for each group: clients of RTS2 look values up one by one, so a device with
    /// fewer values costs them less.
    Group,
}

impl Layout {
    /// Whether groups have devices of their own.
    #[must_use]
    pub fn by_group(self, hub: &HubConfig) -> bool {
        match self {
            Self::Auto => !hub.groups.is_empty(),
            Self::Single => false,
            Self::Group => true,
        }
    }
}

/// The beginning of the program's name when RTS2's start scripts start it.
const RTS2_NAME: &str = "rts2-sensor-";

/// The options of RTS2 devices. Those that are given stand over the configuration file.
#[derive(Debug, Clone, Default, Args)]
pub struct Rts2Args {
    /// The options themselves.
    #[command(flatten)]
    pub device: DeviceArgs,
}

impl Rts2Args {
    /// Refuses a name that leaves no room for the names of groups.
    ///
    /// # Errors
    ///
    /// A sentence that says why.
    pub fn check(&self) -> Result<(), String> {
        self.device.device.as_deref().map_or(Ok(()), |name| checked_device_name(name).map(|_| ()))
    }

    /// Stays in the foreground unless the program was started by RTS2's name for it.
    pub fn background_only_as(&mut self, program: &Path) {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        self.device.interactive |= !name.starts_with(RTS2_NAME);
    }

    /// Lets what was given stand over the file's section.
    #[must_use]
    pub fn over(&self, mut section: Rts2Config) -> Rts2Config {
        let args = &self.device;
        if let Some(device) = &args.device {
            section.device.clone_from(device);
        }
        if !args.server.is_empty() {
            section.centrald.clone_from(&args.server);
        }
        section.host = args.localhost.clone().or(section.host);
        section.port = args.local_port.unwrap_or(section.port);
        section.noauth |= args.noauth;
        section.given = args.clone();
        section
    }
}

impl Rts2Config {
    /// What the section has the hub do, a sentence a line.
    #[must_use]
    pub fn consequences(&self, hub: &HubConfig) -> Vec<String> {
        let mut lines = vec![if self.centrald.is_empty() {
            format!("RTS2 device {} registers with no centrald: clients must know its port", self.device)
        } else {
            format!("RTS2 device {} registers with centrald at {}", self.device, self.centrald.join(", "))
        }];
        lines.push(format!("clients of RTS2 reach it on {}", self.listen));
        let allow: Vec<_> = self.allow.iter().map(ToString::to_string).collect();
        lines.push(if allow.is_empty() {
            "commands and limits are taken from no client of RTS2: [rts2] allow is empty".into()
        } else {
            format!("commands and limits are taken from clients of RTS2 at {}; others read", allow.join(", "))
        });
        if self.layout.by_group(hub) {
            let names: Vec<_> =
                hub.groups.names().chain(["other"]).map(|group| group_device(&self.device, group)).collect();
            lines.push(format!("nodes are shown by {}", names.join(", ")));
        } else {
            lines.push(format!("nodes are shown by {} itself", self.device));
        }
        lines.extend(hub.gates.iter().map(|gate| {
            let group = gate.device_group().filter(|_| self.layout.by_group(hub));
            let device = group.map_or_else(|| self.device.clone(), |group| group_device(&self.device, group));
            format!("gate {} is a bit of {device}'s state", gate.name())
        }));
        lines.push(format!(
            "a device shows at most {MAX_DEVICE_VALUES} values, and says so when there are more"
        ));
        lines.push(if self.fits.is_empty() {
            "images carry no value of nodes: [rts2] fits is empty".into()
        } else {
            let globs: Vec<_> = self.fits.iter().map(ToString::to_string).collect();
            format!("images carry {} of each node, with its level and when it was heard", globs.join(", "))
        });
        lines
    }
}

/// The name of a group's device: `NODES_CCD`.
pub(crate) fn group_device(device: &str, group: &str) -> String {
    format!("{device}_{}", group.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        rts2: Rts2Args,
    }

    #[test]
    fn options_stand_over_the_file() {
        let file: Rts2Config = toml::from_str("device = 'COMPUTERS'\ncentrald = ['a']\nport = 7").unwrap();
        let none = Cli::parse_from(["x"]).rts2.over(file.clone());
        assert_eq!((none.device.as_str(), none.centrald[0].as_str(), none.port), ("COMPUTERS", "a", 7));
        let arguments =
            "x -d NODES --server b --server c:618 --localhost h --local-port 9 --noauth --autosave f -i";
        let given = Cli::parse_from(arguments.split(' ')).rts2.over(file);
        assert_eq!(given.centrald, ["b", "c:618"]);
        assert_eq!((given.device.as_str(), given.host.as_deref(), given.port), ("NODES", Some("h"), 9));
        assert!(given.noauth);
        assert!(Cli::parse_from(["x", "-d", &"N".repeat(33)]).rts2.check().is_err());
    }

    #[test]
    fn only_as_rts2_starts_it_does_it_go_to_the_background() {
        for (program, interactive) in [("/opt/rts2-sensor-lamon", false), ("lamon-sensord", true)] {
            let mut args = Cli::parse_from([program]).rts2;
            args.background_only_as(Path::new(program));
            assert_eq!(args.device.interactive, interactive, "{program}");
        }
    }

    #[test]
    fn commands_are_taken_from_this_computer_unless_addresses_are_listed() {
        let at = |config: &Rts2Config, address: &str| {
            config.allow.iter().any(|network| network.contains(address.parse().unwrap()))
        };
        let default = Rts2Config::default();
        for (address, good) in [
            ("127.0.0.1", true),
            ("127.1.2.3", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
        ] {
            assert_eq!(at(&default, address), good, "{address}");
        }
        let listed: Rts2Config = toml::from_str("allow = ['10.0.0.0/24', '10.1.0.7']").unwrap();
        for (address, good) in
            [("10.0.0.9", true), ("10.1.0.7", true), ("10.1.0.8", false), ("127.0.0.1", false)]
        {
            assert_eq!(at(&listed, address), good, "{address}");
        }
        assert!(toml::from_str::<Rts2Config>("allow = ['everybody']").is_err());
        let none: Rts2Config = toml::from_str("allow = []").unwrap();
        let (hub, _) = HubConfig::parse::<Rts2Config>("hub.toml", "").unwrap();
        assert!(none.consequences(&hub).iter().any(|line| line.contains("from no client of RTS2")));
        assert!(listed.consequences(&hub).iter().any(|line| line.contains("at 10.0.0.0/24, 10.1.0.7")));
    }

    #[test]
    fn device_names_fit_rts2_and_fits() {
        for bad in ["", "NODES.A", "N A", &"N".repeat(33)] {
            assert!(toml::from_str::<Rts2Config>(&format!("device = '{bad}'")).is_err(), "{bad:?}");
        }
    }
}
