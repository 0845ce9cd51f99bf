//! How full the disks are: `disk_percent` and, per mount, `disk_<name>_percent`, `_free` and `_inodes_percent`.
//!
//! Counted as `df` does: used / (used + available), where available is what a user who is not root may still take.
//! `disk_percent` is the fullest local disk. A mount that does not answer within two seconds has no value, and neither
//! has `disk_percent` while a local one does not: the fullest might be just that. One that answers with an error (the
//! agent's user may not look there) has no value and is left out.

use std::path::PathBuf;

use lamon_wire::names::Slugs;

use super::asker::Asker;
use super::file::ProcFile;
use super::mountinfo::{Choice, Mount, choose};
use super::numbers::percent;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// Looks at the mounts and asks each how full it is.
#[derive(Debug)]
pub(super) struct Disks {
    file: ProcFile,
    text: Vec<u8>,
    choice: Choice,
    slugs: Slugs,
    disks: Vec<Disk>,
    asker: Asker<PathBuf, Option<Usage>>,
}

#[derive(Debug)]
struct Disk {
    mount: Mount,
    metrics: [DeviceMetric; 3],
    /// Whether the file system counts inodes; learnt from its first answer.
    has_inodes: bool,
    /// Whether it did not answer at the last look.
    hangs: bool,
}

/// What a file system says of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Usage {
    percent: f64,
    free_bytes: u64,
    /// None where inodes are made as needed (btrfs, vfat).
    inodes_percent: Option<f64>,
}

impl Disks {
    pub(super) fn new(choice: Choice) -> Self {
        Self {
            // 150 bytes a line: 7,000 mounts.
            file: ProcFile::new("/proc/self/mountinfo", 1 << 20),
            text: Vec::new(),
            choice,
            slugs: Slugs::default(),
            disks: Vec::new(),
            asker: Asker::new(|point: &PathBuf| usage(point)),
        }
    }

    /// Asks every disk, waiting for each no longer than the asker's deadline.
    pub(super) async fn read(&mut self, sheet: &mut Sheet) {
        self.refresh();
        let mut fullest: Option<f64> = None;
        let mut hanging = false;
        for disk in &mut self.disks {
            let answer =
                if disk.mount.mounted { self.asker.ask(&disk.mount.point).await } else { Some(None) };
            disk.note(answer.is_none());
            hanging |= disk.mount.local && disk.hangs;
            let usage = answer.flatten();
            if let Some(usage) = usage {
                disk.has_inodes = usage.inodes_percent.is_some();
            }
            let percent = usage.map(|usage| usage.percent);
            if disk.mount.local {
                fullest = fullest.into_iter().chain(percent).reduce(f64::max);
            }
            let [full, free, inodes] = &disk.metrics;
            sheet.device(full, percent);
            #[expect(clippy::cast_precision_loss, reason = "free space over 8 PiB loses its last bits")]
            sheet.device(free, usage.map(|usage| usage.free_bytes as f64));
            if disk.has_inodes {
                sheet.device(inodes, usage.and_then(|usage| usage.inodes_percent));
            }
        }
        sheet.core(Core::DiskPercent, fullest.filter(|_| !hanging));
    }

    /// The mounts that are asked.
    pub(super) fn watched(&self) -> impl Iterator<Item = &Mount> {
        self.disks.iter().map(|disk| &disk.mount)
    }

    /// Takes up mounts that came, drops those that went. Mostly the file says what it said before.
    fn refresh(&mut self) {
        let text = self.file.read().unwrap_or_default();
        if text == self.text && !self.text.is_empty() {
            return;
        }
        self.text.clear();
        self.text.extend_from_slice(text);
        let mut earlier = std::mem::take(&mut self.disks);
        for mount in choose(&self.text, &self.choice) {
            let same = earlier.iter().position(|disk| disk.mount.point == mount.point);
            let disk = match same.map(|at| earlier.swap_remove(at)) {
                Some(disk) => Some(Disk { mount, ..disk }),
                None => Disk::new(mount, &mut self.slugs),
            };
            self.disks.extend(disk);
        }
    }
}

impl Disk {
    fn new(mount: Mount, slugs: &mut Slugs) -> Option<Self> {
        let suffixes = ["_percent", "_free", "_inodes_percent"];
        let metrics = DeviceMetric::of(slugs, "disk", &mount.point.to_string_lossy(), suffixes)?;
        Some(Self { mount, metrics, has_inodes: true, hangs: false })
    }

    /// Notes whether the mount hangs, and says so when that changes.
    fn note(&mut self, hangs: bool) {
        let point = self.mount.point.display();
        match (self.hangs, hangs) {
            (false, true) => tracing::warn!("{point} does not answer: no values of it until it does"),
            (true, false) => tracing::info!("{point} answers again"),
            _ => {}
        }
        self.hangs = hangs;
    }
}

/// Asks the file system at `point`; it may never answer.
fn usage(point: &PathBuf) -> Option<Usage> {
    let stat = rustix::fs::statvfs(point).ok()?;
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    Some(Usage {
        // A file system without a size (some FUSE ones) has nothing that could fill up.
        percent: percent(used, used.saturating_add(stat.f_bavail)).unwrap_or(0.0),
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        inodes_percent: percent(stat.f_files.saturating_sub(stat.f_ffree), stat.f_files),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn look(disks: &mut Disks) -> Vec<(String, String, Option<f64>)> {
        let mut sheet = Sheet::default();
        disks.read(&mut sheet).await;
        sheet.entries().map(|(name, label, value)| (name.into(), label.into(), value)).collect()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn named_mounts_are_watched_and_stay_while_not_mounted() {
        let named = vec!["/proc".into(), "/nonexistent/nfs".into()];
        let mut disks = Disks::new(Choice { named, ignored: vec!["/*".into(), "/".into()] });
        let entries = look(&mut disks).await;
        let expected = [
            ("disk_percent", "", None),
            // A pseudo file system has no blocks and no inodes.
            ("disk_proc_percent", "/proc", Some(0.0)),
            ("disk_proc_free", "/proc", Some(0.0)),
            ("disk_nonexistent_nfs_percent", "/nonexistent/nfs", None),
            ("disk_nonexistent_nfs_free", "/nonexistent/nfs", None),
            ("disk_nonexistent_nfs_inodes_percent", "/nonexistent/nfs", None),
        ];
        assert_eq!(entries, expected.map(|(name, label, value)| (name.into(), label.into(), value)));
        assert_eq!(look(&mut disks).await, entries);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_fullest_local_disk_is_the_nodes() {
        let mut disks = Disks::new(Choice::default());
        let entries = look(&mut disks).await;
        let parts: Vec<f64> = entries
            .iter()
            .filter(|(name, label, _)| {
                name.ends_with("_percent") && !name.ends_with("_inodes_percent") && !label.is_empty()
            })
            .filter_map(|(.., value)| *value)
            .collect();
        let fullest = parts.iter().copied().reduce(f64::max);
        assert_eq!(entries[0].0, "disk_percent");
        assert_eq!(entries[0].2, fullest);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn usage_is_counted_as_df_does() {
        let point = PathBuf::from("/");
        let Some(usage) = usage(&point) else { panic!("the root answers") };
        let df = std::process::Command::new("df").args(["--output=pcent", "/"]).output().unwrap();
        let df = String::from_utf8(df.stdout).unwrap();
        let df: f64 = df.lines().nth(1).unwrap().trim().trim_end_matches('%').parse().unwrap();
        // df rounds up; the disk is in use by others.
        assert!((usage.percent - df).abs() <= 2.0, "{} {df}", usage.percent);
    }
}
