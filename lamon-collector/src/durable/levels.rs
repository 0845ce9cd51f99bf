//! The levels over the hub's end: a small file in the data directory, written anew when levels changed.
//!
//! It is a file and no table, so that a hub whose journal is damaged and whose database is away still knows its levels.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::warn;

use crate::face::{Face, Picture};
use crate::watch::{KeptNode, Update};

/// The file's name in the data directory.
pub(crate) const FILE: &str = "levels.json";

/// How often it is written at most: a crash of the hub costs so much of what levels did.
const WRITE_EVERY: Duration = Duration::from_secs(3);

/// The largest file that is read: ten thousand nodes with ten levels each have a tenth of it.
const MAX_BYTES: u64 = 128 << 20;

/// Hands levels to [`keep`], which writes the newest.
pub(crate) struct LevelFace {
    file: watch::Sender<Vec<KeptNode>>,
    /// Something changed since they were handed over.
    changed: bool,
    handed_over: Option<Instant>,
    heartbeats: u32,
}

/// After how many heartbeats it is written though no level changed: with it, when nodes were heard.
const HEARTBEATS: u32 = 30;

impl LevelFace {
    pub(crate) fn new() -> (Self, watch::Receiver<Vec<KeptNode>>) {
        let (file, receiver) = watch::channel(Vec::new());
        (Self { file, changed: false, handed_over: None, heartbeats: 0 }, receiver)
    }

    fn hand_over(&mut self, picture: &Picture<'_>) {
        (self.changed, self.heartbeats) = (false, 0);
        self.handed_over = Some(picture.now.monotonic);
        self.file.send_replace(picture.watch.levels());
    }
}

impl Face for LevelFace {
    fn update(&mut self, picture: &Picture<'_>, update: &Update) {
        match update {
            Update::Heartbeat => {
                self.heartbeats += 1;
                if self.changed || self.heartbeats >= HEARTBEATS {
                    self.hand_over(picture);
                }
            }
            Update::Gone { .. }
            | Update::Joined { .. }
            | Update::Levels { .. }
            | Update::Silent { .. }
            | Update::Back { .. } => {
                self.changed = true;
            }
            _ => {}
        }
    }

    fn settle(&mut self, picture: &Picture<'_>) {
        let rested = self
            .handed_over
            .is_none_or(|before| picture.now.monotonic.saturating_duration_since(before) >= WRITE_EVERY);
        if self.changed && rested {
            self.hand_over(picture);
        }
    }
}

/// Writes what the face hands over, until the face ends.
pub(crate) async fn keep(path: PathBuf, mut levels: watch::Receiver<Vec<KeptNode>>) {
    let mut failing = false;
    while levels.changed().await.is_ok() {
        let newest = levels.borrow_and_update().clone();
        let path = path.clone();
        let written =
            tokio::task::spawn_blocking(move || write(&path, &newest).map_err(|error| (path, error)));
        match written.await {
            Ok(Err((path, error))) if !failing => {
                warn!(path = %path.display(), %error, "levels are not written down; a restart would not know them");
                failing = true;
            }
            Ok(Ok(())) => failing = false,
            _ => {}
        }
    }
}

fn write(path: &Path, levels: &[KeptNode]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Whoever reads finds the old file or the new one, whole.
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, serde_json::to_vec(levels)?)?;
    std::fs::rename(&fresh, path)
}

/// Reads the file. Without one, or with one that makes no sense, nothing is known: the hub starts all the same.
pub(crate) fn load(path: &Path) -> Vec<KeptNode> {
    let read = || {
        if std::fs::metadata(path)?.len() > MAX_BYTES {
            return Err(io::Error::other("it is too large to be what the hub wrote"));
        }
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    };
    match read() {
        Ok(levels) => levels,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            warn!(path = %path.display(), %error, "the levels of before cannot be read; values are judged as they come");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_broken_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/levels.json");
        assert_eq!(load(&path), []);
        let node = KeptNode {
            node: lamon_wire::names::NodeName::new("ccd01").unwrap(),
            interval_ms: 10_000,
            heard_ms: 1_795_000_000_000,
            silent: true,
            boot: Some([7; 16]),
            metrics: Vec::new(),
        };
        write(&path, std::slice::from_ref(&node)).unwrap();
        assert_eq!(load(&path), [node]);
        std::fs::write(&path, "[{").unwrap();
        assert_eq!(load(&path), []);
    }
}
