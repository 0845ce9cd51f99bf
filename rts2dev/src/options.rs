//! What a device is and where its centralds are.

use std::path::PathBuf;
use std::time::Duration;

use rts2_proto::{CENTRALD_PORT, DeviceType};

/// Options of a device, as RTS2's command line has them (lib/rts2/device.cpp). [`DeviceOptions::new`] gives the
/// defaults.
#[derive(Clone, Debug)]
pub struct DeviceOptions {
    /// Name of the device (`-d`): letters, digits, `_` and `-`, 49 bytes at most.
    pub name: String,
    /// Kind of device. Default: a sensor.
    pub device_type: DeviceType,
    /// The centralds to register with (`--server`), as `host` or `host:port`. Default: `localhost`. None at all is
    /// allowed; then nobody but the caller tells clients where the device is.
    pub centralds: Vec<String>,
    /// The host that clients are told to connect to (`--localhost`). Default: the name of this machine.
    pub host: Option<String>,
    /// Clients need no authorization (`--noauth`). Default: they do.
    pub noauth: bool,
    /// Whether the command `exit` ends the device, as it does in RTS2. Default: it is refused.
    pub allow_exit: bool,
    /// How often the values are refreshed without anybody asking, as at `info`: by
    /// [`on_info`](crate::DeviceHandle::on_info), or where there is no such hook by setting `infotime` to the present.
    /// Between a millisecond and a year; `None` is never. Default: 60 s, as sensors do.
    pub info_interval: Option<Duration>,
    /// The log daemon's socket, for messages while no centrald has the device registered, as RTS2 does it; such messages
    /// are not sent to a centrald later. Default: `/dev/log`. Without one, or where none listens, messages wait for a
    /// centrald. Unix only.
    pub syslog: Option<PathBuf>,
    /// Connections served at the same time. Default: 64, many times what an observatory has of clients; each costs
    /// up to some 100 KB. When all are taken, a new one replaces the oldest that never authorized itself.
    pub max_clients: usize,
    /// Where values declared with `.autosave()` are kept over restarts (`--autosave`): read when they are declared,
    /// written at every change, a second later at most, and on the command `autosave`. A file that is not there is made;
    /// its folder has to be writable, and each device needs a file of its own. What was saved stands over [`initial`](Self::initial) and
    /// [`defaults`](Self::defaults). Default: none.
    pub autosave: Option<PathBuf>,
    /// A file with what values begin with (`--defaults`): lines `name = value`, `name.min` and `name.max` for values with
    /// limits, `;` before comments. It stands over [`initial`](Self::initial). Default: none.
    pub defaults: Option<PathBuf>,
    /// Names of values, and what they begin with (`NAME=VALUE` on the command line), whether clients may set them or
    /// not. Default: none.
    ///
    /// A name here or in the defaults file that no value has when the device begins to run is an error, and so is a
    /// text that cannot be its value's. The set handler of a value that was given something is asked before the device
    /// serves; that of one declared while the device runs is not.
    pub initial: Vec<(String, String)>,
}

impl DeviceOptions {
    /// Defaults for a sensor of that name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            device_type: DeviceType::Sensor,
            centralds: vec!["localhost".to_owned()],
            host: None,
            noauth: false,
            allow_exit: false,
            info_interval: Some(Duration::from_secs(60)),
            syslog: Some(PathBuf::from("/dev/log")),
            max_clients: 64,
            autosave: None,
            defaults: None,
            initial: Vec::new(),
        }
    }
}

/// The address with RTS2's port where none is given.
pub(crate) fn with_port(address: &str) -> String {
    let has_port = match address.rsplit_once(':') {
        // A bare IPv6 address has colons, too; one with a port stands in brackets.
        Some((host, port)) => port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']')),
        None => false,
    };
    if has_port {
        address.to_owned()
    } else if address.contains(':') && !address.starts_with('[') {
        format!("[{address}]:{CENTRALD_PORT}")
    } else {
        format!("{address}:{CENTRALD_PORT}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_their_port() {
        for (given, full) in [
            ("localhost", "localhost:617"),
            ("localhost:6170", "localhost:6170"),
            ("10.0.0.1:1", "10.0.0.1:1"),
            ("::1", "[::1]:617"),
            ("[::1]", "[::1]:617"),
            ("[::1]:6170", "[::1]:6170"),
        ] {
            assert_eq!(with_port(given), full);
        }
    }
}
