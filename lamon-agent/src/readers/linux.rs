//! All readers of a Linux node together.

use super::disks::Disks;
use super::loadavg::Loadavg;
use super::meminfo::Meminfo;
use super::mountinfo::Choice;
use super::net_dev::NetDev;
use super::processes::Processes;
use super::sensors::Sensors;
use super::stat::Stat;
use super::{Found, Selection, SystemReaders};
use crate::clock::Now;
use crate::sheet::{Core, Sheet};

/// The readers of this system.
#[derive(Debug)]
pub struct Readers {
    stat: Stat,
    meminfo: Meminfo,
    loadavg: Loadavg,
    disks: Disks,
    net_dev: NetDev,
    processes: Processes,
    sensors: Sensors,
}

impl SystemReaders for Readers {
    fn new(selection: &Selection) -> Self {
        let Selection { disks, ignore_disks, watch } = selection;
        Self {
            stat: Stat::new(),
            meminfo: Meminfo::new(),
            loadavg: Loadavg::new(),
            disks: Disks::new(Choice { named: disks.clone(), ignored: ignore_disks.clone() }),
            net_dev: NetDev::new(),
            processes: Processes::new(watch),
            sensors: Sensors::default(),
        }
    }

    fn watch(&mut self, more: &[String]) {
        self.processes.watch(more);
    }

    /// Each disk that hangs costs two seconds once, and nothing from then on until it answers.
    async fn read(&mut self, now: Now, sheet: &mut Sheet) {
        self.stat.read(sheet);
        self.meminfo.read(sheet);
        self.net_dev.read(now, sheet);
        self.loadavg.read(sheet);
        self.processes.read(sheet);
        self.sensors.read(now, sheet);
        sheet.core(Core::Uptime, Some(now.seconds_since(0)));
        // Last, because it may wait.
        self.disks.read(sheet).await;
    }

    fn found(&self) -> Found {
        let disk = |mount: &super::mountinfo::Mount| {
            let point = mount.point.display();
            match (mount.mounted, mount.local) {
                (true, true) => format!("{point} ({})", mount.kind),
                (true, false) => format!("{point} ({}, named, not counted in disk_percent)", mount.kind),
                (false, _) => format!("{point} (named, not mounted)"),
            }
        };
        let interface = |(name, physical): (&str, bool)| {
            if physical { name.into() } else { format!("{name} (no interface has a device, so all count)") }
        };
        Found {
            disks: self.disks.watched().map(disk).collect(),
            interfaces: self.net_dev.watched().map(interface).collect(),
            sensors: self.sensors.watched().map(Into::into).collect(),
            processes: self.processes.watched().map(Into::into).collect(),
        }
    }
}
