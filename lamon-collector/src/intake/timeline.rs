//! Lays an agent's clocks on the hub's timeline, by the four timestamps of ping and pong (RFC 5905 section 8). Pure.

use std::collections::VecDeque;

use lamon_wire::frames::Pong;

/// How many exchanges are remembered: at one a minute the last eight minutes, in which no quartz drifts a millisecond.
const REMEMBERED: usize = 8;

/// An exchange that took longer than this says too little to be used, microseconds.
const MAX_ROUND_TRIP_US: i64 = 5_000_000;

/// Where an agent's clocks are against the hub's.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// From the hello alone: off by the time it travelled.
    first: Offsets,
    exchanges: VecDeque<(i64, Offsets)>,
}

/// What to add to an agent's clock for the hub's time, microseconds.
#[derive(Debug, Clone, Copy)]
struct Offsets {
    monotonic_us: i64,
    wall_us: i64,
}

impl Timeline {
    /// The first guess, of a hello that arrived at `hub_ms`: as if it had not travelled.
    pub(super) const fn new(hub_ms: i64, agent_monotonic_ms: u64, agent_wall_ms: i64) -> Self {
        let hub_us = hub_ms.saturating_mul(1_000);
        let offsets = Offsets {
            monotonic_us: hub_us.saturating_sub_unsigned(agent_monotonic_ms.saturating_mul(1_000)),
            wall_us: hub_us.saturating_sub(agent_wall_ms.saturating_mul(1_000)),
        };
        Self { first: offsets, exchanges: VecDeque::new() }
    }

    /// Takes up an exchange whose pong arrived at `hub_us` on the clock that stamped the ping, when the hub's wall clock
    /// showed `hub_ms`.
    pub(super) fn exchange(&mut self, pong: &Pong, hub_us: u64, hub_ms: i64) {
        let (Some(whole), Some(inside)) = (
            hub_us.checked_sub(pong.hub_us).and_then(|us| i64::try_from(us).ok()),
            pong.sent_us.checked_sub(pong.received_us).and_then(|us| i64::try_from(us).ok()),
        ) else {
            return;
        };
        let round_trip = whole - inside;
        if !(0..=MAX_ROUND_TRIP_US).contains(&round_trip) {
            return;
        }
        // The pong left the agent half a round trip ago.
        let sent_hub_us = hub_ms.saturating_mul(1_000).saturating_sub(round_trip / 2);
        let offsets = Offsets {
            monotonic_us: sent_hub_us.saturating_sub_unsigned(pong.sent_us),
            wall_us: sent_hub_us.saturating_sub(pong.wall_us),
        };
        if self.exchanges.len() == REMEMBERED {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back((round_trip, offsets));
    }

    /// When the agent's monotonic clock showed this, on the hub's wall clock, unix milliseconds UTC.
    pub(super) fn unix_ms(&self, agent_monotonic_ms: u64) -> i64 {
        let us = self.best().monotonic_us.saturating_add_unsigned(agent_monotonic_ms.saturating_mul(1_000));
        us.div_euclid(1_000)
    }

    /// Hub minus node, seconds, to the millisecond, which is what the exchange can tell.
    pub(super) fn clock_offset_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a sane clock fit")]
        let ms = (self.best().wall_us as f64 / 1e3).round();
        ms / 1e3
    }

    /// The exchange that was quickest tells most: queues only ever add to one side.
    fn best(&self) -> Offsets {
        self.exchanges
            .iter()
            .min_by_key(|(round_trip, _)| *round_trip)
            .map_or(self.first, |(_, offsets)| *offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hub's wall clock when its monotonic one is 0.
    const HUB_START_MS: i64 = 1_795_000_000_000;

    /// An exchange with an agent whose monotonic clock is `boot_us` ahead of the hub's and whose wall clock is behind the
    /// hub's by `behind_ms`; `there` and `back` are travel times.
    fn exchange(timeline: &mut Timeline, at_us: u64, there: u64, back: u64, boot_us: u64, behind_ms: i64) {
        let received_us = at_us + there + boot_us;
        let sent_us = received_us + 50;
        let hub_us = at_us + there + 50 + back;
        let hub_ms = |us: u64| HUB_START_MS + i64::try_from(us / 1_000).unwrap();
        let wall_us = (hub_ms(at_us + there + 50) - behind_ms) * 1_000;
        timeline.exchange(&Pong { hub_us: at_us, received_us, sent_us, wall_us }, hub_us, hub_ms(hub_us));
    }

    #[test]
    fn the_hello_gives_a_first_guess() {
        let timeline = Timeline::new(HUB_START_MS, 5_000, HUB_START_MS - 2_500);
        assert_eq!(timeline.unix_ms(6_000), HUB_START_MS + 1_000);
        assert!((timeline.clock_offset_seconds() - 2.5).abs() < 1e-9);
    }

    #[test]
    fn the_quickest_exchange_counts() {
        let mut timeline = Timeline::new(HUB_START_MS + 900, 77_000, 0);
        exchange(&mut timeline, 1_000_000, 400_000, 20_000, 77_000_000, 3_000);
        exchange(&mut timeline, 61_000_000, 1_000, 1_000, 77_000_000, 3_000);
        exchange(&mut timeline, 121_000_000, 1_000, 900_000, 77_000_000, 3_000);
        assert!((timeline.clock_offset_seconds() - 3.0).abs() < 0.002, "{}", timeline.clock_offset_seconds());
        let mapped = timeline.unix_ms(77_000 + 200_000);
        assert!((mapped - (HUB_START_MS + 200_000)).abs() <= 2, "{mapped}");
    }

    #[test]
    fn senseless_exchanges_are_left_out() {
        let mut timeline = Timeline::new(HUB_START_MS, 0, HUB_START_MS);
        for pong in [
            Pong { hub_us: 500, received_us: 0, sent_us: 0, wall_us: 0 },
            Pong { hub_us: 0, received_us: 9, sent_us: 3, wall_us: 0 },
            Pong { hub_us: 0, received_us: 0, sent_us: u64::MAX, wall_us: i64::MIN },
        ] {
            timeline.exchange(&pong, 100, HUB_START_MS);
        }
        assert!(timeline.exchanges.is_empty());
        assert!(timeline.clock_offset_seconds().abs() < 1e-9);
    }

    proptest::proptest! {
        #[test]
        fn any_stamps_keep_the_memory_small(stamps in proptest::collection::vec((0..u64::MAX, 0..u64::MAX, 0..u64::MAX, i64::MIN..i64::MAX), 0..30)) {
            let mut timeline = Timeline::new(HUB_START_MS, u64::MAX, i64::MIN);
            for (hub_us, received_us, sent_us, wall_us) in stamps {
                timeline.exchange(&Pong { hub_us, received_us, sent_us, wall_us }, hub_us.wrapping_add(9), HUB_START_MS);
                let _ = (timeline.unix_ms(sent_us), timeline.clock_offset_seconds());
            }
            proptest::prop_assert!(timeline.exchanges.len() <= REMEMBERED);
        }
    }
}
