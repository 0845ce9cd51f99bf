//! Where the metrics come from: one file for each thing that is read, named by it.
//!
//! On Linux the agent reads /proc, /sys and the mounts by itself (microseconds where a general library takes
//! milliseconds, and it knows inodes, physical interfaces and dead mounts); temperatures come through sysinfo.
//! Elsewhere `fallback` asks sysinfo for everything. Both are a `Readers` with the same methods.

mod asker;
mod numbers;
mod restarts;
mod sensors;

#[cfg(any(test, not(target_os = "linux")))]
pub mod fallback;

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

#[cfg(not(target_os = "linux"))]
pub use fallback::Readers;
#[cfg(target_os = "linux")]
pub use linux::Readers;

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
