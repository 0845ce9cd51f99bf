//! Section `[archive]`: how long the archive keeps what.

use std::fmt;
use std::time::Duration;

use lamon_daemon::seconds::Seconds;
use lamon_store::upkeep::{MIN_KEEP, Retention};
use serde::Deserialize;

/// Section `[archive]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Samples as they came.
    pub samples: Keep,
    /// Rows of ten minutes.
    pub ten_minutes: Keep,
    /// Rows of an hour.
    pub hours: Keep,
    /// Events.
    pub events: Keep,
    /// Samples that the archive refused.
    pub dead_letters: Keep,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        let Retention { samples, ten_minutes, hour, events, dead_letters } = Retention::default();
        Self {
            samples: Keep(samples),
            ten_minutes: Keep(ten_minutes),
            hours: Keep(hour),
            events: Keep(events),
            dead_letters: Keep(dead_letters),
        }
    }
}

impl ArchiveConfig {
    /// The same as the store takes it.
    #[must_use]
    pub const fn retention(&self) -> Retention {
        Retention {
            samples: self.samples.0,
            ten_minutes: self.ten_minutes.0,
            hour: self.hours.0,
            events: self.events.0,
            dead_letters: self.dead_letters.0,
        }
    }
}

/// How long something is kept: a duration of two days at least, or for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Keep(Option<Duration>);

impl TryFrom<String> for Keep {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let duration = text
            .parse::<Seconds>()
            .map_err(|_| format!("\"{text}\" is no time to keep (write 30d, 720h or forever)"))?
            .duration();
        if duration < MIN_KEEP {
            let least = Seconds::from(MIN_KEEP);
            return Err(format!("{text} is too short: {least} is the least, since rollups are made from it"));
        }
        Ok(Self(Some(duration)))
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(duration) => write!(f, "for {}", Seconds::from(duration)),
            None => f.write_str("for ever"),
        }
    }
}
