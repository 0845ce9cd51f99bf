//! What the watch knows of one node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lamon_wire::names::{MetricName, NodeName};

use super::arrivals::{Arrivals, Gaps, News};
use super::change::{LevelChange, Room};
use super::flaps::{MAX_FLIPS, Turn, WINDOW};
use super::hub_clock::CLOCK_OFFSET;
use super::kept::KeptMetric;
use super::level::Level;
use super::metric::{Judged, Metric};
use super::rules::{Phase, Rules};
use super::update::{Event, EventKind};
use crate::sample::{Now, Sample};

/// One watched computer.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: NodeName,
    /// The group it belongs to.
    pub group: Arc<str>,
    /// Its metrics, those of the newest sample first, in its order.
    pub metrics: Vec<Metric>,
    /// Whether nothing was heard for too long.
    pub silent: bool,
    /// Whether an operator wants it to neither gate nor notify now.
    pub muted: bool,
    /// Whether an operator said of all that is wrong with it that he knows.
    pub acknowledged: bool,
    /// When anything of it last arrived, by the hub's monotonic clock.
    pub heard: Instant,
    /// The same by the wall clock, unix milliseconds UTC.
    pub heard_ms: i64,
    /// Time between its samples.
    pub interval: Duration,
    /// What its agent took and what came, since the hub's start.
    pub arrivals: Arrivals,
    /// The boot of its agent's last hello.
    pub(super) boot: Option<[u8; 16]>,
    /// It is known from an earlier run of the hub, and was not heard since.
    pub(super) restored: bool,
    /// It spoke since the hub's start.
    pub(super) joined: bool,
    /// Until when silence is not its fault: the hub stood still.
    pub(super) excused_until: Option<Instant>,
    gaps: Gaps,
}

/// What an arrival was.
pub(super) struct Heard {
    /// How long the node was silent before it, when it was.
    pub(super) silence: Option<Duration>,
    /// What the sample is.
    pub(super) news: News,
}

/// The most metrics of one node: what the wire allows in one table.
const MAX_METRICS: usize = lamon_wire::frames::MAX_METRICS;

impl Node {
    /// A node that was heard for the first time.
    pub(super) fn new(name: NodeName, group: Arc<str>, now: Now, interval: Option<Duration>) -> Self {
        Self {
            name,
            group,
            metrics: Vec::new(),
            silent: false,
            muted: false,
            acknowledged: false,
            heard: now.monotonic,
            heard_ms: now.unix_ms,
            interval: interval.unwrap_or(Gaps::UNKNOWN),
            arrivals: Arrivals::default(),
            boot: None,
            restored: false,
            joined: true,
            excused_until: None,
            gaps: Gaps::default(),
        }
    }

    /// The worst of its metrics' levels; [`Level::Silent`] when nothing is heard.
    #[must_use]
    pub fn level(&self) -> Level {
        let worst = || self.metrics.iter().map(|metric| metric.level).max();
        if self.silent { Level::Silent } else { worst().unwrap_or_default() }
    }

    /// The metric that makes the node's level; of equals the first.
    #[must_use]
    pub fn worst(&self) -> Option<&Metric> {
        // Of equals `max_by_key` takes the last, so it walks from behind.
        self.metrics.iter().rev().max_by_key(|metric| metric.level)
    }

    /// The metric of this name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name.as_str() == name)
    }

    /// The metric of this name, to be changed.
    pub(super) fn metric_mut(&mut self, name: &str) -> Option<&mut Metric> {
        self.metrics.iter_mut().find(|metric| metric.name.as_str() == name)
    }

    /// How full its disks are: each by itself where the node tells, else the fullest.
    pub fn disks(&self) -> impl Iterator<Item = &Metric> {
        let each = |metric: &&Metric| is_disk(metric.name.as_str()) && metric.name.as_str() != FULLEST;
        let fullest = self.metric(FULLEST).filter(|_| !self.metrics.iter().any(|metric| each(&metric)));
        self.metrics.iter().filter(each).chain(fullest)
    }

    /// What is left of the disk that a metric is about: of the fullest, when it is the node's own `disk_percent`.
    fn room(&self, metric: &MetricName) -> Room {
        let Some(disk) = disk_of(metric.as_str()) else { return Room::default() };
        let percent = match disk {
            "" => self.metric("disk_percent").and_then(|fullest| {
                let of_disk =
                    |metric: &&Metric| disk_of(metric.name.as_str()).is_some_and(|disk| !disk.is_empty());
                let percents = self.metrics.iter().filter(of_disk);
                percents.filter(|metric| metric.name.as_str().ends_with("_percent")).find(|metric| {
                    // The agent sends the same number for both.
                    metric.value.to_bits() == fullest.value.to_bits()
                })
            }),
            _ => self.metric(&format!("disk_{disk}_percent")),
        };
        let disk = percent.and_then(|percent| disk_of(percent.name.as_str())).unwrap_or(disk);
        let free = self.metric(&format!("disk_{disk}_free")).filter(|free| !free.unknown);
        let nights_left = percent.or_else(|| self.metric(metric.as_str())).and_then(Metric::nights_left);
        Room { free: free.map(|free| free.value), nights_left }
    }

    /// Notes an arrival: when the next is expected, whether it ends silence, and what the sample is.
    pub(super) fn hear(&mut self, now: Now, sample: &Sample) -> Heard {
        let mut quiet = now.monotonic.saturating_duration_since(self.heard);
        let restored = std::mem::take(&mut self.restored);
        if restored {
            // It was not heard while the hub did not run either; only the wall clock knows for how long.
            let by_wall = u64::try_from(now.unix_ms.saturating_sub(self.heard_ms)).unwrap_or(0);
            quiet = quiet.max(Duration::from_millis(by_wall));
        }
        (self.heard, self.heard_ms) = (now.monotonic, now.unix_ms);
        self.excused_until = None;
        let was_silent = std::mem::take(&mut self.silent);
        if was_silent {
            self.metrics.iter_mut().for_each(Metric::interrupt);
        }
        // A gap that was silence is no interval, and neither is the time since a first line that never was.
        if !was_silent && !restored && !self.metrics.is_empty() {
            self.gaps.learn(quiet);
        }
        self.interval = sample.interval.unwrap_or_else(|| self.gaps.interval());
        let news = self.arrivals.note(sample.arrival, sample.identity);
        Heard { silence: was_silent.then_some(quiet), news }
    }

    /// A metric of the sample that the node does not have yet, for the check that its name is free.
    pub(super) fn new_metrics<'a>(&self, sample: &'a Sample) -> impl Iterator<Item = &'a MetricName> {
        // Samples bring the same metrics in the same order, so this is nearly always empty at once.
        let same =
            sample.metrics.iter().map(|(name, _)| name).eq(self.metrics.iter().map(|metric| &metric.name));
        let metrics = if same { &[][..] } else { &sample.metrics[..] };
        metrics.iter().map(|(name, _)| name).filter(|name| self.metric(name.as_str()).is_none())
    }

    /// Takes up a sample's values and judges them.
    pub(super) fn take(&mut self, now: Now, sample: &Sample, law: &Law<'_>) -> Taken {
        let mut taken = Taken::default();
        let before = self.metrics.len();
        // All values first: a rule may look at a second one.
        let mut came = 0;
        for (name, value) in &sample.metrics {
            if !self.put_at(came, name, now, sample.taken_ms, law) {
                continue;
            }
            let again = self
                .metrics
                .get_mut(came)
                .is_some_and(|metric| metric.take(law.rules, now, *value, sample.taken_ms));
            if again {
                taken.event(self, EventKind::Known, name, &format!("comes again: {value}"));
            }
            came += 1;
        }
        taken.new_metrics = self.metrics.len() > before;
        for place in 0..came {
            self.judge(place, now, law, &mut taken);
        }
        for place in came..self.metrics.len() {
            let Some(metric) = self.metrics.get_mut(place) else { continue };
            if metric.miss(now, self.interval) {
                let name = metric.name.clone();
                let text = format!("does not come any more, and stays {}", metric.level);
                taken.event(self, EventKind::Unknown, &name, &text);
            }
        }
        taken
    }

    /// Brings the metric of this name to its place in the sample's order, which is nearly always where it is. Whether the
    /// node has it; it takes no more than [`MAX_METRICS`].
    fn put_at(&mut self, place: usize, name: &MetricName, now: Now, taken_ms: i64, law: &Law<'_>) -> bool {
        if self.metrics.get(place).is_some_and(|metric| metric.name == *name) {
            return true;
        }
        let at = match self.metrics.iter().position(|metric| metric.name == *name) {
            Some(at) => at,
            None if self.metrics.len() >= MAX_METRICS => return false,
            None => {
                let mut metric = Metric::new(name.clone(), now, taken_ms);
                law.find(&self.name, &self.group, &mut metric);
                self.metrics.push(metric);
                self.metrics.len() - 1
            }
        };
        self.metrics.swap(place, at);
        true
    }

    /// Puts a metric back that was kept over a restart of the hub.
    pub(super) fn restore(&mut self, now: Now, law: &Law<'_>, kept: &KeptMetric) {
        if self.metrics.len() < MAX_METRICS && self.metric(kept.metric.as_str()).is_none() {
            let mut metric = Metric::new(kept.metric.clone(), now, kept.taken_ms);
            law.find(&self.name, &self.group, &mut metric);
            metric.restore(now, kept);
            self.metrics.push(metric);
        }
    }

    fn judge(&mut self, place: usize, now: Now, law: &Law<'_>, taken: &mut Taken) {
        let Some(metric) = self.metrics.get(place) else { return };
        let other =
            |name: &str| self.metric(name).filter(|metric| !metric.unknown).map(|metric| metric.value);
        let of_hub = if metric.name.as_str() == CLOCK_OFFSET { law.common_offset } else { 0.0 };
        let reached = metric.reached(law.rules, of_hub, other);
        let Some(metric) = self.metrics.get_mut(place) else { return };
        let Judged { change, turn } = metric.settle(law.rules, now, reached);
        taken.changes.extend(change.map(|change| LevelChange { room: self.room(&change.metric), ..change }));
        let Some(metric) = self.metrics.get(place) else { return };
        let (kind, text) = match turn {
            Turn::None => return,
            Turn::Began => (
                EventKind::Flapping,
                format!(
                    "changed its level more than {MAX_FLIPS} times in {} minutes: held at {} until it is steady",
                    WINDOW.as_secs() / 60,
                    metric.level
                ),
            ),
            Turn::Steady => (EventKind::Steady, format!("is steady again: {}", metric.level)),
        };
        let name = metric.name.clone();
        taken.event(self, kind, &name, &text);
    }

    /// Finds the rules anew, when they or the phase changed, and judges every value by them; with the rules that held before, where
    /// those were others.
    pub(super) fn judge_again(&mut self, now: Now, law: &Law<'_>, before: Option<&Rules>) -> Taken {
        let mut taken = Taken::default();
        for metric in &mut self.metrics {
            let limits = before.map(|rules| metric.limits_by(rules));
            law.find(&self.name, &self.group, metric);
            if limits.is_some_and(|limits| limits != metric.limits_by(law.rules)) {
                metric.judge_afresh();
            }
        }
        for place in 0..self.metrics.len() {
            self.judge(place, now, law, &mut taken);
        }
        taken
    }
}

/// How full the fullest disk is.
const FULLEST: &str = "disk_percent";

/// Whether a metric of this name tells how full a disk is.
#[must_use]
pub fn is_disk(metric: &str) -> bool {
    metric.ends_with("_percent") && disk_of(metric).is_some()
}

/// The disk that a metric is about: the mount's name, or nothing for the fullest.
pub(super) fn disk_of(metric: &str) -> Option<&str> {
    let name = metric.strip_prefix("disk_")?;
    if name == "percent" {
        return Some("");
    }
    if name.ends_with("_inodes_percent") {
        return None;
    }
    name.strip_suffix("_percent").or_else(|| name.strip_suffix("_free"))
}

/// By what values are judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law<'a> {
    pub(super) rules: &'a Rules,
    pub(super) phase: Phase,
    /// By how much all clocks are off together, seconds: the hub's fault.
    pub(super) common_offset: f64,
}

impl Law<'_> {
    fn find(&self, node: &NodeName, group: &str, metric: &mut Metric) {
        let name = metric.name.clone();
        metric.find_rules(|quality| self.rules.find_for(quality, node, group, &name, Some(self.phase)));
    }
}

/// What became of a sample's values.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) changes: Vec<LevelChange>,
    pub(super) events: Vec<Event>,
    pub(super) new_metrics: bool,
}

impl Taken {
    fn event(&mut self, node: &Node, kind: EventKind, metric: &MetricName, text: &str) {
        let text = format!("{} {metric} {text}", node.name);
        self.events.push(Event::new(Some(node.name.clone()), kind, text).about(Some(metric.clone())));
    }
}
