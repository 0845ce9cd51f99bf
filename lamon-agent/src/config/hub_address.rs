//! Where a hub is, as people write it.

use std::fmt;

use lamon_wire::PORT;
use serde::Deserialize;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
