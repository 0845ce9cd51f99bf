//! A hub that has a past: an archive filled before it starts, as one that ran for a year would have left it.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use lamon_store::upkeep::Retention;
use lamon_store::{Archive, ArchiveUrl, Sample};
use lamon_tests::hub::{Hub, HubBuilder};
use lamon_tests::process::quoted;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The hour before now in which nothing was heard: 5 to 4 hours ago.
const GAP: std::ops::Range<i64> = 4 * HOUR..5 * HOUR;

/// How many samples go into the archive at once, as the hub writes them.
const AT_ONCE: usize = 500;

/// A node's past.
pub(crate) struct Past {
    pub(crate) node: String,
    /// Time between samples, and since when, both milliseconds: the older ones first.
    pub(crate) every: &'static [(i64, i64)],
    /// What moves its curves against those of the others.
    pub(crate) phase: f64,
    /// How much more its CPU does than that of the others, percent.
    pub(crate) busier: f64,
}

/// A year by the hour, and the last day each ten seconds.
pub(crate) const A_YEAR: &[(i64, i64)] = &[(HOUR, 365 * DAY), (10_000, DAY)];
/// The last day, each two minutes.
pub(crate) const A_DAY: &[(i64, i64)] = &[(2 * MINUTE, DAY)];

/// A hub with this past, and what lamon-web needs in its configuration to read it.
///
/// # Errors
///
/// When the archive cannot be written.
pub(crate) async fn hub_with(hub: HubBuilder, pasts: &[Past]) -> anyhow::Result<(Hub, String)> {
    std::fs::create_dir_all(hub.data_dir())?;
    let file = hub.data_dir().join("archive.sqlite");
    let mut archive = Archive::connect(&ArchiveUrl::sqlite(&file), "testhub").await?;
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now_ms = i64::try_from(now_ms).unwrap_or_default();
    for past in pasts {
        for samples in past.samples(now_ms).chunks(AT_ONCE) {
            archive.append(samples).await?;
        }
    }
    let forever =
        Retention { samples: None, ten_minutes: None, hour: None, events: None, dead_letters: None };
    while archive.upkeep(&forever, now_ms).await?.more {}
    drop(archive);
    let url = format!("sqlite:{}", file.display());
    Ok((hub.start(), format!("[database]\nurl = {}\n", quoted(url.as_ref()))))
}

impl Past {
    fn samples(&self, now_ms: i64) -> Vec<Sample> {
        let names =
            ["cpu_percent", "memory_percent", "disk_percent", "nic_in", "temp_cpu"].map(Arc::<str>::from);
        let mut samples = Vec::new();
        for (place, (every, since)) in self.every.iter().enumerate() {
            let until = self.every.get(place + 1).map_or(0, |(_, since)| *since);
            let mut ago = *since;
            while ago > until {
                if !GAP.contains(&ago) {
                    let values = self.values(ago);
                    samples.push(Sample {
                        node: self.node.as_str().into(),
                        epoch: 1,
                        sequence: samples.len() as u64 + 1,
                        time_ms: now_ms - ago,
                        metrics: names.iter().cloned().zip(values).collect(),
                    });
                }
                ago -= every;
            }
        }
        samples
    }

    /// CPU goes up and down by the day, the disk fills, and all flicker a little.
    fn values(&self, ago: i64) -> [f64; 5] {
        let days = ago as f64 / DAY as f64;
        let wave = (days * TAU + self.phase).sin();
        let flicker = (ago as f64 / 7_919.0).sin();
        [
            30.0 + self.busier + 20.0 * wave + 4.0 * flicker,
            45.0 + 5.0 * wave + flicker,
            (86.0 - days).max(20.0),
            80_000.0 + 60_000.0 * wave + 9_000.0 * flicker,
            48.0 + 6.0 * wave + flicker,
        ]
    }
}
