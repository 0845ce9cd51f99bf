//! Keys of the bus: ZeroMQ's CURVE (RFC 26/CURVEZMQ), by which hub and followers know each other and nobody else reads along.
//!
//! A key pair lies in a file for its owner alone. Public keys are written in Z85 (RFC 32/Z85), 40 characters, as ZeroMQ's own tools write
//! them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lamon_secret::{Readers, SecretError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest file that is read, in bytes: two keys and a word on each.
const MAX_FILE_BYTES: u64 = 4_096;

/// Who is spoken with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// A text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no key of the bus (40 characters, as `lamon bus-key FILE` prints them)")]
pub struct NoKey(String);

/// Why a file gives no key pair.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// It cannot be read, or others may read it.
    #[error("the bus's key in {0}")]
    Secret(#[from] SecretError),
    /// It cannot be made.
    #[error("the bus's key in {path} cannot be made: {error}")]
    Unmade {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It holds no key pair.
    #[error(
        "{0} holds no key pair of the bus: move it away, and a new one is made, which the other side has to be told"
    )]
    Form(PathBuf),
    /// `ZeroMQ` was built without CURVE.
    #[error("this computer's ZeroMQ knows no CURVE ({0}): it was built without")]
    NoCurve(zmq::Error),
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 32 bytes always make 40 characters.
        f.write_str(&zmq::z85_encode(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let wrong = || NoKey(text.chars().take(64).collect());
        decoded(text).map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = NoKey;

    fn try_from(text: String) -> Result<Self, NoKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl PublicKey {
    /// A key as ZeroMQ tells it when a peer connects; `None` when it has not 32 bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// The digits of Z85, from 0 to 84.
const DIGITS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// 40 characters of Z85: each five are four bytes, the highest first. Not by the library, which tells nobody of five characters that
/// are more than four bytes, and whose wrapping leaks each text.
fn decoded(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != bytes.len() / 4 * 5 {
        return None;
    }
    for (five, four) in text.as_bytes().chunks_exact(5).zip(bytes.chunks_exact_mut(4)) {
        let mut word = 0_u32;
        for character in five {
            let digit = DIGITS.iter().position(|digit| digit == character)?;
            word = word.checked_mul(85)?.checked_add(u32::try_from(digit).ok()?)?;
        }
        four.copy_from_slice(&word.to_be_bytes());
    }
    Some(bytes)
}

/// One's own key.
#[derive(Clone)]
pub struct KeyPair {
    public: PublicKey,
    secret: [u8; 32],
}

/// A secret is in no log by accident.
impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public)
    }
}

impl KeyPair {
    /// Reads the key pair of a file, or makes one there, for its owner alone.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`]. A file that is damaged is left as it is.
    pub fn load_or_make(path: &Path) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Secret(error)) if error.is_missing() => {
                let pair = zmq::CurveKeyPair::new().map_err(KeyFileError::NoCurve)?;
                let made = Self { public: PublicKey(pair.public_key), secret: pair.secret_key };
                made.write(path).map_err(|error| KeyFileError::Unmade { path: path.into(), error })?;
                // That of who was first, when several begin at once.
                Self::load(path)
            }
            found => found,
        }
    }

    /// Reads the key pair of a file.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`].
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        Self::of_text(&lamon_secret::text(path, MAX_FILE_BYTES, Readers::Owner)?, path)
    }

    /// The key pair in this text, which was read from `path`.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Form`], which names the file.
    pub fn of_text(text: &str, path: &Path) -> Result<Self, KeyFileError> {
        let word = |word| text.lines().find_map(|line| line.trim().strip_prefix(word).map(str::trim));
        let public = word("public").and_then(|text| text.parse().ok());
        let secret = word("secret").and_then(decoded);
        match (public, secret) {
            (Some(public), Some(secret)) => Ok(Self { public, secret }),
            _ => Err(KeyFileError::Form(path.into())),
        }
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let secret = zmq::z85_encode(&self.secret).map_err(io::Error::other)?;
        let text = format!(
            "# A key of lamon's bus. Only the second line may be told to others.\npublic {}\nsecret {secret}\n",
            self.public
        );
        lamon_secret::place(path, text.as_bytes())
    }

    /// What the other side has to know.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// Has a socket that is not bound yet take in only peers with CURVE; whose keys they may have a ZAP handler of this domain decides.
    ///
    /// # Errors
    ///
    /// When ZeroMQ was built without CURVE.
    pub fn serve(&self, socket: &zmq::Socket, domain: &str) -> zmq::Result<()> {
        socket.set_zap_domain(domain)?;
        socket.set_curve_server(true)?;
        socket.set_curve_secretkey(&self.secret)
    }

    /// Has a socket that is not connected yet speak with nobody but the hub of this key.
    ///
    /// # Errors
    ///
    /// When ZeroMQ was built without CURVE.
    pub fn follow(&self, socket: &zmq::Socket, hub: PublicKey) -> zmq::Result<()> {
        socket.set_curve_serverkey(&hub.0)?;
        socket.set_curve_publickey(&self.public.0)?;
        socket.set_curve_secretkey(&self.secret)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_pair_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/bus.key");
        let made = KeyPair::load_or_make(&path).unwrap();
        let read = KeyPair::load_or_make(&path).unwrap();
        assert_eq!((read.public(), read.secret), (made.public(), made.secret));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(made.public().to_string().parse(), Ok(made.public()));
        assert!(!format!("{made:?}").contains(&zmq::z85_encode(&made.secret).unwrap()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(KeyPair::load_or_make(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::write(&path, "public x\nsecret y\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(KeyPair::load_or_make(&path).unwrap_err().to_string().contains("holds no key pair"));
    }

    #[test]
    fn keys_are_read_as_the_library_writes_them() {
        let mut bytes = [0_u8; 32];
        for round in 0..2_000_u32 {
            for (place, byte) in (0_u32..).zip(&mut bytes) {
                *byte =
                    (round.wrapping_mul(2_654_435_761).wrapping_add(place * 40_503) >> 7).to_le_bytes()[0];
            }
            if round == 0 {
                bytes = [255; 32];
            }
            assert_eq!(decoded(&zmq::z85_encode(&bytes).unwrap()), Some(bytes));
        }
        assert_eq!(decoded(&"0".repeat(40)), Some([0; 32]));
        assert_eq!(decoded(&"#".repeat(40)), None, "more than four bytes");
    }

    #[test]
    fn what_is_no_key_is_refused_shortly() {
        let long = "a".repeat(1_000_000);
        let not_z85 = "ä".repeat(20);
        // Five characters that are more than four bytes, in the middle.
        let mistyped = "rq:rM>}U?@XLns47E1%kR.o@n%GcmsL/B{H8]yf7";
        for text in ["", "a", mistyped, &"a".repeat(39), &"~".repeat(40), &not_z85, &long] {
            let error = text.parse::<PublicKey>().unwrap_err().to_string();
            assert!(error.contains("is no key of the bus") && error.len() < 300, "{error}");
        }
    }
}
