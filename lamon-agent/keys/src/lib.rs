//! Who is who between agent and hub.
//!
//! Each has a key of its own, made on first start, with a certificate that it signed itself around it, because that is
//! what TLS carries. Nobody asks an authority: a peer is known by the [`Fingerprint`] of its key, which somebody approved.
//! The dates in a certificate are not looked at, so that a computer whose clock is wrong can be heard, and say so.
//!
//! | file | what it has |
//! |---|---|
//! | `fingerprint` | the name of a key |
//! | `file` | the file that holds a key |
//! | `token` | what a new node is given to be let in by itself |
//! | `session` | TLS 1.3 around it, for both sides |

mod file;
mod fingerprint;
mod session;
mod token;

pub use self::file::{Key, KeyFileError};
pub use self::fingerprint::{Fingerprint, NoFingerprint};
pub use self::session::{Believed, SessionError, client, key_of, server};
pub use self::token::{JoinToken, NoRandom, NoToken};
