//! A change of a metric's level, and the sentence that tells it everywhere: RTS2, log, bus and store say the same.

use std::fmt;
use std::time::Duration;

use lamon_wire::metric::Unit;
use lamon_wire::names::MetricName;

use super::level::Level;
use super::node::disk_of;
use super::rules::Direction;
use super::words::{lasting, nights, quantity};

/// A change of a metric's level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelChange {
    /// Which metric.
    pub metric: MetricName,
    /// The value that made the change.
    pub value: f64,
    /// The level before.
    pub from: Level,
    /// The level now.
    pub to: Level,
    /// The limit that was passed, or on recovery had been.
    pub limit: Option<Passed>,
    /// How long it was at the level before.
    pub lasted: Duration,
    /// What is known of the disk that a metric of disks is about.
    pub room: Room,
}

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passed {
    /// On which side of it values are unwell.
    pub direction: Direction,
    /// The limit, in the metric's unit.
    pub limit: f64,
    /// Whether it is one of the change per hour.
    pub of_rate: bool,
    /// That change, where it is known.
    pub per_hour: Option<f64>,
}

/// What is left of a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Room {
    /// Free bytes.
    pub free: Option<f64>,
    /// How many nights fit that are as busy as the busiest of the last weeks.
    pub nights_left: Option<f64>,
}

impl Passed {
    /// The limit with its sign: `> 90`, `20.77 > 20 per hour`.
    #[must_use]
    pub fn sign(&self) -> String {
        let sign = match self.direction {
            Direction::Above => ">",
            Direction::Below => "<",
            Direction::Beyond => "beyond",
        };
        let limit = self.limit;
        match (self.of_rate, self.per_hour) {
            (false, _) => format!("{sign} {limit}"),
            (true, None) => format!("{sign} {limit} per hour"),
            (true, Some(per_hour)) => format!("{per_hour:.2} {sign} {limit} per hour"),
        }
    }

    /// The same in words, to stand behind a value: ` over 90`, ` changing by 20.77 per hour, over 20`.
    fn words(&self, unit: Unit) -> String {
        let over = match self.direction {
            Direction::Above => "over",
            Direction::Below => "under",
            Direction::Beyond => "beyond",
        };
        let of = |value: f64| if unit == Unit::Percent { value.to_string() } else { quantity(unit, value) };
        let limit = format!("{over} {}", of(self.limit));
        match (self.of_rate, self.per_hour) {
            (false, _) => format!(" {limit}"),
            (true, None) => format!(" changing by {limit} per hour"),
            (true, Some(per_hour)) => {
                format!(" changing by {} per hour, {limit}", of((per_hour * 100.0).round() / 100.0))
            }
        }
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.free.map(|free| format!("free {}", quantity(Unit::Bytes, free)));
        let words: Vec<String> = free.into_iter().chain(self.nights_left.and_then(nights)).collect();
        if words.is_empty() { Ok(()) } else { write!(f, " ({})", words.join(", ")) }
    }
}

impl LevelChange {
    /// Whether it is that of the fullest disk, and one of the others is the same of that disk by its name.
    pub(super) fn repeats(&self, all: &[Self]) -> bool {
        disk_of(self.metric.as_str()) == Some("")
            && all.iter().any(|other| {
                let name = other.metric.as_str();
                let by_name =
                    disk_of(name).is_some_and(|disk| !disk.is_empty()) && name.ends_with("_percent");
                by_name && (other.from, other.to) == (self.from, self.to)
            })
    }
}

impl fmt::Display for LevelChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, value, from, to, limit, lasted, room } = self;
        let unit = Unit::of(metric);
        write!(f, "{metric} {}", quantity(unit, *value))?;
        let lasted = lasting(*lasted);
        if *to == Level::Good {
            return write!(f, " is good again after {lasted} in {from}");
        }
        if to > from {
            let limit = limit.map(|limit| limit.words(unit)).unwrap_or_default();
            write!(f, "{limit}: {to}{room}")
        } else {
            // The limit that was left says nothing of where it is now.
            write!(f, ": {to}, after {lasted} in {from}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(metric: &str, value: f64, levels: [Level; 2], limit: Option<Passed>) -> LevelChange {
        let [from, to] = levels;
        let metric = MetricName::new(metric).unwrap();
        LevelChange {
            metric,
            value,
            from,
            to,
            limit,
            lasted: Duration::from_secs(11_520),
            room: Room::default(),
        }
    }

    #[test]
    fn the_fullest_disk_is_told_by_its_name_where_it_has_one() {
        use Level::{Error, Good, Warning};
        let fullest = |levels| change("disk_percent", 91.0, levels, None);
        for (others, repeats) in [
            (vec![], false),
            (vec![change("disk_data_percent", 91.0, [Good, Error], None)], true),
            // After another has become the fullest its number is not that of the disk that recovered.
            (vec![change("disk_data_percent", 12.0, [Good, Error], None)], true),
            (vec![change("disk_data_percent", 91.0, [Warning, Error], None)], false),
            (vec![change("disk_data_inodes_percent", 91.0, [Good, Error], None)], false),
            (vec![change("memory_percent", 91.0, [Good, Error], None)], false),
        ] {
            let all = [vec![fullest([Good, Error])], others].concat();
            assert_eq!(all[0].repeats(&all), repeats, "{all:?}");
            assert!(all.iter().skip(1).all(|other| !other.repeats(&all)), "{all:?}");
        }
    }

    #[test]
    fn every_change_is_a_sentence() {
        use Level::{Error, Good, Warning};
        let passed = |direction, limit| Some(Passed { direction, limit, of_rate: false, per_hour: None });
        let rate =
            |per_hour| Some(Passed { direction: Direction::Above, limit: 20.0, of_rate: true, per_hour });
        let full = LevelChange {
            room: Room { free: Some(41e9), nights_left: Some(3.4) },
            ..change("disk_percent", 91.2, [Warning, Error], passed(Direction::Above, 90.0))
        };
        for (change, sign, said) in [
            (full, "> 90", "disk_percent 91.2 % over 90: error (free 41 GB, full in 3 nights)"),
            (
                change("disk_percent", 85.0, [Error, Warning], passed(Direction::Above, 90.0)),
                "> 90",
                "disk_percent 85 %: warning, after 3 h 12 min in error",
            ),
            (
                change("disk_percent", 77.0, [Error, Good], passed(Direction::Above, 90.0)),
                "> 90",
                "disk_percent 77 % is good again after 3 h 12 min in error",
            ),
            (
                change("disk_home_free", 19.5e9, [Good, Warning], passed(Direction::Below, 20e9)),
                "< 20000000000",
                "disk_home_free 19.5 GB under 20 GB: warning",
            ),
            (
                change("clock_offset", -15.0, [Good, Error], passed(Direction::Beyond, 10.0)),
                "beyond 10",
                "clock_offset -15 s beyond 10 s: error",
            ),
            (
                change("disk_percent", 43.0, [Good, Warning], rate(Some(20.769))),
                "20.77 > 20 per hour",
                "disk_percent 43 % changing by 20.77 per hour, over 20: warning",
            ),
            (
                change("disk_percent", 43.0, [Good, Warning], rate(None)),
                "> 20 per hour",
                "disk_percent 43 % changing by over 20 per hour: warning",
            ),
            (
                change("proc_camd", 0.0, [Good, Error], passed(Direction::Below, 1.0)),
                "< 1",
                "proc_camd 0 under 1: error",
            ),
        ] {
            assert_eq!(change.to_string(), said);
            assert_eq!(change.limit.unwrap().sign(), sign);
        }
    }
}
