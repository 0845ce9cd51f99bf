//! The picture, as it is answered to who asks over the control socket.

use std::ops::Bound;

use lamon_control::answer::{self, Explanation, NodeLine, Nodes, Status};
use lamon_control::{MAX_PAGE, Refusal, Why};
use lamon_wire::metric::{CORE, Unit};
use lamon_wire::names::NodeName;

use super::gates;
use crate::face::Picture;
use crate::watch::{Level, Node};

/// How the hub is.
pub(super) fn status(picture: &Picture<'_>, hub: &str, started_ms: i64) -> Status {
    let (summary, health) = (picture.watch.summary(None), picture.health);
    let [good, warning, error, silent] = summary.at_level;
    Status {
        hub: hub.into(),
        version: lamon_daemon::VERSION.into(),
        started_ms,
        now_ms: picture.now.unix_ms,
        level: summary.level.as_str().into(),
        worst: summary.worst,
        nodes: summary.nodes,
        good,
        warning,
        error,
        silent,
        muted: summary.muted,
        agents: health.agents,
        samples_rate: health.samples_rate,
        completeness: health.completeness,
        journal: health.journal.as_str().into(),
        journal_backlog: health.backlog,
        database: health.database.as_str().into(),
        settings: health.settings.as_str().into(),
        blocking: gates::blocking(picture),
        phase: picture.watch.phase().as_str().into(),
        ready_tonight: Some(health.tonight.ready),
        not_ready: health.tonight.not_ready.clone(),
        nights_left: health.tonight.nights_left,
        waiting: health.waiting.clone(),
    }
}

/// The nodes behind a name, as many as an answer holds.
pub(super) fn nodes(picture: &Picture<'_>, after: Option<&str>) -> Nodes {
    let after = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut found = picture.watch.nodes_from(after);
    let nodes = found.by_ref().take(MAX_PAGE).map(|node| line(picture, node)).collect();
    Nodes { nodes, more: found.next().is_some() }
}

fn line(picture: &Picture<'_>, node: &Node) -> NodeLine {
    let core = CORE.iter().filter_map(|name| node.metric(name)).filter(|metric| metric.value.is_finite());
    NodeLine {
        node: node.name.to_string(),
        group: node.group.to_string(),
        level: node.level().as_str().into(),
        muted: node.muted,
        acknowledged: node.acknowledged,
        heard_ms: node.heard_ms,
        worst: if node.level() == Level::Good { String::new() } else { picture.watch.describe(node) },
        core: core.map(|metric| (metric.name.to_string(), metric.value)).collect(),
    }
}

fn named<'a>(picture: &Picture<'a>, name: &str) -> Result<&'a Node, Refusal> {
    let found = NodeName::new(name).ok().and_then(|name| picture.watch.node(&name));
    found.ok_or_else(|| Refusal::new(Why::NotFound, format!("the hub knows no node {name:?}")))
}

/// All of a node.
pub(super) fn node(picture: &Picture<'_>, name: &str) -> Result<answer::Node, Refusal> {
    let node = named(picture, name)?;
    let rules = picture.watch.rules();
    let metrics = node.metrics.iter().map(|metric| answer::Metric {
        metric: metric.name.to_string(),
        value: metric.value.is_finite().then_some(metric.value),
        unit: Unit::of(&metric.name).symbol().into(),
        level: metric.level.as_str().into(),
        taken_ms: metric.taken_ms,
        rule: metric.rule.and_then(|id| rules.get(id)).map(ToString::to_string),
    });
    Ok(answer::Node {
        line: line(picture, node),
        interval: node.interval.as_secs_f64(),
        completeness: node.arrivals.progress().completeness(),
        metrics: metrics.collect(),
        mutes: picture.watch.mutes().of(node).cloned().collect(),
        acks: picture.watch.acks().of(node).cloned().collect(),
    })
}

/// Why a metric's level is what it is.
pub(super) fn explain(picture: &Picture<'_>, name: &str, metric: &str) -> Result<Explanation, Refusal> {
    let node = named(picture, name)?;
    let unknown = || Refusal::new(Why::NotFound, format!("{} has no metric {metric:?}", node.name));
    let metric = node.metric(metric).ok_or_else(unknown)?;
    let explanation = picture.watch.explain(&node.name, &metric.name).to_string();
    let mut lines: Vec<String> = explanation.lines().map(Into::into).collect();
    lines.extend(standing(picture, node));
    lines.extend(gates::of(picture, node, &metric.name));
    Ok(Explanation { lines })
}

/// What keeps a node quiet, a sentence each.
fn standing<'a>(picture: &Picture<'a>, node: &'a Node) -> impl Iterator<Item = String> + use<'a> {
    let mutes = picture.watch.mutes().of(node);
    let muted = mutes.map(|mute| format!("mute: {}", crate::watch::describe(mute)));
    let acks = picture.watch.acks().of(node);
    muted.chain(acks.map(|ack| {
        let of = ack.metric.as_deref().unwrap_or("all of it");
        format!("acknowledged: {of} by {}: {}", ack.who, ack.reason)
    }))
}
