//! The sheet on which the readers write what they saw at one look.
//!
//! Core metrics have their fixed places, in the order in which tables, columns and pages show them; what is per device
//! follows in the order of the devices. The sheet is kept from look to look, so a look allocates nothing that stays.

use std::sync::Arc;

use lamon_wire::frames::MAX_LABEL_BYTES;
use lamon_wire::metric::CORE;
use lamon_wire::names::{MetricName, Slugs};

/// The core metrics that an agent sends: all of [`CORE`] but `clock_offset`, which the hub measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the metric of its name, DESIGN section 4")]
pub enum Core {
    CpuPercent,
    MemoryPercent,
    SwapPercent,
    DiskPercent,
    NicIn,
    NicOut,
    Load1,
    Processes,
    Uptime,
}

/// How many variants [`Core`] has.
const CORE_COUNT: usize = 9;

/// A metric of one device, with what the system calls the device.
///
/// Made once for each device and shared from then on: cloning copies no text.
#[derive(Debug, Clone)]
pub struct DeviceMetric {
    /// The metric's name, `disk_home_percent`.
    pub name: MetricName,
    /// The device's own name (`/home`), empty where the metric's name says it all; at most [`MAX_LABEL_BYTES`].
    pub label: Arc<str>,
}

impl DeviceMetric {
    /// The metrics `<prefix>_<slug><suffix>` of the device that the system calls `original`, one for each suffix.
    ///
    /// `None` when [`Slugs`] remembers too many devices already.
    pub fn of<const N: usize>(
        slugs: &mut Slugs,
        prefix: &str,
        original: &str,
        suffixes: [&str; N],
    ) -> Option<[Self; N]> {
        let slug = slugs.name(original)?;
        let label = if slug == original { "" } else { cut(original) };
        let label: Arc<str> = label.into();
        let metrics: Vec<Self> = suffixes
            .into_iter()
            .map_while(|suffix| MetricName::new(&format!("{prefix}_{slug}{suffix}")).ok())
            .map(|name| Self { name, label: Arc::clone(&label) })
            .collect();
        metrics.try_into().ok()
    }
}

/// As much of a label as a table takes.
fn cut(label: &str) -> &str {
    label.get(..label.floor_char_boundary(MAX_LABEL_BYTES)).unwrap_or_default()
}

/// What the readers saw at one look.
#[derive(Debug, Default)]
pub struct Sheet {
    core: [Option<Option<f64>>; CORE_COUNT],
    devices: Vec<(DeviceMetric, Option<f64>)>,
}

impl Sheet {
    /// Wipes the sheet for the next look.
    pub fn clear(&mut self) {
        self.core = [None; CORE_COUNT];
        self.devices.clear();
    }

    /// Writes a core metric. `None` says that this system has it, but there is no value at this look.
    pub fn core(&mut self, metric: Core, value: Option<f64>) {
        if let Some(place) = self.core.get_mut(metric as usize) {
            *place = Some(value);
        }
    }

    /// Writes a metric of a device.
    pub fn device(&mut self, metric: &DeviceMetric, value: Option<f64>) {
        self.devices.push((metric.clone(), value));
    }

    /// What was written, core metrics first: name, label, value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str, Option<f64>)> {
        let core = CORE.iter().zip(&self.core).filter_map(|(name, value)| Some((*name, "", (*value)?)));
        core.chain(self.devices.iter().map(|(metric, value)| (metric.name.as_str(), &*metric.label, *value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_metrics_come_first_under_their_names() {
        let mut sheet = Sheet::default();
        let mut slugs = Slugs::default();
        let [free] = DeviceMetric::of(&mut slugs, "disk", "/home", ["_free"]).unwrap();
        sheet.device(&free, Some(5.0));
        for (core, value) in [
            (Core::Uptime, 9.0),
            (Core::Processes, 8.0),
            (Core::Load1, 7.0),
            (Core::NicOut, 6.0),
            (Core::NicIn, 5.0),
            (Core::DiskPercent, 4.0),
            (Core::SwapPercent, 3.0),
            (Core::MemoryPercent, 2.0),
            (Core::CpuPercent, 1.0),
        ] {
            sheet.core(core, Some(value));
        }
        let mut expected: Vec<_> =
            CORE[..9].iter().zip(1..).map(|(name, value)| (*name, "", Some(f64::from(value)))).collect();
        expected.push(("disk_home_free", "/home", Some(5.0)));
        assert_eq!(sheet.entries().collect::<Vec<_>>(), expected);
        assert_eq!(CORE[CORE_COUNT], "clock_offset", "the only one that no agent sends");

        sheet.clear();
        sheet.core(Core::Load1, None);
        assert_eq!(sheet.entries().collect::<Vec<_>>(), [("load1", "", None)]);
    }

    #[test]
    fn labels_say_what_names_do_not_and_are_cut_between_characters() {
        let mut slugs = Slugs::default();
        let mut label = |original: &str| {
            let [metric] = DeviceMetric::of(&mut slugs, "nic", original, ["_in"]).unwrap();
            (metric.name.as_str().to_owned(), metric.label.to_string())
        };
        assert_eq!(label("eth0"), ("nic_eth0_in".into(), String::new()));
        assert_eq!(label("Ethernet 2"), ("nic_ethernet_2_in".into(), "Ethernet 2".into()));
        let long = format!("{}\u{6570}\u{636e}", "x".repeat(63));
        assert_eq!(label(&long).1, "x".repeat(63));
    }
}
