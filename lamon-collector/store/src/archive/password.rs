//! Where the password of a server comes from. It is read at each connect, and shown by nothing.

use std::path::{Path, PathBuf};

use lamon_secret::{MAX_LINE_FILE_BYTES, Readers};

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

/// Reads a password file: its first line as it is.
fn from_file(path: &Path) -> Result<String, String> {
    let text = lamon_secret::text(path, MAX_LINE_FILE_BYTES, Readers::Owner);
    let text = text.map_err(|error| format!("the password file {error}"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
