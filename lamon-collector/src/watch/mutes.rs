//! Mutes: which nodes neither gate nor notify now, and until when.
//!
//! A mute holds once, or at hours of the week by the hub's local time. It goes by itself when its time is over. Its edges
//! are those of the wall clock, which may be set, so they are looked for each minute and not only when they are due.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lamon_control::{Mute, When, Window};
use lamon_wire::names::NodeName;
use thiserror::Error;

use super::node::Node;
use super::pattern::NodePattern;
use super::thresholds::ThresholdError;
use crate::sample::Now;

/// The most mutes: many more than anybody keeps in mind.
pub const MAX_MUTES: usize = 500;

/// The longest that one holds without being asked for again: a year, in milliseconds.
const MAX_LENGTH_MS: i64 = 366 * 86_400_000;

/// The longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 200;

/// Why something that an operator asks for is not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OperateError {
    /// The target is no name, glob or group.
    #[error("{0:?} names no nodes: {1}")]
    Target(String, String),
    /// No configured group has that name.
    #[error("there is no group {0:?}")]
    UnknownGroup(String),
    /// There is no such node.
    #[error("the hub knows no node {0:?}")]
    UnknownNode(String),
    /// The node has no such metric.
    #[error("{0} has no metric {1:?}")]
    UnknownMetric(NodeName, String),
    /// There is no such mute; with what mutes the node instead, if so.
    #[error("there is no mute {0:?}{1}")]
    UnknownMute(String, String),
    /// A reason is missing, too long, or no line.
    #[error("a reason has 1 to {MAX_REASON_BYTES} bytes, without control characters: others will read it")]
    Reason,
    /// The window is over, ends before it begins, or is longer than a year.
    #[error("a mute ends after it begins, later than now, and within a year")]
    Window,
    /// There are too many.
    #[error("there are {0} already: end some first")]
    TooMany(usize),
    /// There is nothing to acknowledge.
    #[error("{0} is good: there is nothing to acknowledge")]
    NothingWrong(String),
    /// No gate of the configuration has that name; with those that there are.
    #[error("there is no gate {0:?} (gates: {1})")]
    UnknownGate(String, String),
    /// There is nothing to release.
    #[error("nobody overrides gate {0:?}")]
    NotOverridden(String),
    /// An override that is too short or too long.
    #[error(
        "an override ends within 7 days: what is wanted for longer belongs into the configuration, as shadow = true"
    )]
    OverrideTime,
    /// Limits cannot be set so.
    #[error(transparent)]
    Limits(#[from] ThresholdError),
    /// A node that is heard would be back at once.
    #[error("{0} is heard: stop its agent first, or it is back with its next sample")]
    StillHeard(NodeName),
}

/// A reason that can be shown.
///
/// # Errors
///
/// [`OperateError::Reason`].
pub(crate) fn checked_reason(reason: &str) -> Result<String, OperateError> {
    let reason = reason.trim();
    let good = (1..=MAX_REASON_BYTES).contains(&reason.len()) && !reason.chars().any(char::is_control);
    if good { Ok(reason.into()) } else { Err(OperateError::Reason) }
}

/// A mute, with what is derived of it.
#[derive(Debug, Clone)]
struct Kept {
    mute: Mute,
    pattern: NodePattern,
    /// Whether it holds now.
    holds: bool,
}

/// A mute that began or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Edge {
    /// It holds from now on.
    Begins(Mute),
    /// It waits for its next hours.
    Rests(Mute),
    /// It is over for good.
    Over(Mute),
}

/// All mutes, in the order of their numbers.
#[derive(Debug, Clone)]
pub struct Mutes {
    kept: Vec<Kept>,
    /// The number of the next.
    next: u32,
    /// Whose hours of the week are meant.
    zone: TimeZone,
}

impl Mutes {
    /// No mutes.
    pub(super) const fn new() -> Self {
        Self { kept: Vec::new(), next: 1, zone: TimeZone::UTC }
    }

    /// Takes hours of the week as those of this zone.
    pub(super) fn in_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Every mute, also those that wait for their time.
    pub fn iter(&self) -> impl Iterator<Item = &Mute> {
        self.kept.iter().map(|kept| &kept.mute)
    }

    /// Every mute with whether it holds now.
    pub fn holding(&self) -> impl Iterator<Item = (&Mute, bool)> {
        self.kept.iter().map(|kept| (&kept.mute, kept.holds))
    }

    /// The mutes that are for this node, also those that wait for their time.
    pub fn of<'a>(&'a self, node: &'a Node) -> impl Iterator<Item = &'a Mute> {
        self.kept.iter().filter(|kept| kept.pattern.wants(&node.name, &node.group)).map(|kept| &kept.mute)
    }

    /// Whether the node is muted now.
    pub(super) fn hold_for(&self, node: &Node) -> bool {
        self.kept.iter().any(|kept| kept.holds && kept.pattern.wants(&node.name, &node.group))
    }

    /// Adds a mute. It holds from the next [`Mutes::handle_time`].
    pub(super) fn add(
        &mut self,
        now: Now,
        target: &str,
        when: &When,
        reason: &str,
        who: &str,
    ) -> Result<u32, OperateError> {
        let pattern = pattern(target)?;
        let reason = checked_reason(reason)?;
        let window = window(now, when).ok_or(OperateError::Window)?;
        if self.kept.len() >= MAX_MUTES {
            return Err(OperateError::TooMany(MAX_MUTES));
        }
        let (id, target) = (self.next, pattern.to_string());
        self.next += 1;
        let mute = Mute { id, target, window, reason, who: who.into(), made_ms: now.unix_ms };
        self.kept.push(Kept { mute, pattern, holds: false });
        Ok(id)
    }

    /// Takes up mutes that were kept over a restart. What makes no sense any more is left out.
    pub(super) fn restore(&mut self, mutes: Vec<Mute>) {
        for mute in mutes.into_iter().take(MAX_MUTES) {
            let Ok(pattern) = pattern(&mute.target) else { continue };
            self.next = self.next.max(mute.id.saturating_add(1));
            self.kept.retain(|kept| kept.mute.id != mute.id);
            self.kept.push(Kept { mute, pattern, holds: false });
        }
    }

    /// Removes the mutes that have exactly this target, else the one of this number.
    pub(super) fn remove(&mut self, which: &str) -> Vec<Mute> {
        let target = pattern(which).map(|pattern| pattern.to_string());
        let by_target = |kept: &Kept| target.as_ref().is_ok_and(|target| *target == kept.mute.target);
        let number = if self.kept.iter().any(by_target) { None } else { which.parse::<u32>().ok() };
        let meant = |kept: &mut Kept| number.map_or_else(|| by_target(kept), |number| kept.mute.id == number);
        self.kept.extract_if(.., meant).map(|kept| kept.mute).collect()
    }

    /// Finds what began and ended.
    pub(super) fn handle_time(&mut self, now: Now) -> Vec<Edge> {
        let over = |kept: &mut Kept| kept.mute.window.until_ms().is_some_and(|until| until <= now.unix_ms);
        let mut edges: Vec<_> = self.kept.extract_if(.., over).map(|kept| Edge::Over(kept.mute)).collect();
        for kept in &mut self.kept {
            let holds = holds(&kept.mute.window, now, &self.zone);
            match (std::mem::replace(&mut kept.holds, holds), holds) {
                (false, true) => edges.push(Edge::Begins(kept.mute.clone())),
                (true, false) => edges.push(Edge::Rests(kept.mute.clone())),
                _ => {}
            }
        }
        edges
    }

    /// How long until there may be an edge, a minute at most; `None` while there are no mutes.
    pub(super) fn next_edge(&self, now: Now) -> Option<Duration> {
        if self.kept.is_empty() {
            return None;
        }
        let minute = now.unix_ms - now.unix_ms.rem_euclid(MINUTE_MS) + MINUTE_MS;
        let edges = self.kept.iter().flat_map(|kept| match kept.mute.window {
            Window::Between { from_ms, until_ms } => [Some(from_ms), Some(until_ms)],
            Window::Weekly { until_ms, .. } => [until_ms, None],
        });
        let next = edges.flatten().filter(|edge| *edge > now.unix_ms).fold(minute, i64::min);
        Some(Duration::from_millis((next - now.unix_ms).unsigned_abs()))
    }
}

const MINUTE_MS: i64 = 60_000;

fn pattern(target: &str) -> Result<NodePattern, OperateError> {
    NodePattern::try_from(target.trim().to_owned()).map_err(|why| OperateError::Target(target.into(), why))
}

/// The window that is asked for, if it makes sense.
fn window(now: Now, when: &When) -> Option<Window> {
    let window = match *when {
        When::For { seconds } => {
            let until_ms = now.unix_ms.checked_add(i64::try_from(seconds).ok()?.checked_mul(1_000)?)?;
            Window::Between { from_ms: now.unix_ms, until_ms }
        }
        When::Between { from_ms, until_ms } => Window::Between { from_ms, until_ms },
        When::Weekly { hours, until_ms } => Window::Weekly { hours, until_ms },
    };
    let begins = match window {
        Window::Between { from_ms, .. } => from_ms,
        // Hours that recur have no length: they are for as long as the routine of the site is.
        Window::Weekly { .. } => i64::MIN,
    };
    let good = window.until_ms().is_none_or(|until| {
        until > now.unix_ms
            && until > begins
            && (begins == i64::MIN || until - begins.max(now.unix_ms) <= MAX_LENGTH_MS)
    });
    good.then_some(window)
}

fn holds(window: &Window, now: Now, zone: &TimeZone) -> bool {
    match window {
        Window::Between { from_ms, until_ms } => (*from_ms..*until_ms).contains(&now.unix_ms),
        Window::Weekly { hours, .. } => {
            let Ok(time) = Timestamp::from_millisecond(now.unix_ms) else { return false };
            let local = time.to_zoned(zone.clone());
            let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
            let minute = u16::try_from(local.hour()).unwrap_or_default() * 60
                + u16::try_from(local.minute()).unwrap_or_default();
            hours.hold_at(day, minute)
        }
    }
}
