//! All readers of a Windows node together. What Windows is asked is in `system`; the rest knows nothing of it, and is tested
//! on every system.
//!
//! Less than on Linux: no inodes, no errors of interfaces, no `load1` (Windows has none), no temperatures (most boards tell theirs to drivers of their
//! makers alone). A volume without a drive letter, mounted in a folder, is watched when it is named in `disks`.

mod cpu;
mod drives;
mod memory;
mod processes;
#[cfg(windows)]
mod system;

#[cfg(windows)]
pub use self::whole::Readers;

#[cfg(windows)]
mod whole {
    use super::cpu::Cpu;
    use super::drives::Drives;
    use super::processes::Processes;
    use super::{memory, system};
    use crate::clock::Now;
    use crate::readers::networks::Networks;
    use crate::readers::{Found, Selection, SystemReaders};
    use crate::sheet::{Core, Sheet};

    /// The readers of this system.
    #[derive(Debug)]
    pub struct Readers {
        cpu: Cpu,
        networks: Networks,
        processes: Processes,
        drives: Drives,
    }

    impl SystemReaders for Readers {
        fn new(selection: &Selection) -> Self {
            Self {
                cpu: Cpu::default(),
                networks: Networks::default(),
                processes: Processes::new(&selection.watch, system::started),
                drives: Drives::new(selection, system::usage),
            }
        }

        fn watch(&mut self, more: &[String]) {
            self.processes.watch(more);
        }

        async fn read(&mut self, now: Now, sheet: &mut Sheet) {
            self.cpu.read(system::times(), sheet);
            memory::read(system::memory(), sheet);
            self.networks.read(now, system::interfaces(), sheet);
            self.processes.read(system::each_process, sheet);
            sheet.core(Core::Uptime, Some(now.seconds_since(0)));
            // Last, because it may wait.
            self.drives.read(system::drives(), sheet).await;
        }

        fn found(&self) -> Found {
            Found {
                disks: self.drives.watched().collect(),
                interfaces: self.networks.watched().map(Into::into).collect(),
                sensors: Vec::new(),
                processes: self.processes.watched().map(Into::into).collect(),
            }
        }
    }
}
