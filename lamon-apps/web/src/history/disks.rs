//! `nodes/{node}/disks`: how full a node's disks are, and in how many nights they will be.

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Json, Response};
use lamon_store::reading::{Night, busy};
use lamon_store::{ArchiveError, ArchiveReader};
use serde::Serialize;
use utoipa::ToSchema;

use super::Refused;
use super::asked::known;
use crate::answers::Refusal;
use crate::api::State as Api;
use crate::picture::now_ms;

/// From how many nights it is learnt, and of what they added how many are to fit: as the hub does it.
const NIGHTS: u32 = 14;
const QUANTILE: f64 = 0.9;

/// A day.
const DAY_MS: i64 = 86_400_000;

/// A disk of a node.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Disk {
    /// The metric that tells how full it is.
    metric: String,
    /// Its name; null for the fullest, where disks are not told apart.
    mount: Option<String>,
    /// How full it is, percent; null while that is not known.
    percent: Option<f64>,
    /// What is free, bytes; null while that is not known.
    free_bytes: Option<f64>,
    /// What a busy night adds, percent of the disk; null without a whole night of values.
    rate_percent_per_night: Option<f64>,
    /// How many such nights fit; null while that is not known, or when nights add nothing.
    nights_left: Option<f64>,
    /// From how many nights that was learnt.
    nights: usize,
}

/// The mount's name in a metric that tells how full a disk is; nothing for the fullest.
fn mount(metric: &str) -> Option<&str> {
    let name = metric.strip_prefix("disk_")?;
    match name.strip_suffix("percent")? {
        "" => Some(""),
        name if name.ends_with("_inodes_") => None,
        name => name.strip_suffix('_'),
    }
}

/// A node's disks, with the nights that are left when nights are as busy as the busiest of the last two weeks.
#[utoipa::path(get, path = "/api/v1/nodes/{node}/disks", params(("node" = String, Path, description = "its name")),
    responses((status = 200, body = Vec<Disk>), (status = 400, body = Refusal), (status = 404, body = Refusal),
    (status = 503, description = "no archive, or it cannot be read", body = Refusal)))]
pub(crate) async fn disks(
    State(api): State<Api>,
    node: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(node) = node.map_err(|error| Refused::senseless(error.body_text()))?;
    known(&api, &node).await?;
    // The present night is not over, and says too little.
    let nights = api.past.site().last_nights(now_ms().cast_signed().saturating_sub(DAY_MS), NIGHTS);
    let read = async |reader: &mut ArchiveReader| rises(reader, &node, &nights).await;
    let rises = api.past.read(read).await?;
    let snapshot = api.shared.snapshot();
    let now: BTreeMap<&str, Option<f64>> = snapshot.nodes.get(&node).map_or_else(BTreeMap::new, |kept| {
        kept.node.metrics.iter().map(|(name, metric)| (name.as_str(), metric.value)).collect()
    });
    Ok(Json(all(&now, rises)).into_response())
}

/// What each night added to each disk.
type Rises = BTreeMap<String, Vec<f64>>;

async fn rises(reader: &mut ArchiveReader, node: &str, nights: &[Night]) -> Result<Rises, ArchiveError> {
    let mut rises = Rises::new();
    for night in nights {
        for (metric, rise) in reader.rises(node, *night, |metric| mount(metric).is_some()).await? {
            rises.entry(metric.to_string()).or_default().push(rise);
        }
    }
    Ok(rises)
}

/// The disks that are there now; of a node that is not heard of, those that were.
fn all(now: &BTreeMap<&str, Option<f64>>, mut rises: Rises) -> Vec<Disk> {
    for metric in now.keys().filter(|metric| mount(metric).is_some()) {
        rises.entry((*metric).to_owned()).or_default();
    }
    rises.retain(|metric, _| now.is_empty() || now.contains_key(metric.as_str()));
    // The fullest is one of the others, now this and now that.
    if rises.len() > 1 {
        rises.remove("disk_percent");
    }
    let disk = |(metric, mut rises): (String, Vec<f64>)| {
        let name = mount(&metric).unwrap_or_default().to_owned();
        let percent = now.get(metric.as_str()).copied().flatten();
        let free = now.get(format!("disk_{name}_free").as_str()).copied().flatten();
        let per_night = busy(&mut rises, QUANTILE);
        let nights_left = percent
            .zip(per_night.filter(|per_night| *per_night > 0.0))
            .map(|(percent, per_night)| (100.0 - percent).max(0.0) / per_night);
        Disk {
            mount: Some(name).filter(|name| !name.is_empty()),
            percent,
            free_bytes: free,
            rate_percent_per_night: per_night,
            nights_left,
            nights: rises.len(),
            metric,
        }
    };
    rises.into_iter().map(disk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_left_are_those_that_fit() {
        let now = BTreeMap::from([
            ("disk_percent", Some(90.0)),
            ("disk_home_percent", Some(90.0)),
            ("disk_home_free", Some(5e9)),
            ("disk_home_inodes_percent", Some(1.0)),
            ("disk_new_percent", None),
            ("cpu_percent", Some(1.0)),
        ]);
        let rises = Rises::from([
            ("disk_home_percent".into(), vec![1.0, 4.0, 2.0]),
            ("disk_gone_percent".into(), vec![1.0]),
        ]);
        let disks = all(&now, rises.clone());
        assert_eq!(
            disks.iter().map(|disk| &*disk.metric).collect::<Vec<_>>(),
            ["disk_home_percent", "disk_new_percent"]
        );
        let home = &disks[0];
        assert_eq!((home.mount.as_deref(), home.free_bytes), (Some("home"), Some(5e9)));
        assert_eq!((home.rate_percent_per_night, home.nights_left, home.nights), (Some(4.0), Some(2.5), 3));
        assert_eq!((disks[1].percent, disks[1].nights_left), (None, None));
        // Not in the picture any more: what was stored.
        assert_eq!(all(&BTreeMap::new(), rises).len(), 2);
        let fullest = all(&BTreeMap::from([("disk_percent", Some(50.0))]), Rises::new());
        assert_eq!((fullest.len(), fullest[0].mount.as_deref()), (1, None));
    }
}
