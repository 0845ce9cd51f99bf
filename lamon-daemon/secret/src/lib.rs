//! Files that hold secrets: keys, passwords, tokens.
//!
//! They are read when nobody but their owner may read them ([`read()`], [`first_line`]), and written so that nobody ever could, whole or not
//! at all ([`place`], [`replace`]). On systems without Unix's modes the folder's access list keeps others out, which installing
//! sets.
//!
//! It needs nothing but the standard library, because what follows the bus stands on it, too.

mod write;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::write::{place, replace};

/// The longest file that [`first_line`] reads, in bytes: anything longer is another file by mistake.
pub const MAX_LINE_FILE_BYTES: u64 = 4_096;

/// Who may read a file besides its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Nobody, and nobody may write it.
    Owner,
    /// Its group may read it: systemd shows its credentials so.
    OwnerAndGroup,
}

/// Why a file gives no secret. Each sentence begins with the file.
#[derive(Debug, Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("{path} cannot be read: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is a folder.
    #[error("{0} is a folder")]
    NoFile(PathBuf),
    /// Others may read or write it.
    #[error(
        "{0} may be used by others than its owner: chmod 600 {0}, and put a new secret into it if somebody did"
    )]
    Mode(PathBuf),
    /// It is another file by mistake.
    #[error("{path} is longer than {most_bytes} bytes")]
    Long {
        /// Which file.
        path: PathBuf,
        /// How long it may be.
        most_bytes: u64,
    },
    /// Its first line is empty.
    #[error("{0} has an empty first line: write the secret there")]
    Empty(PathBuf),
    /// It is no text.
    #[error("{0} is no text in UTF-8")]
    NoText(PathBuf),
}

impl SecretError {
    /// Whether there is no file.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a file of at most so many bytes.
///
/// # Errors
///
/// [`SecretError`].
pub fn read(path: &Path, most_bytes: u64, readers: Readers) -> Result<Vec<u8>, SecretError> {
    let unreadable = |error| SecretError::Io { path: path.into(), error };
    // Opening a pipe waits for who writes it, and a secret may well come through one (`<(pass show lamon)`).
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(SecretError::NoFile(path.into()));
    }
    if open_to_others(&metadata, readers) {
        return Err(SecretError::Mode(path.into()));
    }
    let mut bytes = Vec::new();
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most_bytes {
        return Err(SecretError::Long { path: path.into(), most_bytes });
    }
    Ok(bytes)
}

/// Reads a file that is text.
///
/// # Errors
///
/// [`SecretError`].
pub fn text(path: &Path, most_bytes: u64, readers: Readers) -> Result<String, SecretError> {
    String::from_utf8(read(path, most_bytes, readers)?).map_err(|_| SecretError::NoText(path.into()))
}

/// Reads the first line of a file that its owner alone may read, without the white space around it.
///
/// # Errors
///
/// [`SecretError`], also when the line is empty.
pub fn first_line(path: &Path) -> Result<String, SecretError> {
    let text = text(path, MAX_LINE_FILE_BYTES, Readers::Owner)?;
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(SecretError::Empty(path.into())),
    }
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata, readers: Readers) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    let forbidden = match readers {
        Readers::Owner => 0o077,
        Readers::OwnerAndGroup => 0o037,
    };
    metadata.permissions().mode() & forbidden != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata, _: Readers) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_one_that_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let missing = first_line(&path).unwrap_err();
        assert!(missing.is_missing() && missing.to_string().contains("secret cannot be read: No such file"));
        fs::write(&path, " abc \nsecond\n").unwrap();
        for (mode, owner, group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o660, false, false),
            (0o604, false, false),
            (0o602, false, false),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            match first_line(&path) {
                Ok(line) => assert!(owner && line == "abc", "{mode:o}"),
                Err(error) => {
                    assert!(
                        !owner && error.to_string().contains("its owner: chmod 600 "),
                        "{mode:o} {error}"
                    );
                }
            }
            assert_eq!(read(&path, 100, Readers::OwnerAndGroup).is_ok(), group, "{mode:o}");
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_told_as_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let told = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            first_line(&path).unwrap_err().to_string()
        };
        assert!(told(b"\n").ends_with("has an empty first line: write the secret there"));
        assert!(told(&[b'x'; 5_000]).ends_with("is longer than 4096 bytes"));
        assert!(told(&[0xff; 10]).ends_with("is no text in UTF-8"));
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(first_line(folder.path()).unwrap_err().to_string().ends_with("is a folder"));
        fs::write(&path, [b'x'; 100]).unwrap();
        assert_eq!(read(&path, 100, Readers::Owner).unwrap().len(), 100);
        assert!(read(&path, 99, Readers::Owner).is_err());
    }
}
