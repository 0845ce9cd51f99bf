//! How long and how much, in the ranges that are allowed.

use std::fmt;
use std::time::Duration;

use lamon_daemon::seconds::Seconds;
use serde::Deserialize;

/// A time from one second to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Seconds")]
pub struct Interval(Duration);

impl Interval {
    const SHORTEST: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(86_400);

    /// For what is known to be in the range.
    pub(super) const fn of_seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// The time.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The nearest time that is allowed: what a hub asks for.
    #[must_use]
    pub fn clamped(wanted: Duration) -> Self {
        Self(wanted.clamp(Self::SHORTEST, Self::LONGEST))
    }
}

impl TryFrom<Seconds> for Interval {
    type Error = String;

    fn try_from(seconds: Seconds) -> Result<Self, String> {
        let time = seconds.duration();
        if (Self::SHORTEST..=Self::LONGEST).contains(&time) {
            return Ok(Self(time));
        }
        Err(format!("{seconds} is out of range (1s to 1d)"))
    }
}

impl std::str::FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<Seconds>().map_err(|error| error.to_string())?.try_into()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Seconds::from(self.0).fmt(f)
    }
}

/// How much memory or room unacknowledged samples may take: 64 kB to 1 GB, written `2MB`, `500kB` or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SizeText")]
pub struct BufferSize(usize);

impl BufferSize {
    /// For what is known to be in the range.
    pub(super) const fn of_bytes(bytes: usize) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

/// The two ways to write a size.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a size such as \"2MB\", or bytes")]
enum SizeText {
    Bytes(u64),
    Text(String),
}

impl TryFrom<SizeText> for BufferSize {
    type Error = String;

    fn try_from(size: SizeText) -> Result<Self, String> {
        let (text, bytes) = match size {
            SizeText::Bytes(bytes) => (bytes.to_string(), Some(bytes)),
            SizeText::Text(text) => {
                let bare = text.trim();
                let (number, factor) = match bare.split_at_checked(bare.len().saturating_sub(2)) {
                    Some((number, "kB" | "KB")) => (number, 1_000),
                    Some((number, "MB")) => (number, 1_000_000),
                    Some((number, "GB")) => (number, 1_000_000_000),
                    _ => (bare, 1),
                };
                let bytes = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
                (text, bytes)
            }
        };
        let bytes = bytes.ok_or_else(|| format!("{text:?} is no size (write 500kB, 2MB or bytes)"))?;
        let in_range = Some(bytes).filter(|bytes| (64_000..=1_000_000_000).contains(bytes));
        let size = in_range.and_then(|bytes| usize::try_from(bytes).ok());
        size.map(Self).ok_or_else(|| format!("{text} is out of range (64kB to 1GB)"))
    }
}
