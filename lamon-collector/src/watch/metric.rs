//! One watched quantity of a node: its newest value, and how it is judged.

use std::time::{Duration, Instant};

use lamon_wire::names::MetricName;

use super::change::{LevelChange, Passed, Room};
use super::flaps::{Flaps, Turn};
use super::kept::KeptMetric;
use super::level::Level;
use super::rate::Rate;
use super::rules::{Held, Hold, Limits, Quality, Rule, RuleId, Rules};
use crate::sample::Now;

/// One watched quantity of a node, with the newest value that was not late.
#[derive(Debug, Clone)]
pub struct Metric {
    /// Its name.
    pub name: MetricName,
    /// The newest value, in the unit of the name.
    pub value: f64,
    /// How well it is. A metric that stops coming keeps its level: unknown is not resolved.
    pub level: Level,
    /// The rule that makes the level.
    pub rule: Option<RuleId>,
    /// When `value` was taken, unix milliseconds UTC.
    pub taken_ms: i64,
    /// Since when it is at its level, unix milliseconds UTC by the hub's clock.
    pub since_ms: i64,
    /// Of a disk: how much a busy night adds, percent of the disk, when that is known.
    pub per_night: Option<f64>,
    /// Whether the node sends samples without it: its value and its level are of the past.
    pub unknown: bool,
    /// When it last came.
    seen: Instant,
    /// Since when it is at its level, by the clock that nobody sets.
    since: Instant,
    /// How long it was at its level before that, when an earlier run of the hub saw it.
    lasted: Duration,
    /// The times between its last three comings: lines of text may bring some metrics seldom.
    gaps: [Duration; 2],
    /// The rule on its value.
    of_value: Option<RuleId>,
    /// The level by that rule alone.
    by_value: Level,
    /// Its limits are others than those that made its level: the margin, which is for values that move, does not hold it there.
    afresh: bool,
    /// The level by all of its rules, before flapping holds it.
    judged: Level,
    /// Kept only for rules that wait.
    held: Option<Box<Held>>,
    /// Kept only where a rule is on its change.
    rate: Option<Box<Rate>>,
    /// Kept only since its level changed.
    flaps: Option<Box<Flaps>>,
}

/// What judging a metric made of it.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) change: Option<LevelChange>,
    pub(super) turn: Turn,
}

impl Metric {
    pub(super) fn new(name: MetricName, now: Now, taken_ms: i64) -> Self {
        Self {
            name,
            value: f64::NAN,
            level: Level::Good,
            rule: None,
            taken_ms,
            since_ms: now.unix_ms,
            per_night: None,
            unknown: false,
            seen: now.monotonic,
            since: now.monotonic,
            lasted: Duration::ZERO,
            gaps: [Duration::ZERO; 2],
            of_value: None,
            by_value: Level::Good,
            afresh: false,
            judged: Level::Good,
            held: None,
            rate: None,
            flaps: None,
        }
    }

    /// Whether its level flips so often that it is held at its worst.
    #[must_use]
    pub fn flapping(&self) -> bool {
        self.flaps.as_ref().is_some_and(|flaps| flaps.flaps())
    }

    /// How far a rise of its level is that its rule lets wait, in words.
    #[must_use]
    pub fn pending(&self, rules: &Rules) -> Option<String> {
        let hold = |id: RuleId| rules.get(id).map_or(Hold::AtOnce, Rule::hold);
        let by_value = || self.held.as_ref()?.describe(hold(self.of_value?), self.by_value, self.seen);
        let by_rate = || {
            let rate = self.rate.as_ref()?;
            rate.held.describe(hold(rate.rule), rate.level, self.seen)
        };
        by_value().or_else(by_rate)
    }

    /// Of a disk: how many busy nights fit; infinite when nights add nothing, `None` while nobody knows.
    #[must_use]
    pub fn nights_left(&self) -> Option<f64> {
        let per_night = self.per_night.filter(|_| self.value.is_finite())?;
        Some(if per_night > 0.0 { (100.0 - self.value).max(0.0) / per_night } else { f64::INFINITY })
    }

    /// The change per hour, where a rule is on it and enough was seen.
    #[must_use]
    pub fn per_hour(&self) -> Option<f64> {
        self.rate.as_ref()?.per_hour
    }

    /// The limit that its level has passed, as a message shows it.
    #[must_use]
    pub fn limit(&self, rules: &Rules) -> Option<String> {
        self.rule.and_then(|id| rules.get(id)).and_then(|rule| rule.passed(self.level))
    }

    /// Whether its change by the hour makes its level, not its value.
    pub(super) fn by_rate(&self) -> bool {
        self.rate.as_ref().is_some_and(|rate| rate.level > self.by_value)
    }

    /// Takes up the level of an earlier run of the hub: it stands until a sample is judged.
    pub(super) fn restore(&mut self, now: Now, kept: &KeptMetric) {
        // The hub did not run all the time; only the wall clock knows since when.
        let ms = u64::try_from(now.unix_ms.saturating_sub(kept.since_ms)).unwrap_or(0);
        self.lasted = Duration::from_millis(ms);
        (self.value, self.level, self.since_ms) = (kept.value, kept.level, kept.since_ms);
        self.judged = kept.level;
        match &mut self.rate {
            Some(rate) if kept.by_rate => {
                rate.level = kept.level;
                self.rule = Some(rate.rule);
            }
            _ => (self.by_value, self.rule) = (kept.level, self.of_value),
        }
    }

    /// Finds the rules that hold for it. What they count begins anew, since they may be others.
    pub(super) fn find_rules(&mut self, find: impl Fn(Quality) -> Option<RuleId>) {
        self.of_value = find(Quality::Value);
        self.held = None;
        match (&mut self.rate, find(Quality::Rate)) {
            // The points stay: they are values, whatever rule judges them.
            (Some(rate), Some(rule)) => (rate.rule, rate.held) = (rule, Held::default()),
            (rate, found) => *rate = found.map(|rule| Box::new(Rate::new(rule))),
        }
    }

    /// Takes up a value. Returns whether it was unknown until now.
    pub(super) fn take(&mut self, rules: &Rules, now: Now, value: f64, taken_ms: i64) -> bool {
        let was_unknown = std::mem::take(&mut self.unknown);
        let [_, last] = self.gaps;
        self.gaps = [last, now.monotonic.saturating_duration_since(self.seen)];
        (self.value, self.taken_ms, self.seen) = (value, taken_ms, now.monotonic);
        if let Some(rate) = &mut self.rate
            && let Some(window) = rules.get(rate.rule).and_then(Rule::rate)
        {
            rate.add(now.monotonic, window, value);
        }
        was_unknown
    }

    /// Whether it is missed: the node sent samples without it for three intervals, its own or the node's. Says so once.
    pub(super) fn miss(&mut self, now: Now, interval: Duration) -> bool {
        let missed = now.monotonic.saturating_duration_since(self.seen);
        // Of two gaps the shorter: one long gap is an outage, two are how seldom it comes.
        let [a, b] = self.gaps;
        let missed = !self.unknown && missed >= interval.max(a.min(b)) * UNKNOWN_INTERVALS;
        self.unknown |= missed;
        missed
    }

    /// Forgets how long it has been past its limits: nobody knows how it was meanwhile.
    pub(super) fn interrupt(&mut self) {
        self.held = None;
        if let Some(rate) = &mut self.rate {
            rate.held = Held::default();
        }
    }

    /// The limits of its value, by these rules.
    pub(super) fn limits_by(&self, rules: &Rules) -> Option<Limits> {
        self.of_value.and_then(|id| rules.get(id)).map(|rule| *rule.limits())
    }

    /// Has its value judged by the limits alone the next time, without their margin.
    pub(super) const fn judge_afresh(&mut self) {
        self.afresh = true;
    }

    /// The levels that its value and its change reach. `of_hub` is the part of the value that is the hub's fault, `other` finds
    /// values of the same node.
    pub(super) fn reached(
        &self,
        rules: &Rules,
        of_hub: f64,
        other: impl Fn(&str) -> Option<f64>,
    ) -> [Level; 2] {
        let judge = |id: RuleId, value: f64, before: Level| {
            rules.get(id).map_or(Level::Good, |rule| rule.judge(&self.name, value, before, &other))
        };
        let before = if self.afresh { Level::Good } else { self.by_value };
        let by_value = self.of_value.map_or(Level::Good, |id| judge(id, self.value - of_hub, before));
        let by_rate = self
            .rate
            .as_ref()
            .map_or(Level::Good, |rate| judge(rate.rule, rate.per_hour.unwrap_or(f64::NAN), rate.level));
        [by_value, by_rate]
    }

    /// Makes its level of what was reached.
    pub(super) fn settle(&mut self, rules: &Rules, now: Now, [by_value, by_rate]: [Level; 2]) -> Judged {
        let hold = |id: Option<RuleId>| id.and_then(|id| rules.get(id)).map_or(Hold::AtOnce, Rule::hold);
        self.afresh = false;
        self.by_value = match hold(self.of_value) {
            Hold::AtOnce => by_value,
            hold => {
                let held = self.held.get_or_insert_default();
                held.step(hold, now.monotonic, by_value, self.by_value)
            }
        };
        let mut judged = self.by_value;
        self.rule = self.of_value;
        if let Some(rate) = &mut self.rate {
            rate.level = rate.held.step(hold(Some(rate.rule)), now.monotonic, by_rate, rate.level);
            if rate.level > judged {
                (judged, self.rule) = (rate.level, Some(rate.rule));
            }
        }
        let before = std::mem::replace(&mut self.judged, judged);
        let turn = match &mut self.flaps {
            None if judged == before => Turn::None,
            flaps if judged != before => flaps.get_or_insert_default().change(now.monotonic, before, judged),
            Some(flaps) => flaps.stay(now.monotonic),
            None => Turn::None,
        };
        let shown = self.flaps.as_ref().map_or(judged, |flaps| flaps.shown(judged));
        let from = std::mem::replace(&mut self.level, shown);
        if from == shown {
            return Judged { change: None, turn };
        }
        let lasted = now.monotonic.saturating_duration_since(self.since) + std::mem::take(&mut self.lasted);
        (self.since, self.since_ms) = (now.monotonic, now.unix_ms);
        // What was passed, or on recovery what had been.
        let rule = self.rule.and_then(|id| rules.get(id));
        let limit = rule.and_then(|rule| {
            let (limits, of_rate) = (rule.limits(), rule.rate().is_some());
            let limit = limits.of(shown.max(from))?;
            let per_hour = self.per_hour().filter(|_| of_rate);
            Some(Passed { direction: limits.direction, limit, of_rate, per_hour })
        });
        let room = Room::default();
        let metric = self.name.clone();
        let change = LevelChange { metric, value: self.value, from, to: shown, limit, lasted, room };
        Judged { change: Some(change), turn }
    }
}

/// After how many intervals of samples without it a metric is unknown.
const UNKNOWN_INTERVALS: u32 = 3;
