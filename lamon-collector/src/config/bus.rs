//! Section `[bus]`: where the hub publishes.

use serde::Deserialize;

/// Section `[bus]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Whether there is a bus at all.
    pub enabled: bool,
    /// The ZeroMQ endpoint that publishes.
    pub publish: String,
    /// The ZeroMQ endpoint that answers with the whole picture.
    pub snapshot: String,
    /// How many messages wait for a subscriber that is slow; what comes then is dropped for it, and it sees the gap.
    pub high_water_mark: u16,
}

impl Default for BusConfig {
    /// Loopback alone. The mark: at 100 nodes and 10 s it is a quarter of an hour, and about 10 MB for a subscriber
    /// that stopped reading.
    fn default() -> Self {
        Self {
            enabled: true,
            publish: "tcp://127.0.0.1:7618".into(),
            snapshot: "tcp://127.0.0.1:7619".into(),
            high_water_mark: 10_000,
        }
    }
}
