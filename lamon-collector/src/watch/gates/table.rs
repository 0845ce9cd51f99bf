//! A `[[gate]]` table as it is written, and what would be senseless in it.

use lamon_wire::names::{MetricName, NodeName};
use serde::Deserialize;
use thiserror::Error;

use super::gate::{Effect, Gate};
use crate::watch::level::Level;
use crate::watch::pattern::{NameGlob, NodePattern};

/// The longest name: `<name>_gate` is a value's name that rts2-mon shows whole.
const MAX_NAME_BYTES: usize = 32;

/// What of RTS2 a gate may block, by the names of its bits (RTS2 include/status.h, `BOP_EXPOSURE` and so on).
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Blocked {
    Exposure,
    Readout,
    Telescope,
}

/// A `[[gate]]` table as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateTable {
    name: String,
    nodes: Vec<NodePattern>,
    #[serde(default)]
    metrics: Vec<NameGlob>,
    #[serde(default = "error")]
    level: Level,
    #[serde(default = "yes")]
    silent: bool,
    #[serde(default = "one")]
    count: usize,
    #[serde(default)]
    block: Vec<Blocked>,
    #[serde(default)]
    bad_weather: bool,
    #[serde(default)]
    stop: bool,
    #[serde(default)]
    shadow: bool,
    device: Option<String>,
}

const fn error() -> Level {
    Level::Error
}

const fn yes() -> bool {
    true
}

const fn one() -> usize {
    1
}

/// Why a gate's table is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GateError {
    /// A name that is none.
    #[error("{0:?} is no name of a gate (a-z, 0-9 and _, at most {MAX_NAME_BYTES} characters)")]
    Name(String),
    /// It would never close.
    #[error("gate {0:?} names no nodes: nodes = [\"@ccd\"], or [\"*\"] for all")]
    NoNodes(String),
    /// It would do nothing.
    #[error("gate {0:?} does nothing: block = [\"exposure\"], bad_weather = true or stop = true")]
    NoEffect(String),
    /// Every node would close it.
    #[error("gate {0:?} cannot be for good nodes: level is \"warning\", \"error\" or \"silent\"")]
    Good(String),
    /// It would never close.
    #[error("gate {0:?} is for silent nodes alone, and leaves them out by silent = false")]
    NeverSilent(String),
    /// Metrics say nothing of silence.
    #[error("gate {0:?} is for silent nodes alone: metrics say nothing of that")]
    SilentMetrics(String),
    /// It would always be closed.
    #[error("gate {0:?}: count is 1 or more")]
    NoCount(String),
    /// It would never close.
    #[error("gate {name:?} names {nodes} nodes, and waits for {count} of them")]
    CountTooHigh {
        /// Whose.
        name: String,
        /// How many nodes it names.
        nodes: usize,
        /// How many it waits for.
        count: usize,
    },
    /// No node can have this name.
    #[error("gate {gate:?}: no node can be called {name:?}: {why}")]
    Node {
        /// Whose.
        gate: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// No metric can have this name.
    #[error("gate {gate:?}: no metric can be called {name:?}: {why}")]
    Metric {
        /// Whose.
        gate: String,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no such device.
    #[error("gate {0:?}: device is \"summary\", or a group with a device of its own, as \"@ccd\"")]
    Device(String),
}

impl TryFrom<GateTable> for Gate {
    type Error = GateError;

    fn try_from(table: GateTable) -> Result<Self, GateError> {
        let GateTable { name, nodes, metrics, level, silent, count, block, .. } = table;
        if !is_name(&name) {
            return Err(GateError::Name(name));
        }
        if nodes.is_empty() {
            return Err(GateError::NoNodes(name));
        }
        match (level, silent) {
            (Level::Good, _) => return Err(GateError::Good(name)),
            (Level::Silent, false) => return Err(GateError::NeverSilent(name)),
            (Level::Silent, true) if !metrics.is_empty() => return Err(GateError::SilentMetrics(name)),
            _ => {}
        }
        if count == 0 {
            return Err(GateError::NoCount(name));
        }
        check_names(&name, &nodes, &metrics, count)?;
        let mut effects: Vec<_> = block
            .into_iter()
            .map(|blocked| match blocked {
                Blocked::Exposure => Effect::BlockExposure,
                Blocked::Readout => Effect::BlockReadout,
                Blocked::Telescope => Effect::BlockTelescope,
            })
            .chain(table.bad_weather.then_some(Effect::BadWeather))
            .chain(table.stop.then_some(Effect::Stop))
            .collect();
        effects.sort_unstable();
        effects.dedup();
        if effects.is_empty() {
            return Err(GateError::NoEffect(name));
        }
        let group = match table.device.as_deref() {
            None => only_group(&nodes),
            Some("summary") => None,
            Some(device) => match device.strip_prefix('@') {
                Some(group) if !group.is_empty() => Some(group.to_ascii_lowercase()),
                _ => return Err(GateError::Device(name)),
            },
        };
        Ok(Self { name, nodes, metrics, level, silent, count, effects, shadow: table.shadow, group })
    }
}

/// Whether the names that are no globs can be names, and are enough.
fn check_names(
    gate: &str,
    nodes: &[NodePattern],
    metrics: &[NameGlob],
    count: usize,
) -> Result<(), GateError> {
    let mut exact = 0;
    for pattern in nodes {
        let NodePattern::Name(glob) = pattern else { continue };
        if glob.is_exact() {
            exact += 1;
            let name = glob.to_string();
            NodeName::new(&name).map_err(|why| GateError::Node {
                gate: gate.into(),
                name,
                why: why.to_string(),
            })?;
        }
    }
    if exact == nodes.len() && exact < count {
        return Err(GateError::CountTooHigh { name: gate.into(), nodes: exact, count });
    }
    for glob in metrics.iter().filter(|glob| glob.is_exact()) {
        let name = glob.to_string();
        MetricName::new(&name).map_err(|why| GateError::Metric {
            gate: gate.into(),
            name,
            why: why.to_string(),
        })?;
    }
    Ok(())
}

/// The group, when the nodes are those of one group.
fn only_group(nodes: &[NodePattern]) -> Option<String> {
    let mut groups = nodes.iter().map(|pattern| match pattern {
        NodePattern::Group(group) => Some(group),
        NodePattern::Name(_) => None,
    });
    let first = groups.next()??;
    groups.all(|group| group == Some(first)).then(|| first.clone())
}

fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.starts_with('_') && name.chars().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(lines: &str) -> Result<Gate, String> {
        toml::from_str(lines).map_err(|error| error.to_string())
    }

    #[test]
    fn a_gate_reads_as_what_it_does() {
        for (lines, words, group) in [
            (
                "name = 'ccd'\nnodes = ['@ccd']\nblock = ['exposure']",
                "blocks exposure while any of @ccd is at error or silent",
                Some("ccd"),
            ),
            (
                "name = 'ccd'\nnodes = ['@CCD']\nblock = ['exposure']\ndevice = 'summary'",
                "blocks exposure while any of @ccd is at error or silent",
                None,
            ),
            (
                "name = 'a'\nnodes = ['ccd*', '@tcs']\ncount = 2\nlevel = 'warning'\nsilent = false\nmetrics = ['disk_*']\n\
                 block = ['readout', 'exposure', 'readout']\nbad_weather = true\nshadow = true\ndevice = '@tcs'",
                "blocks exposure, blocks readout, votes bad weather while 2 or more of ccd*, @tcs are at warning or error by disk_* (shadow: it only tells)",
                Some("tcs"),
            ),
            (
                "name = 'a'\nnodes = ['@tcs', '@ccd']\nlevel = 'silent'\nblock = ['telescope']\nstop = true",
                "blocks telescope, stops everything while any of @tcs, @ccd is silent",
                None,
            ),
        ] {
            let gate = gate(lines).unwrap();
            assert_eq!(gate.to_string(), words);
            assert_eq!(gate.device_group(), group, "{lines}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_gates_name() {
        for (lines, why) in [
            ("nodes = ['a']\nstop = true", "missing field `name`"),
            ("name = 'x'\nstop = true", "missing field `nodes`"),
            ("name = 'My gate'\nnodes = ['a']\nstop = true", "\"My gate\" is no name of a gate"),
            ("name = 'x'\nnodes = []\nstop = true", "gate \"x\" names no nodes"),
            ("name = 'x'\nnodes = ['a']", "gate \"x\" does nothing"),
            ("name = 'x'\nnodes = ['a']\nblock = ['dome']", "unknown variant `dome`"),
            ("name = 'x'\nnodes = ['a']\nstop = true\nlevel = 'good'", "cannot be for good nodes"),
            ("name = 'x'\nnodes = ['a']\nstop = true\nlevel = 'silent'\nsilent = false", "leaves them out"),
            (
                "name = 'x'\nnodes = ['a']\nstop = true\nlevel = 'silent'\nmetrics = ['a']",
                "say nothing of that",
            ),
            ("name = 'x'\nnodes = ['a']\nstop = true\ncount = 0", "count is 1 or more"),
            ("name = 'x'\nnodes = ['a', 'b']\nstop = true\ncount = 3", "names 2 nodes, and waits for 3"),
            ("name = 'x'\nnodes = ['a b']\nstop = true", "no node can be called \"a b\""),
            ("name = 'x'\nnodes = ['a']\nmetrics = ['disk-percent']\nstop = true", "called \"disk-percent\""),
            ("name = 'x'\nnodes = ['a']\nmetrics = ['level']\nstop = true", "called \"level\""),
            ("name = 'x'\nnodes = ['a']\nstop = true\ndevice = 'NODES_CCD'", "a group with a device"),
            ("name = 'x'\nnodes = ['a']\nstop = true\nblok = ['exposure']", "unknown field `blok`"),
        ] {
            let error = gate(lines).unwrap_err();
            assert!(error.contains(why), "{lines}: {error}");
        }
    }
}
