//! What else is to be said of a node, beside its numbers and levels, in one text: `muted: new disk (mute 3, by li); load1 flaps`.

use lamon_collector::face::Picture;
use lamon_collector::watch::{Metric, Node};

use super::health::text;

/// Everything, gravest for whoever wonders why nothing happens first; empty when there is nothing.
pub(super) fn remarks(picture: &Picture<'_>, node: &Node) -> String {
    let strange = |metric: &Metric| metric.unknown || metric.flapping();
    if !node.muted && !node.acknowledged && !node.metrics.iter().any(strange) {
        // Nearly always, and for each sample.
        return String::new();
    }
    let watch = picture.watch;
    let mutes = watch.mutes().holding().filter(|(_, holds)| node.muted && *holds).map(|(mute, _)| mute.id);
    let holding: Vec<_> = mutes.collect();
    let mutes = watch.mutes().of(node).filter(|mute| holding.contains(&mute.id));
    let mutes = mutes.map(|mute| format!("muted: {} (mute {}, by {})", mute.reason, mute.id, mute.who));
    let acks = watch.acks().of(node).map(|ack| {
        let of = ack.metric.as_ref().map_or_else(String::new, |metric| format!("{metric} "));
        format!("{of}acknowledged: {} (by {})", ack.reason, ack.who)
    });
    let metrics = node.metrics.iter().filter(|metric| strange(metric)).map(|metric| {
        let what = if metric.unknown { "does not come any more" } else { "flaps" };
        format!("{} {what}", metric.name)
    });
    text(mutes.chain(acks).chain(metrics))
}
