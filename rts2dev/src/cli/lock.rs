//! The lock file: it holds the daemon's process id, and its lock is held as long as the daemon lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, getpid};
use rustix::stdio::dup2_stdin;

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("it runs already: {} is locked", path.display())]
    RunsAlready {
        /// The lock file.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the lock file {} (--lock-prefix names its place): {source}", path.display())]
    Open {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file can be opened, but not locked or written.
    #[error("lock file {}: {source}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A lock file that this process holds, with its process id in it (RTS2 lib/rts2/daemon.cpp, `checkLockFile` and
/// `lockFile`). Dropped, it is emptied and unlocked; RTS2 leaves the number there.
#[derive(Debug)]
pub struct LockFile(File);

impl LockFile {
    /// Takes the lock.
    ///
    /// # Errors
    /// When another process has it, or the file cannot be made.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let lock = open_and_lock(path)?;
        write_pid(&lock, getpid()).map_err(|source| LockError::Lock { path: path.to_owned(), source })?;
        Ok(Self(lock))
    }

    /// Takes the lock over that the parent handed on as the standard input. There every program that this one starts
    /// would inherit it, and keep it when this one has ended.
    pub(super) fn inherited() -> io::Result<Self> {
        let lock = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let null = File::open("/dev/null")?;
        dup2_stdin(&null)?;
        Ok(Self(lock))
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // A stop script must not kill whoever gets this process id next; the lock itself goes with the file.
        let _ = self.0.set_len(0);
    }
}

pub(super) fn open_and_lock(path: &Path) -> Result<File, LockError> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o644).open(path);
    let lock = open.map_err(|source| LockError::Open { path: path.to_owned(), source })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LockError::RunsAlready { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(LockError::Lock { path: path.to_owned(), source }),
    }
}

/// Writes a process id. RTS2 leaves the digits of a longer process id behind the new one, and its stop script kills that process too.
pub(super) fn write_pid(mut lock: &File, pid: Pid) -> io::Result<()> {
    lock.set_len(0)?;
    writeln!(lock, "{}", pid.as_raw_pid())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_process_has_it_and_its_number_alone_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rts2_A");
        fs::write(&path, "1234567890\n").unwrap();
        let lock = LockFile::take(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert!(matches!(LockFile::take(&path), Err(LockError::RunsAlready { .. })));
        drop(lock);
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "nobody is to be killed by an old number");
        LockFile::take(&path).unwrap();
        let nowhere = LockFile::take(&folder.path().join("no").join("rts2_A")).unwrap_err();
        assert!(nowhere.to_string().contains("--lock-prefix names its place"), "{nowhere}");
    }
}
