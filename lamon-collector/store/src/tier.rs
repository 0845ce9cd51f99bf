//! The tiers of an archive: samples, and what they are rolled up to.

use std::fmt;

/// What the archive keeps of the past, from fine to coarse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// The samples as they came.
    Samples,
    /// One row per node and ten minutes.
    TenMinutes,
    /// One row per node and hour.
    Hour,
}

impl Tier {
    /// Every tier, the finest first.
    pub const ALL: [Self; 3] = [Self::Samples, Self::TenMinutes, Self::Hour];

    /// The tiers that are made from others.
    pub const ROLLUPS: [Self; 2] = [Self::TenMinutes, Self::Hour];

    /// How long one row stands for, in milliseconds; 0 for samples.
    #[must_use]
    pub const fn width_ms(self) -> i64 {
        match self {
            Self::Samples => 0,
            Self::TenMinutes => 600_000,
            Self::Hour => 3_600_000,
        }
    }

    /// The table.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::TenMinutes => "samples_10m",
            Self::Hour => "samples_1h",
        }
    }

    /// What it is made from.
    pub(crate) const fn source(self) -> Self {
        match self {
            Self::Samples | Self::TenMinutes => Self::Samples,
            Self::Hour => Self::TenMinutes,
        }
    }

    /// What is made from it; none for the coarsest.
    pub(crate) const fn target(self) -> Option<Self> {
        match self {
            Self::Samples => Some(Self::TenMinutes),
            Self::TenMinutes => Some(Self::Hour),
            Self::Hour => None,
        }
    }

    /// The beginning of the row that a time belongs to (milliseconds since 1970 UTC).
    pub(crate) fn begin_of(self, time_ms: i64) -> i64 {
        match self.width_ms() {
            0 => time_ms,
            width => time_ms.saturating_sub(time_ms.rem_euclid(width)),
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.table())
    }
}
