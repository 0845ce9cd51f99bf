//! All readers of a node that is not Linux, through sysinfo: the same metrics, with what that library knows.
//!
//! Less than on Linux: no inodes; every interface but the loopback counts, so a bridge or a team of interfaces counts
//! twice; a watched process is compared by the name that the system shows, without case and without `.exe` on Windows;
//! `load1` only where the system has one (not on Windows).

use std::path::PathBuf;
use std::time::Instant;

use lamon_wire::names::Slugs;
use sysinfo::{Networks, ProcessRefreshKind, ProcessesToUpdate, System};

use super::asker::Asker;
use super::numbers::{percent, rate};
use super::restarts::Restarts;
use super::sensors::Sensors;
use super::{Found, Selection, ignores};
use crate::clock::Now;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The most disks, and the most interfaces, that are reported one by one.
const MAX_DEVICES: usize = 48;

/// What the kinds of file systems on other machines are called, by the start of their names.
const REMOTE: [&str; 6] = ["nfs", "smb", "cifs", "afp", "webdav", "fuse"];

/// The readers of this system.
#[derive(Debug)]
pub struct Readers {
    selection: Selection,
    system: Option<System>,
    networks: Option<Networks>,
    sensors: Sensors,
    disks: Asker<(), Vec<Disk>>,
    disk_metrics: Vec<(PathBuf, [DeviceMetric; 2])>,
    disk_slugs: Slugs,
    last_disks: Vec<Disk>,
    interfaces: Vec<Interface>,
    interface_slugs: Slugs,
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

#[derive(Debug)]
struct Interface {
    name: String,
    counters: [u64; 3],
    metrics: Option<[DeviceMetric; 3]>,
}

impl Readers {
    /// Readers of what `selection` says; nothing is read yet.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let mut readers = Self {
            selection: selection.clone(),
            system: System::new().ok(),
            networks: Networks::new().ok(),
            sensors: Sensors::default(),
            disks: Asker::new(|()| list_disks()),
            disk_metrics: Vec::new(),
            disk_slugs: Slugs::default(),
            last_disks: Vec::new(),
            interfaces: Vec::new(),
            interface_slugs: Slugs::default(),
            last_us: 0,
            watched: Vec::new(),
            process_slugs: Slugs::default(),
        };
        readers.watch(&[]);
        readers
    }

    /// Counts the processes of these names too, besides those of the selection.
    pub fn watch(&mut self, more: &[String]) {
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

    /// Takes a look at everything. Rates are those since the look before; the first has none.
    pub async fn read(&mut self, now: Now, sheet: &mut Sheet) {
        let first = self.last_us == 0;
        self.read_system(first, sheet);
        self.read_networks(now.seconds_since(self.last_us), first, sheet);
        self.sensors.read(now, sheet);
        sheet.core(Core::Uptime, Some(now.seconds_since(0)));
        self.read_disks(sheet).await;
        self.last_us = now.monotonic_us;
    }

    /// What the last look found.
    #[must_use]
    pub fn found(&self) -> Found {
        Found {
            disks: self
                .last_disks
                .iter()
                .map(|disk| format!("{} ({})", disk.point.display(), disk.kind))
                .collect(),
            interfaces: self.interfaces.iter().map(|interface| interface.name.clone()).collect(),
            sensors: self.sensors.watched().map(Into::into).collect(),
            processes: self.watched.iter().map(|watched| watched.name.clone()).collect(),
        }
    }

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
        sheet.core(Core::MemoryPercent, percent(total.saturating_sub(system.available_memory()), total));
        sheet.core(Core::SwapPercent, percent(system.used_swap(), system.total_swap()).or(Some(0.0)));
        if cfg!(unix) {
            sheet.core(Core::Load1, System::load_average().ok().map(|load| load.one));
        }
        let count = |processes: usize| u32::try_from(processes).ok().map(f64::from);
        sheet.core(Core::Processes, count(system.processes().len()));
        let now = Instant::now();
        for watched in &mut self.watched {
            let mut running = 0;
            for process in system.processes().values() {
                if same_program(process.name(), &watched.name) {
                    running += 1;
                    watched.restarts.note((process.pid().as_u32(), process.start_time()));
                }
            }
            sheet.device(&watched.metric, count(running));
            sheet.device(&watched.restarts_metric, Some(f64::from(watched.restarts.settle(now))));
        }
    }

    fn read_networks(&mut self, seconds: f64, first: bool, sheet: &mut Sheet) {
        let Some(networks) = &mut self.networks else { return };
        networks.refresh(true);
        let mut names: Vec<_> = networks.iter().filter(|(name, _)| !is_loopback(name)).collect();
        names.sort_by_key(|(name, _)| name.as_encoded_bytes());
        let mut current = Vec::with_capacity(names.len());
        let mut sums = (!first).then_some((0.0, 0.0));
        for (name, data) in names.into_iter().take(MAX_DEVICES) {
            let name = name.to_string_lossy().into_owned();
            let errors = data.total_errors_on_received().saturating_add(data.total_errors_on_transmitted());
            let counters = [data.total_received(), data.total_transmitted(), errors];
            let last = self.interfaces.iter().find(|last| last.name == name);
            let metrics = match last.and_then(|last| last.metrics.clone()) {
                Some(metrics) => Some(metrics),
                None => DeviceMetric::of(&mut self.interface_slugs, "nic", &name, ["_in", "_out", "_errors"]),
            };
            let mut rates = [None; 3];
            if let Some(last) = last {
                for ((rate_of, last), now) in rates.iter_mut().zip(last.counters).zip(counters) {
                    *rate_of = rate(last, now, seconds);
                }
                let [more_in, more_out, _] = rates;
                sums = sums.zip(more_in.zip(more_out)).map(|((a, b), (c, d))| (a + c, b + d));
            }
            for (metric, rate) in metrics.iter().flatten().zip(rates) {
                sheet.device(metric, rate);
            }
            current.push(Interface { name, counters, metrics });
        }
        self.interfaces = current;
        sheet.core(Core::NicIn, sums.map(|(sum_in, _)| sum_in));
        sheet.core(Core::NicOut, sums.map(|(_, sum_out)| sum_out));
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
            disks.truncate(MAX_DEVICES);
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
            Disk {
                point: disk.mount_point().into(),
                local: !remote && !disk.is_read_only() && disk.total_space() > 0,
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

fn is_loopback(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    matches!(&*name, "lo" | "lo0") || name.starts_with("Loopback")
}

fn same_program(name: &std::ffi::OsStr, wanted: &str) -> bool {
    let name = name.to_string_lossy();
    if cfg!(windows) {
        let bare = |name: &str| name.to_ascii_lowercase().trim_end_matches(".exe").to_owned();
        bare(&name) == bare(wanted)
    } else {
        name == wanted
    }
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
