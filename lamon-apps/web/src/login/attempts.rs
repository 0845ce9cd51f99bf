//! How often a password may be guessed: by one address, and for one name. Pure: `now` is an argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Guesses that cost nothing but time: fingers slip.
const FREE: u32 = 5;

/// The wait after one guess too many; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// The longest wait of an address.
const LONGEST_OF_ADDRESS: Duration = Duration::from_secs(15 * 60);

/// The longest wait of this computer's own address: everybody comes from it where a proxy stands before the page, and who guesses
/// must not keep all others out. A name waits as long as ever.
const LONGEST_OF_OWN: Duration = FIRST_WAIT;

/// The longest wait for a name: a stranger who guesses must not keep its owner out for long.
const LONGEST_OF_NAME: Duration = Duration::from_secs(60);

/// How long wrong guesses are remembered after the last.
const MEMORY: Duration = Duration::from_secs(3_600);

/// The most addresses and names that are remembered: 200 kB. Whoever waits the shortest is forgotten first.
const MAX_ENTRIES: usize = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum From {
    Address(IpAddr),
    Name(String),
}

#[derive(Debug, Clone, Copy)]
struct Guesses {
    count: u32,
    last: Instant,
    /// No guess is heard before.
    until: Instant,
}

/// Who guessed wrong lately.
#[derive(Debug, Default)]
pub(crate) struct Attempts(HashMap<From, Guesses>);

impl Attempts {
    /// Whether a guess may be made now; else how long to wait. It counts as wrong until [`Attempts::right`] says otherwise, so
    /// that many at once are counted too.
    ///
    /// # Errors
    ///
    /// The wait.
    pub(crate) fn admit(&mut self, address: IpAddr, name: &str, now: Instant) -> Result<(), Duration> {
        let own = address.to_canonical().is_loopback();
        let of_address = if own { LONGEST_OF_OWN } else { LONGEST_OF_ADDRESS };
        let both =
            [(From::Address(network(address)), of_address), (From::Name(name.into()), LONGEST_OF_NAME)];
        let wait = both.iter().filter_map(|(from, _)| self.0.get(from)).map(|guesses| guesses.until).max();
        if let Some(wait) =
            wait.map(|until| until.saturating_duration_since(now)).filter(|wait| !wait.is_zero())
        {
            return Err(wait);
        }
        for (from, longest) in both {
            self.count(from, longest, now);
        }
        Ok(())
    }

    fn count(&mut self, from: From, longest: Duration, now: Instant) {
        if !self.0.contains_key(&from) && self.0.len() >= MAX_ENTRIES {
            self.make_room(now);
        }
        let guesses = self.0.entry(from).or_insert(Guesses { count: 0, last: now, until: now });
        if now.saturating_duration_since(guesses.last) >= MEMORY {
            guesses.count = 0;
        }
        guesses.count = guesses.count.saturating_add(1);
        guesses.last = now;
        let doublings = guesses.count.saturating_sub(FREE);
        if doublings > 0 {
            // Sixteen doublings are above every longest wait.
            guesses.until = now + (FIRST_WAIT * 2_u32.pow((doublings - 1).min(16))).min(longest);
        }
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, guesses| now.saturating_duration_since(guesses.last) < MEMORY);
        if self.0.len() >= MAX_ENTRIES {
            let first = self.0.iter().min_by_key(|(_, guesses)| (guesses.until, guesses.last));
            if let Some(from) = first.map(|(from, _)| from.clone()) {
                self.0.remove(&from);
            }
        }
    }

    /// The guess was right: the name begins anew, and the address has one wrong guess less.
    pub(crate) fn right(&mut self, address: IpAddr, name: &str) {
        self.0.remove(&From::Name(name.into()));
        self.take_back(&From::Address(network(address)));
    }

    /// The guess was not looked at.
    pub(crate) fn unheard(&mut self, address: IpAddr, name: &str) {
        self.take_back(&From::Address(network(address)));
        self.take_back(&From::Name(name.into()));
    }

    fn take_back(&mut self, from: &From) {
        if let Some(guesses) = self.0.get_mut(from) {
            guesses.count = guesses.count.saturating_sub(1);
            guesses.until = guesses.last;
            if guesses.count == 0 {
                self.0.remove(from);
            }
        }
    }
}

/// What one stranger has: an address of version 4, or 64 bits of version 6.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn waits_double_and_end() {
        let mut now = Instant::now();
        let mut attempts = Attempts::default();
        for _ in 0..=FREE {
            assert_eq!(attempts.admit(address(1), "ann", now), Ok(()));
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = attempts.admit(address(1), "ann", now).unwrap_err();
            waits.push(wait.as_secs());
            assert!(
                attempts.admit(address(2), "ann", now).is_err() || wait > LONGEST_OF_NAME,
                "the name waits too"
            );
            now += wait;
            assert_eq!(attempts.admit(address(1), "ann", now), Ok(()));
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(attempts.admit(address(2), "bo", now), Ok(()));
        assert_eq!(
            attempts.admit(address(2), "ann", now + LONGEST_OF_NAME),
            Ok(()),
            "her owner is not kept out"
        );
        now += MEMORY + LONGEST_OF_ADDRESS;
        for _ in 0..=FREE {
            assert_eq!(attempts.admit(address(1), "ann", now), Ok(()), "it is forgotten");
        }
    }

    #[test]
    fn a_right_guess_is_no_wrong_one_and_makes_no_other_right() {
        let now = Instant::now();
        let mut attempts = Attempts::default();
        for _ in 0..100 {
            assert_eq!(attempts.admit(address(1), "ann", now), Ok(()));
            attempts.right(address(1), "ann");
        }
        for _ in 0..FREE {
            assert_eq!(attempts.admit(address(1), "bo", now), Ok(()));
        }
        // Whoever has a password of his own does not clear what his address guessed.
        assert_eq!(attempts.admit(address(1), "ann", now), Ok(()));
        attempts.right(address(1), "ann");
        assert_eq!(attempts.admit(address(1), "cy", now), Ok(()));
        assert!(attempts.admit(address(1), "cy", now).is_err());
    }

    #[test]
    fn who_guesses_through_a_proxy_keeps_nobody_else_out() {
        let mut now = Instant::now();
        let mut attempts = Attempts::default();
        let proxy = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..100 {
            if let Err(wait) = attempts.admit(proxy, "ann", now) {
                now += wait;
            }
        }
        let wait = attempts.admit(proxy, "ann", now).err();
        assert!(wait.is_none_or(|wait| wait <= LONGEST_OF_NAME), "{wait:?}");
        assert_eq!(attempts.admit(proxy, "bo", now + FIRST_WAIT), Ok(()));
    }

    #[test]
    fn addresses_of_one_stranger_are_one_and_the_table_is_bounded() {
        let now = Instant::now();
        let mut attempts = Attempts::default();
        for last in 0..=FREE {
            let address = format!("2001:db8::{last:x}").parse().unwrap();
            assert_eq!(attempts.admit(address, &last.to_string(), now), Ok(()));
        }
        assert!(attempts.admit("2001:db8::ffff".parse().unwrap(), "x", now).is_err());
        assert!(attempts.admit("2001:db8:0:1::1".parse().unwrap(), "x", now).is_ok());
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), address(1));
        for number in 0..5_000_u32 {
            let _ = attempts.admit(IpAddr::from(number.to_be_bytes()), &number.to_string(), now);
        }
        assert!(attempts.0.len() <= MAX_ENTRIES);
        assert!(attempts.admit("2001:db8::1".parse().unwrap(), "x", now).is_err(), "who waits is remembered");
    }
}
