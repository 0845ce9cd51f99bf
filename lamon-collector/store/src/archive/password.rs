//! Where the password of a server comes from. It is read at each connect, and shown by nothing.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Longest password that a file may hold; anything longer is another file by mistake.
const MAX_PASSWORD_BYTES: u64 = 4_096;

/// Where a password comes from. No `Debug`, so that nothing prints it by mistake.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Password {
    None,
    InUrl(String),
    File(PathBuf),
    Env(String),
}

impl Password {
    /// The password as it is now, or none.
    ///
    /// # Errors
    ///
    /// A sentence, when the file or the variable cannot be used.
    pub(super) fn read(&self) -> Result<Option<String>, String> {
        match self {
            Self::None => Ok(None),
            Self::InUrl(password) => Ok(Some(password.clone())),
            Self::File(path) => from_file(path).map(Some),
            Self::Env(variable) => std::env::var(variable).map(Some).map_err(|_| {
                format!("the environment variable {variable} with the database's password is not set")
            }),
        }
    }
}

/// Reads a password file.
fn from_file(path: &Path) -> Result<String, String> {
    let failed = |what: String| format!("the password file {} {what}", path.display());
    let file = File::open(path).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let metadata = file.metadata().map_err(|error| failed(format!("cannot be read: {error}")))?;
    // Asked of the open file, so that it cannot be exchanged in between.
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(failed("may be read by others than its owner: chmod 600 it".to_owned()));
    }
    let mut text = String::new();
    file.take(MAX_PASSWORD_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| failed(format!("cannot be read: {error}")))?;
    if text.len() as u64 > MAX_PASSWORD_BYTES {
        return Err(failed(format!("is longer than {MAX_PASSWORD_BYTES} bytes")));
    }
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
