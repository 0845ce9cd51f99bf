//! What agent and hub say to each other on port 7617; no I/O, no clock, no runtime.
//!
//! Two languages share the port, told apart by the first bytes ([`Language::of`]):
//!
//! - **Text** ([`text`]): one line, one sample: `node=ccd01 cpu_percent=3.5 disk_percent=82.5`. A working agent is one
//!   `printf … | nc hub 7617` from cron.
//! - **Binary** ([`hello`], [`frames`]): [`MAGIC`], then frames with a length in front, encoded by postcard. The
//!   [`Hello`](hello::Hello) frame and its [`Answer`](hello::Answer) are frozen for ever; the rest is versioned by them.
//!
//! # Layout
//!
//! | module | what it holds |
//! |---|---|
//! | [`names`] | node and metric names, the one slug function |
//! | [`metric`] | the core metrics, and what a metric's name says of its unit |
//! | [`reading`] | a value as it travels: a scaled integer |
//! | [`text`] | the text line, parsed and written |
//! | [`framing`] | lengths in front of frames, and the buffer that cuts them |
//! | [`hello`] | the frozen first exchange |
//! | [`frames`] | the frames of protocol versions 1 and 2 |

pub mod frames;
pub mod framing;
pub mod hello;
pub mod metric;
pub mod names;
pub mod reading;
pub mod text;

/// The port on which the hub listens for agents, text and binary alike.
pub const PORT: u16 = 7617;

/// The first bytes of a binary connection. The first has its high bit set, so that no text line starts with it, and
/// differs from the 0x16 of a TLS record.
pub const MAGIC: [u8; 4] = [0x89, b'L', b'M', b'N'];

/// The first byte of a TLS record that carries a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// The language of a connection, told by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// [`MAGIC`] came: frames follow.
    Binary,
    /// A TLS handshake: the other languages come inside it.
    Tls,
    /// Anything else: lines of text.
    Text,
}

impl Language {
    /// Tells the language from the first bytes; `None` while more of them are needed (at most four).
    #[must_use]
    pub fn of(first: &[u8]) -> Option<Self> {
        match first.first() {
            None => None,
            Some(&TLS_HANDSHAKE) => Some(Self::Tls),
            Some(byte) if *byte != MAGIC[0] => Some(Self::Text),
            Some(_) if first.len() < MAGIC.len() && MAGIC.starts_with(first) => None,
            Some(_) if first.starts_with(&MAGIC) => Some(Self::Binary),
            Some(_) => Some(Self::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_the_language() {
        let table: [(&[u8], Option<Language>); 7] = [
            (b"", None),
            (b"\x89", None),
            (b"\x89LM", None),
            (b"\x89LMN\x00\x20", Some(Language::Binary)),
            (b"\x89LMX", Some(Language::Text)),
            (b"\x16\x03\x01", Some(Language::Tls)),
            (b"node=a cpu_percent=1", Some(Language::Text)),
        ];
        for (bytes, language) in table {
            assert_eq!(Language::of(bytes), language, "{bytes:?}");
        }
    }
}
