//! The folder of the agent's own, `C:\ProgramData\lamon`: who may read what lies there.
//!
//! Windows lets everybody read, and put files into, what an administrator makes in `C:\ProgramData`. The agent's key is
//! there, so the folder is for administrators, the system and the account of the service alone.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The administrators, the system and LocalService, by the numbers that are the same in every language.
const ADMINISTRATORS: &str = "*S-1-5-32-544";
const GRANTS: [&str; 3] = ["*S-1-5-32-544:(OI)(CI)F", "*S-1-5-18:(OI)(CI)F", "*S-1-5-19:(OI)(CI)M"];

/// Makes the folder where it is missing, and takes it from everybody else. What somebody made there before is taken over.
///
/// # Errors
///
/// When this user may not: it needs an administrator.
pub(crate) fn protect(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    icacls(folder, &["/setowner", ADMINISTRATORS, "/T", "/C"])?;
    icacls(folder, &["/reset", "/T", "/C"])?;
    let [administrators, system, service] = GRANTS;
    icacls(folder, &["/inheritance:r", "/grant:r", administrators, system, service])
}

/// The same for a folder that is to be made, so that a key is never in one that others read.
///
/// # Errors
///
/// As [`protect`].
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    if folder.exists() { Ok(()) } else { protect(folder) }
}

/// icacls(1), which is part of Windows.
fn icacls(folder: &Path, arguments: &[&str]) -> io::Result<()> {
    let windows = std::env::var_os("SystemRoot").map_or_else(|| PathBuf::from(r"C:\Windows"), PathBuf::from);
    let mut command = Command::new(windows.join(r"System32\icacls.exe"));
    command.arg(folder).args(arguments).arg("/Q").stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("icacls does not take it: {}", said.trim())))
}
