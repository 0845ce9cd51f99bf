//! How many may be connected that nobody knows yet: everybody, until he proved whose key he has or had a line taken.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::address::of_one;

/// The most at once of those that `plain_from` does not list. A handshake takes a millisecond, so that a whole site that
/// comes back after a restart passes through them within seconds; what stands still in them for ten seconds is no agent.
const MAX_STRANGERS: usize = 256;

/// The most of one address: one computer, or a few behind a router, that come back together. The others' places stay free
/// whatever it does.
const MAX_OF_ADDRESS: usize = 16;

/// The most of one address that `plain_from` lists: agents of many computers behind a router, and lines from cron that all
/// come at the full minute.
const MAX_OF_LISTED: usize = 64;

/// Who is connected and not known yet.
#[derive(Debug, Clone)]
pub(super) struct Strangers(Arc<[Crowd; 2]>);

/// Those whom `plain_from` lists, or those whom it does not.
#[derive(Debug)]
struct Crowd {
    most: usize,
    most_of_address: usize,
    here: Mutex<HashMap<IpAddr, usize>>,
}

/// A stranger's place; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Stranger {
    strangers: Strangers,
    listed: bool,
    address: IpAddr,
}

impl Strangers {
    /// Nobody. Who is listed takes half of `connections` at most, who is not a quarter: what is left is for those who are known.
    pub(super) fn new(connections: usize) -> Self {
        let crowd = |most: usize, most_of_address| Crowd {
            most: most.max(1),
            most_of_address,
            here: Mutex::default(),
        };
        let unlisted = crowd(MAX_STRANGERS.min(connections / 4), MAX_OF_ADDRESS);
        Self([unlisted, crowd(connections / 2, MAX_OF_LISTED)].into())
    }

    fn crowd(&self, listed: bool) -> &Crowd {
        let [unlisted, of_list] = &*self.0;
        if listed { of_list } else { unlisted }
    }

    /// A place for one from this address, if there is one. The hub's own computer has no places of its own: whoever is on it can
    /// do worse to the hub, and what measures a hub is.
    pub(super) fn admit(&self, address: IpAddr, listed: bool) -> Option<Stranger> {
        let crowd = self.crowd(listed);
        let mut here = crowd.here.lock().unwrap_or_else(PoisonError::into_inner);
        let own = listed && address.to_canonical().is_loopback();
        let address = of_one(address);
        let all: usize = here.values().sum();
        let of_address = here.get(&address).copied().unwrap_or(0);
        if all >= crowd.most || (of_address >= crowd.most_of_address && !own) {
            return None;
        }
        here.insert(address, of_address + 1);
        Some(Stranger { strangers: self.clone(), listed, address })
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let here = &self.strangers.crowd(self.listed).here;
        let mut here = here.lock().unwrap_or_else(PoisonError::into_inner);
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
        for (listed, most, all) in [(false, MAX_OF_ADDRESS, MAX_STRANGERS), (true, MAX_OF_LISTED, 5_000)] {
            let flood: Vec<_> = (0..1_000).filter_map(|_| strangers.admit(address(1), listed)).collect();
            assert_eq!(flood.len(), most);
            let other = strangers.admit(address(2), listed);
            assert!(other.is_some());
            drop(flood);
            assert!(strangers.admit(address(1), listed).is_some());
            drop(other);
            assert!(strangers.crowd(listed).here.lock().unwrap().is_empty(), "nothing stays of who went");
            let many = (0..=255).flat_map(|last| (0..64).map(move |_| address(last)));
            let many: Vec<_> = many.filter_map(|address| strangers.admit(address, listed)).collect();
            assert_eq!(many.len(), all);
            let all_others = strangers.admit(address(7), !listed);
            assert!(all_others.is_some(), "who is listed has places of his own");
        }
        assert_eq!(Strangers::new(8).crowd(false).most, 2);
        assert_eq!(Strangers::new(1).crowd(true).most, 1);
    }

    #[test]
    fn a_computer_with_many_addresses_is_one() {
        let strangers = Strangers::new(10_000);
        let taken = (0..1_000_u128).filter_map(|last| {
            strangers.admit(std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) + last).into(), false)
        });
        assert_eq!(taken.collect::<Vec<_>>().len(), MAX_OF_ADDRESS);
    }

    #[test]
    fn the_hubs_own_computer_may_be_many() {
        let strangers = Strangers::new(1_000);
        let own = IpAddr::from([127, 0, 0, 1]);
        let all: Vec<_> = (0..1_000).filter_map(|_| strangers.admit(own, true)).collect();
        assert_eq!(all.len(), 500);
        assert!(strangers.admit(own, false).is_some());
    }
}
