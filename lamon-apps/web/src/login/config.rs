//! `[login]` of the configuration, and the names that this page answers to.

use std::net::IpAddr;
use std::path::PathBuf;

use axum::http::uri::Authority;
use serde::Deserialize;

/// Where the users are when nothing else is said: a folder that the service's unit makes.
const DEFAULT_USERS: &str = "/var/lib/lamon-web/users";

/// The most names that this page answers to.
const MAX_HOSTS: usize = 32;

/// `[login]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LoginConfig {
    /// The password file, which `lamon-web user` changes.
    pub(crate) users: PathBuf,
    /// Nothing is shown to whoever is not logged in. Elsewhere than on loopback it never is.
    pub(crate) required: bool,
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self { users: DEFAULT_USERS.into(), required: false }
    }
}

/// The names that this page answers to: a page from elsewhere whose name was turned to this address must not read it through
/// somebody's browser.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts {
    named: Vec<String>,
    /// Addresses are taken as well: nobody can turn one.
    addresses: bool,
}

impl Hosts {
    /// Those of the configuration; with `addresses` every address too, else those of this computer alone.
    ///
    /// # Errors
    ///
    /// A sentence, when one is no name.
    pub(crate) fn new(named: &[String], addresses: bool) -> Result<Self, String> {
        if named.len() > MAX_HOSTS {
            return Err(format!("hosts has {} names: {MAX_HOSTS} is the most", named.len()));
        }
        let known = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        match named.iter().find(|name| name.is_empty() || name.len() > 253 || !name.chars().all(known)) {
            Some(name) => {
                Err(format!("hosts has {name:?}: a name as browsers ask for it, without http:// and port"))
            }
            None => Ok(Self { named: named.to_vec(), addresses }),
        }
    }

    /// Whether a host, with or without a port, is this page. The port may be that of a tunnel.
    pub(crate) fn answers_to(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let port = host
            .strip_prefix(name)
            .and_then(|rest| if rest.is_empty() { Some("0") } else { rest.strip_prefix(':') });
        !host.contains('@')
            && port.is_some_and(|port| port.parse::<u16>().is_ok())
            && (name.eq_ignore_ascii_case("localhost")
                || self.named.iter().any(|named| named.eq_ignore_ascii_case(name))
                || address.is_ok_and(|address| self.addresses || address.is_loopback()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_page_are_let_in() {
        let named = Hosts::new(&["lamon.example.org".into()], false).unwrap();
        for (host, here, elsewhere) in [
            ("localhost", true, true),
            ("LOCALHOST:8617", true, true),
            ("127.0.0.1:9000", true, true),
            ("[::1]:8617", true, true),
            ("192.0.2.1:8617", false, true),
            ("[2001:db8::1]", false, true),
            ("localhost.example.org", false, false),
            ("127.0.0.1.example.org", false, false),
            ("user@localhost", false, false),
            ("localhost:8617,evil.example", false, false),
            ("localhost:", false, false),
            ("", false, false),
            ("[::1", false, false),
        ] {
            assert_eq!(Hosts::default().answers_to(host), here, "{host}");
            assert_eq!(Hosts::new(&[], true).unwrap().answers_to(host), elsewhere, "{host}");
            assert_eq!(named.answers_to(host), here, "{host}");
        }
        assert!(
            named.answers_to("Lamon.example.org:443") && !named.answers_to("lamon.example.org.evil.example")
        );
        for wrong in ["", "https://a.example", "a.example:443", "*.example.org", "a b"] {
            assert!(Hosts::new(&[wrong.into()], false).unwrap_err().contains("without http"), "{wrong}");
        }
    }
}
