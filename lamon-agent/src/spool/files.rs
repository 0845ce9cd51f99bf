//! The spool's folder: its lock, and the segments as files. Everything here may block.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lamon_wire::names::NodeName;
use thiserror::Error;

/// How long to wait for the lock: an agent that is just ending still has it.
const LOCK_WAIT: Duration = Duration::from_secs(3);

/// Between two looks at the lock.
const LOCK_LOOK: Duration = Duration::from_millis(20);

/// The ending of segments.
const SUFFIX: &str = ".spool";

/// Why a spool cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another agent uses it: two would send the same samples twice.
    #[error(
        "the spool {} is in use by another lamon-agent: end that one, or give each a folder of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The folder, or a file in it, cannot be used.
    #[error("the spool {} cannot be used: {error}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// The folder of one agent's spool, locked for it as long as this lives.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    node: NodeName,
    /// The newest segment, while it is written to.
    open: Option<(u64, File)>,
    _lock: File,
}

/// What is to be done, in this order.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Segments that are no longer needed.
    pub(super) remove: Vec<u64>,
    /// What comes into which segment.
    pub(super) append: Option<Append>,
}

/// Bytes for the end of a segment.
#[derive(Debug)]
pub(super) struct Append {
    /// The segment.
    pub(super) id: u64,
    /// How long it is; 0 for a new one.
    pub(super) at: u64,
    /// What comes there.
    pub(super) bytes: Vec<u8>,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct Done {
    /// The segments that are gone.
    pub(super) removed: Vec<u64>,
    /// Whether the bytes are on disk, so that a loss of power does not take them.
    pub(super) appended: io::Result<()>,
}

impl Files {
    /// Makes the folder, for its owner alone, and locks it. Says which segments of this node are there, oldest first:
    /// their numbers and lengths.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub(super) fn open(folder: &Path, node: &NodeName) -> Result<(Self, Vec<(u64, u64)>), OpenError> {
        let failed = |error| OpenError::Io { folder: folder.into(), error };
        make_folder(folder).map_err(failed)?;
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(folder.join("agent.lock"))
            .map_err(failed)?;
        let begin = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begin.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_LOOK),
                Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(folder.into())),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        let files = Self { folder: folder.into(), node: node.clone(), open: None, _lock: lock };
        let segments = files.list().map_err(failed)?;
        Ok((files, segments))
    }

    fn list(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)?.rsplit_once('-'));
            // Those of another node are left for its agent: whose they are is said by their name.
            let number = number.filter(|(node, _)| *node == self.node.as_str());
            if let Some(id) = number.and_then(|(_, number)| u64::from_str_radix(number, 16).ok()) {
                segments.push((id, entry.metadata()?.len()));
            }
        }
        segments.sort_unstable();
        Ok(segments)
    }

    /// The segment's bytes, at most so many.
    pub(super) fn read(&self, id: u64, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(id))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Does a job.
    pub(super) fn run(&mut self, job: Job) -> Done {
        let mut removed = Vec::new();
        for id in job.remove {
            if self.open.as_ref().is_some_and(|(open, _)| *open == id) {
                self.open = None;
            }
            match fs::remove_file(self.path(id)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::debug!(%error, "a segment of the spool cannot be removed");
                }
                _ => removed.push(id),
            }
        }
        let appended = job.append.map_or(Ok(()), |append| self.append(&append));
        Done { removed, appended }
    }

    fn append(&mut self, append: &Append) -> io::Result<()> {
        let result = self.try_append(append);
        if result.is_err() {
            // What did not get there whole only takes room, perhaps the last there was.
            if let Some((_, file)) = self.open.take().filter(|_| append.at > 0) {
                let _ = file.set_len(append.at);
            } else if append.at == 0 {
                let _ = fs::remove_file(self.path(append.id));
            }
        }
        result
    }

    fn try_append(&mut self, append: &Append) -> io::Result<()> {
        if append.at == 0 {
            let file =
                private(OpenOptions::new().create_new(true).append(true)).open(self.path(append.id))?;
            self.open = Some((append.id, file));
        }
        let Some((_, file)) = self.open.as_mut().filter(|(open, _)| *open == append.id) else {
            return Err(io::Error::other("the segment is not open"));
        };
        file.write_all(&append.bytes)?;
        file.sync_data()?;
        if append.at == 0 {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{}-{id:016x}{SUFFIX}", self.node))
    }
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

/// Files that only their owner reads: what a computer does is nobody else's business.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;

    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A new file's name is on disk only when its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
