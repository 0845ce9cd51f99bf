//! `processes` (how many there are), `proc_<name>` (how many of a watched name run) and `restarts_<name>` (how often it was
//! started again), from the system's list of processes.
//!
//! A process counts for a watched name when its program has that name, without regard to case and to `.exe`.

use std::time::Instant;

use lamon_wire::names::Slugs;

use crate::readers::restarts::Restarts;
use crate::sheet::{Core, DeviceMetric, Sheet};

/// The process that stands for no process: what runs when nothing does.
const IDLE: u32 = 0;

/// Counts processes.
#[derive(Debug)]
pub(super) struct Processes {
    slugs: Slugs,
    watched: Vec<Watched>,
    own: usize,
    started: fn(u32) -> u64,
}

#[derive(Debug)]
struct Watched {
    name: String,
    metric: DeviceMetric,
    running: u32,
    restarts_metric: DeviceMetric,
    restarts: Restarts,
}

/// What is called for each process: its id, and its program's name, which is made when it is asked for.
pub(super) type Visit<'a> = dyn FnMut(u32, &dyn Fn() -> String) + 'a;

impl Processes {
    /// Watches `own`; `started` says when a process was started, in whatever the system counts, 0 where it does not say.
    pub(super) fn new(own: &[String], started: fn(u32) -> u64) -> Self {
        let mut slugs = Slugs::default();
        let watched: Vec<Watched> = own.iter().filter_map(|name| Watched::new(name, &mut slugs)).collect();
        Self { slugs, own: watched.len(), watched, started }
    }

    /// Watches `more` names besides the configuration's own, in place of those of the last call.
    pub(super) fn watch(&mut self, more: &[String]) {
        let mut before = self.watched.split_off(self.own);
        for name in more {
            if self.watched.iter().any(|watched| watched.name == *name) {
                continue;
            }
            let known = before.iter().position(|watched| watched.name == *name);
            let watched = match known {
                Some(at) => Some(before.swap_remove(at)),
                None => Watched::new(name, &mut self.slugs),
            };
            self.watched.extend(watched);
        }
    }

    /// The names that are watched.
    pub(super) fn watched(&self) -> impl Iterator<Item = &str> {
        self.watched.iter().map(|watched| watched.name.as_str())
    }

    /// Takes a look by `each`, which calls its argument for each process and says whether the system told them all.
    pub(super) fn read(&mut self, each: impl FnOnce(&mut Visit<'_>) -> bool, sheet: &mut Sheet) {
        let Self { watched, started, .. } = self;
        let mut count: u32 = 0;
        for watched in &mut *watched {
            watched.running = 0;
        }
        let whole = each(&mut |id, name| {
            if id == IDLE {
                return;
            }
            count = count.saturating_add(1);
            if watched.is_empty() {
                return;
            }
            let name = name();
            for watched in watched.iter_mut().filter(|watched| same_program(&name, &watched.name)) {
                watched.running = watched.running.saturating_add(1);
                watched.restarts.note((id, started(id)));
            }
        });
        sheet.core(Core::Processes, whole.then(|| f64::from(count)));
        let now = Instant::now();
        for watched in watched {
            sheet.device(&watched.metric, whole.then(|| f64::from(watched.running)));
            // A list that breaks off must not make the rest of the processes new ones at the next look.
            let restarts = whole.then(|| f64::from(watched.restarts.settle(now)));
            sheet.device(&watched.restarts_metric, restarts);
        }
    }
}

impl Watched {
    fn new(name: &str, slugs: &mut Slugs) -> Option<Self> {
        let [metric] = DeviceMetric::of(slugs, "proc", name, [""])?;
        let [restarts_metric] = DeviceMetric::of(slugs, "restarts", name, [""])?;
        Some(Self { name: name.into(), metric, running: 0, restarts_metric, restarts: Restarts::default() })
    }
}

/// Whether a program's file has a name, as Windows takes names.
fn same_program(file: &str, wanted: &str) -> bool {
    bare(file).eq_ignore_ascii_case(bare(wanted))
}

fn bare(name: &str) -> &str {
    match name.split_at_checked(name.len().saturating_sub(4)) {
        Some((bare, end)) if end.eq_ignore_ascii_case(".exe") => bare,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(processes: &mut Processes, list: &[(u32, &str)], whole: bool) -> Vec<(String, Option<f64>)> {
        let mut sheet = Sheet::default();
        let each = |visit: &mut Visit<'_>| {
            for (id, name) in list {
                visit(*id, &|| (*name).to_owned());
            }
            whole
        };
        processes.read(each, &mut sheet);
        sheet.entries().map(|(name, _, value)| (name.into(), value)).collect()
    }

    #[test]
    fn names_are_compared_as_windows_does() {
        for (file, wanted, same) in [
            ("MaxIm_DL.exe", "maxim_dl", true),
            ("maxim_dl.EXE", "MaxIm_DL.exe", true),
            ("ntpd", "ntpd.exe", true),
            ("exe", ".exe", false),
            ("ntpdate.exe", "ntpd", false),
            ("\u{6570}\u{636e}.exe", "\u{6570}\u{636e}", true),
        ] {
            assert_eq!(same_program(file, wanted), same, "{file} {wanted}");
        }
    }

    #[test]
    fn processes_are_counted_and_watched_ones_with_their_restarts() {
        let mut processes = Processes::new(&["camera".into()], |id| u64::from(id) * 10);
        let list = [(0, "[System Process]"), (4, "System"), (8, "Camera.exe"), (9, "ntpd.exe")];
        let entries = look(&mut processes, &list, true);
        let entry = |name: &str, value| (name.to_owned(), value);
        assert_eq!(
            entries,
            [
                entry("processes", Some(3.0)),
                entry("proc_camera", Some(1.0)),
                entry("restarts_camera", Some(0.0))
            ]
        );
        processes.watch(&["ntpd".into(), "camera".into()]);
        assert_eq!(processes.watched().collect::<Vec<_>>(), ["camera", "ntpd"]);
        let entries = look(&mut processes, &[(4, "System"), (12, "camera.exe")], true);
        assert_eq!(
            entries[1..],
            [
                entry("proc_camera", Some(1.0)),
                entry("restarts_camera", Some(1.0)),
                entry("proc_ntpd", Some(0.0)),
                entry("restarts_ntpd", Some(0.0))
            ]
        );
        processes.watch(&[]);
        let entries = look(&mut processes, &[], false);
        let nothing = ["processes", "proc_camera", "restarts_camera"].map(|name| entry(name, None));
        assert_eq!(entries, nothing, "a list that was not to be had");
    }
}
