//! Measurements, and what RTS2's statistics say of them (RTS2 lib/rts2/valuestat.cpp, `calculate`).
//!
//! Two numbers differ from RTS2's, which are wrong there: the deviation is that from the mean of these measurements
//! (RTS2 takes the mean of the time before for a statistics value), and the height of the trend is that of the line at
//! the mean of the times (RTS2 subtracts a product of times and values from it).

use std::collections::VecDeque;

use rts2_proto::{Statistics, TimeSerie};

/// Measurements of one value: a quarter of an hour of one each second. They are sorted each time that one is added,
/// which takes some microseconds.
pub const MAX_SAMPLES: usize = 1000;

/// The newest measurements of a value.
#[derive(Debug)]
pub(crate) struct Samples {
    count: usize,
    /// Value and unix seconds, oldest first.
    kept: VecDeque<(f64, f64)>,
}

impl Samples {
    /// Keeps the newest `count`.
    pub(crate) fn new(count: usize) -> Self {
        Self { count, kept: VecDeque::new() }
    }

    /// Adds one; what is not finite is not kept.
    pub(crate) fn add(&mut self, measured: f64, at: f64) {
        if !measured.is_finite() || !at.is_finite() {
            return;
        }
        while self.kept.len() >= self.count.max(1) {
            self.kept.pop_front();
        }
        self.kept.push_back((measured, at));
    }

    /// Statistics of what is kept.
    pub(crate) fn statistics(&self) -> Statistics {
        let mut sorted: Vec<f64> = self.kept.iter().map(|(measured, _)| *measured).collect();
        sorted.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Statistics::UNSET };
        let mean = mean(sorted.iter().copied());
        let squares = sorted.iter().map(|measured| (measured - mean).powi(2));
        let middle = sorted.len() / 2;
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        Statistics {
            value: mean,
            count: i32::try_from(sorted.len()).unwrap_or(i32::MAX),
            mode: if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle - 1), at(middle)) },
            min,
            max,
            deviation: self::mean(squares).sqrt(),
        }
    }

    /// Statistics of what is kept, and the straight line that fits best.
    pub(crate) fn time_serie(&self) -> TimeSerie {
        let statistics = self.statistics();
        let middle = mean(self.kept.iter().map(|(_, at)| *at));
        let (mut above, mut below) = (0.0, 0.0);
        for (measured, at) in &self.kept {
            above += (at - middle) * (measured - statistics.value);
            below += (at - middle).powi(2);
        }
        // Measurements of one moment have no trend: nan.
        TimeSerie { statistics, alpha: statistics.value, beta: above / below }
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), number| (sum + number, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The measurements that the dummy sensor got in the capture, with the numbers that it made of them where these
    /// are right.
    #[test]
    fn statistics_of_the_capture() {
        let mut samples = Samples::new(5);
        assert_eq!(samples.statistics(), Statistics::UNSET);
        samples.add(10.0, 1_795_327_920.136_821);
        let one = samples.time_serie();
        assert_eq!(
            one.statistics,
            Statistics { value: 10.0, count: 1, mode: 10.0, min: 10.0, max: 10.0, deviation: 0.0 }
        );
        assert!(one.beta.is_nan());
        samples.add(f64::NAN, 1_795_327_920.5);
        samples.add(20.5, 1_795_327_920.739_274);
        let two = samples.time_serie();
        assert_eq!(
            two.statistics,
            Statistics { value: 15.25, count: 2, mode: 15.25, min: 10.0, max: 20.5, deviation: 5.25 }
        );
        assert!((two.beta - 17.428_745).abs() < 1e-5, "{}", two.beta);
        assert!((two.alpha - 15.25).abs() < 1e-9);
    }

    #[test]
    fn only_the_newest_count() {
        let mut samples = Samples::new(3);
        for number in [100.0, 5.0, 1.0, 3.0] {
            samples.add(number, number);
        }
        let found = samples.time_serie();
        assert_eq!((found.statistics.count, found.statistics.mode), (3, 3.0));
        assert_eq!((found.statistics.min, found.statistics.max), (1.0, 5.0));
        assert!((found.beta - 1.0).abs() < 1e-12);
    }
}
