//! The change of a value per hour, over the window that its rule states.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::level::Level;
use super::rules::{Held, RuleId};

/// How many points of a window are kept: enough that its beginning is right to two percent.
const POINTS: u32 = 64;

/// How a value changes, of a metric that has a rule on it.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    /// The rule.
    pub(super) rule: RuleId,
    /// How well the change is.
    pub(super) level: Level,
    /// How long it has been unwell.
    pub(super) held: Held,
    /// The change per hour, once half a window was seen.
    pub(super) per_hour: Option<f64>,
    points: VecDeque<(Instant, f64)>,
}

impl Rate {
    pub(super) fn new(rule: RuleId) -> Self {
        let (level, held) = (Level::Good, Held::default());
        Self { rule, level, held, per_hour: None, points: VecDeque::new() }
    }

    /// Takes up a value.
    pub(super) fn add(&mut self, now: Instant, window: Duration, value: f64) {
        let age = |point: &(Instant, f64)| now.saturating_duration_since(point.0);
        // The beginning of the window is the newest point that is as old as the window.
        while self.points.get(1).is_some_and(|second| age(second) >= window) {
            self.points.pop_front();
        }
        // After a long silence the only point left says nothing of the time that the rule is about.
        if self.points.front().is_some_and(|first| age(first) > window * 2) {
            self.points.clear();
        }
        let first = self.points.front().filter(|first| age(first) * 2 >= window);
        self.per_hour = first.map(|first| (value - first.1) * 3_600.0 / age(first).as_secs_f64());
        if self.points.back().is_none_or(|last| age(last) * POINTS >= window) {
            self.points.push_back((now, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_change_is_that_of_the_window() {
        let (start, window) = (Instant::now(), Duration::from_secs(3_600));
        let mut rate = Rate::new(RuleId::default());
        for minute in 0..600_u32 {
            // Steep for five hours, then level.
            let value = f64::from(minute.min(300)) * 2.0;
            rate.add(start + Duration::from_secs(60) * minute, window, value);
            match minute {
                0..30 => assert_eq!(rate.per_hour, None, "half a window says nothing yet"),
                30..=300 => assert!((rate.per_hour.unwrap() - 120.0).abs() < 1e-6),
                363.. => assert!(rate.per_hour.unwrap().abs() < 1e-6),
                _ => {}
            }
            assert!(rate.points.len() <= 70, "{}", rate.points.len());
        }
    }
}
