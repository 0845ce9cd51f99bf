//! How much nights add to disks, learnt from the nights that are stored.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use lamon_store::reading::{Site, busy};
use lamon_store::{ArchiveError, ArchiveReader, ArchiveUrl};
use lamon_wire::names::NodeName;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::sample::Now;
use crate::watch::{MAX_NODES, is_disk};

/// From how many nights it is learnt: two weeks have busy ones and idle ones.
const NIGHTS: u32 = 14;

/// Of what these nights added, how many of them are to fit: one in ten was busier.
const QUANTILE: f64 = 0.9;

/// How often it is looked whether another night is over.
const REFRESH: Duration = Duration::from_secs(600);

/// How soon an archive that cannot be read, or is not there yet, is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// A day.
const DAY_MS: i64 = 86_400_000;

/// What is known of the disks.
#[derive(Debug, Clone, Default)]
pub(crate) enum Disks {
    /// Nothing was looked at yet.
    #[default]
    NotTried,
    /// The archive cannot be read, with the reason.
    Fails(String),
    /// What a busy night adds to each.
    Known(Arc<[BusyDisk]>),
}

/// A disk of which a whole night is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BusyDisk {
    /// Whose.
    pub(crate) node: NodeName,
    /// Its metric, `disk_home_percent`.
    pub(crate) metric: Arc<str>,
    /// What a busy night adds, percent of the disk.
    pub(crate) per_night: f64,
}

/// What each night added to the disks of a node, by the night's beginning: a night that is over is read once.
type Nights = HashMap<i64, Vec<(Arc<str>, f64)>>;

/// Tells what is known, again and again, until nobody listens.
pub(super) async fn follow(url: &ArchiveUrl, site: Site, told: watch::Sender<Disks>) {
    let mut known: HashMap<String, Nights> = HashMap::new();
    loop {
        let (disks, pause) = match look(url, site, Now::read().unix_ms, &mut known).await {
            Ok(disks) => (Disks::Known(disks.into()), REFRESH),
            Err(error) => (Disks::Fails(error.to_string()), RETRY),
        };
        told.send_replace(disks);
        tokio::select! {
            () = sleep(pause) => {}
            () = told.closed() => return,
        }
    }
}

/// Reads the nights that were not read yet, and sums up.
async fn look(
    url: &ArchiveUrl,
    site: Site,
    now_ms: i64,
    known: &mut HashMap<String, Nights>,
) -> Result<Vec<BusyDisk>, ArchiveError> {
    let mut reader = ArchiveReader::open(url).await?;
    // The present night is not over, and says too little.
    let nights = site.last_nights(now_ms.saturating_sub(DAY_MS), NIGHTS);
    let mut nodes = reader.nodes().await?;
    nodes.truncate(MAX_NODES);
    known.retain(|node, _| nodes.contains(node));
    let mut disks = Vec::new();
    for node in nodes {
        let Ok(name) = NodeName::new(&node) else { continue };
        let learnt = known.entry(node.clone()).or_default();
        learnt.retain(|begin, _| nights.iter().any(|night| night.begin_ms == *begin));
        for night in &nights {
            if let Entry::Vacant(unread) = learnt.entry(night.begin_ms) {
                unread.insert(reader.rises(&node, *night, is_disk).await?);
            }
        }
        let mut rises: HashMap<&Arc<str>, Vec<f64>> = HashMap::new();
        for (metric, rise) in learnt.values().flatten() {
            rises.entry(metric).or_default().push(*rise);
        }
        disks.extend(rises.into_iter().filter_map(|(metric, mut rises)| {
            let per_night = busy(&mut rises, QUANTILE)?;
            Some(BusyDisk { node: name.clone(), metric: Arc::clone(metric), per_night })
        }));
    }
    Ok(disks)
}

#[cfg(test)]
mod tests {
    use lamon_store::{Archive, Sample};

    use super::*;

    #[tokio::test]
    async fn what_busy_nights_add_is_learnt_and_each_night_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = ArchiveUrl::sqlite(folder.path().join("archive.sqlite"));
        let mut archive = Archive::connect(&url, "hub").await.unwrap();
        let site = Site::at_utc_offset(0);
        let now_ms = 1_795_305_600_000;
        let mut samples = Vec::new();
        // Night after night a little more: 1 %, 2 % … 5 %; the present one adds 50 %.
        for (place, night) in site.last_nights(now_ms, 6).iter().enumerate() {
            let added = if place == 5 { 50.0 } else { place as f64 + 1.0 };
            for (step, percent) in [(1, 40.0), (2, 40.0 + added)] {
                samples.push(Sample {
                    node: "ccd01".into(),
                    epoch: 1,
                    sequence: samples.len() as u64 + 1,
                    time_ms: night.begin_ms + step * 3_600_000,
                    metrics: vec![
                        (Arc::from("disk_home_percent"), percent),
                        (Arc::from("disk_home_inodes_percent"), percent),
                    ],
                });
            }
        }
        archive.append(&samples).await.unwrap();
        let mut known = HashMap::new();
        let disks = look(&url, site, now_ms, &mut known).await.unwrap();
        let node = NodeName::new("ccd01").unwrap();
        assert_eq!(disks, [BusyDisk { node, metric: "disk_home_percent".into(), per_night: 5.0 }]);
        assert_eq!(known["ccd01"].len(), NIGHTS as usize, "nights without values are known too");
        let before = known.clone();
        look(&url, site, now_ms, &mut known).await.unwrap();
        assert_eq!(before, known);
        let gone = ArchiveUrl::sqlite(folder.path().join("none.sqlite"));
        assert!(look(&gone, site, now_ms, &mut known).await.is_err());
    }
}
