//! Where the metrics come from: one file for each thing that is read, named by it.
//!
//! On Linux the agent reads /proc, /sys and the mounts by itself (microseconds where a general library takes
//! milliseconds, and it knows inodes, physical interfaces and dead mounts); temperatures come through sysinfo.
//! On Windows it asks the system's own calls, for what sysinfo costs more and knows less. Elsewhere `fallback` asks sysinfo for
//! everything, with `macos` for what is peculiar there. Each is a `Readers`, which does what [`SystemReaders`] says.

mod asker;
mod numbers;
mod restarts;

#[cfg(any(test, not(any(target_os = "linux", windows))))]
pub mod fallback;
#[cfg(any(test, not(any(target_os = "linux", windows))))]
mod macos;
#[cfg(any(test, not(target_os = "linux")))]
mod networks;
#[cfg(not(windows))]
mod sensors;
#[cfg(any(test, windows))]
mod windows;

#[cfg(target_os = "linux")]
mod disks;
#[cfg(target_os = "linux")]
mod file;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod loadavg;
#[cfg(target_os = "linux")]
mod meminfo;
#[cfg(target_os = "linux")]
mod mountinfo;
#[cfg(target_os = "linux")]
mod net_dev;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod stat;
#[cfg(target_os = "linux")]
mod text;

use std::path::{Path, PathBuf};

#[cfg(not(any(target_os = "linux", windows)))]
pub use fallback::Readers;
#[cfg(target_os = "linux")]
pub use linux::Readers;
#[cfg(windows)]
pub use windows::Readers;

use crate::clock::Now;
use crate::sheet::Sheet;

/// What the readers of every system do; all that the rest of the agent knows of them.
#[expect(async_fn_in_trait, reason = "the agent has one thread, and no other to send a future to")]
pub trait SystemReaders {
    /// Readers of what `selection` says; nothing is read yet.
    #[must_use]
    fn new(selection: &Selection) -> Self;

    /// Counts the processes of these names too, besides those of the selection.
    fn watch(&mut self, more: &[String]);

    /// Takes a look at everything. Rates are those since the look before; the first has none.
    async fn read(&mut self, now: Now, sheet: &mut Sheet);

    /// What the last look found.
    #[must_use]
    fn found(&self) -> Found;
}

/// What the configuration says of the things to be read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Mount points to be watched whatever lies there.
    pub disks: Vec<PathBuf>,
    /// Mount points to be left out; `/media/*` leaves out all below `/media`.
    pub ignore_disks: Vec<String>,
    /// Names of processes to be counted.
    pub watch: Vec<String>,
}

/// What the readers found on this node, in words for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Each mount with its kind.
    pub disks: Vec<String>,
    /// Each interface that counts.
    pub interfaces: Vec<String>,
    /// Each temperature sensor.
    pub sensors: Vec<String>,
    /// Each watched process.
    pub processes: Vec<String>,
}

/// Whether one of the patterns of [`Selection::ignore_disks`] is for this mount point.
fn ignores(patterns: &[String], point: &Path) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix("/*") {
        Some(folder) => point.starts_with(Path::new(folder)) && point != Path::new(folder),
        None => point == Path::new(pattern),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_out_a_mount_or_all_below_a_folder() {
        let ignored = |patterns: &[&str], point: &str| {
            let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
            ignores(&patterns, Path::new(point))
        };
        assert!(ignored(&["/a", "/scratch"], "/scratch"));
        assert!(!ignored(&["/scratch"], "/scratch/deeper"));
        assert!(ignored(&["/media/*"], "/media/user/stick"));
        assert!(!ignored(&["/media/*"], "/media"));
        assert!(!ignored(&["/media/*"], "/mediation"));
        assert!(!ignored(&[], "/"));
    }
}
