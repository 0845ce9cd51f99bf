//! How many may be connected that nobody knows yet: those who are not listed, until they proved whose key they have.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The most at once. A handshake takes a millisecond, so that a whole site that comes back after a restart passes through
/// them within seconds; what stands still in them for ten seconds is no agent.
const MAX_STRANGERS: usize = 256;

/// The most of one address: one computer, or a few behind a router, that come back together. The others' places stay free
/// whatever it does.
const MAX_OF_ADDRESS: usize = 16;

/// Who is connected and not known yet.
#[derive(Debug, Clone)]
pub(super) struct Strangers {
    most: usize,
    here: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A stranger's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Stranger {
    strangers: Strangers,
    address: IpAddr,
}

impl Strangers {
    /// Nobody. They take a quarter of `connections` at most.
    pub(super) fn new(connections: usize) -> Self {
        Self { most: MAX_STRANGERS.min((connections / 4).max(1)), here: Arc::default() }
    }

    /// A place for one from this address, if there is one.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Stranger> {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = here.values().sum();
        let of_address = here.get(&address).copied().unwrap_or(0);
        if all >= self.most || of_address >= MAX_OF_ADDRESS {
            return None;
        }
        here.insert(address, of_address + 1);
        Some(Stranger { strangers: self.clone(), address })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut here = self.strangers.here.lock().unwrap_or_else(PoisonError::into_inner);
        match here.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(here.remove(&self.address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_never_takes_the_places_of_others() {
        let strangers = Strangers::new(10_000);
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        let flood: Vec<_> = (0..1_000).filter_map(|_| strangers.admit(address(1))).collect();
        assert_eq!(flood.len(), MAX_OF_ADDRESS);
        let other = strangers.admit(address(2));
        assert!(other.is_some());
        drop(flood);
        assert!(strangers.admit(address(1)).is_some());
        drop(other);
        assert!(strangers.here.lock().unwrap().is_empty(), "nothing stays of who went");
        let all: Vec<_> = (0..=255)
            .flat_map(|last| [strangers.admit(address(last)), strangers.admit(address(last))])
            .flatten()
            .collect();
        assert_eq!(all.len(), MAX_STRANGERS);
        assert_eq!(Strangers::new(8).most, 2);
    }
}
