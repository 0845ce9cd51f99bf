//! Two sides shake hands, in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as the tests do")]

use std::sync::Arc;

use lamon_keys::{Believed, Fingerprint, Key, client, key_of, server};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection};
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

/// Whoever copies a certificate off the wire does not have its key.
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

#[test]
fn a_peer_without_a_key_is_anybody() {
    let folder = TempDir::new().unwrap();
    let hub = key(&folder, "hub");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let pem = std::fs::read(folder.path().join("hub")).unwrap();
    let certificate = rustls::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // An ordinary TLS program that was given the hub's certificate can speak to it.
    let (of_hub, of_client) = shake(Arc::new(config), server(&hub).unwrap()).unwrap();
    assert_eq!((of_hub, of_client), (Some(hub.fingerprint()), None));
}
