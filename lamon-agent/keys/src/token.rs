//! What a new node is given to be let in by itself.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use thiserror::Error;

use crate::Fingerprint;

/// Random bytes of a secret: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;

/// A secret that a hub made, and the key of that hub: `<secret>@SHA256:…`. Who has it knows whom to believe, and is
/// believed.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    secret: String,
    hub: Fingerprint,
}

/// A text that is no token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("this is no join token (a secret, @, and the hub's fingerprint, as lamon join prints it)")]
pub struct NoToken;

/// The system gives no random numbers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

impl JoinToken {
    /// A new one for the hub of this key.
    ///
    /// # Errors
    ///
    /// [`NoRandom`].
    pub fn make(hub: Fingerprint) -> Result<Self, NoRandom> {
        let mut bytes = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
        Ok(Self { secret: URL_SAFE_NO_PAD.encode(bytes), hub })
    }

    /// What the hub is told, when it is known to be the hub.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The hub's key.
    #[must_use]
    pub const fn hub(&self) -> Fingerprint {
        self.hub
    }
}

impl fmt::Display for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.secret, self.hub)
    }
}

/// A secret is in no log by accident.
impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…@{}", self.hub)
    }
}

impl FromStr for JoinToken {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let (secret, hub) = text.trim().split_once('@').ok_or(NoToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(secret).map_err(|_| NoToken)?;
        let hub = hub.parse().map_err(|_| NoToken)?;
        if bytes.len() == SECRET_BYTES { Ok(Self { secret: secret.into(), hub }) } else { Err(NoToken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written_and_no_two_are_the_same() {
        let hub: Fingerprint = "SHA256:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc".parse().unwrap();
        let token = JoinToken::make(hub).unwrap();
        let text = token.to_string();
        assert_eq!(format!("{text}\n").parse(), Ok(token.clone()));
        assert_ne!(JoinToken::make(hub).unwrap(), token);
        assert!(!format!("{token:?}").contains(token.secret()));
        for wrong in ["", "@", &text[1..], &text[..text.len() - 1], text.split('@').next().unwrap()] {
            assert_eq!(wrong.parse::<JoinToken>(), Err(NoToken), "{wrong}");
        }
    }
}
