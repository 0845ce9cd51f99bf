//! TLS: the certificate and its key, which may be exchanged while the program runs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use lamon_secret::Readers;
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The longest file, bytes: a certificate with all above it takes a hundredth.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// `[tls]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsConfig {
    /// The certificate, and those above it, as PEM.
    certificate: PathBuf,
    /// Its key, as PEM; nobody but its owner, and a group at most, may read it.
    key: PathBuf,
}

/// A certificate in use.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsConfig,
    // Held only to copy a pointer.
    current: RwLock<Arc<ServerConfig>>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A sentence with the file, when they cannot be used.
    pub(crate) fn load(files: &TlsConfig) -> Result<Self, String> {
        Ok(Self { files: files.clone(), current: RwLock::new(read(files)?) })
    }

    /// Reads the files again; connections that are open stay as they are.
    ///
    /// # Errors
    ///
    /// A sentence; then the certificate of before stays in use.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let new = read(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// For the next connection.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(files: &TlsConfig) -> Result<Arc<ServerConfig>, String> {
    let TlsConfig { certificate, key } = files;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&public(certificate)?).collect();
    let chain = chain.map_err(|error| format!("{}: no PEM: {error}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!("{}: there is no certificate in it", certificate.display()));
    }
    // systemd shows its credentials to a group.
    let secret = lamon_secret::read(key, MAX_FILE_BYTES, Readers::OwnerAndGroup);
    let secret = PrivateKeyDer::from_pem_slice(&secret.map_err(|error| error.to_string())?)
        .map_err(|error| format!("{}: there is no key in it: {error}", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| format!("{} and {}: {error}", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config.into())
}

/// What everybody may read.
fn public(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_that_cannot_be_used_are_named_and_the_certificate_of_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        let files =
            TlsConfig { certificate: folder.path().join("web.crt"), key: folder.path().join("web.key") };
        let failed = || Certificate::load(&files).unwrap_err();
        assert!(failed().contains("web.crt cannot be read: No such file"));
        let own = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (first, second) = (own("a.example.org"), own("b.example.org"));
        fs::write(&files.certificate, "nothing").unwrap();
        assert!(failed().contains("web.crt: there is no certificate"), "{}", failed());
        fs::write(&files.certificate, first.cert.pem()).unwrap();
        fs::write(&files.key, first.cert.pem()).unwrap();
        fs::set_permissions(&files.key, Permissions::from_mode(0o644)).unwrap();
        assert!(failed().contains("chmod 600"), "{}", failed());
        fs::set_permissions(&files.key, Permissions::from_mode(0o640)).unwrap();
        assert!(failed().contains("web.key: there is no key"), "{}", failed());
        fs::write(&files.key, second.signing_key.serialize_pem()).unwrap();
        assert!(failed().contains("web.crt and "), "the key is another's: {}", failed());
        fs::write(&files.key, first.signing_key.serialize_pem()).unwrap();
        let certificate = Certificate::load(&files).unwrap();
        let before = Arc::as_ptr(&certificate.current.read().unwrap());
        fs::write(&files.certificate, "").unwrap();
        assert!(certificate.reload().is_err());
        assert_eq!(Arc::as_ptr(&certificate.current.read().unwrap()), before);
        fs::write(&files.certificate, second.cert.pem()).unwrap();
        fs::write(&files.key, second.signing_key.serialize_pem()).unwrap();
        certificate.reload().unwrap();
        assert_ne!(Arc::as_ptr(&certificate.current.read().unwrap()), before);
    }
}
