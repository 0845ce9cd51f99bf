//! Secrets come from files that nobody else may read. They are read at each delivery, and shown by nothing.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The longest secret that a file may hold; anything longer is another file by mistake.
const MAX_SECRET_BYTES: usize = 4_096;

/// The first line of a file.
///
/// # Errors
///
/// A sentence with the remedy, when the file cannot be used or others may read it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let failed = |what: String| format!("the file {} {what}", path.display());
    let unreadable = |error: std::io::Error| failed(format!("cannot be read: {error}"));
    let file = File::open(path).map_err(unreadable)?;
    // Asked of the open file, so that it cannot be exchanged in between.
    if file.metadata().map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        return Err(failed("may be read by others than its owner: chmod 600 it".to_owned()));
    }
    let mut text = String::new();
    file.take(MAX_SECRET_BYTES as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() > MAX_SECRET_BYTES {
        return Err(failed(format!("is longer than {MAX_SECRET_BYTES} bytes")));
    }
    match text.lines().next().map(str::trim).filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(failed("has an empty first line: write the secret there".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn a_secret_is_one_that_nobody_else_may_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert!(read(&path).unwrap_err().contains("cannot be read: No such file"));
        fs::write(&path, "abc \nsecond\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            match read(&path) {
                Ok(secret) => assert!(good && secret == "abc"),
                Err(error) => assert!(!good && error.ends_with("chmod 600 it"), "{error}"),
            }
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().contains("empty first line"));
        fs::write(&path, "x".repeat(5_000)).unwrap();
        assert!(read(&path).unwrap_err().contains("longer than 4096"));
    }
}
