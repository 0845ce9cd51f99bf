//! Flapping: a level that flips again and again is reported once, and held at its worst until it is steady.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::level::Level;

/// How often a level may change within [`WINDOW`] before it flaps: three alarms with their recoveries are told one by one.
pub const MAX_FLIPS: usize = 6;

/// Within which time flips are counted, and for how long a flapping level must not have changed to be steady again.
pub const WINDOW: Duration = Duration::from_secs(600);

/// The changes of one metric's level. Made with the first change, so that a metric without any costs nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Flaps {
    /// When the level changed, [`MAX_FLIPS`] and one at most.
    changes: VecDeque<Instant>,
    /// The worst level since it flaps.
    held: Option<Level>,
}

/// What a step made of flapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing new.
    None,
    /// It began.
    Began,
    /// It ended.
    Steady,
}

impl Flaps {
    /// Takes up that the judged level changed from `from` to `to`.
    pub(super) fn change(&mut self, now: Instant, from: Level, to: Level) -> Turn {
        if self.changes.len() > MAX_FLIPS {
            self.changes.pop_front();
        }
        self.changes.push_back(now);
        if let Some(held) = &mut self.held {
            *held = (*held).max(to);
            return Turn::None;
        }
        let oldest = self.changes.front().map(|oldest| now.saturating_duration_since(*oldest));
        if self.changes.len() > MAX_FLIPS && oldest.is_some_and(|age| age <= WINDOW) {
            self.held = Some(from.max(to));
            return Turn::Began;
        }
        Turn::None
    }

    /// Takes up that the level did not change.
    pub(super) fn stay(&mut self, now: Instant) -> Turn {
        let last = self.changes.back().map(|last| now.saturating_duration_since(*last));
        if self.held.is_some() && last.is_none_or(|age| age >= WINDOW) {
            *self = Self::default();
            return Turn::Steady;
        }
        Turn::None
    }

    /// The level to show for one that is judged to be at `judged`.
    pub(super) fn shown(&self, judged: Level) -> Level {
        self.held.map_or(judged, |held| held.max(judged))
    }

    /// Whether it flaps.
    pub(super) const fn flaps(&self) -> bool {
        self.held.is_some()
    }
}
