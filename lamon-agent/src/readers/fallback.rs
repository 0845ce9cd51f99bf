//! All readers of a node that is neither Linux nor Windows, through sysinfo: the same metrics, with what that library knows. What is
//! peculiar to macOS is in [`macos`](super::macos).
//!
//! Less than on Linux: no inodes; elsewhere than on macOS every interface but the loopback counts, so a bridge or a team of
//! interfaces counts twice; a watched process is compared by the name that the system shows.

use std::path::PathBuf;
use std::time::Instant;

use lamon_wire::names::Slugs;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

use super::asker::Asker;
use super::networks::{Counters, Networks};
use super::numbers::percent;
use super::restarts::Restarts;
use super::sensors::Sensors;
use super::{Found, Selection, SystemReaders, ignores, macos};
use crate::clock::Now;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// Whether this is a Mac.
const MACOS: bool = cfg!(target_os = "macos");

/// The most disks that are reported one by one.
const MAX_DISKS: usize = 48;

/// What the kinds of file systems on other machines are called, by the start of their names.
const REMOTE: [&str; 6] = ["nfs", "smb", "cifs", "afp", "webdav", "fuse"];

/// The readers of this system.
#[derive(Debug)]
pub struct Readers {
    selection: Selection,
    system: Option<System>,
    interfaces: Option<sysinfo::Networks>,
    networks: Networks,
    sensors: Sensors,
    disks: Asker<(), Vec<Disk>>,
    disk_metrics: Vec<(PathBuf, [DeviceMetric; 2])>,
    disk_slugs: Slugs,
    last_disks: Vec<Disk>,
    last_us: u64,
    watched: Vec<Watched>,
    process_slugs: Slugs,
}

/// One look at a mounted disk.
#[derive(Debug, Clone)]
struct Disk {
    point: PathBuf,
    kind: String,
    local: bool,
    total_bytes: u64,
    available_bytes: u64,
}

/// A watched program.
#[derive(Debug)]
struct Watched {
    name: String,
    metric: DeviceMetric,
    restarts_metric: DeviceMetric,
    restarts: Restarts,
}

impl SystemReaders for Readers {
    fn new(selection: &Selection) -> Self {
        let mut readers = Self {
            selection: selection.clone(),
            system: System::new().ok(),
            interfaces: sysinfo::Networks::new().ok(),
            networks: Networks::default(),
            sensors: Sensors::default(),
            disks: Asker::new(|()| list_disks()),
            disk_metrics: Vec::new(),
            disk_slugs: Slugs::default(),
            last_disks: Vec::new(),
            last_us: 0,
            watched: Vec::new(),
            process_slugs: Slugs::default(),
        };
        readers.watch(&[]);
        readers
    }

    fn watch(&mut self, more: &[String]) {
        let mut before = std::mem::take(&mut self.watched);
        for name in self.selection.watch.iter().chain(more) {
            let slugs = &mut self.process_slugs;
            let [metric, restarts_metric] =
                ["proc", "restarts"].map(|prefix| DeviceMetric::of(slugs, prefix, name, [""]));
            if let (Some([metric]), Some([restarts_metric])) = (metric, restarts_metric)
                && !self.watched.iter().any(|known| known.name == *name)
            {
                let known = before.iter_mut().find(|known| known.name == *name);
                let restarts = known.map(|known| std::mem::take(&mut known.restarts)).unwrap_or_default();
                self.watched.push(Watched { name: name.clone(), metric, restarts_metric, restarts });
            }
        }
    }

    async fn read(&mut self, now: Now, sheet: &mut Sheet) {
        let first = self.last_us == 0;
        self.read_system(first, sheet);
        if let Some(interfaces) = &mut self.interfaces {
            self.networks.read(now, counters(interfaces), sheet);
        }
        self.sensors.read(now, sheet);
        sheet.core(Core::Uptime, Some(now.seconds_since(0)));
        self.read_disks(sheet).await;
        self.last_us = now.monotonic_us;
    }

    fn found(&self) -> Found {
        Found {
            disks: self
                .last_disks
                .iter()
                .map(|disk| format!("{} ({})", disk.point.display(), disk.kind))
                .collect(),
            interfaces: self.networks.watched().map(Into::into).collect(),
            sensors: self.sensors.watched().map(Into::into).collect(),
            processes: self.watched.iter().map(|watched| watched.name.clone()).collect(),
        }
    }
}

impl Readers {
    fn read_system(&mut self, first: bool, sheet: &mut Sheet) {
        let Some(system) = &mut self.system else { return };
        system.refresh_cpu_usage();
        system.refresh_memory();
        system.refresh_processes_specifics(
            ProcessesToUpdate::All,
            true,
            ProcessRefreshKind::nothing().without_tasks(),
        );
        let busy = f64::from(system.global_cpu_usage());
        sheet.core(Core::CpuPercent, (!first && busy.is_finite()).then_some(busy.clamp(0.0, 100.0)));
        let total = system.total_memory();
        let used = if MACOS {
            macos::used_memory(system.used_memory(), total)
        } else {
            total.saturating_sub(system.available_memory())
        };
        sheet.core(Core::MemoryPercent, percent(used, total));
        sheet.core(Core::SwapPercent, percent(system.used_swap(), system.total_swap()).or(Some(0.0)));
        sheet.core(Core::Load1, System::load_average().ok().map(|load| load.one));
        let count = |processes: usize| u32::try_from(processes).ok().map(f64::from);
        sheet.core(Core::Processes, count(system.processes().len()));
        let now = Instant::now();
        for watched in &mut self.watched {
            let mut running = 0;
            for process in system.processes().values() {
                if process.name() == watched.name.as_str() {
                    running += 1;
                    watched.restarts.note((process.pid().as_u32(), process.start_time()));
                }
            }
            sheet.device(&watched.metric, count(running));
            sheet.device(&watched.restarts_metric, Some(f64::from(watched.restarts.settle(now))));
        }
    }

    /// All disks are asked in one call: one that hangs takes the others' values with it until it answers.
    async fn read_disks(&mut self, sheet: &mut Sheet) {
        let answer = self.disks.ask(&()).await;
        let answered = answer.is_some();
        if let Some(mut disks) = answer {
            let Selection { disks: named, ignore_disks, .. } = &self.selection;
            disks.retain(|disk| {
                named.contains(&disk.point) || disk.local && !ignores(ignore_disks, &disk.point)
            });
            disks.truncate(MAX_DISKS);
            self.last_disks = disks;
        }
        let mut fullest: Option<f64> = None;
        for disk in &self.last_disks {
            let used = disk.total_bytes.saturating_sub(disk.available_bytes);
            let full = percent(used, disk.total_bytes).filter(|_| answered);
            if disk.local {
                fullest = fullest.into_iter().chain(full).reduce(f64::max);
            }
            let known = self.disk_metrics.iter().position(|(point, _)| *point == disk.point);
            if known.is_none() {
                let point = disk.point.to_string_lossy();
                let metrics = DeviceMetric::of(&mut self.disk_slugs, "disk", &point, ["_percent", "_free"]);
                self.disk_metrics.extend(metrics.map(|metrics| (disk.point.clone(), metrics)));
            }
            let known = known.map_or_else(|| self.disk_metrics.last(), |at| self.disk_metrics.get(at));
            if let Some((_, [percent, free])) = known {
                sheet.device(percent, full);
                #[expect(clippy::cast_precision_loss, reason = "free space over 8 PiB loses its last bits")]
                sheet.device(free, answered.then_some(disk.available_bytes as f64));
            }
        }
        sheet.core(Core::DiskPercent, fullest);
    }
}

fn list_disks() -> Vec<Disk> {
    let disks = sysinfo::Disks::new_with_refreshed_list().ok();
    let mut disks: Vec<Disk> = disks
        .iter()
        .flatten()
        .map(|disk| {
            let kind = disk.file_system().to_string_lossy().into_owned();
            let remote = REMOTE.iter().any(|start| kind.to_ascii_lowercase().starts_with(start));
            let own = if MACOS {
                macos::is_own_disk(disk.mount_point(), disk.is_read_only(), disk.is_removable())
            } else {
                !disk.is_read_only()
            };
            Disk {
                point: disk.mount_point().into(),
                local: own && !remote && disk.total_space() > 0,
                kind,
                total_bytes: disk.total_space(),
                available_bytes: disk.available_space(),
            }
        })
        .collect();
    disks.sort_by(|one, other| one.point.cmp(&other.point));
    disks.dedup_by(|one, other| one.point == other.point);
    disks
}

/// What every interface that is worth it counted: not the loopback.
fn counters(interfaces: &mut sysinfo::Networks) -> Vec<Counters> {
    interfaces.refresh(true);
    let named = interfaces.iter().map(|(name, data)| (name.to_string_lossy(), data));
    let counted = named.filter(|(name, data)| {
        if MACOS {
            macos::counts_interface(name, data.total_received(), data.total_transmitted())
        } else {
            !matches!(&**name, "lo" | "lo0")
        }
    });
    let counters = counted.map(|(name, data)| Counters {
        name: name.into_owned(),
        received: data.total_received(),
        sent: data.total_transmitted(),
        errors: Some(data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted())),
    });
    counters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_second_look_has_every_core_metric_and_the_same_table() {
        let own = std::env::current_exe().unwrap();
        let mut own = own.file_name().unwrap().to_string_lossy().into_owned();
        own.truncate(15);
        let selection = Selection { watch: vec![own, "lamon-nothing".into()], ..Selection::default() };
        let mut readers = Readers::new(&selection);
        let mut looks = Vec::new();
        for us in [1_000_000, 2_000_000] {
            let mut sheet = Sheet::default();
            readers.read(Now { monotonic_us: us, wall_us: 0 }, &mut sheet).await;
            looks.push(sheet.entries().map(|(name, _, value)| (name.to_owned(), value)).collect::<Vec<_>>());
        }
        let names = |at: usize| looks[at].iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(0), names(1));
        let core = names(1).into_iter().take(9).collect::<Vec<_>>();
        assert_eq!(core, lamon_wire::metric::CORE[..9]);
        let value =
            |wanted: &str| looks[1].iter().find(|(name, _)| name == wanted).and_then(|(_, value)| *value);
        for (name, least, most) in
            [("memory_percent", 0.1, 100.0), ("processes", 2.0, 1e6), ("uptime", 2.0, 2.0)]
        {
            assert!(
                value(name).is_some_and(|value| (least..=most).contains(&value)),
                "{name} {:?}",
                value(name)
            );
        }
        assert_eq!(value("proc_lamon_nothing"), Some(0.0));
        assert!(readers.found().processes.len() == 2);
    }
}
