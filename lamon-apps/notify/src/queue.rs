//! Notices on disk until they are delivered: a file each, named by its number.
//!
//! A file is written beside its place, synced, and renamed; it is removed after the delivery. A crash in between makes a notice
//! come twice, and never not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use lamon_daemon::backoff::Backoff;

use crate::config::Retry;
use crate::notice::Notice;

/// Notices that wait: a week of a channel that is away, at six an hour. Beyond, the oldest is the one of least use.
pub(crate) const MAX_NOTICES: usize = 1_000;

/// The longest file that is read back: a message of the most lines, with a lot to spare.
const MAX_FILE_BYTES: u64 = 256 * 1_024;

/// The queue of all channels. The threads of the channels and the one of the bus share it; the lock is never held while a
/// message is under way.
pub(crate) struct Queue {
    folder: PathBuf,
    /// Held as long as the queue is used.
    _lock: File,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    notices: BTreeMap<u64, Notice>,
    next: u64,
    dropped: u64,
    /// How often the channels were configured anew.
    generation: u64,
    ended: bool,
    /// Notices that let the others pass for a while.
    postponed: BTreeMap<u64, (Instant, Backoff)>,
}

/// What the thread of a channel does next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Deliver the notice of this number.
    Notice(u64, Box<Notice>),
    /// See how its channel is configured now.
    Look,
    /// End, with the process.
    End,
}

impl Queue {
    /// Opens the queue of this folder, with what was left in it.
    ///
    /// # Errors
    ///
    /// A sentence, when the folder cannot be used or another process uses it.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let told = || format!("the queue {} cannot be used", folder.display());
        fs::create_dir_all(folder).with_context(told)?;
        let lock = File::create(folder.join("lock")).with_context(told)?;
        lock.try_lock()
            .with_context(|| format!("the queue {} is another lamon-notify's", folder.display()))?;
        let mut inside = Inside::default();
        for entry in fs::read_dir(folder).with_context(told)? {
            let path = entry.with_context(told)?.path();
            let Some(number) = number_of(&path) else { continue };
            inside.next = inside.next.max(number + 1);
            match read(&path) {
                Ok(notice) => {
                    inside.notices.insert(number, notice);
                }
                Err(error) => {
                    tracing::warn!("the notice {} cannot be read and is left out: {error}", path.display());
                    let _ = fs::remove_file(&path);
                }
            }
        }
        Ok(Self { folder: folder.into(), _lock: lock, inside: Mutex::new(inside), changed: Condvar::new() })
    }

    /// Puts a notice behind the others. When this returns it is on the disk.
    ///
    /// # Errors
    ///
    /// When it is not; it is tried to be delivered all the same.
    pub(crate) fn push(&self, notice: Notice) -> io::Result<()> {
        let mut inside = self.lock();
        let same = |other: &Notice| other.channel == notice.channel && other.mark == notice.mark;
        if inside.notices.values().any(same) {
            // A crash came between the queue and what was told.
            return Ok(());
        }
        while inside.notices.len() >= MAX_NOTICES {
            let Some((number, oldest)) = inside.notices.pop_first() else { break };
            inside.postponed.remove(&number);
            inside.dropped += 1;
            let dropped = inside.dropped;
            tracing::error!(
                "the queue is full: a notice to {} was dropped, {dropped} by now",
                oldest.channel
            );
            let _ = fs::remove_file(self.path(number));
        }
        let number = inside.next;
        inside.next += 1;
        let written = self.write(number, &notice);
        inside.notices.insert(number, notice);
        drop(inside);
        self.changed.notify_all();
        written
    }

    /// How often the channels were configured anew; to be read before their configuration.
    pub(crate) fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// The channels are configured anew: nobody goes on with how they were.
    pub(crate) fn renew(&self) {
        let mut inside = self.lock();
        inside.generation += 1;
        inside.postponed.clear();
        drop(inside);
        self.changed.notify_all();
    }

    /// Waits for the oldest notice of this channel.
    pub(crate) fn next(&self, channel: &str, generation: u64) -> Next {
        let mut inside = self.lock();
        loop {
            if inside.ended {
                return Next::End;
            }
            if inside.generation != generation {
                return Next::Look;
            }
            let now = Instant::now();
            let mut until: Option<Instant> = None;
            for (number, notice) in inside.notices.iter().filter(|(_, notice)| notice.channel == channel) {
                match inside.postponed.get(number) {
                    Some((due, _)) if now < *due => until = Some(until.map_or(*due, |until| until.min(*due))),
                    _ => return Next::Notice(*number, Box::new(notice.clone())),
                }
            }
            inside = match until {
                None => self.changed.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let wait = until.saturating_duration_since(now);
                    self.changed.wait_timeout(inside, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Of a notice's recipients only these are left. When this returns that is on the disk.
    ///
    /// # Errors
    ///
    /// When it is not: after a crash all of them get it again.
    pub(crate) fn narrow(&self, number: u64, only: Vec<String>) -> io::Result<()> {
        let mut inside = self.lock();
        let Some(notice) = inside.notices.get_mut(&number) else { return Ok(()) };
        notice.only = only;
        self.write(number, notice)
    }

    /// Lets others pass a notice for a while, each time for longer, `longest` at most.
    pub(crate) fn postpone(&self, number: u64, retry: Retry, longest: Duration) {
        let mut inside = self.lock();
        if inside.notices.contains_key(&number) {
            let first = || (Instant::now(), Backoff::new(retry.first, retry.longest));
            let (due, backoff) = inside.postponed.entry(number).or_insert_with(first);
            *due = Instant::now() + backoff.wait().min(longest);
        }
    }

    /// Takes a notice out: it was delivered.
    pub(crate) fn remove(&self, number: u64) {
        let mut inside = self.lock();
        inside.notices.remove(&number);
        inside.postponed.remove(&number);
        drop(inside);
        let removed = fs::remove_file(self.path(number)).and_then(|()| self.sync());
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("a delivered notice stays in the queue and will be told again: {error}");
        }
    }

    /// Waits so long, or until the channels are configured anew, or the process ends.
    pub(crate) fn pause(&self, time: Duration, generation: u64) {
        let inside = self.lock();
        let goes_on = |inside: &mut Inside| !inside.ended && inside.generation == generation;
        let waited = self.changed.wait_timeout_while(inside, time, goes_on);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the threads that wait.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// The channels of the notices that wait, and how many wait.
    pub(crate) fn waiting(&self) -> BTreeMap<String, usize> {
        let mut waiting = BTreeMap::new();
        for notice in self.lock().notices.values() {
            *waiting.entry(notice.channel.clone()).or_default() += 1;
        }
        waiting
    }

    /// Drops the notices to channels that are no longer there.
    pub(crate) fn keep_only(&self, channels: &[&str]) {
        let mut inside = self.lock();
        let gone: Vec<u64> = inside
            .notices
            .iter()
            .filter(|(_, notice)| !channels.contains(&notice.channel.as_str()))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            if let Some(notice) = inside.notices.remove(&number) {
                tracing::warn!("a notice to {}, which is no longer configured, was dropped", notice.channel);
            }
            let _ = fs::remove_file(self.path(number));
        }
    }

    // A thread that panicked ends the process in a release, so a poisoned lock is one of tests.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016}.json"))
    }

    fn write(&self, number: u64, notice: &Notice) -> io::Result<()> {
        write_synced(&self.path(number), &serde_json::to_vec(notice)?)
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// Writes a file so that after a crash there is all of it, or what was there before.
///
/// # Errors
///
/// What the system says.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn number_of(path: &Path) -> Option<u64> {
    (path.extension()? == "json").then(|| path.file_stem()?.to_str()?.parse().ok())?
}

fn read(path: &Path) -> io::Result<Notice> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("it is too long"));
    }
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
