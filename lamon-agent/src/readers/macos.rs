//! What of a Mac's disks, interfaces and memory is worth a metric; pure, so that it is tested everywhere.
//!
//! Written from Apple's documents and sysinfo's source. It was compiled for macOS, never run there.

use std::path::Path;

/// Whether a disk is this computer's own, and counts for `disk_percent`.
///
/// The volume of `/` is sealed, and so never writable; all that users write is in `/System/Volumes/Data`, which sysinfo leaves out as
/// Finder does, and shares its room with `/` in one container. Other disks that cannot be written are images. What can be taken
/// out, or is in a case of its own, is `removable`.
pub(super) fn is_own_disk(point: &Path, read_only: bool, removable: bool) -> bool {
    point == Path::new("/") || !read_only && !removable
}

/// Whether an interface carries what leaves the computer: `en0`, `en1`, … are Ethernet, Wi-Fi and Thunderbolt. Not the others, which
/// count the same again (`bridge0`, `utun3` of VPNs, `vlan0`, `bond0`) or are for devices nearby (`awdl0`, `llw0`, `ap1`, `anpi0`).
/// A port that nothing was ever plugged into has counted nothing, and is left out as well.
pub(super) fn counts_interface(name: &str, received: u64, sent: u64) -> bool {
    let number = name.strip_prefix("en").unwrap_or_default();
    let is_port = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    is_port && (received > 0 || sent > 0)
}

/// What Activity Monitor calls "Memory Used" of all that is there, bytes: that of programs, wired and compressed.
///
/// sysinfo's `available` counts the memory that programs are using right now (`active_count`) as free.
pub(super) fn used_memory(used: u64, total: u64) -> u64 {
    used.min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_the_system_counts_though_it_is_sealed() {
        for (point, read_only, removable, own) in [
            ("/", true, false, true),
            ("/Volumes/Data Disk", false, false, true),
            ("/Volumes/Installer", true, false, false),
            ("/Volumes/STICK", false, true, false),
        ] {
            assert_eq!(is_own_disk(Path::new(point), read_only, removable), own, "{point}");
        }
    }

    #[test]
    fn ports_that_were_used_count() {
        let counted = |names: &[&str], bytes| {
            let counted = names.iter().filter(|name| counts_interface(name, bytes, 0));
            counted.copied().map(str::to_owned).collect::<Vec<_>>()
        };
        let all = [
            "lo0", "gif0", "stf0", "anpi0", "en0", "en5", "bridge0", "awdl0", "llw0", "utun3", "ap1", "en",
            "end0",
        ];
        assert_eq!(counted(&all, 7), ["en0", "en5"]);
        assert_eq!(counted(&all, 0), Vec::<String>::new());
    }

    #[test]
    fn not_more_is_used_than_is_there() {
        assert_eq!((used_memory(3, 8), used_memory(9, 8)), (3, 8));
    }
}
