//! What operators change in the watch: mutes, acknowledgements, nodes that will not come back.

use std::time::Instant;

use jiff::tz::TimeZone;
use lamon_control::{Ack, Mute, When, Window};
use lamon_wire::names::{MetricName, NodeName};

use super::acks::Acks;
use super::level::Level;
use super::mutes::{Edge, Mutes, OperateError, checked_reason};
use super::node::Node;
use super::pattern::NodePattern;
use super::update::{Event, EventKind, Standing, Update};
use super::{Watch, due, key};
use crate::sample::Now;

/// Mutes and acknowledgements of a watch.
#[derive(Debug)]
pub(super) struct Operated {
    mutes: Mutes,
    acks: Acks,
    /// When the next of them may begin or end.
    next: Option<Instant>,
    /// Counts the changes, so that somebody sees when there is something to keep.
    changes: u64,
}

impl Operated {
    pub(super) const fn new() -> Self {
        Self { mutes: Mutes::new(), acks: Acks::new(), next: None, changes: 0 }
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Something else that operators change is to be kept.
    pub(super) const fn note_change(&mut self) {
        self.changes += 1;
    }

    /// How a node that joins, or that is in another group now, stands.
    pub(super) fn stand(&self, node: &mut Node) {
        node.muted = self.mutes.hold_for(node);
        node.acknowledged = self.acks.cover(node);
    }

    /// Ends acknowledgements that are no longer about how the node is.
    pub(super) fn settle(&mut self, node: &mut Node, updates: &mut Vec<Update>) {
        if self.acks.of(node).next().is_none() {
            return;
        }
        for (ack, why) in self.acks.settle(node) {
            self.changes += 1;
            let text =
                format!("{} is no longer acknowledged: {why} ({} by {})", about(&ack), ack.reason, ack.who);
            updates.push(of_ack(&ack, EventKind::AckEnded, text));
        }
        let covered = self.acks.cover(node);
        if std::mem::replace(&mut node.acknowledged, covered) != covered {
            let what = if covered { Standing::Acknowledged } else { Standing::Unacknowledged };
            updates.push(Update::Standing { node: node.name.clone(), what });
        }
    }
}

impl Watch {
    /// Takes hours of the week as those of this zone; UTC until then.
    pub fn in_zone(&mut self, zone: TimeZone) {
        self.operated.mutes.in_zone(zone);
    }

    /// The mutes.
    #[must_use]
    pub const fn mutes(&self) -> &Mutes {
        &self.operated.mutes
    }

    /// The acknowledgements.
    #[must_use]
    pub const fn acks(&self) -> &Acks {
        &self.operated.acks
    }

    /// How often mutes, acknowledgements and limits changed: another number than before means that they are to be kept anew.
    #[must_use]
    pub const fn operated_changes(&self) -> u64 {
        self.operated.changes
    }

    /// Takes up what was kept over a restart.
    pub fn restore_operated(&mut self, now: Now, mutes: Vec<Mute>, acks: Vec<Ack>) -> Vec<Update> {
        self.operated.mutes.restore(mutes);
        self.operated.acks.restore(acks);
        self.operate(now)
    }

    /// Lets nodes neither gate nor notify. Returns the mute's number.
    ///
    /// # Errors
    ///
    /// [`OperateError`], a sentence for who asked; nothing changes then.
    pub fn mute(
        &mut self,
        now: Now,
        target: &str,
        when: &When,
        reason: &str,
        who: &str,
    ) -> Result<(u32, Vec<Update>), OperateError> {
        if let Some(group) = target.strip_prefix('@')
            && !self.groups.knows(group)
        {
            return Err(OperateError::UnknownGroup(group.into()));
        }
        let id = self.operated.mutes.add(now, target, when, reason, who)?;
        self.operated.changes += 1;
        let mut updates = Vec::new();
        if let Some(mute) = self.operated.mutes.iter().find(|mute| mute.id == id) {
            let text = format!("{who} muted {}", describe(mute));
            updates.push(self.mute_event(mute, EventKind::Muted, text));
        }
        // Told just now; its edge would say the same.
        updates.extend(self.operate(now).into_iter().filter(|update| !is_edge_of(update, id)));
        Ok((id, updates))
    }

    /// Ends the mutes of exactly this target, or the one of this number.
    ///
    /// # Errors
    ///
    /// [`OperateError::UnknownMute`].
    pub fn unmute(&mut self, now: Now, which: &str, who: &str) -> Result<(usize, Vec<Update>), OperateError> {
        let removed = self.operated.mutes.remove(which);
        if removed.is_empty() {
            let node = NodeName::new(which).ok().and_then(|name| self.node(&name));
            let others = node.and_then(|node| self.operated.mutes.of(node).next());
            let hint = others.map_or_else(String::new, |mute| {
                format!("; {which} is muted by mute {} of {}: unmute {}", mute.id, mute.target, mute.id)
            });
            return Err(OperateError::UnknownMute(which.into(), hint));
        }
        self.operated.changes += 1;
        let mut updates: Vec<_> = removed
            .iter()
            .map(|mute| {
                let text = format!("{who} ended mute {} of {} ({})", mute.id, mute.target, mute.reason);
                self.mute_event(mute, EventKind::Unmuted, text)
            })
            .collect();
        updates.extend(self.operate(now));
        Ok((removed.len(), updates))
    }

    /// Notes that somebody knows that a node, or one of its metrics, is unwell.
    ///
    /// # Errors
    ///
    /// [`OperateError`], a sentence for who asked; nothing changes then.
    pub fn acknowledge(
        &mut self,
        now: Now,
        node: &str,
        metric: Option<&str>,
        seconds: Option<u64>,
        reason: &str,
        who: &str,
    ) -> Result<Vec<Update>, OperateError> {
        let reason = checked_reason(reason)?;
        let known = self.named(node)?;
        let name = known.name.clone();
        let level = match metric {
            None => known.level(),
            Some(metric) => {
                let found = known.metric(metric);
                found.ok_or_else(|| OperateError::UnknownMetric(name.clone(), metric.into()))?.level
            }
        };
        let until_ms = seconds.map(|seconds| {
            now.unix_ms.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000))
        });
        let ack = Ack {
            node: name.to_string(),
            metric: metric.map(Into::into),
            level: level.as_str().into(),
            reason,
            who: who.into(),
            made_ms: now.unix_ms,
            until_ms,
        };
        if level == Level::Good {
            return Err(OperateError::NothingWrong(about(&ack)));
        }
        let text = format!("{who} acknowledged that {} is {level}: {}", about(&ack), ack.reason);
        let acknowledged = of_ack(&ack, EventKind::Acknowledged, text);
        self.operated.acks.add(ack)?;
        self.operated.changes += 1;
        let mut updates = vec![acknowledged];
        updates.extend(self.operate(now));
        Ok(updates)
    }

    /// Takes a silent node out of the picture.
    ///
    /// # Errors
    ///
    /// [`OperateError`] when there is none, or it is still heard.
    pub fn forget(&mut self, node: &str, who: &str) -> Result<Vec<Update>, OperateError> {
        let known = self.named(node)?;
        if !known.silent {
            return Err(OperateError::StillHeard(known.name.clone()));
        }
        let key = key(&known.name);
        self.due.remove(&(due(known), key.clone()));
        let Some(gone) = self.nodes.remove(&key) else {
            return Err(OperateError::UnknownNode(node.into()));
        };
        self.operated.acks.forget(&gone);
        self.causes.forget(&gone.name);
        self.kept.remove(&gone.name);
        self.operated.changes += 1;
        let name = gone.name;
        let text = format!("{who} had {name} forgotten; its stored samples stay");
        Ok(vec![Update::Gone { node: name.clone() }, event(Some(name), EventKind::Forgotten, text)])
    }

    /// Finds what began and ended by now, and how every node stands.
    pub(super) fn operate(&mut self, now: Now) -> Vec<Update> {
        let mut updates = Vec::new();
        for edge in self.operated.mutes.handle_time(now) {
            let (mute, kind, text) = match &edge {
                Edge::Begins(mute) => (mute, EventKind::Muted, format!("muted now: {}", describe(mute))),
                Edge::Rests(mute) => {
                    let text = format!("mute {} of {} rests until its next hours", mute.id, mute.target);
                    (mute, EventKind::Unmuted, text)
                }
                Edge::Over(mute) => {
                    self.operated.changes += 1;
                    let Mute { id, target, reason, who, .. } = mute;
                    (mute, EventKind::Unmuted, format!("mute {id} of {target} is over ({reason}, by {who})"))
                }
            };
            updates.push(self.mute_event(mute, kind, text));
        }
        for ack in self.operated.acks.handle_time(now) {
            self.operated.changes += 1;
            let text = format!(
                "{} is no longer acknowledged: its time is over ({} by {})",
                about(&ack),
                ack.reason,
                ack.who
            );
            updates.push(of_ack(&ack, EventKind::AckEnded, text));
        }
        for node in self.nodes.values_mut() {
            let before = (node.muted, node.acknowledged);
            self.operated.stand(node);
            let mut tell = |what| updates.push(Update::Standing { node: node.name.clone(), what });
            match (before.0, node.muted) {
                (false, true) => tell(Standing::Muted),
                (true, false) => tell(Standing::Unmuted),
                _ => {}
            }
            match (before.1, node.acknowledged) {
                (false, true) => tell(Standing::Acknowledged),
                (true, false) => tell(Standing::Unacknowledged),
                _ => {}
            }
        }
        let next = [self.operated.mutes.next_edge(now), self.operated.acks.next_end(now)];
        self.operated.next = next.into_iter().flatten().min().map(|wait| now.monotonic + wait);
        updates
    }

    pub(super) fn named(&self, name: &str) -> Result<&Node, OperateError> {
        let known = NodeName::new(name).ok().and_then(|name| self.node(&name));
        known.ok_or_else(|| OperateError::UnknownNode(name.into()))
    }

    /// An event of the node that a mute names, or of the hub when it is for several.
    fn mute_event(&self, mute: &Mute, kind: EventKind, text: String) -> Update {
        let node = match NodePattern::try_from(mute.target.clone()) {
            Ok(NodePattern::Name(glob)) if glob.is_exact() => NodeName::new(&mute.target).ok(),
            _ => None,
        };
        event(node.filter(|name| self.node(name).is_some()), kind, text)
    }
}

fn event(node: Option<NodeName>, kind: EventKind, text: String) -> Update {
    Update::Event(Event::new(node, kind, text))
}

/// An event of the node that an acknowledgement is about, and of the metric where it is about one.
fn of_ack(ack: &Ack, kind: EventKind, text: String) -> Update {
    let metric = ack.metric.as_deref().and_then(|metric| MetricName::new(metric).ok());
    Update::Event(Event::new(NodeName::new(&ack.node).ok(), kind, text).about(metric))
}

fn is_edge_of(update: &Update, id: u32) -> bool {
    let Update::Event(Event { kind: EventKind::Muted, text, .. }) = update else { return false };
    text.contains(&format!("(mute {id},"))
}

/// `ccd01`, or `ccd01 disk_percent`.
fn about(ack: &Ack) -> String {
    match &ack.metric {
        None => ack.node.clone(),
        Some(metric) => format!("{} {metric}", ack.node),
    }
}

/// `ccd01 until 2026-11-22T21:00:00Z: new disk (mute 3, by li)`.
#[must_use]
pub fn describe(mute: &Mute) -> String {
    let Mute { id, target, window, reason, who, .. } = mute;
    let time = |unix_ms: i64| {
        jiff::Timestamp::from_millisecond(unix_ms).map_or_else(|_| "?".into(), |time| format!("{time:.0}"))
    };
    let when = match window {
        Window::Between { from_ms, until_ms } if *from_ms <= mute.made_ms => {
            format!("until {}", time(*until_ms))
        }
        Window::Between { from_ms, until_ms } => format!("from {} until {}", time(*from_ms), time(*until_ms)),
        Window::Weekly { hours, until_ms: None } => hours.to_string(),
        Window::Weekly { hours, until_ms: Some(until) } => format!("{hours}, until {}", time(*until)),
    };
    format!("{target} {when}: {reason} (mute {id}, by {who})")
}
