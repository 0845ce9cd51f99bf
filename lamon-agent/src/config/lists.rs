//! Lists with a limit, and paths, as they stand in the configuration: what is wrong is said with its place.

use std::fmt;
use std::path::{Path, PathBuf};

use lamon_keys::Fingerprint;
use lamon_wire::frames::{MAX_LABEL_BYTES, MAX_WATCHED};
use serde::Deserialize;

use super::{HubAddress, MAX_HUBS};

/// The most mounts that can be named, and as many patterns to be ignored: each that hangs costs a thread.
const MAX_MOUNTS: usize = 16;

/// A list of at most `max` items that pass `check`.
fn list<'de, D, T>(
    deserializer: D,
    max: usize,
    check: impl Fn(&T) -> Result<(), String>,
) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    use serde::de::Error as _;

    let items = Vec::<T>::deserialize(deserializer)?;
    if items.len() > max {
        return Err(D::Error::custom(format!("{} entries, at most {max} are allowed", items.len())));
    }
    items.iter().try_for_each(check).map_err(D::Error::custom)?;
    Ok(items)
}

pub(super) fn hubs<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<HubAddress>>, D::Error> {
    let hubs = list(deserializer, MAX_HUBS, |_| Ok(()))?;
    if hubs.is_empty() {
        return Err(serde::de::Error::custom("no hub: name one, or leave the key out for localhost"));
    }
    Ok(Some(hubs))
}

pub(super) fn hub_keys<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Fingerprint>, D::Error> {
    list(deserializer, MAX_HUBS, |_| Ok(()))
}

pub(super) fn file<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let file = PathBuf::deserialize(deserializer)?;
    if file.is_absolute() && file.file_name().is_some() {
        return Ok(file);
    }
    Err(serde::de::Error::custom(format!("{} is no file (write its whole path)", file.display())))
}

pub(super) fn optional_file<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    file(deserializer).map(Some)
}

pub(super) fn folder<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let folder = PathBuf::deserialize(deserializer)?;
    if folder.is_absolute() {
        return Ok(Some(folder));
    }
    Err(serde::de::Error::custom(format!("{} is no folder (write its whole path)", folder.display())))
}

pub(super) fn mounts<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    list(deserializer, MAX_MOUNTS, |point: &PathBuf| absolute(point.is_absolute(), &point.display()))
}

pub(super) fn patterns<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    list(deserializer, MAX_MOUNTS, |pattern: &String| absolute(Path::new(pattern).is_absolute(), pattern))
}

fn absolute(is_absolute: bool, point: &dyn fmt::Display) -> Result<(), String> {
    is_absolute.then_some(()).ok_or_else(|| format!("{point} is no mount point (write its whole path)"))
}

pub(super) fn watch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    list(deserializer, MAX_WATCHED, |name: &String| {
        if name.is_empty() || name.len() > MAX_LABEL_BYTES || name.contains('/') {
            return Err(format!(
                "{name:?} is no process name (1 to {MAX_LABEL_BYTES} bytes, without a path)"
            ));
        }
        Ok(())
    })
}
