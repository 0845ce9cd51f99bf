//! `temp_<sensor>`: what the node's temperature sensors show, through sysinfo (Linux: /sys/class/hwmon, or
//! /sys/class/thermal where there is none).

use lamon_wire::names::Slugs;
use sysinfo::{Component, Components};

use crate::clock::Now;
use crate::sheet::{DeviceMetric, Sheet};

/// How often new sensors are looked for, in seconds. Finding them reads some ten files each; reading a known one, one.
const RESCAN_SECONDS: f64 = 600.0;

/// The most sensors that are read: beyond it their values would not fit a table.
const MAX_SENSORS: usize = 96;

/// Reads the sensors.
#[derive(Debug, Default)]
pub(super) struct Sensors {
    components: Option<Components>,
    scanned_us: u64,
    slugs: Slugs,
    metrics: Vec<Option<DeviceMetric>>,
}

impl Sensors {
    pub(super) fn read(&mut self, now: Now, sheet: &mut Sheet) {
        if self.components.is_none() || now.seconds_since(self.scanned_us) > RESCAN_SECONDS {
            self.scan(now);
        } else {
            for component in self.components.iter_mut().flatten() {
                component.refresh();
            }
        }
        let found = self.components.iter().flatten().take(MAX_SENSORS);
        for (component, metric) in found.zip(&self.metrics) {
            if let Some(metric) = metric {
                sheet.device(metric, component.temperature().map(f64::from));
            }
        }
    }

    /// The names of the sensors.
    pub(super) fn watched(&self) -> impl Iterator<Item = &str> {
        self.components.iter().flatten().take(MAX_SENSORS).map(Component::label)
    }

    fn scan(&mut self, now: Now) {
        self.scanned_us = now.monotonic_us;
        match &mut self.components {
            Some(components) => components.refresh(true),
            None => {
                self.components = Components::new_with_refreshed_list().or_else(|_| Components::new()).ok();
            }
        }
        let name =
            |label: &str| DeviceMetric::of(&mut self.slugs, "temp", label, [""]).map(|[metric]| metric);
        self.metrics = self.components.iter().flatten().map(Component::label).map(name).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sensor_of_this_machine_has_a_metric_at_every_look() {
        let mut sensors = Sensors::default();
        let mut names = Vec::new();
        for seconds in [1, 2, 700] {
            let mut sheet = Sheet::default();
            sensors.read(Now { monotonic_us: seconds * 1_000_000, wall_us: 0 }, &mut sheet);
            let now: Vec<String> = sheet.entries().map(|(name, ..)| name.into()).collect();
            assert_eq!(now.len(), sensors.watched().count());
            assert!(now.iter().all(|name| name.starts_with("temp_")));
            names.push(now);
        }
        assert!(names.iter().all(|now| *now == names[0]), "{names:?}");
    }
}
