//! Which mounts are the disks of this node, from /proc/self/mountinfo (proc_pid_mountinfo(5)).
//!
//! A disk is a file system on a block device (its device number has a major part), or one of the kinds that keep their
//! devices to themselves ([`OWN_DEVICES`]). The root counts whatever its kind, as an overlay too, unless it lies on
//! another machine. Read-only file systems are left out. Whether one is read-only says its super block: a hardened
//! service sees its own mounts read-only (`ProtectSystem=`), though the disk is not.
//!
//! Of several mounts of one device (bind mounts, subvolumes) one counts: the root, else one that shows the whole file
//! system, else the shortest path. Of several mounts on one path the last is the one that is seen.
//!
//! Mounts that the configuration names count whatever they are, and stay in the table while they are not mounted.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::ignores;
use super::text::{lines, words};

/// Kinds that live on disks of their own but have an anonymous device number.
const OWN_DEVICES: [&[u8]; 5] = [b"bcachefs", b"btrfs", b"jffs2", b"ubifs", b"zfs"];

/// What the names of kinds begin with that lie on another machine, or behind a program that may hang.
const REMOTE: [&[u8]; 9] = [b"nfs", b"cifs", b"smb", b"fuse", b"ceph", b"afs", b"lustre", b"autofs", b"9p"];

/// Single files that containers get from their host's disk.
const CONTAINER_FILES: [&[u8]; 3] = [b"/etc/hostname", b"/etc/hosts", b"/etc/resolv.conf"];

/// Below these are no disks, whatever is mounted there.
const SYSTEM_FOLDERS: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The most disks that are watched: three metrics each leave room for the rest in a table.
pub(super) const MAX_DISKS: usize = 48;

/// A mount that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where it is mounted.
    pub(super) point: PathBuf,
    /// The kind of file system, in the kernel's word; empty while a named mount is not mounted.
    pub(super) kind: String,
    /// Whether it is a local disk, which counts for `disk_percent`; else the configuration named it.
    pub(super) local: bool,
    /// Whether there is something mounted now.
    pub(super) mounted: bool,
}

/// What the configuration says of mounts.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Mount points to be watched whatever they are.
    pub(super) named: Vec<PathBuf>,
    /// Mount points to be left out; `/media/*` leaves out all below `/media`.
    pub(super) ignored: Vec<String>,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line<'a> {
    device: &'a [u8],
    /// The folder of the file system that is shown at the mount point.
    root: &'a [u8],
    point: PathBuf,
    kind: &'a [u8],
    writable: bool,
}

impl<'a> Line<'a> {
    /// `36 35 98:0 /shown /point rw,noatime master:1 - ext3 /dev/sda1 rw,errors=continue`
    fn parse(line: &'a [u8]) -> Option<Self> {
        let mut words = words(line);
        let (device, root, point) = (words.nth(2)?, words.next()?, words.next()?);
        let kind = words.by_ref().skip_while(|word| *word != b"-").nth(1)?;
        // The source may be empty; the options of the super block come last.
        let options = words.last()?;
        let writable = options.split(|byte| *byte == b',').any(|option| option == b"rw");
        Some(Self { device, root, point: unescape(point), kind, writable })
    }

    fn is_local_disk(&self) -> bool {
        let remote = REMOTE.iter().any(|name| self.kind.starts_with(name));
        let block_device = !self.device.starts_with(b"0:");
        let disk = block_device || OWN_DEVICES.contains(&self.kind) || self.point == Path::new("/");
        self.writable
            && disk
            && !remote
            && !CONTAINER_FILES.contains(&self.point.as_os_str().as_bytes())
            && !SYSTEM_FOLDERS.iter().any(|folder| self.point.starts_with(folder))
    }

    /// The smaller is the better representative of its device.
    fn rank(&self) -> (bool, bool, usize) {
        (self.point != Path::new("/"), self.root != b"/", self.point.as_os_str().len())
    }
}

/// The mounts that count: local disks in the order of the file, then those that the configuration names.
pub(super) fn choose(text: &[u8], choice: &Choice) -> Vec<Mount> {
    let mut seen: Vec<Line<'_>> = Vec::new();
    for line in lines(text).filter_map(Line::parse) {
        seen.retain(|earlier| earlier.point != line.point);
        seen.push(line);
    }
    let mount = |point: &Path, line: Option<&Line<'_>>, local| Mount {
        point: point.into(),
        kind: line.map(|line| String::from_utf8_lossy(line.kind).into_owned()).unwrap_or_default(),
        local,
        mounted: line.is_some(),
    };
    let named = choice.named.iter().map(|point| {
        let line = seen.iter().find(|line| line.point == *point);
        mount(point, line, line.is_some_and(Line::is_local_disk))
    });
    let local: Vec<&Line<'_>> =
        seen.iter().filter(|line| line.is_local_disk() && !ignores(&choice.ignored, &line.point)).collect();
    let best = |line: &&&Line<'_>| {
        local.iter().filter(|other| other.device == line.device).min_by_key(|other| other.rank())
            == Some(*line)
    };
    let local = local.iter().filter(best).filter(|line| !choice.named.contains(&line.point));
    let mut mounts: Vec<Mount> = local.map(|line| mount(&line.point, Some(line), true)).collect();
    mounts.truncate(MAX_DISKS.saturating_sub(choice.named.len()));
    mounts.extend(named.take(MAX_DISKS));
    mounts
}

/// The file writes blanks, tabs, line ends and backslashes of paths as `\` and three octal digits.
fn unescape(word: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'\\').then(|| after.split_first_chunk::<3>()).flatten();
        let octal = code.and_then(|(digits, after)| {
            let digits = str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 8).ok()?, after))
        });
        let (byte, after) = octal.unwrap_or((byte, after));
        path.push(byte);
        rest = after;
    }
    PathBuf::from(OsStr::from_bytes(&path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(text: &str, choice: &Choice) -> Vec<String> {
        let show = |mount: &Mount| {
            let mark = match (mount.mounted, mount.local) {
                (false, _) => "-",
                (true, false) => "~",
                (true, true) => "",
            };
            format!("{mark}{}", mount.point.display())
        };
        choose(text.as_bytes(), choice).iter().map(show).collect()
    }

    #[test]
    fn a_server_with_disks_network_and_pseudo_file_systems() {
        let text = "\
            22 27 0:21 / /proc rw,relatime - proc proc rw\n\
            24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw,size=1k\n\
            27 1 8:2 / / rw,relatime - ext4 /dev/sda2 rw,discard\n\
            28 27 8:1 / /boot/efi rw - vfat /dev/sda1 rw,fmask=0077\n\
            29 27 0:40 / /run rw - tmpfs tmpfs rw,size=100k\n\
            30 27 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n\
            31 27 253:0 / /data rw shared:9 master:3 - xfs /dev/mapper/vg-data rw,attr2\n\
            32 27 0:51 / /mnt/nfs rw - nfs4 server:/export rw,addr=10.0.0.1\n\
            33 27 0:52 / /mnt/ssh rw - fuse.sshfs u@h: rw,user_id=0\n\
            34 27 8:17 / /mnt/stick rw - fuseblk /dev/sdb1 rw\n\
            35 27 0:53 /@home /home rw - btrfs /dev/sdc rw,subvol=/@home\n\
            36 27 0:53 /@srv /srv rw - btrfs /dev/sdc rw,subvol=/@srv\n\
            37 27 0:54 / /tank rw - zfs tank rw,xattr\n\
            38 27 0:60 / /var/lib/docker/overlay2/1/merged rw - overlay overlay rw,lowerdir=/a\n";
        assert_eq!(points(text, &Choice::default()), ["/", "/boot/efi", "/data", "/srv", "/tank"]);
        let choice = Choice {
            named: vec!["/mnt/nfs".into(), "/mnt/gone".into(), "/data".into(), "/run".into()],
            ignored: vec!["/boot/*".into(), "/tank".into()],
        };
        assert_eq!(points(text, &choice), ["/", "/srv", "~/mnt/nfs", "-/mnt/gone", "/data", "~/run"]);
    }

    #[test]
    fn a_container_has_its_overlay_and_the_volumes() {
        let text = "\
            1 0 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/a,upperdir=/b\n\
            2 1 8:1 /var/lib/docker/containers/1/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n\
            3 1 8:1 /var/lib/docker/containers/1/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw\n\
            4 1 8:1 /srv/volume /data rw - ext4 /dev/sda1 rw\n\
            5 1 8:1 /srv/volume/deeper /data/deeper rw - ext4 /dev/sda1 rw\n";
        assert_eq!(points(text, &Choice::default()), ["/", "/data"]);
    }

    #[test]
    fn a_hardened_service_still_sees_its_disks() {
        let text = "\
            1 0 8:2 / / ro,relatime - ext4 /dev/sda2 rw\n\
            2 1 8:2 /tmp/private /tmp rw - ext4 /dev/sda2 rw\n\
            3 1 8:3 / /home ro - ext4 /dev/sda3 rw\n";
        assert_eq!(points(text, &Choice::default()), ["/", "/home"]);
    }

    #[test]
    fn the_last_mount_on_a_path_is_the_one_that_is_seen() {
        let text = "1 0 0:1 / / rw - rootfs rootfs rw\n2 1 8:2 / / rw - ext4 /dev/sda2 rw\n\
            3 1 8:3 / /mnt rw - ext4 /dev/sda3 rw\n4 1 0:9 / /mnt rw - tmpfs tmpfs rw\n";
        assert_eq!(points(text, &Choice::default()), ["/"]);
    }

    #[test]
    fn roots_of_all_kinds() {
        for (kind, device, options, counts) in [
            ("overlay", "0:50", "rw,lowerdir=/a", true),
            ("tmpfs", "0:50", "rw", true),
            ("ext4", "8:1", "ro", false),
            ("nfs4", "0:50", "rw", false),
            ("fuse.gcsfs", "0:50", "rw", false),
        ] {
            let text = format!("1 0 {device} / / rw - {kind} x {options}\n");
            assert_eq!(points(&text, &Choice::default()).len(), usize::from(counts), "{kind}");
        }
    }

    #[test]
    fn paths_with_blanks_and_lines_that_are_none() {
        let text = "9 1 8:9 / /mnt/Data\\040Disk\\134x rw - ext4 /dev/sdd rw\nno mount at all\n\
            9 1 8:9 / /short\n9 1 8:8 / /none rw - ext4\n";
        assert_eq!(points(text, &Choice::default()), ["/mnt/Data Disk\\x"]);
        for (word, path) in [("/a\\0", "/a\\0"), ("\\999", "\\999"), ("\\777", "\\777"), ("\\\\", "\\\\")] {
            assert_eq!(unescape(word.as_bytes()), Path::new(path));
        }
    }

    #[test]
    fn the_number_of_disks_is_bounded() {
        use std::fmt::Write as _;

        let mut text = String::new();
        for number in 0..200 {
            writeln!(text, "1 0 9:{number} / /d{number} rw - ext4 x rw").unwrap();
        }
        let choice = Choice { named: vec!["/named".into()], ..Choice::default() };
        let chosen = points(&text, &choice);
        assert_eq!((chosen.len(), chosen.last().unwrap().as_str()), (MAX_DISKS, "-/named"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_mounts_or_not(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(choose(&text, &Choice::default()).len() <= MAX_DISKS);
        }

        #[test]
        fn every_device_and_every_path_counts_once(
            lines in proptest::collection::vec(("[89]:[0-3]", "/[a-c]?", "/|/[a-d]|/[a-d]/[a-d]"), 0..20),
        ) {
            let text: String = lines
                .iter()
                .map(|(device, root, point)| format!("1 0 {device} {root} {point} rw - ext4 x rw\n"))
                .collect();
            let chosen = choose(text.as_bytes(), &Choice::default());
            let mut points: Vec<_> = chosen.iter().map(|mount| &mount.point).collect();
            let visible: std::collections::HashMap<_, _> =
                lines.iter().map(|(device, _, point)| (point, device)).collect();
            let devices: std::collections::HashSet<_> = visible.values().collect();
            prop_assert_eq!(chosen.len(), devices.len());
            points.dedup();
            prop_assert_eq!(points.len(), chosen.len());
        }
    }
}
