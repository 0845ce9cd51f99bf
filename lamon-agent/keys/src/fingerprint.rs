//! The name of a key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use webpki::EndEntityCert;

/// What stands before the digest, as in OpenSSH.
const PREFIX: &str = "SHA256:";

/// SHA-256 of a public key (its `SubjectPublicKeyInfo` in DER, RFC 5280 §4.1.2.7), written as OpenSSH writes those of hosts:
/// `SHA256:` and 43 characters of Base64. A certificate that is made anew around the same key has the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 32]);

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no key's fingerprint (SHA256: and 43 characters)")]
pub struct NoFingerprint(String);

impl Fingerprint {
    /// Of the key in a certificate; `None` when that is none.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = EndEntityCert::try_from(certificate).ok()?;
        let key = certificate.subject_public_key_info();
        digest(&SHA256, key.as_ref()).as_ref().try_into().ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{PREFIX}{}", STANDARD_NO_PAD.encode(self.0)))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let digits = text.strip_prefix(PREFIX).map(|digits| STANDARD_NO_PAD.decode(digits));
        let bytes = digits.and_then(Result::ok).and_then(|bytes| bytes.try_into().ok());
        // A text of a megabyte must not become an error of a megabyte.
        let shown = || NoFingerprint(text.chars().take(64).collect());
        bytes.map(Self).ok_or_else(shown)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NoFingerprint;

    fn try_from(text: String) -> Result<Self, NoFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let fingerprint = Fingerprint([7; 32]);
        let text = fingerprint.to_string();
        assert_eq!(text, "SHA256:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(String::from(fingerprint), text);
    }

    #[test]
    fn what_is_none_is_refused_shortly() {
        let long = format!("SHA256:{}", "B".repeat(1_000_000));
        for text in [
            "",
            "SHA256:",
            "sha256:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "SHA256:AAAA",
            "SHA256:!",
            &long,
        ] {
            let error = text.parse::<Fingerprint>().unwrap_err().to_string();
            assert!(error.ends_with("is no key's fingerprint (SHA256: and 43 characters)"), "{error}");
            assert!(error.len() < 200, "{error}");
        }
        assert_eq!(Fingerprint::of(&CertificateDer::from(&[1, 2, 3][..])), None);
    }
}
