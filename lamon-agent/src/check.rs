//! `lamon-agent check`: what follows from a configuration, on this node.

use std::fmt::Write as _;
use std::path::Path;

use lamon_daemon::seconds::Seconds;
use lamon_wire::PORT;
use lamon_wire::names::NodeName;

use crate::config::{Config, DEFAULT_PATH, HubAddress};
use crate::readers::Found;
use crate::ring::Ring;
use crate::sampler::Sample;
use crate::trust::Trust;

/// What a sample takes in the ring, in bytes.
fn ring_bytes(config: &Config, sample: &Sample) -> usize {
    let mut ring = Ring::new(config.buffer.bytes());
    ring.push(sample.clone());
    let one = ring.used_bytes();
    ring.push(sample.clone());
    ring.used_bytes().saturating_sub(one)
}

/// The report, in lines.
pub(crate) fn report(
    path: Option<&Path>,
    config: &Config,
    node: &NodeName,
    sample: &Sample,
    found: &Found,
) -> String {
    let mut out = String::new();
    let source = match path {
        Some(path) => path.display().to_string(),
        None if Path::new(DEFAULT_PATH).exists() => DEFAULT_PATH.into(),
        None => format!("defaults, there is no {DEFAULT_PATH}"),
    };
    let given = if config.node.is_some() { "configured" } else { "the host name" };
    let hubs = config.hubs_now();
    let first = hubs.first().cloned().unwrap_or_else(|| HubAddress { host: "localhost".into(), port: PORT });
    let hubs: Vec<String> = hubs.iter().map(ToString::to_string).collect();
    let (bytes, buffer) = (ring_bytes(config, sample), config.buffer.bytes());
    let samples = buffer / bytes.max(1);
    let kept = config.interval.duration().saturating_mul(u32::try_from(samples).unwrap_or(u32::MAX));
    let patience = Seconds::from(config.patience(config.interval.duration()));
    let (metrics, interval) = (sample.readings.len(), config.interval);
    let _ = writeln!(out, "configuration  {source}: good");
    let _ = writeln!(out, "node           {node} ({given})");
    let _ = writeln!(out, "hubs           {} (the first that accepts is used)", hubs.join(", "));
    let _ = match Trust::load(config, node, &first) {
        Ok(Some(trust)) if trust.join.is_some() => {
            writeln!(out, "connection     TLS, with a secret that lets this node in")
        }
        Ok(Some(_)) => writeln!(
            out,
            "connection     TLS; the hub knows this node by its key in {}",
            config.key.display()
        ),
        Ok(None) => writeln!(
            out,
            "connection     plain, which a hub takes from listed addresses; lamon-agent enroll makes it TLS"
        ),
        Err(error) => writeln!(out, "connection     none: {error}"),
    };
    let _ = writeln!(out, "samples        every {interval}, {metrics} metrics");
    let hours = kept.as_secs() / 3_600;
    let _ = writeln!(
        out,
        "buffer         {buffer} bytes: {samples} samples of {bytes} bytes, {hours} h without a hub"
    );
    let _ = match &config.spool {
        Some(folder) => writeln!(
            out,
            "spool          {}: at most {} bytes; a loss of power loses the last {} without a hub",
            folder.display(),
            config.spool_size.bytes(),
            config.spool_delay
        ),
        None => writeln!(out, "spool          none: what no hub has is lost when this computer restarts"),
    };
    let _ = writeln!(out, "hub mute       after {patience} without a word while samples wait");
    for (what, things) in [
        ("disks", &found.disks),
        ("interfaces", &found.interfaces),
        ("sensors", &found.sensors),
        ("processes", &found.processes),
    ] {
        let things = if things.is_empty() { "none".into() } else { things.join(", ") };
        let _ = writeln!(out, "{what:<14} {things}");
    }
    out
}
