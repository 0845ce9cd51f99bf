//! When an agent is pinged, by which clock, and when it is taken for gone.

use std::time::Duration;

use tokio::time::Instant;

use super::timeline::HubClock;
use crate::sample::Now;

/// How often the clocks are compared; also how a dead peer is found.
const PING_EVERY: Duration = Duration::from_secs(60);

/// How often an agent that waits for an acknowledgement hears that the hub lives: a journal that cannot be written must not
/// look like a hub that is gone, which an agent leaves after half a minute.
const PING_WHILE_WAITING: Duration = Duration::from_secs(5);

/// A peer that said nothing for three pings is gone.
pub(super) const MUTE_TIME: Duration = Duration::from_secs(190);

/// When the next ping is due. A sample that is on disk within its second costs none.
pub(super) fn ping_at(pinged: Instant, waiting_since: Option<Instant>) -> Instant {
    let while_waiting = waiting_since.map(|since| pinged.max(since) + PING_WHILE_WAITING);
    let at_least = pinged + PING_EVERY;
    while_waiting.map_or(at_least, |while_waiting| while_waiting.min(at_least))
}

/// Both clocks of the hub now; pings are stamped by the one that began with the connection.
pub(super) fn hub_clock(began: Instant) -> HubClock {
    let monotonic_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    HubClock { monotonic_us, unix_ms: Now::read().unix_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_pinged_each_minute_and_more_often_while_it_waits() {
        let zero = Instant::now();
        let at = |seconds| zero + Duration::from_secs(seconds);
        for (pinged, waiting_since, due) in
            [(0, None, 60), (0, Some(0), 5), (0, Some(10), 15), (20, Some(10), 25), (0, Some(58), 60)]
        {
            let found = ping_at(at(pinged), waiting_since.map(at));
            assert_eq!(found, at(due), "pinged at {pinged}, waiting since {waiting_since:?}");
        }
    }
}
