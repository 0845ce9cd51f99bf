//! Takes samples: one look of all readers, as readings under a table that changes only when the set of metrics does.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lamon_wire::frames::{MAX_METRICS, Table, TableEntry};
use lamon_wire::metric::Unit;
use lamon_wire::names::MetricName;
use lamon_wire::reading::Reading;

use crate::clock::Now;
use crate::readers::{Found, Readers, Selection, SystemReaders as _};
use crate::sheet::Sheet;

/// The time between the two looks that rates need.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// All metrics of this node at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Names the readings; the same one for all samples with the same set of metrics.
    pub table: Arc<Table>,
    /// When it was taken, milliseconds since the node's boot.
    pub monotonic_ms: u64,
    /// One for each metric of the table.
    pub readings: Vec<Reading>,
}

/// Takes samples of this node.
#[derive(Debug)]
pub struct Sampler {
    readers: Readers,
    sheet: Sheet,
    layout: Layout,
}

impl Sampler {
    /// A sampler of what `selection` says; nothing is read yet.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        Self { readers: Readers::new(selection), sheet: Sheet::default(), layout: Layout::default() }
    }

    /// Counts the processes of these names too, besides those of the selection.
    pub fn watch(&mut self, more: &[String]) {
        self.readers.watch(more);
    }

    /// Takes a sample. The rates of the first have no value.
    pub async fn take(&mut self, now: Now) -> Sample {
        self.sheet.clear();
        self.readers.read(now, &mut self.sheet).await;
        let (table, readings) = self.layout.lay_out(&self.sheet);
        Sample { table, monotonic_ms: now.monotonic_ms(), readings }
    }

    /// What the last sample was taken of.
    #[must_use]
    pub fn found(&self) -> Found {
        self.readers.found()
    }
}

/// Turns sheets into tables and readings.
#[derive(Debug, Default)]
struct Layout {
    entries: Vec<Entry>,
    table: Option<Arc<Table>>,
    last_id: u16,
}

/// An entry of a sheet as it stood when the table was made.
#[derive(Debug)]
struct Entry {
    name: Box<str>,
    label: Box<str>,
    /// Decimals of its readings; `None` when it is not in the table.
    decimals: Option<u8>,
}

impl Layout {
    fn lay_out(&mut self, sheet: &Sheet) -> (Arc<Table>, Vec<Reading>) {
        let same = self.entries.len() == sheet.entries().count()
            && sheet
                .entries()
                .zip(&self.entries)
                .all(|((name, label, _), e)| *name == *e.name && *label == *e.label);
        let table = match self.table.take() {
            Some(table) if same => table,
            _ => self.make_table(sheet),
        };
        self.table = Some(Arc::clone(&table));
        let values = sheet.entries().zip(&self.entries);
        let readings = values.filter_map(|((.., value), entry)| {
            let decimals = entry.decimals?;
            Some(value.map_or(Reading::NONE, |value| Reading::new(value, decimals)))
        });
        let mut all = Vec::with_capacity(table.metrics.len());
        all.extend(readings);
        (table, all)
    }

    fn make_table(&mut self, sheet: &Sheet) -> Arc<Table> {
        self.entries.clear();
        let mut metrics: Vec<TableEntry> = Vec::new();
        let mut seen = HashSet::new();
        let mut left_out = 0;
        for (name, label, _) in sheet.entries() {
            // Two devices may come to one name ("/a_inodes" and the inodes of "/a"): the first has it.
            let metric = MetricName::new(name).ok().filter(|name| !seen.contains(name));
            let metric = metric.filter(|_| metrics.len() < MAX_METRICS);
            let decimals = metric.map(|name| {
                seen.insert(name.clone());
                let decimals = Unit::of(&name).decimals();
                metrics.push(TableEntry { name, label: label.into(), decimals });
                decimals
            });
            left_out += usize::from(decimals.is_none());
            self.entries.push(Entry { name: name.into(), label: label.into(), decimals });
        }
        if left_out > 0 {
            tracing::warn!(
                "{left_out} metrics are left out: a sample has at most {MAX_METRICS}, each name once"
            );
        }
        self.last_id = self.last_id.wrapping_add(1);
        Arc::new(Table { id: self.last_id, metrics })
    }
}

#[cfg(test)]
mod tests {
    use lamon_wire::names::Slugs;

    use super::*;
    use crate::sheet::{Core, DeviceMetric};

    fn sheet(cpu: Option<f64>, devices: &[(&str, f64)]) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.core(Core::CpuPercent, cpu);
        for (name, value) in devices {
            let metric = DeviceMetric { name: MetricName::new(name).unwrap(), label: "x".into() };
            sheet.device(&metric, Some(*value));
        }
        sheet
    }

    #[test]
    fn a_table_lives_as_long_as_the_set_of_metrics() {
        let mut layout = Layout::default();
        let (first, readings) = layout.lay_out(&sheet(None, &[("temp_a", 20.04)]));
        assert_eq!(readings, [Reading::NONE, Reading::new(20.0, 1)]);
        assert_eq!(
            first.metrics[1],
            TableEntry { name: MetricName::new("temp_a").unwrap(), label: "x".into(), decimals: 1 }
        );
        let (second, readings) = layout.lay_out(&sheet(Some(3.517), &[("temp_a", 21.0)]));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(readings, [Reading::new(3.52, 2), Reading::new(21.0, 1)]);
        let (third, _) = layout.lay_out(&sheet(Some(3.5), &[("temp_b", 21.0)]));
        assert_ne!(first.id, third.id);
        let (fourth, readings) = layout.lay_out(&sheet(Some(3.5), &[]));
        assert_eq!((fourth.metrics.len(), readings.len()), (1, 1));
        assert_ne!(third.id, fourth.id);
    }

    #[test]
    fn a_name_stands_once_and_the_rest_keeps_its_places() {
        let mut slugs = Slugs::default();
        let mut of = |point, suffix| DeviceMetric::of(&mut slugs, "disk", point, [suffix]).unwrap();
        let [inodes] = of("/a", "_inodes_percent");
        let [percent] = of("/a_inodes", "_percent");
        assert_eq!(inodes.name, percent.name);
        let mut sheet = Sheet::default();
        for (metric, value) in [(&inodes, 1.0), (&percent, 2.0), (&of("/b", "_percent")[0], 3.0)] {
            sheet.device(metric, Some(value));
        }
        let mut layout = Layout::default();
        let (table, readings) = layout.lay_out(&sheet);
        let names: Vec<_> = table.metrics.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["disk_a_inodes_percent", "disk_b_percent"]);
        assert_eq!(readings, [Reading::new(1.0, 2), Reading::new(3.0, 2)]);
    }

    #[test]
    fn a_table_is_bounded() {
        let names: Vec<String> = (0..MAX_METRICS + 9).map(|number| format!("temp_{number}")).collect();
        let devices: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        let (table, readings) = Layout::default().lay_out(&sheet(Some(1.0), &devices));
        assert_eq!((table.metrics.len(), readings.len()), (MAX_METRICS, MAX_METRICS));
    }
}
