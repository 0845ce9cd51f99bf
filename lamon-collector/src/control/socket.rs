//! The socket's file: for its owner and one group, and no way around that.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group};
use thiserror::Error;

use crate::config::ControlConfig;

/// Owner and group may connect, nobody else.
const MODE: u32 = 0o660;

/// The longest path of a Unix socket on the systems that have the shortest, less what its making adds.
const MAX_PATH_BYTES: usize = 90;

/// Why there is no control socket.
#[derive(Debug, Error)]
pub enum SocketError {
    /// The path is too long for a socket.
    #[error("[control] socket = {0:?} is longer than {MAX_PATH_BYTES} bytes, which no socket may be")]
    TooLong(PathBuf),
    /// Another hub answers there.
    #[error("another hub answers at {0}: give each its own [control] socket")]
    InUse(PathBuf),
    /// Something that is no socket is there, or a link to somewhere.
    #[error(
        "{0} is there and is no socket; the hub does not touch it: move it away, or name another [control] socket"
    )]
    NoSocket(PathBuf),
    /// The group does not exist.
    #[error("[control] group = {0:?} is no group of this system")]
    NoGroup(String),
    /// The system refuses.
    #[error("cannot make the control socket {path}: {source}")]
    System {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A socket that listens. Its file goes with it.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// The file's number: another hub may have put its own there.
    inode: u64,
}

impl ControlSocket {
    /// Makes the file and listens. A socket that nobody answers at, of a hub that was killed, is replaced; a link is
    /// never followed.
    ///
    /// # Errors
    ///
    /// [`SocketError`].
    pub fn bind(config: &ControlConfig) -> Result<Self, SocketError> {
        let path = &config.socket;
        let failed = |source| SocketError::System { path: path.clone(), source };
        if path.as_os_str().len() > MAX_PATH_BYTES {
            return Err(SocketError::TooLong(path.clone()));
        }
        let group = config.group.as_deref().map(group_id).transpose()?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => return Err(SocketError::NoSocket(path.clone())),
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(SocketError::InUse(path.clone())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        // Made where nobody else can come, and put in its place when its mode is right: there is no instant at which
        // others could connect, and a rename replaces what is there without following it.
        let private = folder.join(format!(".lamon-{}", std::process::id()));
        let _ = fs::remove_dir_all(&private);
        let made = make(&private, path, group);
        let _ = fs::remove_dir_all(&private);
        let (listener, inode) = made.map_err(failed)?;
        Ok(Self { listener, path: path.clone(), inode })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The listener, for the runtime that this is called on.
    pub(super) fn listener(&self) -> io::Result<tokio::net::UnixListener> {
        let listener = self.listener.try_clone()?;
        listener.set_nonblocking(true)?;
        tokio::net::UnixListener::from_std(listener)
    }
}

fn make(private: &Path, path: &Path, group: Option<Gid>) -> io::Result<(UnixListener, u64)> {
    fs::create_dir(private)?;
    fs::set_permissions(private, fs::Permissions::from_mode(0o700))?;
    let made = private.join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, fs::Permissions::from_mode(MODE))?;
    if let Some(group) = group {
        std::os::unix::fs::chown(&made, None, Some(group.as_raw()))?;
    }
    let inode = fs::symlink_metadata(&made)?.ino();
    fs::rename(&made, path)?;
    Ok((listener, inode))
}

fn group_id(name: &str) -> Result<Gid, SocketError> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid),
        _ => Err(SocketError::NoGroup(name.into())),
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|there| there.ino() == self.inode) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
