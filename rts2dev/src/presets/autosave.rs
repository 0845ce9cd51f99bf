//! The autosave file: values declared with `.autosave()`, written whenever one of them changed (RTS2 lib/rts2/daemon.cpp,
//! `autosaveValues`). RTS2 reads what is written here, and the other way round.
//!
//! RTS2 writes at each change, from its loop, over the old file. Here a task of the device waits for changes, writes at
//! most once a second, on a thread of its own, and puts the new file in the old one's place when it is whole: a full
//! disk or a lost power supply costs the last change, never the file.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rts2_proto::{CommandReturn, ErrorCode, MessageType};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

/// Least time between two writes: a value that changes all the time must not keep the disk busy.
const PAUSE: Duration = Duration::from_secs(1);

/// Pause after a write that failed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Longest wait for a write when the device ends: a disk that hangs must not keep it.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Commands `autosave` that may wait; as many as clients send one at a time.
pub(crate) const MAX_WAITING: usize = 64;

/// A client's `autosave`, waiting for its end line.
pub(crate) type Request = oneshot::Sender<CommandReturn>;

/// The task that writes the file of one device.
pub(crate) struct Autosave {
    pub(crate) shared: Arc<Shared>,
    pub(crate) path: PathBuf,
    pub(crate) requests: mpsc::Receiver<Request>,
}

impl Autosave {
    /// Writes until `shutdown`, and then what is still to be written.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut changes = self.shared.subscribe();
        let mut written = self.shared.lock().table.autosave_changed();
        let mut not_before = Instant::now();
        // One line per outage in the log, not one per attempt.
        let mut told = false;
        loop {
            changes.mark_unchanged();
            let changed = self.shared.lock().table.autosave_changed();
            let request = tokio::select! {
                () = shutdown.cancelled() => break,
                _ = changes.changed(), if changed == written => continue,
                () = tokio::time::sleep_until(not_before), if changed != written => None,
                Some(request) = self.requests.recv() => Some(request),
            };
            let changed = self.shared.lock().table.autosave_changed();
            let Some(result) = self.write(&shutdown).await else { return };
            not_before = Instant::now() + PAUSE;
            match &result {
                Ok(()) => (written, told) = (changed, false),
                Err(error) => {
                    not_before = Instant::now() + PAUSE_AFTER_FAILURE;
                    if !std::mem::replace(&mut told, true) {
                        let text = format!("values are not saved: {}: {error}", self.path.display());
                        tracing::warn!(device = %self.shared.name, "{text}");
                        self.shared.message(MessageType::WARNING, &text);
                    }
                }
            }
            if let Some(request) = request {
                // A client that is gone needs no answer.
                let _ = request.send(match result {
                    Ok(()) => CommandReturn::ok(),
                    Err(error) => CommandReturn::failed(ErrorCode::System, format!("not saved: {error}")),
                });
            }
        }
        if self.shared.lock().table.autosave_changed() != written
            && let Some(Err(why)) = self.write(&shutdown).await
        {
            self.warn_of_last(&why.to_string());
        }
    }

    /// Writes the file; when the device ends meanwhile, waits no longer than [`LAST_WRITE`]. `None` when that was not
    /// enough: another write would get in the way of that one, which may still come to its end.
    async fn write(&self, shutdown: &CancellationToken) -> Option<io::Result<()>> {
        let given_up = async {
            shutdown.cancelled().await;
            tokio::time::sleep(LAST_WRITE).await;
        };
        tokio::select! {
            result = self.replace() => Some(result),
            () = given_up => {
                self.warn_of_last("no answer from the disk");
                None
            }
        }
    }

    fn warn_of_last(&self, why: &str) {
        let (device, path) = (&self.shared.name, self.path.display());
        tracing::warn!(%device, %path, why, "the last change is not saved");
    }

    async fn replace(&self) -> io::Result<()> {
        let text = self.shared.autosave_text();
        let path = self.path.clone();
        let (done, result) = oneshot::channel();
        // Not a thread of the runtime, which waits for those before it ends.
        std::thread::Builder::new().name("autosave".to_owned()).spawn(move || {
            // Nobody waits for it when the device has ended.
            let _ = done.send(replace(&path, text.as_bytes()));
        })?;
        result.await.unwrap_or_else(|_| Err(io::Error::other("the writing thread ended")))
    }
}

/// Appends `name = "text"`.
pub(crate) fn write_line(name: &str, text: &str, out: &mut String) {
    out.push_str(name);
    out.push_str(" = \"");
    out.extend(text.chars().filter(|&c| c != '"'));
    out.push_str("\"\n");
}

/// Puts a new file in the place of an old one, with the old one's mode; through a symbolic link in the place of what it
/// points to.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = target.with_file_name(name);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&new)?;
        if let Ok(old) = fs::metadata(&target) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &target)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::DeviceOptions;

    /// The new file's name is a pipe that nobody reads, so that the writing thread waits for ever.
    #[cfg(unix)]
    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_does_not_keep_the_device() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved");
        let pipe = folder.path().join(format!("saved.{}.new", std::process::id()));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let device = crate::Device::new(DeviceOptions::new("A")).unwrap();
        let shared = Arc::clone(&device.handle().shared);
        let (requests, receiver) = mpsc::channel(MAX_WAITING);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(Autosave { shared, path, requests: receiver }.run(shutdown.clone()));
        let (request, _end) = oneshot::channel();
        requests.try_send(request).unwrap();
        // It was taken, and the write began with it.
        while requests.capacity() < MAX_WAITING {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(60), task).await.unwrap().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_new_file_has_the_mode_of_the_old_one_and_stands_behind_its_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
        assert!(replace(&folder.path().join("no").join("file"), b"").is_err());
    }
}
