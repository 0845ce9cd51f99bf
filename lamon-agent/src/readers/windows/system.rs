//! What Windows is asked: the calls, and nothing else.

use winsafe::{HPROCESS, HPROCESSLIST, co};

use super::cpu::Times;
use super::drives::{Drive, Kind, Usage};
use super::memory::Memory;
use super::processes::Visit;
use crate::readers::networks::Counters;

/// GetSystemTimes.
pub(super) fn times() -> Option<Times> {
    let (idle, kernel, user) = winsafe::GetSystemTimes().ok()?;
    Some(Times { idle: idle.into(), kernel: kernel.into(), user: user.into() })
}

/// GlobalMemoryStatusEx.
pub(super) fn memory() -> Option<Memory> {
    let status = winsafe::GlobalMemoryStatusEx().ok()?;
    Some(Memory {
        total: status.ullTotalPhys,
        available: status.ullAvailPhys,
        commit_limit: status.ullTotalPageFile,
        commit_available: status.ullAvailPageFile,
    })
}

/// The drives by their letters; none is touched for it.
pub(super) fn drives() -> Vec<Drive> {
    let kind = |root: &str| match winsafe::GetDriveType(Some(root)) {
        co::DRIVE::FIXED => Kind::Fixed,
        co::DRIVE::REMOVABLE => Kind::Other("removable"),
        co::DRIVE::REMOTE => Kind::Other("network"),
        co::DRIVE::CDROM => Kind::Other("disc"),
        co::DRIVE::RAMDISK => Kind::Other("in memory"),
        _ => Kind::Other("unknown"),
    };
    let roots = winsafe::GetLogicalDriveStrings().unwrap_or_default();
    roots.into_iter().map(|root| Drive { kind: kind(&root), root: root.into() }).collect()
}

/// GetDiskFreeSpaceEx; it may never answer.
pub(super) fn usage(drive: &Drive) -> Option<Usage> {
    let (mut total, mut available) = (0, 0);
    let root = drive.root.to_str()?;
    winsafe::GetDiskFreeSpaceEx(Some(root), Some(&mut available), Some(&mut total), None).ok()?;
    Some(Usage { total, available })
}

/// The interfaces that are connected, but the loopback and tunnels, whose bytes go through another one. Windows lists here what
/// has addresses, not the filters and switches below it.
pub(super) fn interfaces() -> Vec<Counters> {
    let all = netdev::get_interfaces().into_iter();
    let counted = all
        .filter(|interface| interface.is_up() && !interface.is_loopback() && !interface.is_point_to_point());
    let counters = counted.filter_map(|interface| {
        let stats = interface.stats?;
        let name = interface.friendly_name.unwrap_or(interface.name);
        Some(Counters { name, received: stats.rx_bytes, sent: stats.tx_bytes, errors: None })
    });
    counters.collect()
}

/// Goes through a snapshot of the processes; says whether it could be had and read to its end.
pub(super) fn each_process(visit: &mut Visit<'_>) -> bool {
    let Ok(mut list) = HPROCESSLIST::CreateToolhelp32Snapshot(co::TH32CS::SNAPPROCESS, None) else {
        return false;
    };
    for entry in list.iter_processes() {
        match entry {
            Ok(entry) => visit(entry.th32ProcessID, &|| entry.szExeFile()),
            Err(_) => return false,
        }
    }
    true
}

/// When a process was started, in units of 100 ns; 0 when the system does not say, because it is another user's.
pub(super) fn started(id: u32) -> u64 {
    let process = HPROCESS::OpenProcess(co::PROCESS::QUERY_LIMITED_INFORMATION, false, id);
    let times = process.and_then(|process| process.GetProcessTimes());
    times.map_or(0, |(creation, ..)| creation.into())
}
