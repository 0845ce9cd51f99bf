//! Lays an agent's clocks on the hub's, by the four timestamps of ping and pong (RFC 5905 section 8). Pure.
//!
//! Both sides' monotonic clocks are compared, so that nobody who sets a clock, on either side, makes samples look old. What a
//! sample's age is, is told by them; what time that was is the hub's wall clock's to say, when it comes.

use std::collections::VecDeque;
use std::time::Duration;

use lamon_wire::frames::{Anchor, Pong};

/// How many exchanges are remembered, at one a minute or more. Two quartzes drift apart by some 20 ms in that time.
const REMEMBERED: usize = 8;

/// An exchange that took longer than this says too little to be used, microseconds.
const MAX_ROUND_TRIP_US: i64 = 5_000_000;

/// What an exchange may take more than twice the quickest and still be believed, microseconds.
const SLACK_US: i64 = 1_000;

/// No agent keeps samples for longer than this: an older one comes from a clock that went wrong.
const MAX_AGE: Duration = Duration::from_secs(31 * 86_400);

/// Where an agent's clocks are against the hub's.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// From the hello alone: off by the time it travelled.
    first: Exchange,
    exchanges: VecDeque<Exchange>,
}

/// What one exchange told.
#[derive(Debug, Clone, Copy)]
struct Exchange {
    round_trip_us: i64,
    /// What to add to the agent's monotonic clock for the hub's.
    monotonic_us: i64,
    /// What to add to the agent's wall clock for the hub's.
    wall_us: i64,
}

/// The hub's two clocks at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct HubClock {
    /// The monotonic one, which also stamps pings, microseconds since the connection began.
    pub(super) monotonic_us: u64,
    /// The wall clock, unix milliseconds UTC.
    pub(super) unix_ms: i64,
}

impl Timeline {
    /// The first guess, of a hello that arrived now: as if it had not travelled.
    pub(super) fn new(now: HubClock, agent_monotonic_ms: u64, agent_wall_ms: i64) -> Self {
        let first = Exchange {
            round_trip_us: MAX_ROUND_TRIP_US,
            monotonic_us: signed(now.monotonic_us)
                .saturating_sub(signed(agent_monotonic_ms.saturating_mul(1_000))),
            wall_us: now.unix_ms.saturating_sub(agent_wall_ms).saturating_mul(1_000),
        };
        Self { first, exchanges: VecDeque::new() }
    }

    /// Takes up an exchange whose pong arrived now.
    pub(super) fn exchange(&mut self, pong: &Pong, now: HubClock) {
        let whole = signed(now.monotonic_us).saturating_sub(signed(pong.hub_us));
        let inside = signed(pong.sent_us).saturating_sub(signed(pong.received_us));
        let round_trip_us = whole.saturating_sub(inside);
        if whole < 0 || inside < 0 || !(0..=MAX_ROUND_TRIP_US).contains(&round_trip_us) {
            return;
        }
        // The pong left the agent half a round trip ago.
        let travelled = round_trip_us / 2;
        if self.exchanges.len() == REMEMBERED {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(Exchange {
            round_trip_us,
            monotonic_us: signed(now.monotonic_us)
                .saturating_sub(travelled)
                .saturating_sub(signed(pong.sent_us)),
            wall_us: now.unix_ms.saturating_mul(1_000).saturating_sub(travelled).saturating_sub(pong.wall_us),
        });
    }

    /// How long ago the agent's monotonic clock showed this: not less than nothing, and not more than an agent keeps.
    pub(super) fn age(&self, now: HubClock, agent_monotonic_ms: u64) -> Duration {
        let taken_us =
            signed(agent_monotonic_ms.saturating_mul(1_000)).saturating_add(self.best().monotonic_us);
        let age_us = signed(now.monotonic_us).saturating_sub(taken_us).max(0);
        Duration::from_micros(age_us.unsigned_abs()).min(MAX_AGE)
    }

    /// How long ago the clock of an earlier boot showed this, by what is known of that boot: not less than this boot is
    /// old, and not more than an agent keeps.
    pub(super) fn age_of_earlier(&self, now: HubClock, anchor: Anchor, agent_monotonic_ms: u64) -> Duration {
        let since_ms = signed(agent_monotonic_ms).saturating_sub(signed(anchor.monotonic_ms));
        let taken_ms = anchor.unix_ms.saturating_add(since_ms);
        let age_ms = now.unix_ms.saturating_sub(taken_ms).max(0);
        Duration::from_millis(age_ms.unsigned_abs()).max(self.age(now, 0)).min(MAX_AGE)
    }

    /// Hub minus node by their wall clocks, seconds, to the millisecond, which is what the exchange can tell.
    pub(super) fn clock_offset_seconds(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a sane clock fit")]
        let ms = (self.best().wall_us as f64 / 1e3).round();
        ms / 1e3
    }

    /// The newest of the exchanges that were about as quick as the quickest: queues only ever add to one side, and an older
    /// one does not know that a clock was set since.
    fn best(&self) -> Exchange {
        let quickest = self.exchanges.iter().map(|exchange| exchange.round_trip_us).min().unwrap_or_default();
        let good = |exchange: &&Exchange| exchange.round_trip_us <= 2 * quickest + SLACK_US;
        self.exchanges.iter().rev().find(good).copied().unwrap_or(self.first)
    }
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hub's wall clock when its monotonic one is 0.
    const HUB_START_MS: i64 = 1_795_000_000_000;

    /// The agent's monotonic clock is this far ahead of the hub's.
    const BOOT_US: u64 = 77_000_000;

    fn hub(monotonic_us: u64, wall_step_ms: i64) -> HubClock {
        let unix_ms = HUB_START_MS + i64::try_from(monotonic_us / 1_000).unwrap() + wall_step_ms;
        HubClock { monotonic_us, unix_ms }
    }

    /// An exchange with an agent whose wall clock is behind the hub's first one by `behind_ms`.
    fn exchange(
        timeline: &mut Timeline,
        at_us: u64,
        (there, back): (u64, u64),
        behind_ms: i64,
        hub_step_ms: i64,
    ) {
        let received_us = at_us + there + BOOT_US;
        let wall_us = (hub(at_us + there + 50, 0).unix_ms - behind_ms) * 1_000;
        let pong = Pong { hub_us: at_us, received_us, sent_us: received_us + 50, wall_us };
        timeline.exchange(&pong, hub(at_us + there + 50 + back, hub_step_ms));
    }

    fn age_ms(timeline: &Timeline, now: HubClock, agent_ms: u64) -> u128 {
        timeline.age(now, agent_ms).as_millis()
    }

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 0.002
    }

    #[test]
    fn the_hello_gives_a_first_guess() {
        let timeline = Timeline::new(hub(0, 0), 5_000, HUB_START_MS - 2_500);
        assert_eq!(age_ms(&timeline, hub(3_000_000, 0), 6_000), 2_000);
        assert!(near(timeline.clock_offset_seconds(), 2.5));
    }

    #[test]
    fn slow_exchanges_count_less() {
        let mut timeline = Timeline::new(hub(900_000, 0), 77_000, 0);
        exchange(&mut timeline, 1_000_000, (400_000, 20_000), 3_000, 0);
        exchange(&mut timeline, 61_000_000, (1_000, 1_000), 3_000, 0);
        exchange(&mut timeline, 121_000_000, (1_000, 900_000), 3_000, 0);
        assert!(near(timeline.clock_offset_seconds(), 3.0), "{}", timeline.clock_offset_seconds());
        let age = age_ms(&timeline, hub(200_000_000, 0), 77_000 + 195_000);
        assert!((4_998..=5_002).contains(&age), "{age}");
    }

    #[test]
    fn clocks_that_are_set_make_nothing_old_and_are_seen_with_the_next_exchange() {
        let mut timeline = Timeline::new(hub(0, 0), 77_000, HUB_START_MS);
        exchange(&mut timeline, 1_000_000, (1_000, 1_000), 0, 0);
        // The hub's wall clock is set two minutes ahead: ages stay what they are.
        let stepped = hub(30_000_000, 120_000);
        assert!(age_ms(&timeline, stepped, 77_000 + 30_000) <= 2);
        exchange(&mut timeline, 61_000_000, (1_100, 1_200), 0, 120_000);
        assert!(near(timeline.clock_offset_seconds(), 120.0), "{}", timeline.clock_offset_seconds());
        // The node's own clock is set right again by its NTP.
        exchange(&mut timeline, 121_000_000, (1_100, 1_300), -120_000, 120_000);
        assert!(near(timeline.clock_offset_seconds(), 0.0), "{}", timeline.clock_offset_seconds());
    }

    #[test]
    fn an_earlier_boot_is_dated_by_its_anchor_within_reason() {
        // The node has been up for 77 s.
        let timeline = Timeline::new(hub(0, 0), 77_000, HUB_START_MS);
        let anchor = Anchor { monotonic_ms: 500_000, unix_ms: HUB_START_MS - 3_600_000 };
        let age_s = |anchor, ms| timeline.age_of_earlier(hub(10_000_000, 0), anchor, ms).as_secs();
        assert_eq!(age_s(anchor, 500_000), 3_610);
        assert_eq!((age_s(anchor, 400_000), age_s(anchor, 600_000)), (3_710, 3_510));
        // A node whose clock had not been set yet, or stood in the future: a boot that ended is older than this one.
        assert_eq!(age_s(Anchor { monotonic_ms: 0, unix_ms: 0 }, 9), MAX_AGE.as_secs());
        assert_eq!(age_s(Anchor { monotonic_ms: 0, unix_ms: HUB_START_MS + 99_000 }, 9), 87);
        assert_eq!(age_s(Anchor { monotonic_ms: u64::MAX, unix_ms: i64::MIN }, 0), MAX_AGE.as_secs());
    }

    #[test]
    fn senseless_exchanges_are_left_out() {
        let mut timeline = Timeline::new(hub(0, 0), 0, HUB_START_MS);
        for pong in [
            Pong { hub_us: 500, received_us: 0, sent_us: 0, wall_us: 0 },
            Pong { hub_us: 0, received_us: 9, sent_us: 3, wall_us: 0 },
            Pong { hub_us: 0, received_us: 0, sent_us: u64::MAX, wall_us: i64::MIN },
        ] {
            timeline.exchange(&pong, hub(100, 0));
        }
        assert!(timeline.exchanges.is_empty());
        assert!(near(timeline.clock_offset_seconds(), 0.0));
    }

    proptest::proptest! {
        #[test]
        fn any_stamps_keep_ages_sane(stamps in proptest::collection::vec((0..u64::MAX, 0..u64::MAX, 0..u64::MAX, i64::MIN..i64::MAX), 0..30)) {
            let mut timeline = Timeline::new(hub(0, 0), u64::MAX, i64::MIN);
            for (hub_us, received_us, sent_us, wall_us) in stamps {
                let now = HubClock { monotonic_us: hub_us.wrapping_add(9), unix_ms: HUB_START_MS };
                timeline.exchange(&Pong { hub_us, received_us, sent_us, wall_us }, now);
                proptest::prop_assert!(timeline.age(now, sent_us) <= MAX_AGE);
                proptest::prop_assert!(timeline.clock_offset_seconds().is_finite());
            }
            proptest::prop_assert!(timeline.exchanges.len() <= REMEMBERED);
        }
    }
}
