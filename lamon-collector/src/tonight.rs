//! Whether everything is ready for the night, told while there is time to do something about it.
//!
//! A disk is ready when a busy night fits on it; what nights add is learnt from the archive. The rest is how things are now.

use std::time::{Duration, Instant};

use crate::face::{Condition, Health};
use crate::sample::Now;
use crate::watch::{Level, Node, Watch};

/// How many reasons are named; the rest is counted.
const MAX_REASONS: usize = 10;

/// Above it a disk is full, whatever nights add; percent.
const FULL: f64 = 99.5;

/// Whether the coming night, or the present one, finds everything ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Tonight {
    /// Whether it does.
    pub ready: bool,
    /// What is not ready, and which nodes were left out because they are muted.
    pub not_ready: String,
    /// How many busy nights fit on the fullest disk of nodes that are not muted; none while that is not known, or while nights
    /// add nothing to any disk.
    pub nights_left: Option<f64>,
}

impl Default for Tonight {
    fn default() -> Self {
        Self { ready: false, not_ready: "nothing was looked at yet".into(), nights_left: None }
    }
}

impl Tonight {
    /// How it is now. `disks` says whether it is known what nights add to them.
    #[must_use]
    pub fn of(watch: &Watch, health: &Health, disks: &Condition) -> Self {
        let mut reasons = Vec::new();
        match &health.database {
            Condition::Works => {}
            Condition::NotTried => reasons.push("the database was not tried yet".into()),
            Condition::Fails(why) => reasons.push(format!("database: {why}")),
        }
        match disks {
            Condition::Works => {}
            Condition::NotTried => reasons.push("what nights add to disks was not looked at yet".into()),
            Condition::Fails(why) => reasons.push(format!("what nights add to disks is not known: {why}")),
        }
        let (mut nights_left, mut muted) = (f64::INFINITY, 0_usize);
        for node in watch.nodes() {
            if node.muted {
                muted += 1;
                continue;
            }
            look_at(node, &mut reasons);
            let lefts = node.disks().filter_map(crate::watch::Metric::nights_left);
            nights_left = lefts.fold(nights_left, f64::min);
        }
        let ready = reasons.is_empty();
        let more = reasons.len().saturating_sub(MAX_REASONS);
        reasons.truncate(MAX_REASONS);
        if more > 0 {
            reasons.push(format!("and {more} more"));
        }
        if muted > 0 {
            let are = if muted == 1 { "muted node is" } else { "muted nodes are" };
            reasons.push(format!("{muted} {are} left out"));
        }
        Self {
            ready,
            not_ready: reasons.join("; "),
            nights_left: nights_left.is_finite().then_some(nights_left),
        }
    }
}

fn look_at(node: &Node, reasons: &mut Vec<String>) {
    let name = &node.name;
    if node.silent {
        reasons.push(format!("{name} silent"));
        return;
    }
    for disk in node.disks() {
        let (metric, value) = (&disk.name, disk.value);
        if disk.unknown {
            reasons.push(format!("{name} {metric} does not come any more"));
        } else if value >= FULL {
            reasons.push(format!("{name} {metric} {value}: the disk is full"));
        } else if let Some(per_night) = disk.per_night
            && disk.nights_left().is_some_and(|left| left < 1.0)
        {
            reasons.push(format!("{name} {metric} {value}: a busy night adds {per_night:.1}"));
        }
    }
    for metric in &node.metrics {
        let text = metric.name.as_str();
        if text.starts_with("proc_") && (metric.unknown || metric.value < 1.0) {
            reasons.push(format!("{name} {text} does not run"));
        } else if text == "clock_offset" && metric.level > Level::Good {
            reasons.push(format!("{name} clock_offset {} s", metric.value));
        }
    }
}

/// How long a verdict must have stood before people are told: a restart of a node is no news.
const STANDS: Duration = Duration::from_secs(600);

/// When people are told.
#[derive(Debug, Default)]
pub(crate) struct Notice {
    /// What they know; ready until they are told otherwise.
    told_not_ready: bool,
    /// Since when it is otherwise.
    otherwise: Option<Instant>,
}

impl Notice {
    /// Takes up a verdict; whether people are to be told of it now. `wanted` is while it is of use to them.
    pub(crate) fn look(&mut self, now: Now, ready: bool, wanted: bool) -> bool {
        if ready != self.told_not_ready || !wanted {
            self.otherwise = None;
            return false;
        }
        let since = *self.otherwise.get_or_insert(now.monotonic);
        let tell = now.monotonic.saturating_duration_since(since) >= STANDS;
        if tell {
            (self.told_not_ready, self.otherwise) = (!ready, None);
        }
        tell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lamon_wire::names::{MetricName, NodeName};

    use super::*;
    use crate::sample::{Arrival, Identity, Sample};
    use crate::watch::{Groups, Rules};

    struct Site {
        watch: Watch,
        start: Now,
        sequence: u64,
    }

    impl Site {
        fn at(&self, seconds: u64) -> Now {
            let unix_ms = self.start.unix_ms + i64::try_from(seconds).unwrap() * 1_000;
            Now { monotonic: self.start.monotonic + Duration::from_secs(seconds), unix_ms }
        }

        fn sample(&mut self, seconds: u64, node: &str, metrics: &[(&str, f64)]) {
            self.sequence += 1;
            let now = self.at(seconds);
            let sample = Sample {
                node: NodeName::new(node).unwrap(),
                identity: Identity { epoch: 1, sequence: self.sequence },
                taken_ms: now.unix_ms,
                age: Duration::ZERO,
                interval: Some(Duration::from_secs(10)),
                arrival: Arrival::Ordered,
                metrics: metrics
                    .iter()
                    .map(|(name, value)| (MetricName::new(name).unwrap(), *value))
                    .collect(),
            };
            self.watch.handle_sample(now, &Arc::new(sample)).unwrap();
        }
    }

    fn site() -> Site {
        Site { watch: Watch::new(Rules::default(), Groups::default()), start: Now::read(), sequence: 0 }
    }

    #[test]
    fn what_is_not_ready_is_named() {
        let mut site = site();
        let well = Health { database: Condition::Works, ..Health::default() };
        let look = |site: &Site| Tonight::of(&site.watch, &well, &Condition::Works);
        let ready = Tonight { ready: true, not_ready: String::new(), nights_left: None };
        assert_eq!(look(&site), ready);
        let all = [("disk_percent", 85.0), ("disk_home_percent", 85.0), ("disk_root_percent", 20.0)];
        site.sample(0, "ccd01", &[&all[..], &[("proc_camd", 1.0), ("clock_offset", 0.0)]].concat());
        let name = NodeName::new("ccd01").unwrap();
        site.watch.handle_outlook(&name, "disk_percent", Some(30.0));
        site.watch.handle_outlook(&name, "disk_home_percent", Some(6.0));
        site.watch.handle_outlook(&name, "disk_root_percent", Some(0.0));
        assert_eq!(
            look(&site),
            Tonight { nights_left: Some(2.5), ..ready.clone() },
            "the fullest stands for none"
        );
        site.sample(
            10,
            "ccd01",
            &[
                ("disk_home_percent", 95.0),
                ("disk_root_percent", 99.9),
                ("proc_camd", 0.0),
                ("clock_offset", 12.0),
            ],
        );
        site.sample(
            20,
            "ccd01",
            &[
                ("disk_home_percent", 95.0),
                ("disk_root_percent", 99.9),
                ("proc_camd", 0.0),
                ("clock_offset", 12.0),
            ],
        );
        let seen = look(&site);
        assert_eq!(
            seen.not_ready,
            "ccd01 disk_home_percent 95: a busy night adds 6.0; ccd01 disk_root_percent 99.9: the disk is full; \
             ccd01 proc_camd does not run; ccd01 clock_offset 12 s"
        );
        assert!(!seen.ready);
        let mute = lamon_control::When::For { seconds: 60 };
        site.watch.mute(site.at(21), "ccd01", &mute, "new disk", "li").unwrap();
        let seen = look(&site);
        assert_eq!((seen.ready, seen.not_ready.as_str()), (true, "1 muted node is left out"));
        for node in 0..15 {
            site.sample(21, &format!("n{node:02}"), &[("cpu_percent", 1.0)]);
        }
        site.watch.handle_timeout(site.at(100));
        let seen = look(&site);
        assert!(!seen.ready && seen.not_ready.contains("n08 silent; and 6 more"), "{seen:?}");
        let ill = Health { database: Condition::Fails("full".into()), ..Health::default() };
        let seen = Tonight::of(&Watch::new(Rules::default(), Groups::default()), &ill, &Condition::NotTried);
        assert_eq!(seen.not_ready, "database: full; what nights add to disks was not looked at yet");
    }

    #[test]
    fn people_are_told_of_what_stands_and_once() {
        let site = site();
        let mut notice = Notice::default();
        let mut told = Vec::new();
        for minute in 0..240_u64 {
            // Not ready from minute 60 on but for five minutes, and ready again after 200; nobody wants to know before 100.
            let ready = !(60..200).contains(&minute) || (150..155).contains(&minute);
            if notice.look(site.at(minute * 60), ready, minute >= 100) {
                told.push((minute, ready));
            }
        }
        assert_eq!(told, [(110, false), (210, true)]);
    }
}
