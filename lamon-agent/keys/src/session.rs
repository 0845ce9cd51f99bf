//! TLS 1.3 sessions in which each side knows the other by its key.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, CommonState, DigitallySignedStruct, DistinguishedName, Error,
    ServerConfig, SignatureScheme, client,
};
use thiserror::Error;

use crate::{Fingerprint, Key};

/// A key with which no session can be set up.
#[derive(Debug, Error)]
#[error("the key cannot be used for TLS: {0}")]
pub struct SessionError(#[from] Error);

/// Whom a client believes to be its hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Believed {
    /// Who has one of these keys.
    Keys(Vec<Fingerprint>),
    /// Anybody: to find out which key a hub has, before somebody says that it is the right one.
    Anybody,
}

/// What an agent needs for its sessions: it shows its key, and believes a hub by the hub's.
///
/// # Errors
///
/// [`SessionError`] when the key's form is unknown.
pub fn client(key: &Key, believed: Believed) -> Result<Arc<ClientConfig>, SessionError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Verifier { believed, provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![key.certificate.clone()], private(key))?;
    // Connections live for weeks: a handshake saved is not worth the memory.
    config.resumption = client::Resumption::disabled();
    // A hub is known by its key, and by no name; it may have none.
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// What a hub needs for its sessions. A peer may show a key, and proves that it has it; who that is the hub must decide
/// by [`key_of`]. A peer that shows none is anybody.
///
/// # Errors
///
/// [`SessionError`] when the key's form is unknown.
pub fn server(key: &Key) -> Result<Arc<ServerConfig>, SessionError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Verifier { believed: Believed::Anybody, provider: Arc::clone(&provider) });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![key.certificate.clone()], private(key))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn private(key: &Key) -> PrivateKeyDer<'static> {
    key.private.clone_key()
}

/// The key that the peer of a session proved to have, when the handshake is over.
#[must_use]
pub fn key_of(session: &CommonState) -> Option<Fingerprint> {
    session.peer_certificates()?.first().and_then(Fingerprint::of)
}

/// Believes keys, not authorities: names and dates are not looked at, signatures of the handshake are.
#[derive(Debug)]
struct Verifier {
    believed: Believed,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn believe(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let key =
            Fingerprint::of(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        match &self.believed {
            Believed::Keys(keys) if !keys.contains(&key) => {
                Err(Error::General(format!("it has the key {key}")))
            }
            Believed::Keys(_) | Believed::Anybody => Ok(()),
        }
    }

    fn signed(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn old() -> Error {
        Error::General("TLS 1.2 is not spoken here".into())
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.believe(certificate).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.believe(certificate).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
