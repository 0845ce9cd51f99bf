//! `for`: how long a value must be unwell before its level rises.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use lamon_daemon::seconds::Seconds;
use serde::{Deserialize, Deserializer};

use crate::watch::level::Level;

/// The longest look back in samples: as many as a number has bits.
const MAX_SAMPLES: u32 = 32;

/// How long a value must be past its limit before its level rises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hold {
    /// Not at all: the first such sample raises it.
    #[default]
    AtOnce,
    /// So many of the last samples, the newest with them; the level holds while they are.
    Samples {
        /// How many are past the limit, 1 to `of`.
        past: u32,
        /// Of how many, 32 at most.
        of: u32,
    },
    /// Every sample of so long a time.
    Time(Duration),
}

impl FromStr for Hold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((past, of)) = text.split_once(" of ") else {
            let duration = text.parse::<Seconds>().map(Seconds::duration);
            return match duration {
                Ok(duration) if duration.is_zero() => Ok(Self::AtOnce),
                Ok(duration) if duration <= Duration::from_secs(86_400) => Ok(Self::Time(duration)),
                Ok(_) => Err("for is a day at most".into()),
                Err(_) => Err(format!("{text:?} is no time to wait (write \"3 of 5\" samples, or \"2m\")")),
            };
        };
        let number = |text: &str| text.trim().parse::<u32>().ok();
        match (number(past), number(of)) {
            (Some(1), Some(1)) => Ok(Self::AtOnce),
            (Some(past), Some(of)) if (1..=of).contains(&past) && of <= MAX_SAMPLES => {
                Ok(Self::Samples { past, of })
            }
            _ => Err(format!(
                "{text:?} is no number of samples (write \"3 of 5\": the first at most the second, and that {MAX_SAMPLES} at most)"
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Hold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce => f.write_str("at once"),
            Self::Samples { past, of } => write!(f, "{past} of {of} samples"),
            Self::Time(duration) => Seconds::from(*duration).fmt(f),
        }
    }
}

/// How long a value has been past its limits. It begins anew with the hub, with other rules, and after silence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::watch) struct Held {
    /// The last samples, the newest in the lowest bit: which of them reached warning, and which error.
    samples: [u32; 2],
    /// Since when every sample reached warning, and since when error.
    since: [Option<Instant>; 2],
}

/// What [`Held`] counts, in its order.
const COUNTED: [Level; 2] = [Level::Warning, Level::Error];

impl Held {
    /// Takes up that a value of the level `shown` is now at `reached`; returns the level to show.
    pub(in crate::watch) fn step(&mut self, hold: Hold, now: Instant, reached: Level, shown: Level) -> Level {
        let mut held = Level::Good;
        for ((level, samples), since) in COUNTED.into_iter().zip(&mut self.samples).zip(&mut self.since) {
            let past = reached >= level;
            *samples = *samples << 1 | u32::from(past);
            *since = if past { since.or(Some(now)) } else { None };
            let long_enough = match hold {
                Hold::AtOnce => past,
                Hold::Samples { past: wanted, of } => {
                    let mask = u32::MAX >> MAX_SAMPLES.saturating_sub(of);
                    (*samples & mask).count_ones() >= wanted
                }
                Hold::Time(wanted) => {
                    since.is_some_and(|since| now.saturating_duration_since(since) >= wanted)
                }
            };
            if long_enough {
                held = level;
            }
        }
        // A level rises by what held, and falls only with a sample that is better: neither a new start nor a change of
        // rules makes it fall by forgetting what was counted.
        if held >= shown { held.min(reached.max(shown)) } else { held.max(reached.min(shown)) }
    }

    /// How far a rise above `shown` is, in words; `None` when there is none under way.
    pub(in crate::watch) fn describe(
        &self,
        hold: Hold,
        shown: Level,
        now_to_last: Instant,
    ) -> Option<String> {
        let counted =
            || COUNTED.into_iter().zip(self.samples).zip(self.since).filter(|((level, _), _)| *level > shown);
        match hold {
            Hold::AtOnce => None,
            Hold::Samples { past, of } => {
                let mask = u32::MAX >> MAX_SAMPLES.saturating_sub(of);
                let mut under_way =
                    counted().map(|((level, samples), _)| (level, (samples & mask).count_ones()));
                let (level, count) = under_way.rfind(|(_, count)| *count > 0)?;
                Some(format!("{count} of the last {of} samples are past {level}, which wants {past}"))
            }
            Hold::Time(wanted) => {
                let ((level, _), since) = counted().rfind(|(_, since)| since.is_some())?;
                let held = now_to_last.saturating_duration_since(since?).as_secs();
                Some(format!("past {level} for {held} s, which wants {}", Seconds::from(wanted)))
            }
        }
    }
}
