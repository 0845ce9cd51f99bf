//! How many connections an address has, so that one computer cannot take all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::login::network;

/// The most of one address: a wall of screens behind a router, each browser with its live page and six more.
const MAX_OF_ADDRESS: usize = 64;

/// Who is connected.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A connection's place; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// A place for one more of this address, if there is one. This computer has as many as it likes: everybody comes from it where a
    /// proxy stands before the page.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Place> {
        let own = address.to_canonical().is_loopback();
        let address = network(address);
        let mut here = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = here.get(&address).copied().unwrap_or(0);
        if count >= MAX_OF_ADDRESS && !own {
            return None;
        }
        here.insert(address, count + 1);
        Some(Place { crowd: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut here = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn one_address_takes_no_more_than_its_own_places() {
        let crowd = Crowd::default();
        let flood = |address: &str| -> Vec<Place> {
            (0..1_000).filter_map(|_| crowd.admit(address.parse().unwrap())).collect()
        };
        let first = flood("192.0.2.1");
        assert_eq!(first.len(), MAX_OF_ADDRESS);
        assert_eq!(flood("2001:db8::1").len(), MAX_OF_ADDRESS);
        assert_eq!(flood("::ffff:192.0.2.1").len(), 0, "the same computer");
        assert_eq!(flood("127.0.0.1").len(), 1_000);
        drop(first);
        assert!(crowd.0.lock().unwrap().is_empty(), "nothing stays of who went");
        assert!(crowd.admit("192.0.2.1".parse().unwrap()).is_some());
    }
}
