//! Section `[control]`: the socket by which the hub is operated.

use std::path::PathBuf;

use serde::Deserialize;

/// Section `[control]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ControlConfig {
    /// Whether there is a control socket at all.
    pub enabled: bool,
    /// The socket's path.
    pub socket: PathBuf,
    /// Whose members may connect, beside the hub's own user; the hub's own group when not given.
    pub group: Option<String>,
}

impl Default for ControlConfig {
    fn default() -> Self {
        Self { enabled: true, socket: lamon_control::DEFAULT_SOCKET.into(), group: None }
    }
}
