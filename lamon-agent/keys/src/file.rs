//! The file that holds a key: the private key (PKCS #8) and the certificate around it, both in PEM.

use std::io;
use std::path::{Path, PathBuf};

use lamon_secret::{Readers, SecretError};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use crate::Fingerprint;

/// The longest file that is read, in bytes: a key and a certificate are under two thousand; some have a chain.
const MAX_FILE_BYTES: u64 = 64 * 1_024;

/// A key with its certificate.
#[derive(Debug)]
pub struct Key {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) private: PrivateKeyDer<'static>,
    fingerprint: Fingerprint,
}

/// Why a file gives no key.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// It cannot be read, or others may read it.
    #[error("the key in {0}")]
    Secret(#[from] SecretError),
    /// It cannot be made.
    #[error("the key in {path} cannot be made: {error}")]
    Unmade {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// What is in it is no key with its certificate.
    #[error(
        "{path} holds no {what} in PEM: move it away, and a new key is made, which has to be approved anew"
    )]
    Form {
        /// Which file.
        path: PathBuf,
        /// Key, certificate.
        what: &'static str,
    },
    /// The system gives no random numbers.
    #[error("no key can be made: {0}")]
    Make(rcgen::Error),
}

impl Key {
    /// Reads the key of a file, or makes one there, readable by its owner alone, who is whom the folder belongs to. Of several
    /// programs that do so at once all get the same. `subject` is shown by programs that look at certificates; nothing depends on it.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`]. A file that is damaged is left as it is: a new key would be a stranger to everybody.
    pub fn load_or_make(path: &Path, subject: &str) -> Result<Self, KeyFileError> {
        match Self::load(path) {
            Err(KeyFileError::Secret(error)) if error.is_missing() => {
                make(path, subject)?;
                Self::load(path)
            }
            found => found,
        }
    }

    /// Reads the key of a file.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`].
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        Self::of_pem(&lamon_secret::read(path, MAX_FILE_BYTES, Readers::Owner)?, path)
    }

    /// The key in these bytes, which were read from `path`.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Form`], which names the file.
    pub fn of_pem(pem: &[u8], path: &Path) -> Result<Self, KeyFileError> {
        let wrong = |what| move |_| KeyFileError::Form { path: path.into(), what };
        let private = PrivateKeyDer::from_pem_slice(pem).map_err(wrong("private key"))?;
        let certificate = CertificateDer::from_pem_slice(pem).map_err(wrong("certificate"))?;
        let fingerprint = Fingerprint::of(&certificate).ok_or(()).map_err(wrong_certificate(path))?;
        Ok(Self { certificate, private, fingerprint })
    }

    /// The name of the key.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

fn wrong_certificate(path: &Path) -> impl FnOnce(()) -> KeyFileError {
    |()| KeyFileError::Form { path: path.into(), what: "certificate" }
}

/// Makes a key, and puts it into its place when it is whole and on the disk.
fn make(path: &Path, subject: &str) -> Result<(), KeyFileError> {
    // P-256 is what every TLS library of the last ten years knows.
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(KeyFileError::Make)?;
    let mut parameters = CertificateParams::new([subject.to_owned()]).map_err(KeyFileError::Make)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, subject);
    parameters.distinguished_name = name;
    // Nobody looks at the dates; they are written for programs that show them. 9999 is "no end" (RFC 5280, 4.1.2.5).
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = date_time_ymd(9999, 12, 31);
    let certificate = parameters.self_signed(&key).map_err(KeyFileError::Make)?;
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    lamon_secret::place(path, pem.as_bytes())
        .map_err(|error| KeyFileError::Unmade { path: path.into(), error })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/agent.key");
        let key = Key::load_or_make(&path, "ccd01").unwrap();
        assert_eq!(Key::load_or_make(&path, "other").unwrap().fingerprint(), key.fingerprint());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let other = Key::load_or_make(&folder.path().join("b.key"), "ccd01").unwrap();
        assert_ne!(other.fingerprint(), key.fingerprint());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.key");
        Key::load_or_make(&path, "ccd01").unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let half = &whole[..whole.find("-----BEGIN CERTIFICATE").unwrap()];
        for (text, mode, expected) in [
            (whole.as_str(), 0o640, "may be used by others"),
            (half, 0o600, "holds no certificate"),
            ("", 0o600, "holds no private key"),
            (
                "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
                0o600,
                "holds no certificate",
            ),
        ] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Key::load_or_make(&path, "ccd01").unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("agent.key"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
