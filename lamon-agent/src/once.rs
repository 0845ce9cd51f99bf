//! `lamon-agent --once`: one sample for people, or for `nc`.

use std::fmt::Write as _;

use lamon_wire::metric::Unit;
use lamon_wire::names::{MetricName, NodeName};
use lamon_wire::text::{MAX_LINE_BYTES, TextSample};
use tokio::time::sleep;

use crate::clock::Now;
use crate::readers::{Found, Selection};
use crate::sampler::{BETWEEN_LOOKS, Sample, Sampler};

/// Takes one sample, with rates over one second.
pub(crate) async fn take(selection: &Selection) -> (Sample, Found) {
    let mut sampler = Sampler::new(selection);
    sampler.take(Now::read()).await;
    sleep(BETWEEN_LOOKS).await;
    let sample = sampler.take(Now::read()).await;
    (sample, sampler.found())
}

fn values(sample: &Sample) -> impl Iterator<Item = (&MetricName, &str, u8, Option<f64>)> {
    sample.table.metrics.iter().zip(&sample.readings).map(|(entry, reading)| {
        (&entry.name, entry.label.as_str(), entry.decimals, reading.value(entry.decimals))
    })
}

/// A line for each metric: name, value, unit, and what the system calls the thing.
pub(crate) fn table(sample: &Sample) -> String {
    let width = values(sample).map(|(name, ..)| name.as_str().len()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, label, decimals, value) in values(sample) {
        let shown = value.map_or_else(|| "-".into(), |value| format!("{value:.*}", usize::from(decimals)));
        let unit = Unit::of(name).symbol();
        let line = format!("{name:<width$} {shown:>16} {unit:<4} {label}");
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// The line of the text protocol, with as many metrics as it takes, the core ones first; and how many it does not.
pub(crate) fn line(node: &NodeName, sample: &Sample) -> (String, usize) {
    let known = values(sample).filter_map(|(name, _, _, value)| Some((name.clone(), value?)));
    let mut text = TextSample { node: node.clone(), interval_seconds: None, time: None, metrics: Vec::new() };
    let mut bytes = text.write().len();
    let mut left_out = 0;
    for (name, value) in known {
        bytes += format!(" {name}={value}").len();
        if bytes > MAX_LINE_BYTES {
            left_out += 1;
        } else {
            text.metrics.push((name, value));
        }
    }
    (text.write(), left_out)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lamon_wire::frames::{Table, TableEntry};
    use lamon_wire::reading::Reading;

    use super::*;

    fn sample(values: &[(&str, &str, Option<f64>)]) -> Sample {
        let name = |name: &str| MetricName::new(name).unwrap();
        let metrics: Vec<TableEntry> = values
            .iter()
            .map(|(n, label, _)| TableEntry {
                name: name(n),
                label: (*label).into(),
                decimals: Unit::of(&name(n)).decimals(),
            })
            .collect();
        let readings = values
            .iter()
            .zip(&metrics)
            .map(|((.., value), entry)| {
                value.map_or(Reading::NONE, |value| Reading::new(value, entry.decimals))
            })
            .collect();
        Sample { table: Arc::new(Table { id: 1, metrics }), monotonic_ms: 0, readings }
    }

    #[test]
    fn a_sample_is_a_table_and_a_line() {
        let sample = sample(&[
            ("cpu_percent", "", Some(3.517)),
            ("nic_in", "", None),
            ("disk_root_free", "/", Some(1e12)),
            ("load1", "", Some(0.5)),
        ]);
        assert_eq!(
            table(&sample),
            "cpu_percent                3.52 %\n\
             nic_in                        - B/s\n\
             disk_root_free    1000000000000 B    /\n\
             load1                      0.50\n"
        );
        let node = NodeName::new("ccd01").unwrap();
        let (line, left_out) = line(&node, &sample);
        assert_eq!(line, "node=ccd01 cpu_percent=3.52 disk_root_free=1000000000000 load1=0.5");
        assert_eq!(left_out, 0);
        assert_eq!(TextSample::parse(line.as_bytes()).unwrap().metrics.len(), 3);
    }

    #[test]
    fn a_line_never_gets_too_long() {
        let names: Vec<String> = (0..100).map(|number| format!("temp_{number:02}")).collect();
        let values: Vec<_> = names.iter().map(|name| (name.as_str(), "", Some(20.0))).collect();
        let (line, left_out) = line(&NodeName::new("a").unwrap(), &sample(&values));
        let parsed = TextSample::parse(line.as_bytes()).unwrap();
        assert_eq!(parsed.metrics.len() + left_out, 100);
        assert!(left_out > 0 && line.len() > MAX_LINE_BYTES - 20);
    }
}
