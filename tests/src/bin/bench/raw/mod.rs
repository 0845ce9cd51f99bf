//! Bare loops: what this machine can do at most, for the numbers of the hub to stand beside.

pub(crate) mod bus;
pub(crate) mod lines;
pub(crate) mod mariadb;
pub(crate) mod relay;
pub(crate) mod sqlite;

use crate::load::{METRICS, node_name};

/// Nodes whose rows come in turn, as they do in a hub.
pub(crate) const NODES: u32 = crate::load::flood::NODES;

/// One row: node, sequence number, values.
pub(crate) struct Row {
    pub(crate) node: String,
    pub(crate) sequence: i64,
    pub(crate) values: [f64; METRICS],
}

/// The row of this number.
pub(crate) fn row(number: u64, random: &mut fastrand::Rng) -> Row {
    let nodes = u64::from(NODES);
    let node = u32::try_from(number % nodes).unwrap_or(0);
    let values = std::array::from_fn(|_| (random.f64() * 4_500.0).round() / 100.0);
    Row { node: node_name(node), sequence: (number / nodes + 1).cast_signed(), values }
}
