//! Durations as people write them in configuration files and on command lines.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// A duration written as a number with a unit (`500ms`, `10s`, `5m`, `24h`, `3d`) or as bare seconds (`10`, `2.5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(Duration);

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no duration (write 500ms, 10s, 5m, 24h or 3d)")]
pub struct NotADuration(String);

impl Seconds {
    /// The longest that can be written, a hundred years: additions to any clock stay in range.
    const MAX_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;

    /// Makes it of a whole number of seconds.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    fn from_f64(seconds: f64) -> Option<Self> {
        (0.0..=Self::MAX_SECONDS).contains(&seconds).then(|| Self(Duration::from_secs_f64(seconds)))
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Seconds {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, NotADuration> {
        let text = text.trim();
        let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "ms" => 0.001,
            "" | "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(NotADuration(text.into())),
        };
        let number: f64 = number.trim().parse().map_err(|_| NotADuration(text.into()))?;
        Self::from_f64(number * factor).ok_or_else(|| NotADuration(text.into()))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_millis();
        match ms {
            0 => f.write_str("0s"),
            _ if ms.is_multiple_of(86_400_000) => write!(f, "{}d", ms / 86_400_000),
            _ if ms.is_multiple_of(3_600_000) => write!(f, "{}h", ms / 3_600_000),
            _ if ms.is_multiple_of(60_000) => write!(f, "{}m", ms / 60_000),
            _ if ms.is_multiple_of(1_000) => write!(f, "{}s", ms / 1_000),
            _ => write!(f, "{ms}ms"),
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"10s\", or seconds")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Seconds, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                u32::try_from(seconds)
                    .map(|seconds| Seconds::new(seconds.into()))
                    .map_err(|_| E::custom(NotADuration(seconds.to_string())))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                Seconds::from_f64(seconds).ok_or_else(|| E::custom(NotADuration(seconds.to_string())))
            }
        }

        deserializer.deserialize_any(TextOrNumber).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, ms, shown) in [
            ("10s", 10_000, "10s"),
            ("10", 10_000, "10s"),
            ("2.5", 2_500, "2500ms"),
            ("500ms", 500, "500ms"),
            ("5 m", 300_000, "5m"),
            ("24h", 86_400_000, "1d"),
            ("0", 0, "0s"),
        ] {
            let seconds: Seconds = text.parse().unwrap();
            assert_eq!(seconds.duration(), Duration::from_millis(ms), "{text}");
            assert_eq!(seconds.to_string(), shown);
        }
        for bad in ["", "s", "ten", "-1s", "1 fortnight", "nan", "1e99d"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad:?}");
        }
    }
}
