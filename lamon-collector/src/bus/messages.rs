//! The JSON of each topic. Stable: fields are added, never renamed. `docs/bus.md` shows an example of each.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::face::Picture;
use crate::sample::Sample;
use crate::watch::{Direction, Hold, Level, LevelChange, Node, Rule, Rules, Summary};

/// The head of every message.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Head {
    /// Counts the messages of this topic since `started`; a gap is a loss.
    pub(super) seq: u64,
    /// When the hub started, unix seconds UTC: another value means that counting began anew.
    pub(super) started: f64,
    /// When the hub made the message, unix seconds UTC.
    pub(super) time: f64,
}

/// Unix seconds with milliseconds, from unix milliseconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this millennium fit")]
pub(super) fn seconds(unix_ms: i64) -> f64 {
    unix_ms as f64 / 1e3
}

/// Topic `sample/<node>`.
#[derive(Debug, Serialize)]
pub(super) struct SampleMessage<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) node: &'a str,
    pub(super) group: &'a str,
    /// With `sequence` the sample's identity; strings, because JavaScript rounds large integers.
    pub(super) epoch: String,
    pub(super) sequence: String,
    pub(super) taken: f64,
    pub(super) late: bool,
    pub(super) interval: f64,
    #[serde(serialize_with = "metrics")]
    pub(super) metrics: &'a Sample,
}

fn metrics<S: Serializer>(sample: &Sample, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(sample.metrics.iter().map(|(name, value)| (name.as_str(), value)))
}

/// Topic `level/<node>`.
#[derive(Debug, Serialize)]
pub(super) struct LevelMessage<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) node: &'a str,
    pub(super) group: &'a str,
    pub(super) level: Level,
    pub(super) heard: f64,
    /// It neither gates nor notifies.
    pub(super) muted: bool,
    /// Somebody knows of all that is wrong with it.
    pub(super) acknowledged: bool,
    pub(super) metrics: Metrics<'a>,
}

/// Every metric of a node with its level and its rule.
#[derive(Debug)]
pub(super) struct Metrics<'a> {
    pub(super) node: &'a Node,
    pub(super) rules: &'a Rules,
}

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Metric {
            level: Level,
            value: f64,
            taken: f64,
            since: f64,
            unknown: bool,
            flapping: bool,
            rule: Option<String>,
            limits: Option<RuleLimits>,
        }
        let mut map = serializer.serialize_map(Some(self.node.metrics.len()))?;
        for metric in &self.node.metrics {
            let rule = metric.rule.and_then(|id| self.rules.get(id));
            let entry = Metric {
                level: metric.level,
                value: metric.value,
                taken: seconds(metric.taken_ms),
                since: seconds(metric.since_ms),
                unknown: metric.unknown,
                flapping: metric.flapping(),
                rule: rule.map(ToString::to_string),
                limits: rule.and_then(RuleLimits::of),
            };
            map.serialize_entry(metric.name.as_str(), &entry)?;
        }
        map.end()
    }
}

/// The limits of a value as numbers, for who draws them or wants to change them.
#[derive(Debug, Serialize)]
struct RuleLimits {
    /// By what name operators change the rule's limits.
    name: String,
    direction: &'static str,
    warning: Option<f64>,
    error: Option<f64>,
    clear: f64,
    /// How long a value is past a limit before its level rises; none when the first sample raises it.
    hold: Option<RuleHold>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum RuleHold {
    Time { seconds: f64 },
    Samples { past: u32, of: u32 },
}

impl RuleLimits {
    /// `None` of a rule without limits, and of one on the change per hour: its limits are in another unit than the value.
    fn of(rule: &Rule) -> Option<Self> {
        if rule.is_off() || rule.rate().is_some() {
            return None;
        }
        let limits = rule.limits();
        Some(Self {
            name: rule.name().into(),
            direction: match limits.direction {
                Direction::Above => "above",
                Direction::Below => "below",
                Direction::Beyond => "beyond",
            },
            warning: limits.warning,
            error: limits.error,
            clear: limits.clear,
            hold: match rule.hold() {
                Hold::AtOnce => None,
                Hold::Samples { past, of } => Some(RuleHold::Samples { past, of }),
                Hold::Time(time) => Some(RuleHold::Time { seconds: time.as_secs_f64() }),
            },
        })
    }
}

/// Topics `event/<node>` and `event/_hub`.
#[derive(Debug, Serialize)]
pub(super) struct EventMessage<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) node: Option<&'a str>,
    /// The metric that it is about, when it is about one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metric: Option<&'a str>,
    pub(super) kind: &'a str,
    pub(super) level: Level,
    pub(super) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<Change<'a>>,
}

/// A metric's change of level, in an event of the kind `level`.
#[derive(Debug, Serialize)]
pub(super) struct Change<'a> {
    metric: &'a str,
    value: f64,
    from: Level,
    to: Level,
    limit: Option<String>,
    /// How long it was at the level before, seconds.
    lasted: f64,
    /// Free bytes of the disk that the metric is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<f64>,
    /// In how many nights it is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    nights_left: Option<f64>,
}

impl<'a> From<&'a LevelChange> for Change<'a> {
    fn from(change: &'a LevelChange) -> Self {
        Change {
            metric: change.metric.as_str(),
            value: change.value,
            from: change.from,
            to: change.to,
            limit: change.limit.map(|limit| limit.sign()),
            lasted: change.lasted.as_secs_f64(),
            free: change.room.free,
            // JSON has no infinity: a disk that does not fill has no such night.
            nights_left: change.room.nights_left.filter(|left| left.is_finite()),
        }
    }
}

/// Topic `node/<node>`.
#[derive(Debug, Serialize)]
pub(super) struct NodeMessage<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) node: &'a str,
    pub(super) group: &'a str,
    /// `joined`, `silent`, `back`, `replaced`, `muted`, `unmuted`, `acknowledged`, `unacknowledged`, `gone`.
    pub(super) what: &'a str,
    /// For how long it was not heard, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<f64>,
    /// It neither gates nor notifies.
    pub(super) muted: bool,
}

/// Topic `hub`.
#[derive(Debug, Serialize)]
pub(super) struct HubMessage<'a> {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) hub: &'a str,
    pub(super) version: &'a str,
    pub(super) level: Level,
    pub(super) nodes: usize,
    pub(super) nodes_good: usize,
    pub(super) nodes_warning: usize,
    pub(super) nodes_error: usize,
    pub(super) nodes_silent: usize,
    pub(super) nodes_muted: usize,
    pub(super) worst: &'a str,
    pub(super) agents: usize,
    pub(super) samples: u64,
    pub(super) samples_rate: f64,
    pub(super) completeness: f64,
    /// The nodes of which most is missing.
    pub(super) incomplete: Vec<Incomplete<'a>>,
    pub(super) journal: &'a str,
    pub(super) journal_backlog: u64,
    /// Since the oldest of them was taken, seconds.
    pub(super) journal_backlog_age: f64,
    pub(super) database: &'a str,
    pub(super) database_server: &'a str,
    pub(super) phase: &'static str,
    pub(super) ready_tonight: bool,
    pub(super) not_ready: &'a str,
    pub(super) nights_left: Option<f64>,
    /// Nodes whose keys wait to be approved.
    pub(super) waiting: &'a [String],
}

/// A node of which samples are missing.
#[derive(Debug, Serialize)]
pub(super) struct Incomplete<'a> {
    node: &'a str,
    completeness: f64,
    /// Samples that its agent still has, or that are on their way.
    waiting: u64,
    /// Samples that are lost for good.
    lost: u64,
}

/// How many [`Incomplete`] nodes are named: enough to begin with, and a short message when a switch took a hundred away.
const MAX_INCOMPLETE: usize = 10;

impl<'a> Incomplete<'a> {
    /// The worst of these nodes, the worst first.
    fn of(nodes: impl Iterator<Item = &'a Node>) -> Vec<Self> {
        let mut all: Vec<Self> = nodes
            .filter_map(|node| {
                let progress = node.arrivals.progress();
                let missing = progress.taken.checked_sub(progress.stored).filter(|missing| *missing > 0)?;
                Some(Self {
                    node: node.name.as_str(),
                    completeness: progress.completeness(),
                    waiting: missing.saturating_sub(progress.lost),
                    lost: progress.lost,
                })
            })
            .collect();
        all.sort_by(|a, b| a.completeness.total_cmp(&b.completeness));
        all.truncate(MAX_INCOMPLETE);
        all
    }
}

impl<'a> HubMessage<'a> {
    pub(super) fn new(head: Head, hub: &'a str, summary: &'a Summary, picture: &'a Picture<'_>) -> Self {
        let health = picture.health;
        let [nodes_good, nodes_warning, nodes_error, nodes_silent] = summary.at_level;
        Self {
            head,
            hub,
            version: lamon_daemon::VERSION,
            level: summary.level,
            nodes: summary.nodes,
            nodes_good,
            nodes_warning,
            nodes_error,
            nodes_silent,
            nodes_muted: summary.muted,
            worst: &summary.worst,
            agents: health.agents,
            samples: health.samples,
            samples_rate: health.samples_rate,
            completeness: health.completeness,
            incomplete: Incomplete::of(picture.watch.nodes()),
            journal: health.journal.as_str(),
            journal_backlog: health.backlog,
            journal_backlog_age: health.backlog_age(picture.now),
            database: health.database.as_str(),
            database_server: &health.database_server,
            phase: picture.watch.phase().as_str(),
            ready_tonight: health.tonight.ready,
            not_ready: &health.tonight.not_ready,
            nights_left: health.tonight.nights_left,
            waiting: &health.waiting,
        }
    }
}
