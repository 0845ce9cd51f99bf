//! How full the drives are: `disk_percent` and, per drive, `disk_<letter>_percent` and `_free`.
//!
//! Drives in this computer that stay there are watched by themselves; sticks, discs and the shares of other computers are not,
//! unless they are named: `['D:\', '\\server\share\']`. `disk_percent` is the fullest drive of this computer. Each drive is
//! asked by itself: one that does not answer within two seconds has no value, and neither has `disk_percent` while it does
//! not, when it is one of this computer's. The system lists the drives without touching them.

use std::path::PathBuf;

use lamon_wire::names::Slugs;

use crate::readers::asker::Asker;
use crate::readers::numbers::percent;
use crate::readers::{Selection, ignores};
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The most drives that are watched: there are 26 letters, and a configuration names sixteen more at most.
const MAX_DRIVES: usize = 42;

/// What a drive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In this computer, and stays there.
    Fixed,
    /// Comes and goes, or is another computer's; in words.
    Other(&'static str),
}

/// A drive as the system lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Drive {
    /// Its uppermost folder, `C:\`.
    pub root: PathBuf,
    pub kind: Kind,
}

/// What a drive says of itself, in bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usage {
    pub total: u64,
    /// What the agent's user may still take.
    pub available: u64,
}

/// Looks at the drives and asks each how full it is.
#[derive(Debug)]
pub(super) struct Drives {
    named: Vec<PathBuf>,
    ignored: Vec<String>,
    slugs: Slugs,
    watched: Vec<Watched>,
    asker: Asker<Drive, Option<Usage>>,
}

#[derive(Debug)]
struct Watched {
    drive: Drive,
    metrics: [DeviceMetric; 2],
    /// Whether it did not answer at the last look.
    hangs: bool,
}

impl Drives {
    /// Drives that are asked by `ask`, which may never answer.
    pub(super) fn new(selection: &Selection, ask: fn(&Drive) -> Option<Usage>) -> Self {
        Self {
            named: selection.disks.clone(),
            ignored: selection.ignore_disks.clone(),
            slugs: Slugs::default(),
            watched: Vec::new(),
            asker: Asker::new(ask),
        }
    }

    /// Asks those of the drives that are to be watched.
    pub(super) async fn read(&mut self, listed: Vec<Drive>, sheet: &mut Sheet) {
        self.refresh(listed);
        let mut fullest: Option<f64> = None;
        let mut hanging = false;
        for watched in &mut self.watched {
            let answer = self.asker.ask(&watched.drive).await;
            watched.note(answer.is_none());
            let usage = answer.flatten();
            let used =
                usage.and_then(|usage| percent(usage.total.saturating_sub(usage.available), usage.total));
            if watched.drive.kind == Kind::Fixed {
                hanging |= watched.hangs;
                fullest = fullest.into_iter().chain(used).reduce(f64::max);
            }
            let [full, free] = &watched.metrics;
            sheet.device(full, used);
            #[expect(clippy::cast_precision_loss, reason = "free space over 8 PiB loses its last bits")]
            sheet.device(free, usage.map(|usage| usage.available as f64));
        }
        sheet.core(Core::DiskPercent, fullest.filter(|_| !hanging));
    }

    /// The drives that are asked, in words.
    pub(super) fn watched(&self) -> impl Iterator<Item = String> {
        self.watched.iter().map(|Watched { drive, .. }| {
            let root = drive.root.display();
            match drive.kind {
                Kind::Fixed => root.to_string(),
                Kind::Other(kind) => format!("{root} ({kind}, named, not counted in disk_percent)"),
            }
        })
    }

    /// Takes up drives that came, drops those that went. What is named stays, there or not.
    fn refresh(&mut self, listed: Vec<Drive>) {
        let is_named = |root: &PathBuf| self.named.contains(root);
        let mut drives = listed;
        for root in &self.named {
            if !drives.iter().any(|drive| drive.root == *root) {
                drives.push(Drive { root: root.clone(), kind: Kind::Other("share or folder") });
            }
        }
        drives.retain(|drive| {
            is_named(&drive.root) || drive.kind == Kind::Fixed && !ignores(&self.ignored, &drive.root)
        });
        drives.truncate(MAX_DRIVES);
        if drives.iter().eq(self.watched.iter().map(|watched| &watched.drive)) {
            return;
        }
        let mut earlier = std::mem::take(&mut self.watched);
        for drive in drives {
            let same = earlier.iter().position(|watched| watched.drive.root == drive.root);
            let watched = match same.map(|at| earlier.swap_remove(at)) {
                Some(watched) => Some(Watched { drive, ..watched }),
                None => Watched::new(drive, &mut self.slugs),
            };
            self.watched.extend(watched);
        }
    }
}

impl Watched {
    fn new(drive: Drive, slugs: &mut Slugs) -> Option<Self> {
        let metrics = DeviceMetric::of(slugs, "disk", &drive.root.to_string_lossy(), ["_percent", "_free"])?;
        Some(Self { drive, metrics, hangs: false })
    }

    /// Notes whether the drive hangs, and says so when that changes.
    fn note(&mut self, hangs: bool) {
        let root = self.drive.root.display();
        match (self.hangs, hangs) {
            (false, true) => tracing::warn!("{root} does not answer: no values of it until it does"),
            (true, false) => tracing::info!("{root} answers again"),
            _ => {}
        }
        self.hangs = hangs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive(root: &str, kind: Kind) -> Drive {
        Drive { root: root.into(), kind }
    }

    fn ask(drive: &Drive) -> Option<Usage> {
        match drive.root.to_str()? {
            r"C:\" => Some(Usage { total: 100, available: 25 }),
            r"D:\" => Some(Usage { total: 1_000, available: 900 }),
            r"\\server\share\" => Some(Usage { total: 100, available: 1 }),
            _ => None,
        }
    }

    async fn look(drives: &mut Drives, listed: &[Drive]) -> Vec<(String, String, Option<f64>)> {
        let mut sheet = Sheet::default();
        drives.read(listed.to_vec(), &mut sheet).await;
        sheet.entries().map(|(name, label, value)| (name.into(), label.into(), value)).collect()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn drives_that_stay_are_watched_and_others_when_they_are_named() {
        let selection = Selection {
            disks: vec![r"\\server\share\".into()],
            ignore_disks: vec![r"E:\".into()],
            ..Selection::default()
        };
        let mut drives = Drives::new(&selection, ask);
        let listed = [
            drive(r"C:\", Kind::Fixed),
            drive(r"D:\", Kind::Fixed),
            drive(r"E:\", Kind::Fixed),
            drive(r"F:\", Kind::Other("removable")),
            drive(r"Z:\", Kind::Other("network")),
        ];
        let entry = |name: &str, label: &str, value| (name.to_owned(), label.to_owned(), Some(value));
        let expected = [
            entry("disk_percent", "", 75.0),
            entry("disk_c_percent", r"C:\", 75.0),
            entry("disk_c_free", r"C:\", 25.0),
            entry("disk_d_percent", r"D:\", 10.0),
            entry("disk_d_free", r"D:\", 900.0),
            entry("disk_server_share_percent", r"\\server\share\", 99.0),
            entry("disk_server_share_free", r"\\server\share\", 1.0),
        ];
        assert_eq!(look(&mut drives, &listed).await, expected);
        assert_eq!(look(&mut drives, &listed).await, expected);
        let watched: Vec<String> = drives.watched().collect();
        let share = r"\\server\share\ (share or folder, named, not counted in disk_percent)";
        assert_eq!(watched, [r"C:\", r"D:\", share]);
        // A drive goes, and comes back under its name; one that gives no answer has no value.
        let fewer = [drive(r"D:\", Kind::Fixed), drive(r"G:\", Kind::Fixed)];
        let entries = look(&mut drives, &fewer).await;
        assert_eq!(entries[0], entry("disk_percent", "", 10.0));
        assert!(entries.contains(&("disk_g_percent".into(), r"G:\".into(), None)), "{entries:?}");
        assert!(!entries.iter().any(|(name, ..)| name == "disk_c_percent"));
        assert_eq!(look(&mut drives, &listed).await, expected);
    }
}
