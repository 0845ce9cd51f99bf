//! What of an address tells one stranger from another.

use std::net::{IpAddr, Ipv6Addr};

/// What one computer has: an address of version 4, or 64 bits of version 6, of which it may take as many addresses as it likes.
pub(crate) fn of_one(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computer_is_one_whatever_address_it_takes() {
        let one = |text: &str| of_one(text.parse().unwrap());
        assert_eq!(one("2001:db8::1"), one("2001:db8::ffff:7"));
        assert_ne!(one("2001:db8::1"), one("2001:db8:0:1::1"));
        assert_eq!(one("::ffff:192.0.2.1"), one("192.0.2.1"));
        assert_ne!(one("192.0.2.1"), one("192.0.2.2"));
    }
}
