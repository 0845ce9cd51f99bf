//! The daemon on each node: takes its metrics and sends them to the hub, losing none.
