//! What was told of peers that are refused, so that one that comes again each minute is told of once an hour.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lamon_wire::names::NodeName;

use crate::address::of_one;

/// How often the same is told while it goes on.
pub(super) const AGAIN: Duration = Duration::from_secs(3_600);

/// The most that are remembered, 50 kB; what was told the longest ago is forgotten first. Strangers have as many as they have
/// addresses, and what they cause beyond is limited with everything that peers cause (`core.rs`).
const MAX_TOLD: usize = 512;

/// What a peer is refused for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Because {
    /// It speaks without the key of this node.
    NoKey(NodeName),
    /// It has this key, which was revoked.
    Revoked(String),
    /// It has the key of this node, under another name.
    KeyOf(NodeName),
}

/// What was told lately, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<(Because, IpAddr, Instant)>);

impl Refusals {
    /// Whether it is to be told now.
    pub(super) fn is_due(&mut self, now: Instant, because: &Because, from: IpAddr) -> bool {
        let from = of_one(from);
        self.0.retain(|(_, _, told)| now.saturating_duration_since(*told) < AGAIN);
        if self.0.iter().any(|(known, address, _)| known == because && *address == from) {
            return false;
        }
        if self.0.len() >= MAX_TOLD {
            self.0.remove(0);
        }
        self.0.push((because.clone(), from, now));
        true
    }

    /// An operator changed something: what is refused from now on is worth telling again.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_an_hour_and_the_table_is_bounded() {
        let mut now = Instant::now();
        let mut refusals = Refusals::default();
        let because = Because::Revoked("SHA256:a".into());
        let address = |number: u32| IpAddr::from(number.to_be_bytes());
        assert!(refusals.is_due(now, &because, address(1)));
        assert!(!refusals.is_due(now, &because, address(1)));
        assert!(refusals.is_due(now, &because, address(2)), "somebody else");
        assert!(
            refusals.is_due(now, &Because::KeyOf(NodeName::new("a").unwrap()), address(1)),
            "something else"
        );
        now += AGAIN;
        assert!(refusals.is_due(now, &because, address(1)));
        refusals.forget();
        assert!(refusals.is_due(now, &because, address(1)));
        for number in 0..2_000 {
            assert!(refusals.is_due(now, &because, address(1_000 + number)));
        }
        assert_eq!(refusals.0.len(), MAX_TOLD);
    }
}
