//! One configuration, and what it makes of the samples of a stretch of time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::count::Count;
use crate::config::HubConfig;
use crate::sample::{Now, Sample};
use crate::sun::Site;
use crate::watch::{Gates, Line, Phase, Update, Watch};

/// How often the Sun is looked at, in simulated time.
const SUN_EVERY_MS: i64 = 60_000;

/// The watch with a configuration of its own, on the clock of the samples.
#[derive(Debug)]
pub struct Judge {
    watch: Watch,
    gates: Gates,
    /// Whether the gates judge: from when on it counts.
    gating: bool,
    site: Option<Site>,
    start: Instant,
    start_ms: i64,
    /// Before it the watch gets to know its nodes, and nothing counts.
    counted_from_ms: i64,
    sun_at_ms: i64,
    count: Count,
}

impl Judge {
    /// Begins at `start_ms`, and counts from `counted_from_ms` on.
    #[must_use]
    pub fn new(config: &HubConfig, start_ms: i64, counted_from_ms: i64) -> Self {
        Self {
            watch: Watch::new(config.rules.clone(), config.groups.clone()),
            gates: Gates::new(config.gates.clone()),
            gating: false,
            site: config.site,
            // Any instant will do: only distances to it count.
            start: Now::read().monotonic,
            start_ms,
            counted_from_ms,
            sun_at_ms: start_ms,
            count: Count::default(),
        }
    }

    /// Takes up a sample, none of which may be older than the one before. `told` hears each line that people would have.
    pub fn handle_sample(&mut self, sample: &Arc<Sample>, told: &mut dyn FnMut(i64, &Line)) {
        self.advance(sample.taken_ms, told);
        let now = self.at(sample.taken_ms);
        // A node whose values would have the names of another's is not watched by a hub either.
        let updates = self.watch.handle_sample(now, sample).unwrap_or_default();
        self.take(now, &updates, told);
    }

    /// Lets time pass until `to_ms`, and says what came of it all.
    #[must_use]
    pub fn finish(mut self, to_ms: i64, told: &mut dyn FnMut(i64, &Line)) -> Count {
        self.advance(to_ms, told);
        let now = self.at(to_ms);
        self.count.note_gates(self.gates.iter(), now);
        self.count
    }

    fn advance(&mut self, to_ms: i64, told: &mut dyn FnMut(i64, &Line)) {
        while self.sun_at_ms <= to_ms {
            let at_ms = self.sun_at_ms;
            self.sun_at_ms += SUN_EVERY_MS;
            self.timeouts(at_ms, told);
            if let Some(site) = self.site {
                let phase = if site.is_night(at_ms) { Phase::Night } else { Phase::Day };
                let updates = self.watch.handle_phase(self.at(at_ms), phase);
                self.take(self.at(at_ms), &updates, told);
            }
        }
        self.timeouts(to_ms, told);
    }

    /// Has every timer go off that is due by then, each at its own time.
    fn timeouts(&mut self, to_ms: i64, told: &mut dyn FnMut(i64, &Line)) {
        let until = self.at(to_ms).monotonic;
        while let Some(next) = self.watch.next_timeout().filter(|next| *next <= until) {
            let ms =
                i64::try_from(next.saturating_duration_since(self.start).as_millis()).unwrap_or(i64::MAX);
            let now = Now { monotonic: next, unix_ms: self.start_ms.saturating_add(ms) };
            let updates = self.watch.handle_timeout(now);
            self.take(now, &updates, told);
            if self.watch.next_timeout() == Some(next) {
                return;
            }
        }
    }

    fn take(&mut self, now: Now, updates: &[Update], told: &mut dyn FnMut(i64, &Line)) {
        if now.unix_ms < self.counted_from_ms {
            return;
        }
        let mut of_gates = Vec::new();
        if !std::mem::replace(&mut self.gating, true) {
            of_gates = self.gates.start(now, &self.watch);
        }
        of_gates.extend(self.gates.handle_updates(now, &self.watch, updates));
        for update in updates.iter().chain(&of_gates) {
            self.count.note(&self.watch, update);
            if !matches!(update, Update::Joined { .. }) {
                update.told().iter().for_each(|line| told(now.unix_ms, line));
            }
        }
    }

    fn at(&self, unix_ms: i64) -> Now {
        let ms = u64::try_from(unix_ms.saturating_sub(self.start_ms)).unwrap_or(0);
        Now { monotonic: self.start + Duration::from_millis(ms), unix_ms }
    }
}

#[cfg(test)]
mod tests {
    use lamon_wire::names::{MetricName, NodeName};

    use super::*;
    use crate::config::NoFace;
    use crate::sample::{Arrival, Identity};
    use crate::watch::Level;

    /// 2026-11-22 00:00 UTC.
    const START_MS: i64 = 1_795_305_600_000;

    fn config(text: &str) -> HubConfig {
        HubConfig::parse::<NoFace>("hub.toml", text).unwrap().0
    }

    /// A day of two nodes, a sample a minute: the disk of one fills past 80 and 90 and is emptied, twice; the other is not
    /// heard for an hour.
    fn day() -> Vec<Arc<Sample>> {
        let mut samples = Vec::new();
        for minute in 0..1_440_i64 {
            for (node, percent) in [("ccd01", (minute % 720).min(480) / 5), ("door", 10)] {
                if node == "door" && (600..660).contains(&minute) {
                    continue;
                }
                samples.push(Arc::new(Sample {
                    node: NodeName::new(node).unwrap(),
                    identity: Identity { epoch: 0, sequence: samples.len() as u64 + 1 },
                    taken_ms: START_MS + minute * 60_000,
                    age: Duration::ZERO,
                    interval: None,
                    arrival: Arrival::Text,
                    metrics: vec![(
                        MetricName::new("disk_percent").unwrap(),
                        f64::from(i32::try_from(percent).unwrap()),
                    )],
                }));
            }
        }
        samples
    }

    fn replayed(config: &HubConfig, from_ms: i64) -> (Count, Vec<String>) {
        let mut judge = Judge::new(config, START_MS, from_ms);
        let mut lines = Vec::new();
        let mut told = |at: i64, line: &Line| lines.push(format!("{at} {}", line.text));
        day().iter().for_each(|sample| judge.handle_sample(sample, &mut told));
        let count = judge.finish(START_MS + 86_400_000, &mut told);
        (count, lines)
    }

    #[test]
    fn a_day_replayed_twice_gives_the_same_and_the_known_numbers() {
        let present = config("");
        let (count, lines) = replayed(&present, START_MS);
        assert_eq!(replayed(&present, START_MS), (count.clone(), lines.clone()));
        let rises = |level| count.rises["disk"][&level];
        assert_eq!((rises(Level::Warning), rises(Level::Error), count.recoveries), (2, 2, 1));
        assert_eq!((count.silences, count.messages), (1, 7), "{lines:#?}");
        assert!(
            lines.iter().any(|line| line.ends_with("door is heard again after 1 h 1 min of silence: good"))
        );
        // 603 minutes and the grace of a second after the last sample, which was that of minute 599.
        let silent = START_MS + 602 * 60_000 + 1_000;
        assert!(
            lines.contains(&format!("{silent} door is silent: nothing heard for 3 min 1 s")),
            "{lines:#?}"
        );
    }

    #[test]
    fn other_limits_make_other_numbers_and_what_was_before_does_not_count() {
        let (count, _) = replayed(&config("[[rule]]\nmetrics = ['disk_percent']\nerror = 95"), START_MS);
        assert_eq!(count.rises["disk_percent"], [(Level::Error, 2)].into());
        let (later, _) = replayed(&config(""), START_MS + 12 * 3_600_000);
        assert_eq!((later.rises["disk"][&Level::Error], later.silences), (1, 0));
    }

    #[test]
    fn gates_count_how_long_they_would_have_blocked() {
        let gate = |more: &str| {
            config(&format!(
                "[[gate]]\nname = 'disks'\nnodes = ['ccd*']\nmetrics = ['disk_percent']\nblock = ['exposure']\n{more}"
            ))
        };
        let (count, _) = replayed(&gate(""), START_MS);
        // Over 90 % from minute 450 of each half of the day to its end.
        let disks = &count.gates["disks"];
        assert_eq!((disks.times, disks.minutes, disks.shadow_times), (2, 540.0, 0), "{count:?}");
        let (count, _) = replayed(&gate("shadow = true"), START_MS + 12 * 3_600_000);
        let disks = &count.gates["disks"];
        assert_eq!((disks.times, disks.shadow_times, disks.shadow_minutes), (0, 1, 270.0), "{count:?}");
    }

    #[test]
    fn night_is_told_by_the_sun() {
        let rule = "[site]\nlatitude = 40.4\nlongitude = 117.6\n[[rule]]\nname = 'dark'\nmetrics = ['disk_percent']\nwarning = 5\nwhen = 'night'";
        let (count, lines) = replayed(&config(rule), START_MS);
        // It is dark in Xinglong from half past nine in the morning UTC on: then door has too much, and ccd01 after it was emptied.
        assert_eq!(count.rises["dark"][&Level::Warning], 2, "{lines:#?}");
        let first =
            lines.iter().find(|line| line.ends_with("door disk_percent 10 % over 5: warning")).unwrap();
        let minute = (first.split(' ').next().unwrap().parse::<i64>().unwrap() - START_MS) / 60_000;
        assert!((540..600).contains(&minute), "{minute}");
    }
}
