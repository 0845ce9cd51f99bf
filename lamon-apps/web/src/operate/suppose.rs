//! How often a value would have become unwell, had its limits been others. Pure.
//!
//! Values are judged as the hub judges them (`lamon-collector/src/watch/rules/`): a level is left only when the value is back by
//! the margin, and rises only when the value was past the limit as long as the rule wants. Whether a second metric of the rule
//! agreed, night and day, and flapping are left out.

use lamon_bus::{Direction, Hold, Limits};

/// What a value was, for a while or at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// When, or from when on, unix milliseconds UTC.
    pub(super) time_ms: i64,
    /// The smallest value.
    pub(super) min: f64,
    /// The mean.
    pub(super) mean: f64,
    /// The largest value.
    pub(super) max: f64,
    /// Values are missing before.
    pub(super) after_gap: bool,
}

/// How unwell a value is; the later the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Good,
    Warning,
    Error,
}

/// The most samples that a rule looks back: as many as a number has bits.
const MAX_SAMPLES: u32 = 32;

/// Counts how often the level of a value rises.
#[derive(Debug)]
pub(super) struct Supposed {
    limits: Limits,
    /// None before the first value: what was unwell already is no event.
    level: Option<Level>,
    /// The last samples, the newest in the lowest bit: which reached warning, and which error.
    samples: [u32; 2],
    /// Since when every sample reached warning, and since when error.
    since_ms: [Option<i64>; 2],
    rises: u64,
}

impl Supposed {
    /// With these limits.
    pub(super) const fn new(limits: Limits) -> Self {
        Self { limits, level: None, samples: [0; 2], since_ms: [None; 2], rises: 0 }
    }

    /// How often its level rose.
    pub(super) const fn rises(&self) -> u64 {
        self.rises
    }

    /// Takes up what was seen next. Of a while the worst value counts, then the best, so that a short peak within it is one
    /// event; where a level has to hold for a time, the mean, because nobody knows how long the peak was.
    pub(super) fn take(&mut self, seen: Seen) {
        if seen.after_gap {
            // As the hub: nobody knows how it was meanwhile.
            (self.samples, self.since_ms) = ([0; 2], [None; 2]);
        }
        if seen.min >= seen.max {
            self.step(seen.time_ms, seen.max);
        } else if self.limits.hold.is_some() {
            self.step(seen.time_ms, seen.mean);
        } else {
            let (worst, best) = match self.limits.direction {
                Direction::Above => (seen.max, seen.min),
                Direction::Below => (seen.min, seen.max),
                Direction::Beyond => {
                    let best = if seen.min <= 0.0 && seen.max >= 0.0 {
                        0.0
                    } else {
                        seen.min.abs().min(seen.max.abs())
                    };
                    (seen.min.abs().max(seen.max.abs()), best)
                }
            };
            self.step(seen.time_ms, worst);
            self.step(seen.time_ms, best);
        }
    }

    fn step(&mut self, time_ms: i64, value: f64) {
        if value.is_nan() {
            return;
        }
        let Some(before) = self.level else {
            self.level = Some(self.reached(value, Level::Good));
            return;
        };
        let next = self.held(time_ms, self.reached(value, before), before);
        if next > before {
            self.rises += 1;
        }
        self.level = Some(next);
    }

    /// The level that a value reaches; the margin holds it where it is.
    fn reached(&self, value: f64, before: Level) -> Level {
        let past = |limit: Option<f64>, level: Level| {
            let margin = if before >= level { self.limits.clear } else { 0.0 };
            limit.is_some_and(|limit| match self.limits.direction {
                Direction::Above => value >= limit - margin,
                Direction::Below => value < limit + margin,
                Direction::Beyond => value.abs() >= limit - margin,
            })
        };
        if past(self.limits.error, Level::Error) {
            Level::Error
        } else if past(self.limits.warning, Level::Warning) {
            Level::Warning
        } else {
            Level::Good
        }
    }

    /// The level that is shown: it rises when it was reached long enough, and falls at once.
    fn held(&mut self, time_ms: i64, reached: Level, shown: Level) -> Level {
        let mut held = Level::Good;
        let counted =
            [Level::Warning, Level::Error].into_iter().zip(&mut self.samples).zip(&mut self.since_ms);
        for ((level, samples), since_ms) in counted {
            let past = reached >= level;
            *samples = *samples << 1 | u32::from(past);
            *since_ms = if past { since_ms.or(Some(time_ms)) } else { None };
            let long_enough = match self.limits.hold {
                None => past,
                Some(Hold::Samples { past, of }) => {
                    let mask = u32::MAX >> MAX_SAMPLES.saturating_sub(of.clamp(1, MAX_SAMPLES));
                    (*samples & mask).count_ones() >= past
                }
                Some(Hold::Time { seconds }) => since_ms.is_some_and(|since_ms| {
                    let wanted =
                        std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis();
                    u128::try_from(time_ms.saturating_sub(since_ms)).is_ok_and(|lasted| lasted >= wanted)
                }),
            };
            if long_enough {
                held = level;
            }
        }
        if held >= shown { held.min(reached.max(shown)) } else { held.max(reached.min(shown)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(direction: Direction, warning: Option<f64>, error: Option<f64>, hold: Option<Hold>) -> Limits {
        Limits { name: "r".into(), direction, warning, error, clear: 2.0, hold }
    }

    fn rises(limits: Limits, values: &[f64]) -> u64 {
        let mut supposed = Supposed::new(limits);
        for (time_ms, value) in (0..).step_by(10_000).zip(values) {
            supposed.take(Seen { time_ms, min: *value, mean: *value, max: *value, after_gap: false });
        }
        supposed.rises()
    }

    #[test]
    fn a_level_rises_once_until_the_value_is_back_by_the_margin() {
        let above = || limits(Direction::Above, Some(80.0), Some(90.0), None);
        for (values, wanted) in [
            (&[50.0, 79.9][..], 0),
            (&[50.0, 80.0, 79.0, 80.0, 78.1, 81.0], 1),
            (&[50.0, 80.0, 77.9, 80.0], 2),
            (&[50.0, 85.0, 95.0, 89.0, 91.0, 85.0, 95.0], 3),
            (&[95.0, 96.0], 0),
            (&[95.0, 50.0, 95.0], 1),
            (&[50.0, f64::NAN, 85.0], 1),
            (&[], 0),
        ] {
            assert_eq!(rises(above(), values), wanted, "{values:?}");
        }
        assert_eq!(
            rises(limits(Direction::Below, Some(10.0), None, None), &[20.0, 10.0, 9.0, 11.9, 9.0, 12.0, 9.0]),
            2
        );
        assert_eq!(rises(limits(Direction::Beyond, Some(10.0), None, None), &[0.0, -10.0, 0.0, 10.0]), 2);
        assert_eq!(rises(limits(Direction::Above, None, None, None), &[0.0, 1e9]), 0);
    }

    #[test]
    fn a_level_has_to_hold_as_long_as_the_rule_wants() {
        let time = |seconds| limits(Direction::Above, Some(80.0), None, Some(Hold::Time { seconds }));
        assert_eq!(rises(time(20.0), &[0.0, 90.0, 90.0, 0.0, 90.0, 90.0, 90.0]), 1);
        assert_eq!(rises(time(f64::INFINITY), &[0.0, 90.0]), 1, "no number is no wait");
        let samples = |past, of| limits(Direction::Above, Some(80.0), None, Some(Hold::Samples { past, of }));
        assert_eq!(rises(samples(3, 5), &[0.0, 90.0, 0.0, 90.0, 0.0, 0.0, 90.0]), 0);
        assert_eq!(rises(samples(3, 5), &[0.0, 90.0, 0.0, 90.0, 0.0, 90.0]), 1);
        assert_eq!(rises(samples(1, 99), &[0.0, 90.0]), 1);
        let mut supposed = Supposed::new(time(20.0));
        for (time_ms, value, after_gap) in
            [(0, 0.0, false), (10_000, 90.0, false), (90_000, 90.0, true), (100_000, 90.0, false)]
        {
            supposed.take(Seen { time_ms, min: value, mean: value, max: value, after_gap });
        }
        assert_eq!(supposed.rises(), 0, "a gap begins anew");
    }

    #[test]
    fn of_a_while_the_peak_counts_once_and_where_it_has_to_hold_the_mean() {
        let seen = |time_ms, min, mean, max| Seen { time_ms, min, mean, max, after_gap: false };
        let whiles = [
            seen(0, 10.0, 20.0, 30.0),
            seen(1, 10.0, 20.0, 95.0),
            seen(2, 10.0, 20.0, 95.0),
            seen(3, 85.0, 90.0, 95.0),
        ];
        for (hold, wanted) in [(None, 3), (Some(Hold::Samples { past: 1, of: 1 }), 1)] {
            let mut supposed = Supposed::new(limits(Direction::Above, Some(80.0), None, hold));
            whiles.into_iter().for_each(|seen| supposed.take(seen));
            assert_eq!(supposed.rises(), wanted);
        }
        let mut supposed = Supposed::new(limits(Direction::Beyond, Some(5.0), None, None));
        let whiles = [seen(0, 0.0, 0.0, 1.0), seen(1, -9.0, 0.0, 1.0), seen(2, -9.0, -8.0, -7.0)];
        whiles.into_iter().for_each(|seen| supposed.take(seen));
        assert_eq!(supposed.rises(), 2);
    }
}
