//! Section `[intake]`: where the hub listens for agents and text, and whom it believes.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Section `[intake]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntakeConfig {
    /// Addresses to listen on, `host:port`.
    #[serde(deserialize_with = "addresses")]
    pub listen: Vec<String>,
    /// From where plain connections, text and binary, are taken: addresses (`10.1.2.3`) or networks (`10.1.0.0/16`).
    pub plain_from: Vec<Network>,
}

impl Default for IntakeConfig {
    /// Loopback alone: nothing listens wider than somebody asked for.
    fn default() -> Self {
        let listen = format!("127.0.0.1:{}", lamon_wire::PORT);
        Self { listen: vec![listen], plain_from: Network::loopback() }
    }
}

impl IntakeConfig {
    /// Whether a plain connection from this address is taken.
    #[must_use]
    pub fn takes_plain_from(&self, address: IpAddr) -> bool {
        self.plain_from.iter().any(|network| network.contains(address))
    }
}

fn addresses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let addresses = Vec::<String>::deserialize(deserializer)?;
    let good = |address: &str| {
        address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    match addresses.iter().find(|address| !good(address)) {
        Some(wrong) => Err(D::Error::custom(format!(
            "\"{wrong}\" is no address to listen on (127.0.0.1:7617, 0.0.0.0:7617, [::]:7617)"
        ))),
        None if addresses.is_empty() => {
            Err(D::Error::custom("a hub that listens nowhere hears nobody: name an address"))
        }
        None => Ok(addresses),
    }
}

/// An address or a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// This computer's addresses of itself.
    #[must_use]
    pub fn loopback() -> Vec<Self> {
        let loopback = [(IpAddr::from([127, 0, 0, 0]), 8), (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128)];
        loopback.into_iter().map(|(address, prefix)| Self(IpNet::new_assert(address, prefix))).collect()
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        // A socket for both families shows IPv4 peers as ::ffff:a.b.c.d.
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| format!("\"{text}\" is no address or network (10.1.2.3, 10.1.0.0/16, fe80::/10)"))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_connections_come_from_listed_networks_only() {
        let default = IntakeConfig::default();
        let listed: IntakeConfig = toml::from_str("plain_from = ['10.1.0.0/16', '192.168.1.7']").unwrap();
        for (address, by_default, by_list) in [
            ("127.0.0.1", true, false),
            ("127.9.9.9", true, false),
            ("::1", true, false),
            ("::ffff:127.0.0.1", true, false),
            ("10.1.200.3", false, true),
            ("::ffff:10.1.200.3", false, true),
            ("10.2.0.1", false, false),
            ("192.168.1.7", false, true),
            ("192.168.1.8", false, false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(default.takes_plain_from(address), by_default, "{address}");
            assert_eq!(listed.takes_plain_from(address), by_list, "{address}");
        }
    }
}
