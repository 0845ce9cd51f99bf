//! The system's log, for messages that no centrald would get.
//!
//! The C library's `syslog` is what RTS2 uses (lib/rts2/daemon.cpp, `sendMessage`); it is a datagram to a socket, and
//! that is all that there is here. The line has no time: log daemons put their own where none is, and the local time
//! that RFC 3164 asks for cannot be had safely in a program of several threads.

use std::path::PathBuf;

use rts2_proto::MessageType;

/// `LOG_DAEMON`.
const FACILITY: u8 = 3 << 3;
/// `LOG_ERR`.
const ERR: u8 = 3;
/// `LOG_WARNING`.
const WARNING: u8 = 4;
/// `LOG_INFO`.
const INFO: u8 = 6;
/// `LOG_DEBUG`.
const DEBUG: u8 = 7;

/// The log daemon's socket.
#[derive(Debug)]
pub(crate) struct Syslog {
    #[cfg_attr(not(unix), expect(dead_code, reason = "other systems have no such socket"))]
    path: PathBuf,
    #[cfg(unix)]
    socket: std::os::unix::net::UnixDatagram,
    program: String,
}

impl Syslog {
    /// Makes ready to send to the socket of that path; the daemon behind it may come and go. `None` where there is no
    /// such kind of socket.
    #[cfg(unix)]
    pub(crate) fn new(path: PathBuf) -> Option<Self> {
        let socket = std::os::unix::net::UnixDatagram::unbound().ok()?;
        // Who sends a message must not wait for a log daemon that is stuck.
        socket.set_nonblocking(true).ok()?;
        Some(Self { path, socket, program: program() })
    }

    #[cfg(not(unix))]
    pub(crate) fn new(_: PathBuf) -> Option<Self> {
        None
    }

    /// Sends a message, without waiting. `false` when the log daemon is not there, or takes no more.
    pub(crate) fn send(&self, device: &str, kind: MessageType, text: &str) -> bool {
        let (priority, process) = (FACILITY | severity(kind), std::process::id());
        let line = format!("<{priority}>{}[{process}]: {device}: {text}", self.program);
        #[cfg(unix)]
        let sent = self.socket.send_to(line.as_bytes(), &self.path).is_ok();
        #[cfg(not(unix))]
        let sent = line.is_empty();
        sent
    }
}

/// As RTS2 maps them, but also for messages that carry a number, for which RTS2 leaves the severity to chance.
fn severity(kind: MessageType) -> u8 {
    if kind.intersects(MessageType::CRITICAL | MessageType::ERROR) {
        ERR
    } else if kind.contains(MessageType::WARNING) {
        WARNING
    } else if kind.contains(MessageType::DEBUG) {
        DEBUG
    } else {
        INFO
    }
}

/// The program's file name, as the C library tags lines.
fn program() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "rts2dev".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities() {
        for (kind, expected) in [
            (MessageType::CRITICAL_DOME_FAILURE, ERR),
            (MessageType::ERROR, ERR),
            (MessageType::WARNING, WARNING),
            (MessageType::INFO.with_id(5), INFO),
            (MessageType::DEBUG, DEBUG),
            (MessageType::empty(), INFO),
        ] {
            assert_eq!(severity(kind), expected, "{kind:?}");
        }
    }
}
