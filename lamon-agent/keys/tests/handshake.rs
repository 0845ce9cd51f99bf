//! Two sides shake hands, in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests do")]

use std::sync::Arc;

use lamon_keys::{Believed, Fingerprint, Key, client, key_of, server};
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::{default_provider, sign::any_ecdsa_type};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme,
};
use tempfile::TempDir;

fn key(folder: &TempDir, name: &str) -> Key {
    Key::load_or_make(&folder.path().join(name), name).unwrap()
}

/// What each side knows of the other in the end; the first mistake that either finds.
fn shake(
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
) -> Result<(Option<Fingerprint>, Option<Fingerprint>), Error> {
    let name = ServerName::try_from("hub").unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    for _ in 0..10 {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets()?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok((key_of(&client), key_of(&server)));
        }
    }
    panic!("no end of the handshake");
}

#[test]
fn each_knows_the_others_key() {
    let folder = TempDir::new().unwrap();
    let (hub, agent, other) = (key(&folder, "hub"), key(&folder, "agent"), key(&folder, "other"));
    let (of_hub, of_agent) = (Some(hub.fingerprint()), Some(agent.fingerprint()));
    for believed in [
        Believed::Anybody,
        Believed::Keys(vec![hub.fingerprint()]),
        Believed::Keys(vec![other.fingerprint(), hub.fingerprint()]),
    ] {
        let known = shake(client(&agent, believed).unwrap(), server(&hub).unwrap()).unwrap();
        assert_eq!(known, (of_hub, of_agent));
    }
}

#[test]
fn another_hub_is_not_believed_and_its_key_is_named() {
    let folder = TempDir::new().unwrap();
    let (hub, agent, other) = (key(&folder, "hub"), key(&folder, "agent"), key(&folder, "other"));
    for believed in [vec![], vec![other.fingerprint()]] {
        let believed = Believed::Keys(believed);
        let error = shake(client(&agent, believed).unwrap(), server(&hub).unwrap()).unwrap_err();
        assert!(error.to_string().contains(&format!("it has the key {}", hub.fingerprint())), "{error}");
    }
}

/// Whoever copies a certificate off the wire does not have its key, and no program of ours offers it.
#[test]
fn a_certificate_without_its_key_is_no_identity() {
    let folder = TempDir::new().unwrap();
    let agent = key(&folder, "agent").fingerprint();
    key(&folder, "thief");
    let pem = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        let at = text.find("-----BEGIN CERTIFICATE").unwrap();
        (text[..at].to_owned(), text[at..].to_owned())
    };
    let path = folder.path().join("thief");
    std::fs::write(&path, pem("thief").0 + &pem("agent").1).unwrap();
    let thief = Key::load(&path).unwrap();
    assert_eq!(thief.fingerprint(), agent);
    assert!(client(&thief, Believed::Anybody).is_err());
}

/// Shows a certificate that is somebody else's, and signs with a key of its own.
#[derive(Debug)]
struct Thief(Arc<CertifiedKey>);

impl Thief {
    fn of(folder: &TempDir, whose: &str) -> Arc<Self> {
        let own = folder.path().join("thief");
        Key::load_or_make(&own, "thief").unwrap();
        let own = any_ecdsa_type(&PrivateKeyDer::from_pem_file(own).unwrap()).unwrap();
        Arc::new(Self(Arc::new(CertifiedKey::new(vec![certificate(folder, whose)], own))))
    }
}

impl ResolvesClientCert for Thief {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Thief {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn certificate(folder: &TempDir, whose: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.path().join(whose)).unwrap()
}

/// An ordinary TLS program that was given the hub's certificate.
fn ordinary(folder: &TempDir) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(folder, "hub")).unwrap();
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_root_certificates(roots)
}

/// Nor does it help a program that offers it all the same: what it signs is not signed by that key.
#[test]
fn who_shows_anothers_certificate_is_found_out_by_both_sides() {
    let folder = TempDir::new().unwrap();
    let (hub, agent) = (key(&folder, "hub"), key(&folder, "agent"));
    let found_out = Error::InvalidCertificate(CertificateError::BadSignature);
    let thief = ordinary(&folder).with_client_cert_resolver(Thief::of(&folder, "agent"));
    assert_eq!(shake(Arc::new(thief), server(&hub).unwrap()), Err(found_out.clone()));
    let thief = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Thief::of(&folder, "hub"));
    let believed = Believed::Keys(vec![hub.fingerprint()]);
    assert_eq!(shake(client(&agent, believed).unwrap(), Arc::new(thief)), Err(found_out));
}

#[test]
fn a_peer_without_a_key_is_anybody() {
    let folder = TempDir::new().unwrap();
    let hub = key(&folder, "hub");
    let config = ordinary(&folder).with_no_client_auth();
    // An ordinary TLS program that was given the hub's certificate can speak to it.
    let (of_hub, of_client) = shake(Arc::new(config), server(&hub).unwrap()).unwrap();
    assert_eq!((of_hub, of_client), (Some(hub.fingerprint()), None));
}
