//! What operators changed, kept over restarts.
//!
//! The truth is a small file of this hub's own, `operator.json` in its data directory: a change is confirmed when it is
//! on that disk, and a hub whose database is away starts with its mutes all the same. The archive's register `settings`
//! gets a copy, one setting each with who and when, for other programs to read; a hub that has no file, because its
//! machine is new, takes up what the register has under its name.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use lamon_control::key::{JoinSecret, NodeKey, RevokedKey};
use lamon_control::{Ack, GateOverride, Mute, Threshold};
use lamon_store::registers::Setting;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot, watch};

use super::Report;
use super::register::registered;

/// How many changes wait for the disk; of those that wait the newest is written, for all.
pub(crate) const KEEPS: usize = 256;

/// The largest file that is read, in bytes: all that there may be of everything, with the longest texts, is half of it, and most
/// of that are ten thousand nodes' keys. A file that the hub wrote itself must never be too large for it.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Everything that operators changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// Mutes.
    pub(crate) mutes: Vec<Mute>,
    /// Acknowledgements.
    pub(crate) acks: Vec<Ack>,
    /// Gates that are overridden.
    pub(crate) overrides: Vec<GateOverride>,
    /// Limits.
    pub(crate) limits: Vec<Threshold>,
    /// Keys of nodes.
    pub(crate) keys: Vec<NodeKey>,
    /// Keys that are believed no more.
    pub(crate) revoked: Vec<RevokedKey>,
    /// Secrets that let nodes in.
    pub(crate) secrets: Vec<JoinSecret>,
    /// The file was lost or damaged, and the archive was not asked yet: it may know more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) incomplete: bool,
}

/// To be written.
#[derive(Debug)]
pub(crate) struct Keep {
    /// All of it.
    pub(crate) kept: Kept,
    /// Told when it is on disk, or why not.
    pub(crate) done: oneshot::Sender<Result<(), String>>,
}

/// What was found at the start.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What was kept.
    pub(crate) kept: Kept,
    /// There was no file, or one that was begun without what the archive knows: that may be more.
    pub(crate) fresh: bool,
    /// What was wrong with the file, which was moved aside.
    pub(crate) damage: Option<String>,
}

impl Found {
    /// All of it as the register has it.
    pub(crate) fn registered(&self, hub: &str) -> Vec<Setting> {
        registered(hub, &self.kept)
    }
}

/// Reads the file, and leaves it as it is.
///
/// # Errors
///
/// When there is none, it cannot be read, or makes no sense.
pub(crate) fn look(path: &Path) -> io::Result<Kept> {
    let text = match fs::metadata(path)?.len() {
        0..=MAX_FILE_BYTES => fs::read(path)?,
        _ => return Err(io::Error::other(format!("larger than {} MiB", MAX_FILE_BYTES >> 20))),
    };
    serde_json::from_slice(&text).map_err(Into::into)
}

/// Reads the file. One that makes no sense is moved aside.
pub(crate) fn read(path: &Path) -> Found {
    let why = match look(path) {
        Ok(kept) => return Found { fresh: kept.incomplete, kept, ..Found::default() },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Found { fresh: true, ..Found::default() };
        }
        Err(error) => error.to_string(),
    };
    let aside = path.with_extension("damaged.json");
    let moved = match fs::rename(path, &aside) {
        Ok(()) => format!("it is now {}", aside.display()),
        Err(error) => format!("it cannot be moved aside: {error}"),
    };
    let damage = format!("{} cannot be used: {why}; {moved}", path.display());
    Found { fresh: true, damage: Some(damage), ..Found::default() }
}

/// Starts the thread that writes the file. It ends when nobody can send any more, with the last change written.
///
/// # Errors
///
/// When the system gives no thread.
pub(crate) fn spawn(
    path: PathBuf,
    hub: String,
    mut keeps: mpsc::Receiver<Keep>,
    copies: watch::Sender<Arc<Vec<Setting>>>,
    reports: mpsc::Sender<Report>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("settings".into()).spawn(move || {
        let mut failing = false;
        while let Some(first) = keeps.blocking_recv() {
            let mut waiting = vec![first];
            while let Ok(next) = keeps.try_recv() {
                waiting.push(next);
            }
            let Some(kept) = waiting.last().map(|keep| &keep.kept) else { continue };
            copies.send_replace(Arc::new(registered(&hub, kept)));
            let result = write(&path, kept).map_err(|error| format!("{}: {error}", path.display()));
            // The core task takes reports within microseconds; a full queue means that it ended.
            match &result {
                Ok(()) => drop(reports.try_send(Report::SettingsWork)),
                Err(why) if !failing => drop(reports.try_send(Report::SettingsFailed(why.clone()))),
                Err(_) => {}
            }
            failing = result.is_err();
            for keep in waiting {
                let _ = keep.done.send(result.clone());
            }
        }
    })
}

/// Puts a new file in the old one's place when it is whole: a full disk costs the last change, never the file.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec_pretty(kept)?)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use lamon_control::Window;

    use super::super::of_register;
    use super::*;

    fn kept() -> Kept {
        let mute = |id| Mute {
            id,
            target: "@ccd".into(),
            window: Window::Between { from_ms: 1, until_ms: 2 },
            reason: "new disk".into(),
            who: "li".into(),
            made_ms: 7,
        };
        let ack = |metric: Option<&str>| Ack {
            node: "ccd01".into(),
            metric: metric.map(Into::into),
            level: "error".into(),
            reason: "known".into(),
            who: "li".into(),
            made_ms: 7,
            until_ms: None,
        };
        let limit = |target: &str, metric: Option<&str>| Threshold {
            target: target.into(),
            metric: metric.map(Into::into),
            warning: Some(1.0),
            error: None,
            reason: None,
            who: "li".into(),
            made_ms: 7,
        };
        Kept {
            mutes: vec![mute(3), mute(12)],
            acks: vec![ack(None), ack(Some("disk_percent"))],
            overrides: vec![GateOverride {
                gate: "ccd_disk".into(),
                until_ms: 9,
                reason: "supernova".into(),
                who: "li".into(),
                made_ms: 7,
            }],
            limits: vec![limit("disk", None), limit("ccd01", Some("load1"))],
            keys: vec![NodeKey {
                node: "ccd01".into(),
                key: "SHA256:a".into(),
                who: "li".into(),
                made_ms: 7,
            }],
            revoked: vec![RevokedKey {
                key: "SHA256:b".into(),
                node: "ccd01".into(),
                reason: "stolen".into(),
                who: "li".into(),
                made_ms: 7,
            }],
            secrets: vec![JoinSecret {
                id: 2,
                nodes: "@ccd".into(),
                digest: "00".into(),
                left: 3,
                until_ms: 9,
                who: "li".into(),
                made_ms: 7,
            }],
            incomplete: false,
        }
    }

    #[test]
    fn what_is_confirmed_is_in_the_file_and_what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/operator.json");
        assert!(read(&path).fresh);
        let (keeps, keeps_in) = mpsc::channel(KEEPS);
        let (copies, mut copied) = watch::channel(Arc::default());
        let (reports, mut reported) = mpsc::channel(8);
        let thread = spawn(path.clone(), "hub1".into(), keeps_in, copies, reports).unwrap();
        let keep = |kept| {
            let (done, result) = oneshot::channel();
            keeps.blocking_send(Keep { kept, done }).unwrap();
            result.blocking_recv().unwrap()
        };
        assert_eq!(keep(kept()), Ok(()));
        let found = read(&path);
        assert_eq!((found.kept, found.fresh), (kept(), false));
        assert_eq!(reported.try_recv(), Ok(Report::SettingsWork));
        let names: Vec<_> = copied.borrow_and_update().iter().map(|setting| setting.name.clone()).collect();
        let all = "mute/3 mute/12 ack/ccd01 ack/ccd01/disk_percent override/ccd_disk limits/disk limits/ccd01/load1 \
                   key/ccd01 revoked/SHA256:b join/2";
        assert_eq!(names, all.split(' ').map(|name| format!("hub1/{name}")).collect::<Vec<_>>());
        assert_eq!(of_register("hub1", &copied.borrow()), kept());
        assert_eq!(of_register("hub", &copied.borrow()), Kept::default());
        // A folder stands where the new file is to be made.
        fs::create_dir(path.with_extension("new")).unwrap();
        assert!(keep(Kept::default()).unwrap_err().contains("operator.json"));
        assert!(matches!(reported.try_recv(), Ok(Report::SettingsFailed(_))));
        assert_eq!(read(&path).kept, kept(), "the file is as it was");
        // What was begun without the archive goes on asking it.
        fs::remove_dir(path.with_extension("new")).unwrap();
        assert_eq!(keep(Kept { incomplete: true, ..kept() }), Ok(()));
        assert!(read(&path).fresh);
        drop(keeps);
        thread.join().unwrap();
    }

    #[test]
    fn as_much_as_there_may_be_is_read_again() {
        fn many<T: Clone>(one: &T, count: usize) -> Vec<T> {
            vec![one.clone(); count]
        }
        let (text, who) = ("\"".repeat(200), "w".repeat(300));
        let key = "SHA256:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".to_owned();
        let (node, metric, made_ms) = ("n".repeat(32), "m".repeat(40), i64::MAX);
        let Kept { mutes, acks, overrides, secrets, .. } = kept();
        let mute = Mute {
            target: node.clone(),
            reason: text.clone(),
            who: who.clone(),
            made_ms,
            ..mutes[0].clone()
        };
        let ack = Ack {
            node: node.clone(),
            metric: Some(metric.clone()),
            reason: text.clone(),
            who: who.clone(),
            until_ms: Some(made_ms),
            ..acks[0].clone()
        };
        let limit = Threshold {
            target: node.clone(),
            metric: Some(metric),
            warning: Some(f64::MIN_POSITIVE),
            error: Some(f64::MAX),
            reason: Some(text.clone()),
            who: who.clone(),
            made_ms,
        };
        let all = Kept {
            mutes: many(&mute, 500),
            acks: many(&ack, 1_000),
            overrides: many(&overrides[0], 100),
            limits: many(&limit, 500),
            keys: many(&NodeKey { node: node.clone(), key: key.clone(), who: who.clone(), made_ms }, 10_000),
            revoked: many(&RevokedKey { key, node, reason: text, who, made_ms }, 2_000),
            secrets: many(&secrets[0], 32),
            ..Kept::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.json");
        write(&path, &all).unwrap();
        let bytes = fs::metadata(&path).unwrap().len();
        assert!(bytes < MAX_FILE_BYTES / 2 + MAX_FILE_BYTES / 8, "{bytes}");
        assert_eq!(look(&path).unwrap(), all);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operator.json");
        fs::write(&path, "{\"mutes\": [7]}").unwrap();
        let found = read(&path);
        assert!(found.fresh && found.damage.unwrap().contains("operator.damaged.json"));
        assert!(read(&path).damage.is_none(), "it is out of the way");
    }
}
