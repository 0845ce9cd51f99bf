//! A conversation, written in bytes: what a peer says, where its packets end, how time passes, and what the caller does
//! meanwhile.
//!
//! All bytes are the peer's but three control bytes that no line needs: `0x1c` ends a packet, `0x1d` and the byte
//! behind it are something that the caller does, `0x1e` and the byte behind it are so many times eight seconds of
//! silence. So an interesting input is still a text that a person reads.

use std::time::Duration;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A packet came; never empty.
    Packet(&'a [u8]),
    /// The caller does something; which is for the target to say.
    Caller(u8),
    /// Time passed.
    Silence(Duration),
}

/// The events, in order.
pub fn events(mut bytes: &[u8]) -> impl Iterator<Item = Event<'_>> {
    std::iter::from_fn(move || {
        loop {
            match bytes {
                [] => return None,
                [0x1c, rest @ ..] => bytes = rest,
                [0x1d, what, rest @ ..] => {
                    bytes = rest;
                    return Some(Event::Caller(*what));
                }
                [0x1e, eights, rest @ ..] => {
                    bytes = rest;
                    return Some(Event::Silence(Duration::from_secs(8 * u64::from(*eights))));
                }
                [0x1d | 0x1e] => return None,
                _ => {
                    let end = bytes.iter().position(|b| matches!(b, 0x1c..=0x1e)).unwrap_or(bytes.len());
                    let (packet, rest) = bytes.split_at(end);
                    bytes = rest;
                    return Some(Event::Packet(packet));
                }
            }
        }
    })
}
