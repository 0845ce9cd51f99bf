//! Limits that operators set while the hub runs. They stand over the file's until they are reset; every value is judged by them
//! at once.

use lamon_control::Threshold;
use lamon_wire::names::{MetricName, NodeName};
use thiserror::Error;

use super::mutes::{OperateError, checked_reason};
use super::rules::{Limits, Origin, Override, OverrideError, Rules, Target};
use super::update::{Event, EventKind, Update};
use super::{Groups, Watch};
use crate::sample::{Now, utc};

/// The most that are set at the same time: whoever needs more has a file to write.
const MAX_THRESHOLDS: usize = 500;

/// How many names of rules an error lists.
const LISTED: usize = 20;

/// The word for a limit that there shall not be.
const NONE: &str = "none";

/// The rules of the file, and what operators set over them.
#[derive(Debug)]
pub(super) struct Thresholds {
    file: Rules,
    set: Vec<Threshold>,
}

/// Why limits are not set or reset.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ThresholdError {
    /// There is no such rule; with those that there are.
    #[error("there is no rule {0:?}; the rules are {1}")]
    UnknownRule(String, String),
    /// A node where a rule is meant, or a metric with it.
    #[error("{0} is a node: name the metric too, or a rule")]
    NodeAlone(String),
    /// Both limits are gone.
    #[error("set a warning, an error, or both; to keep something quiet, mute it")]
    NoLimits,
    /// What was kept names no value of a node.
    #[error("{0} is no value of a node")]
    NoValue(String),
    /// Nothing was set there.
    #[error("no operator set limits of {0}")]
    NotSet(String),
    /// There are too many.
    #[error("operators have set limits {MAX_THRESHOLDS} times: reset some, or write them into the file")]
    TooMany,
    /// The limits cannot be used.
    #[error(transparent)]
    Unusable(#[from] OverrideError),
}

impl ThresholdError {
    /// Whether it names what there is not.
    #[must_use]
    pub const fn is_about_nothing(&self) -> bool {
        matches!(self, Self::UnknownRule(..) | Self::NotSet(_))
    }
}

impl Thresholds {
    pub(super) const fn new(file: Rules) -> Self {
        Self { file, set: Vec::new() }
    }
}

/// The rules of a file with the limits that operators set, and those that cannot be used any more, with why.
#[must_use]
pub fn with_thresholds<'a>(
    file: &Rules,
    groups: &Groups,
    set: &'a [Threshold],
) -> (Rules, Vec<(&'a Threshold, ThresholdError)>) {
    let (mut usable, mut left_out) = (Vec::new(), Vec::new());
    for set in set {
        match changed(set) {
            Some(change) => usable.push((set, change)),
            None => left_out.push((set, ThresholdError::NoValue(set.about()))),
        }
    }
    let (rules, unused) = file.with_overrides(groups, usable.iter().map(|(_, change)| change));
    for (change, why) in unused {
        let set = usable.iter().find(|(_, other)| std::ptr::eq(other, change)).map(|(set, _)| *set);
        left_out.extend(set.map(|set| (set, why.into())));
    }
    (rules, left_out)
}

/// The change of the rules that it is; `None` when it names what cannot be.
fn changed(set: &Threshold) -> Option<Override> {
    let target = match &set.metric {
        None => Target::Rule(set.target.clone()),
        Some(metric) => {
            Target::Value { node: NodeName::new(&set.target).ok()?, metric: MetricName::new(metric).ok()? }
        }
    };
    Some(Override { target, warning: set.warning, error: set.error })
}

/// `li on 2026-11-22T16:00:00Z: new disk`.
pub(super) fn by_whom(set: &Threshold) -> String {
    let reason = set.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{} on {}{reason}", set.who, utc(set.made_ms))
}

impl Watch {
    /// The limits that operators set.
    #[must_use]
    pub fn limits(&self) -> &[Threshold] {
        &self.thresholds.set
    }

    /// Takes other rules and groups, judging every value by them at once. What operators set stands over them.
    pub fn reload(&mut self, now: Now, rules: Rules, groups: Groups) -> Vec<Update> {
        (self.thresholds.file, self.groups) = (rules, groups);
        for node in self.nodes.values_mut() {
            node.group = self.groups.of(&node.name).into();
        }
        let (before, mut updates) = self.apply();
        updates.extend(self.judge_again(now, Some(&before)));
        updates
    }

    /// Takes up limits that were kept over a restart.
    pub fn restore_limits(&mut self, now: Now, limits: Vec<Threshold>) -> Vec<Update> {
        if limits.is_empty() {
            return Vec::new();
        }
        let known =
            |set: &Threshold, other: &Threshold| (&set.target, &set.metric) == (&other.target, &other.metric);
        for set in limits {
            let all = &mut self.thresholds.set;
            if all.len() < MAX_THRESHOLDS && !all.iter().any(|other| known(&set, other)) {
                all.push(set);
            }
        }
        let (before, mut updates) = self.apply();
        updates.extend(self.judge_again(now, Some(&before)));
        updates
    }

    /// Sets the limits of a rule, or of one metric of a node, as a pair: one that is left out stays as it is. Returns what was
    /// done, in words.
    ///
    /// # Errors
    ///
    /// [`OperateError`], a sentence for who asked; nothing changes then.
    pub fn set_limits(
        &mut self,
        now: Now,
        (target, metric): (&str, Option<&str>),
        (warning, error): (Option<&str>, Option<&str>),
        reason: Option<&str>,
        who: &str,
    ) -> Result<(String, Vec<Update>), OperateError> {
        let reason = reason.map(checked_reason).transpose()?;
        let target = self.target(target, metric)?;
        let before = self.rules.limits_of(&self.groups, &target).map_err(ThresholdError::from)?;
        let read = |text: Option<&str>, before: Option<f64>| match text.map(str::trim) {
            None => Ok(before),
            Some(NONE) => Ok(None),
            Some(text) => self.rules.read_limit(&target, text).map(Some).map_err(ThresholdError::from),
        };
        let warning = read(warning, before.and_then(|limits| limits.warning))?;
        let error = read(error, before.and_then(|limits| limits.error))?;
        if warning.is_none() && error.is_none() {
            return Err(ThresholdError::NoLimits.into());
        }
        let (target, metric) = match target {
            Target::Rule(name) => (name, None),
            Target::Value { node, metric } => (node.to_string(), Some(metric.to_string())),
        };
        let set = Threshold { target, metric, warning, error, reason, who: who.into(), made_ms: now.unix_ms };
        if before.is_some_and(|limits| (limits.warning, limits.error) == (warning, error)) {
            return Ok((format!("{} has these limits already", set.about()), Vec::new()));
        }
        let mut all = self.thresholds.set.clone();
        all.retain(|other| (&other.target, &other.metric) != (&set.target, &set.metric));
        if all.len() >= MAX_THRESHOLDS {
            return Err(ThresholdError::TooMany.into());
        }
        all.push(set.clone());
        let (rules, left_out) = with_thresholds(&self.thresholds.file, &self.groups, &all);
        if let Some((_, why)) = left_out.into_iter().find(|(unused, _)| **unused == set) {
            return Err(why.into());
        }
        let rules_before = std::mem::replace(&mut self.rules, rules);
        self.thresholds.set = all;
        self.operated.note_change();
        let now_holds = self.holding(&set).map_or_else(String::new, |limits| limits.to_string());
        let was = before.map_or_else(|| "no limits".into(), |limits| limits.to_string());
        let text = format!("{}: {now_holds} (was {was})", set.about());
        let why = set.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let mut updates = vec![about(&set, EventKind::LimitsSet, format!("{who} set limits of {text}{why}"))];
        updates.extend(self.judge_again(now, Some(&rules_before)));
        Ok((text, updates))
    }

    /// Lets the limits of the file hold again. Returns what was done, in words.
    ///
    /// # Errors
    ///
    /// [`OperateError`], a sentence for who asked; nothing changes then.
    pub fn reset_limits(
        &mut self,
        now: Now,
        (target, metric): (&str, Option<&str>),
        who: &str,
    ) -> Result<(String, Vec<Update>), OperateError> {
        let meant = |set: &Threshold| set.target == target && set.metric.as_deref() == metric;
        // Also what was set for a node or a rule that is gone, or by the name of the rule that it became.
        let found = self.thresholds.set.iter().position(meant).or_else(|| {
            let Ok(Target::Value { node, metric: of }) = self.target(target, metric) else { return None };
            let sets = self.thresholds.set.iter();
            sets.clone()
                .position(|set| set.target == node.as_str() && set.metric.as_deref() == Some(of.as_str()))
        });
        let Some(place) = found else {
            let asked = metric.map_or_else(|| target.into(), |metric| format!("{target} {metric}"));
            return Err(ThresholdError::NotSet(asked).into());
        };
        let set = self.thresholds.set.remove(place);
        let (rules, _) = with_thresholds(&self.thresholds.file, &self.groups, &self.thresholds.set);
        let rules_before = std::mem::replace(&mut self.rules, rules);
        self.operated.note_change();
        let holds = self.holding(&set).map_or_else(|| "no limits".into(), |limits| limits.to_string());
        let text = format!("{}: {holds}", set.about());
        let mut updates = vec![about(&set, EventKind::LimitsReset, format!("{who} reset limits of {text}"))];
        updates.extend(self.judge_again(now, Some(&rules_before)));
        Ok((text, updates))
    }

    /// For what limits are asked to be set.
    fn target(&self, target: &str, metric: Option<&str>) -> Result<Target, OperateError> {
        if let Some(metric) = metric {
            let node = self.named(target)?;
            let unknown = || OperateError::UnknownMetric(node.name.clone(), metric.into());
            let found = node.metric(metric).ok_or_else(unknown)?;
            return Ok(Target::Value { node: node.name.clone(), metric: found.name.clone() });
        }
        match self.rules.named(target) {
            // Made by an operator: it is what he set that changes.
            Some(ruled) if ruled.origin == Origin::Operator => {
                let value = ruled.rule.of_value().and_then(|(node, metric)| {
                    let node = NodeName::new(&node.to_string()).ok()?;
                    Some(Target::Value { node, metric: MetricName::new(&metric.to_string()).ok()? })
                });
                value.ok_or_else(|| self.unknown_rule(target).into())
            }
            Some(_) => Ok(Target::Rule(target.into())),
            None if self.named(target).is_ok() => Err(ThresholdError::NodeAlone(target.into()).into()),
            None => Err(self.unknown_rule(target).into()),
        }
    }

    fn unknown_rule(&self, name: &str) -> ThresholdError {
        let names: Vec<_> = self.rules.iter().map(|ruled| ruled.rule.name()).take(LISTED).collect();
        ThresholdError::UnknownRule(name.into(), names.join(", "))
    }

    /// The limits that hold now for what was set.
    fn holding(&self, set: &Threshold) -> Option<Limits> {
        self.rules.limits_of(&self.groups, &changed(set)?.target).ok().flatten()
    }

    /// Lays what operators set over the file's rules; tells what does not fit them. Returns the rules before, too.
    fn apply(&mut self) -> (Rules, Vec<Update>) {
        let (rules, left_out) = with_thresholds(&self.thresholds.file, &self.groups, &self.thresholds.set);
        let before = std::mem::replace(&mut self.rules, rules);
        let unused = left_out.into_iter().map(|(set, why)| {
            let text =
                format!("limits of {} are not used, which were set by {}: {why}", set.about(), by_whom(set));
            about(set, EventKind::LimitsUnused, text)
        });
        let unused = unused.collect();
        (before, unused)
    }
}

/// An event of the node whose limits they are, or of the hub.
fn about(set: &Threshold, kind: EventKind, text: String) -> Update {
    let node = set.metric.as_ref().and_then(|_| NodeName::new(&set.target).ok());
    let metric = set.metric.as_deref().filter(|_| node.is_some());
    let metric = metric.and_then(|metric| MetricName::new(metric).ok());
    Update::Event(Event::new(node, kind, text).about(metric))
}
