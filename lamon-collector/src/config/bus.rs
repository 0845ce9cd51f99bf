//! Section `[bus]`: where the hub publishes.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use lamon_curve::PublicKey;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Section `[bus]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Whether there is a bus at all.
    pub enabled: bool,
    /// The ZeroMQ endpoint that publishes.
    pub publish: Endpoint,
    /// The ZeroMQ endpoint that answers with the whole picture.
    pub snapshot: Endpoint,
    /// How many messages wait for a subscriber that is slow; what comes then is dropped for it, and it sees the gap.
    pub high_water_mark: NonZeroU16,
    /// Who may follow it, by the names that are given them here, with their keys; everybody who reaches it when none is listed.
    #[serde(deserialize_with = "clients")]
    pub clients: BTreeMap<String, PublicKey>,
}

/// The most clients: each comes with a line of configuration that somebody wrote.
const MAX_CLIENTS: usize = 1_000;

fn clients<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, PublicKey>, D::Error> {
    let clients = BTreeMap::<String, PublicKey>::deserialize(deserializer)?;
    if clients.len() > MAX_CLIENTS {
        return Err(D::Error::custom(format!(
            "{} clients, at most {MAX_CLIENTS} are allowed",
            clients.len()
        )));
    }
    Ok(clients)
}

impl Default for BusConfig {
    /// Loopback alone. The mark: at 100 nodes and 10 s it is a quarter of an hour, and about 10 MB for a subscriber
    /// that stopped reading.
    fn default() -> Self {
        Self {
            enabled: true,
            publish: Endpoint("tcp://127.0.0.1:7618".into()),
            snapshot: Endpoint("tcp://127.0.0.1:7619".into()),
            high_water_mark: const { NonZeroU16::new(10_000).unwrap() },
            clients: BTreeMap::new(),
        }
    }
}

/// A ZeroMQ endpoint that can be bound: `tcp://ADDRESS:PORT` or `ipc://PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint(String);

impl Endpoint {
    /// The endpoint as ZeroMQ takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let port = |port: &str| port == "*" || port.parse::<u16>().is_ok();
        let good = match text.split_once("://") {
            Some(("tcp", address)) => {
                address.rsplit_once(':').is_some_and(|(host, at)| !host.is_empty() && port(at))
            }
            Some(("ipc", path)) => !path.is_empty(),
            _ => false,
        };
        let wrong = || {
            format!("\"{text}\" is no endpoint (tcp://127.0.0.1:7618, tcp://*:7618, ipc:///run/lamon/bus)")
        };
        if good { Ok(Self(text)) } else { Err(wrong()) }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
