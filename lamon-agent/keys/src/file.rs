//! The file that holds a key: the private key (PKCS #8) and the certificate around it, both in PEM.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};
use ring::rand::{SecureRandom as _, SystemRandom};
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
    /// It cannot be read or made.
    #[error("the key in {path} cannot be {what}: {error}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Read, made.
        what: &'static str,
        /// Why.
        error: io::Error,
    },
    /// Others may read it.
    #[error(
        "the key in {0} may be read by others than its owner: chmod 600 it, and make a new one if somebody did"
    )]
    Mode(PathBuf),
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
            Err(KeyFileError::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
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
        let unreadable = |error| KeyFileError::Io { path: path.into(), what: "read", error };
        let file = File::open(path).map_err(unreadable)?;
        if open_to_others(&file).map_err(unreadable)? {
            return Err(KeyFileError::Mode(path.into()));
        }
        let mut pem = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut pem).map_err(unreadable)?;
        Self::of_pem(&pem, path)
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

/// Asked of the open file, so that it cannot be exchanged in between.
#[cfg(unix)]
fn open_to_others(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;

    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// Elsewhere the folder's access list keeps others out, which installing sets.
#[cfg(not(unix))]
fn open_to_others(_: &File) -> io::Result<bool> {
    Ok(false)
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
    let unmade = |error| KeyFileError::Io { path: path.into(), what: "made", error };
    write(path, pem.as_bytes()).map_err(unmade)
}

fn write(path: &Path, pem: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut random = [0; 9];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    // A name of its own, which nobody can have prepared: root enrolls in a folder that is not root's.
    let new = path.with_extension(format!("{}.new", URL_SAFE_NO_PAD.encode(random)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let placed = options.open(&new).and_then(|mut file| {
        file.write_all(pem)?;
        own_as_folder(&file, folder);
        file.sync_all()?;
        place(&new, path)
    });
    if placed.is_err() {
        let _ = fs::remove_file(&new);
    }
    placed?;
    // So that it is there after a power cut: a node whose key is gone must be approved anew.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// Gives the file its name, unless another has it: who was first holds, because his key may have been told already.
fn place(new: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            // A file system without links.
            fs::rename(new, path)
        }
        _ => fs::remove_file(new),
    }
}

/// Gives a file to whom its folder belongs: root enrolls, and the agent has a user of its own. Who may not leaves it.
#[cfg(unix)]
fn own_as_folder(file: &File, folder: &Path) {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    if let Ok(folder) = fs::metadata(folder) {
        let _ = fchown(file, Some(folder.uid()), Some(folder.gid()));
    }
}

/// Elsewhere files belong to whom their folder does.
#[cfg(not(unix))]
fn own_as_folder(_: &File, _: &Path) {}

#[cfg(all(test, unix))]
mod tests {
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
    fn all_who_begin_at_once_have_one_key() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("agent.key");
            let begin = std::sync::Barrier::new(8);
            let keys: Vec<_> = std::thread::scope(|scope| {
                let one = || {
                    begin.wait();
                    Key::load_or_make(&path, "ccd01").unwrap().fingerprint()
                };
                let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
                all.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let of_file = Key::load(&path).unwrap().fingerprint();
            assert!(keys.iter().all(|key| *key == of_file), "{keys:?} and {of_file}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        }
    }

    #[test]
    fn a_file_that_cannot_be_used_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.key");
        Key::load_or_make(&path, "ccd01").unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let half = &whole[..whole.find("-----BEGIN CERTIFICATE").unwrap()];
        for (text, mode, expected) in [
            (whole.as_str(), 0o640, "may be read by others"),
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
