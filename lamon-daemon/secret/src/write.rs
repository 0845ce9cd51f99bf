//! Putting a secret into its file: whole or not at all, for its owner alone, and never through a link that somebody prepared.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Puts bytes into a new file, unless one is there: who was first holds, because his secret may have been told already. It is for
/// its owner alone, who is whom the folder belongs to; the folder is made where it is missing.
///
/// # Errors
///
/// When it cannot be written. Nothing is left behind then, but where the disk failed last of all, in keeping the folder: there the file is
/// whole, and may be gone after a power cut.
pub fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, |new, path| match fs::hard_link(new, path) {
        // A file system without links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(new, path),
        _ => fs::remove_file(new),
    })
}

/// Puts bytes into a file in the place of what was there. It is for its owner alone, who is that of the old file, or else whom
/// the folder belongs to.
///
/// # Errors
///
/// When it cannot be written, or root cannot give it to its owner. The old file stays then, but where the disk failed last of all, in keeping
/// the folder.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, |new, path| fs::rename(new, path))
}

fn write(path: &Path, bytes: &[u8], name_it: impl FnOnce(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = scratch(path);
    let mut options = OpenOptions::new();
    // Nothing that is there is opened, so no link is followed: root writes into folders that are not root's.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        own(&file, path, folder)?;
        file.sync_all()?;
        name_it(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    // So that it is there after a power cut.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A name beside the file that nobody can have taken before. The standard library keys its hashes by the system's random numbers.
fn scratch(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}.new", RandomState::new().hash_one(path)));
    name.into()
}

/// Gives the file to the owner of the one before, or of the folder: root enrolls and makes users, and the daemon has a user of its own.
/// Who may not leaves it, as it is his own then.
#[cfg(unix)]
fn own(file: &File, path: &Path, folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    // Not what a link leads to.
    let before = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    let Some(owner) = before.or_else(|| fs::metadata(folder).ok()) else { return Ok(()) };
    match fchown(file, Some(owner.uid()), Some(owner.gid())) {
        Err(error) if file.metadata()?.uid() == 0 => Err(error),
        _ => Ok(()),
    }
}

/// Elsewhere files belong to whom their folder does.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it may fail on Unix")]
fn own(_: &File, _: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> Option<u32> {
        fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn who_is_first_holds_and_nothing_is_left_beside_it() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("deep/secret");
            let begin = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for number in 0..8_u8 {
                    let (begin, path) = (&begin, &path);
                    scope.spawn(move || {
                        begin.wait();
                        place(path, &[number; 1_000]).unwrap();
                        // Also for who was not first, the file is there and whole.
                        let found = fs::read(path).unwrap();
                        assert!(found.len() == 1_000 && found.iter().all(|byte| *byte == found[0]));
                    });
                }
            });
            assert_eq!(mode(&path), Some(0o600));
            assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_file_is_replaced_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("secret"), folder.path().join("other"));
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"two"[..], Some(0o600)));
        fs::write(&other, "untouched").unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&other, &path).unwrap();
        place(&path, b"three").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"untouched");
        replace(&path, b"three").unwrap();
        assert_eq!(
            (fs::read(&other).unwrap(), fs::read(&path).unwrap()),
            (b"untouched".into(), b"three".into())
        );
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, b"one").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(place(&folder.path().join("secret/a\0b"), b"one").is_err());
    }
}
