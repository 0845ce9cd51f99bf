//! The hub's own key, and TLS with it.

use std::path::Path;
use std::sync::Arc;

use lamon_keys::{Fingerprint, Key};
use tokio_rustls::rustls::ServerConfig;
use tracing::info;

/// The hub's key, if it can be used.
pub(crate) struct OwnKey {
    /// Its name, or why there is none.
    pub(crate) key: Result<Fingerprint, String>,
    /// What TLS needs.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl OwnKey {
    /// Reads the key, or makes it at the first start. A hub without one serves those who need none.
    pub(crate) fn load(path: &Path, hub: &str) -> Self {
        let loaded = Key::load_or_make(path, hub).map_err(|error| error.to_string()).and_then(|key| {
            let config = lamon_keys::server(&key).map_err(|error| error.to_string())?;
            Ok((key.fingerprint(), config))
        });
        match loaded {
            Ok((key, tls)) => {
                info!(%key, "agents know this hub by its key");
                Self { key: Ok(key), tls: Some(tls) }
            }
            Err(why) => Self { key: Err(why), tls: None },
        }
    }
}
