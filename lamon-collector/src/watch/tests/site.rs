//! A watch whose clock the test moves, and its updates as sentences.

use lamon_wire::names::MetricName;

use super::super::*;
use crate::sample::{Arrival, Identity};

pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// A watch with its clock.
pub(super) struct Site {
    pub(super) watch: Watch,
    pub(super) start: Instant,
    pub(super) sequence: u64,
}

impl Site {
    pub(super) fn new(rules: &str) -> Self {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            rule: Vec<Rule>,
            #[serde(default)]
            group: Vec<Group>,
            #[serde(default)]
            tag: Vec<Tag>,
        }
        let file: File = toml::from_str(rules).unwrap();
        let watch = Watch::new(Rules::new(file.rule), Groups::new(file.group).with_tags(file.tag));
        Self { watch, start: Instant::now(), sequence: 0 }
    }

    pub(super) fn at(&self, seconds: f64) -> Now {
        #[expect(clippy::cast_possible_truncation, reason = "a test's seconds are few")]
        let ms = (seconds * 1e3) as i64;
        Now { monotonic: self.start + Duration::from_secs_f64(seconds), unix_ms: 1_795_000_000_000 + ms }
    }

    pub(super) fn sample(&mut self, seconds: f64, node: &str, metrics: &[(&str, f64)]) -> Vec<Update> {
        self.sequence += 1;
        let sample = Arc::new(self.made(seconds, node, self.sequence, metrics));
        self.watch.handle_sample(self.at(seconds), &sample).unwrap()
    }

    pub(super) fn made(&self, seconds: f64, node: &str, sequence: u64, metrics: &[(&str, f64)]) -> Sample {
        Sample {
            node: name(node),
            identity: Identity { epoch: 7, sequence },
            taken_ms: self.at(seconds).unix_ms,
            age: Duration::ZERO,
            interval: Some(INTERVAL),
            arrival: Arrival::Ordered,
            metrics: metrics.iter().map(|(name, value)| (MetricName::new(name).unwrap(), *value)).collect(),
        }
    }

    pub(super) fn metric(&self, node: &str, metric: &str) -> &Metric {
        self.watch.node(&name(node)).unwrap().metric(metric).unwrap()
    }

    pub(super) fn level(&self, node: &str) -> Level {
        self.watch.node(&name(node)).unwrap().level()
    }
}

pub(super) fn name(node: &str) -> NodeName {
    NodeName::new(node).unwrap()
}

pub(super) fn changes(updates: &[Update]) -> Vec<String> {
    let levels = updates.iter().filter_map(|update| match update {
        Update::Levels { changes, .. } => Some(changes.iter().map(ToString::to_string)),
        _ => None,
    });
    levels.flatten().collect()
}

pub(super) fn events(updates: &[Update]) -> Vec<String> {
    let events = updates.iter().filter_map(|update| match update {
        Update::Event(event) => Some(format!("{}: {}", event.kind.as_str(), event.text)),
        _ => None,
    });
    events.collect()
}
