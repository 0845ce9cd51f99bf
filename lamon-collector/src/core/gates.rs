//! How the gates stand, as it is answered to who asks.

use lamon_control::gate::{GateLine, Gates};
use lamon_wire::names::MetricName;

use crate::face::Picture;
use crate::watch::{GateStanding, Node, Position};

/// Every gate.
pub(super) fn gates(picture: &Picture<'_>) -> Gates {
    Gates { gates: picture.gates.iter().map(|standing| line(picture, standing)).collect() }
}

fn line(picture: &Picture<'_>, standing: &GateStanding) -> GateLine {
    let (gate, now) = (standing.gate(), picture.now);
    let (closed, would) = (standing.closed(now), standing.would_have_closed(now));
    GateLine {
        gate: gate.name().into(),
        position: standing.position().as_str().into(),
        effects: gate.effects().iter().map(|effect| effect.word().into()).collect(),
        shadow: gate.is_shadow(),
        text: gate.to_string(),
        since_ms: standing.since_ms(),
        nodes: standing.nodes().map(ToString::to_string).collect(),
        why: standing.why(),
        closed: closed.times,
        closed_seconds: closed.total.as_secs_f64(),
        would_have_closed: would.times,
        would_have_closed_seconds: would.total.as_secs_f64(),
        overridden: standing.overridden().cloned(),
    }
}

/// What is blocked, a sentence for each closed gate.
pub(super) fn blocking(picture: &Picture<'_>) -> Vec<String> {
    let closed = picture.gates.closed();
    let words = |standing: &GateStanding| {
        format!("gate {} {}: {}", standing.gate().name(), standing.gate().does(), standing.why())
    };
    closed.map(words).collect()
}

/// Which gates look at a metric of a node, a sentence each.
pub(super) fn of<'a>(
    picture: &Picture<'a>,
    node: &'a Node,
    metric: &'a MetricName,
) -> impl Iterator<Item = String> + use<'a> {
    let looks = move |standing: &&GateStanding| {
        let gate = standing.gate();
        gate.wants(&node.name, &node.group) && gate.looks_at(metric.as_str())
    };
    picture.gates.iter().filter(looks).map(|standing| {
        let position = match standing.position() {
            Position::Open => "open",
            Position::Closed => "closed",
            Position::WouldClose => "would be closed",
        };
        let counts =
            if standing.nodes().any(|counted| *counted == node.name) { ", and counts it" } else { "" };
        format!("gate {} {}; it is {position}{counts}", standing.gate().name(), standing.gate())
    })
}
