//! The event log of Windows: its part "Application", under the program's name.

use std::io::{self, Write};

use tracing::Level;
use winsafe::guard::DeregisterEventSourceGuard;
use winsafe::{HEVENTLOG, HKEY, RegistryValue, co};

use super::queue::Sink;

/// Where the registry keeps who writes to the log.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";

/// A program of Windows that has the texts of the events 1 to 1000, each of them what the event itself says. Without one the
/// viewer shows a sentence about a description that is not to be found before each line.
const TEXTS: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// The number of all our events: what they say is in their text.
const EVENT: u32 = 1;

/// Errors, warnings and information: what a source may write.
const TYPES: u32 = 7;

/// Makes a program known as one that writes to the log. Needs an administrator.
///
/// # Errors
///
/// When the registry cannot be written.
pub fn register(program: &str) -> io::Result<()> {
    let key = format!(r"{SOURCES}\{program}");
    let write = || {
        let access = co::KEY::SET_VALUE;
        let (key, _) =
            HKEY::LOCAL_MACHINE.RegCreateKeyEx(&key, None, co::REG_OPTION::NON_VOLATILE, access, None)?;
        key.RegSetValueEx(Some("EventMessageFile"), RegistryValue::ExpandSz(TEXTS.into()))?;
        key.RegSetValueEx(Some("TypesSupported"), RegistryValue::Dword(TYPES))
    };
    write().map_err(io::Error::other)
}

/// Undoes [`register`].
///
/// # Errors
///
/// When the registry cannot be written.
pub fn unregister(program: &str) -> io::Result<()> {
    match HKEY::LOCAL_MACHINE.RegDeleteKey(&format!(r"{SOURCES}\{program}")) {
        Ok(()) | Err(co::ERROR::FILE_NOT_FOUND) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The way into the log.
pub(super) struct EventLog(DeregisterEventSourceGuard);

impl EventLog {
    /// Opens it; `None` where it cannot be had.
    pub(super) fn open(program: &str) -> Option<Self> {
        HEVENTLOG::RegisterEventSource(None, program).ok().map(Self)
    }
}

impl Sink for EventLog {
    fn write_line(&mut self, level: Level, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        let kind = match level {
            Level::ERROR => co::EVENTLOG::ERROR_TYPE,
            Level::WARN => co::EVENTLOG::WARNING_TYPE,
            _ => co::EVENTLOG::INFORMATION_TYPE,
        };
        if self.0.ReportEvent(kind, 0, EVENT, None, &[text], &[]).is_err() {
            // The log is full or went away; the line is worth more than its place.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
}
