//! Encryption of a session with a MySQL server: TLS by rustls, the server's certificate always checked.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use mysql_async::SslOpts;
use rustls::crypto::{CryptoProvider, ring};

/// Longest file of certificates; a system's whole collection has a quarter of it.
const MAX_CA_BYTES: u64 = 1 << 20;

/// Whether sessions with a MySQL server are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Always, except with this computer's own loopback addresses when no authority is given.
    #[default]
    Auto,
    /// Always.
    Require,
    /// Never: who listens on the network sees the samples, and can take over the session.
    Off,
}

/// How sessions are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: TlsMode,
    /// The authorities that may sign the server's certificate; those of the web when not given.
    pub(super) ca: Option<PathBuf>,
}

impl Tls {
    /// What the driver has to be told for this host; none for a session in the clear. The file is read at each connect, so
    /// that a renewed one is taken up.
    ///
    /// # Errors
    ///
    /// A sentence, when the file cannot be used.
    pub(super) fn options(&self, host: &str) -> Result<Option<SslOpts>, String> {
        let wanted = match self.mode {
            TlsMode::Require => true,
            TlsMode::Off => false,
            TlsMode::Auto => self.ca.is_some() || !is_loopback(host),
        };
        if !wanted {
            return Ok(None);
        }
        // Else rustls does not know which to take as soon as another part of the program brings a second one.
        if CryptoProvider::get_default().is_none() {
            // Somebody else was faster: then that one is taken.
            let _ = ring::default_provider().install_default();
        }
        let options = SslOpts::default();
        let Some(path) = &self.ca else { return Ok(Some(options)) };
        let certificates = read(path)?;
        Ok(Some(options.with_disable_built_in_roots(true).with_root_certs(vec![certificates.into()])))
    }
}

/// Whether a host is this computer, by an address that no other can have.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Reads a file of certificates.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |what: &str| format!("the file of certificates {} {what}", path.display());
    let size = std::fs::metadata(path).map_err(|error| failed(&format!("cannot be read: {error}")))?.len();
    if size > MAX_CA_BYTES {
        return Err(failed("is too long to be one"));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(&format!("cannot be read: {error}")))?;
    if !bytes.windows(CERTIFICATE.len()).any(|window| window == CERTIFICATE) {
        return Err(failed("has no certificate in PEM form"));
    }
    Ok(bytes)
}

/// How a certificate begins.
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// What to say of a session that could not be encrypted, by the cause; none for another cause.
pub(super) fn fault(error: &mysql_async::Error) -> Option<String> {
    use mysql_async::{DriverError, Error, IoError, TlsError};
    let tls: &rustls::Error = match error {
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            return Some(
                "it offers no TLS: set up its certificate, or write tls = \"off\" in [database] where the network \
                 between is trusted"
                    .into(),
            );
        }
        Error::Io(IoError::Tls(TlsError::Tls(error))) => error,
        Error::Io(IoError::Io(error)) => error.get_ref()?.downcast_ref()?,
        _ => return None,
    };
    Some(match tls {
        rustls::Error::InvalidCertificate(_) => format!(
            "its certificate is not to be trusted ({tls}): `ca` in [database] names the file of who signed it, and it is \
             for the host's name or address in the url"
        ),
        _ => format!("no encrypted session: {tls}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_encrypted_unless_they_stay_on_this_computer() {
        let wanted = |mode, host| Tls { mode, ca: None }.options(host).unwrap().is_some();
        for host in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", "LocalHost"] {
            assert!(!wanted(TlsMode::Auto, host) && wanted(TlsMode::Require, host), "{host}");
        }
        for host in ["db", "10.0.0.1", "2001:db8::1", "localhost.example.org", "128.0.0.1"] {
            assert!(wanted(TlsMode::Auto, host) && !wanted(TlsMode::Off, host), "{host}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let options = |mode| Tls { mode, ca: Some(path.clone()) }.options("127.0.0.1");
        assert!(options(TlsMode::Auto).unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "a letter").unwrap();
        let error = options(TlsMode::Require).unwrap_err();
        assert!(error.contains("ca.pem has no certificate"), "{error}");
        std::fs::write(&path, CERTIFICATE).unwrap();
        assert!(options(TlsMode::Auto).unwrap().is_some(), "an authority is given to be used");
        assert!(options(TlsMode::Off).unwrap().is_none());
    }
}
