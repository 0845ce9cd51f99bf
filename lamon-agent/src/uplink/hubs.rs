//! The list of hubs: which one is tried, by which key it is believed, and what lets this node in there.

use std::future::Future;
use std::io;
use std::pin::Pin;

use lamon_keys::{Fingerprint, JoinToken};
use lamon_wire::names::NodeName;

use crate::config::{Config, HubAddress};
use crate::connection::Connection;
use crate::trust::{self, KnownHub, Trust, TrustError};

/// A connection that is being made.
pub(super) type Connecting = Pin<Box<dyn Future<Output = io::Result<Connection>>>>;

/// The hubs, one of which is tried or used.
#[derive(Default)]
pub(super) struct Hubs {
    /// In the order in which they are tried.
    list: Vec<HubAddress>,
    /// Which hub of the list is tried or used.
    position: usize,
    /// What lets this node in, where it is not known yet; told to the hub that made it, and so in TLS alone.
    join: Option<JoinToken>,
    /// A hub's key was known in this life: from then on nothing is said in plain.
    knows_keys: bool,
}

impl Hubs {
    /// The hub that is tried or used.
    pub(super) fn current(&self) -> Option<&HubAddress> {
        self.list.get(self.position)
    }

    /// Its place in the list, from 0.
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Goes on to the next hub. `false` when there is none.
    pub(super) fn next(&mut self) -> bool {
        self.position += 1;
        self.position < self.list.len()
    }

    /// Goes back to the first hub.
    pub(super) const fn first(&mut self) {
        self.position = 0;
    }

    /// Begins a connection to the current hub; `None` when there is no hub.
    pub(super) fn connect(&mut self, config: &Config, node: &NodeName) -> Option<Connecting> {
        if self.position == 0 {
            // Read again each time: an agent that is enrolled while it runs need not be restarted.
            self.list = config.hubs_now();
        }
        let hub = self.current()?.clone();
        tracing::debug!("connecting to {hub}");
        let trust = match Trust::load(config, node, &hub) {
            Ok(None) if self.knows_keys => {
                Err(TrustError::Gone { hubs: config.known_hubs(), marker: config.enrolled() })
            }
            trust => trust,
        };
        self.knows_keys |= matches!(trust, Ok(Some(_)));
        self.join = trust.as_ref().ok().and_then(|trust| trust.as_ref()?.join.clone());
        let tls = trust.map(|trust| trust.map(|trust| trust.tls));
        Some(Box::pin(async move {
            let tls = tls.map_err(io::Error::other)?;
            Connection::connect(&hub, tls).await
        }))
    }

    /// The secret that lets this node in at the hub with this key.
    pub(super) fn join_secret(&self, hub_key: Option<Fingerprint>) -> Option<String> {
        let of_hub = |token: &&JoinToken| hub_key == Some(token.hub());
        self.join.as_ref().filter(of_hub).map(|token| token.secret().to_owned())
    }

    /// A token did its work at this hub: from now on the hub is known as if the node had been enrolled, so that the token can be
    /// removed.
    pub(super) fn learn_joined(&self, config: &Config, hub_key: Option<Fingerprint>) {
        let joined = self.join.as_ref().map(JoinToken::hub).filter(|of_token| hub_key == Some(*of_token));
        let (Some(key), Some(address)) = (joined, self.current().cloned()) else { return };
        let (known, hub) = (config.known_hubs(), KnownHub { address, key });
        let learned = match trust::known(&known) {
            Ok(hubs) if hubs.contains(&hub) => return,
            Ok(_) => trust::learn(&known, &config.enrolled(), &hub),
            Err(error) => Err(error),
        };
        match learned {
            Ok(()) => tracing::info!(
                "{} is known by its key from now on: the join token can be removed",
                hub.address
            ),
            Err(error) => tracing::warn!("leave the join token where it is: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::TcpListener;

    use super::*;

    /// Also when all that could tell of it is lost while the agent runs.
    #[tokio::test]
    async fn who_knew_a_hubs_key_speaks_plain_no_more_in_this_life() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address: HubAddress = listener.local_addr().unwrap().to_string().parse().unwrap();
        let config = Config {
            key: folder.path().join("agent.key"),
            hubs: Some(vec![address.clone()]),
            ..Config::default()
        };
        let node = NodeName::new("ccd01").unwrap();
        let key = trust::own_key(&folder.path().join("hub.key"), &node).unwrap().fingerprint();
        let mut hubs = Hubs::default();
        assert!(hubs.connect(&config, &node).unwrap().await.is_ok(), "in plain, while no key is known");
        trust::learn(&config.known_hubs(), &config.enrolled(), &KnownHub { address, key }).unwrap();
        drop(hubs.connect(&config, &node).unwrap());
        for lost in [config.known_hubs(), config.enrolled()] {
            fs::remove_file(lost).unwrap();
            let why = hubs.connect(&config, &node).unwrap().await.err().unwrap().to_string();
            assert!(why.contains("is gone or empty, and with it the hubs' keys"), "{why}");
        }
        assert!(
            Hubs::default().connect(&config, &node).unwrap().await.is_ok(),
            "that is what somebody wants"
        );
    }

    #[test]
    fn a_token_makes_the_hub_known_that_made_it_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { key: folder.path().join("agent.key"), ..Config::default() };
        let node = NodeName::new("ccd01").unwrap();
        let key = |file: &str| trust::own_key(&folder.path().join(file), &node).unwrap().fingerprint();
        let (first, second) = (key("first.key"), key("second.key"));
        let token = JoinToken::make(second).unwrap();
        let address: HubAddress = "a:7617".parse().unwrap();
        let hubs = Hubs { list: vec![address.clone()], join: Some(token.clone()), ..Hubs::default() };
        for stranger in [None, Some(first)] {
            assert_eq!(hubs.join_secret(stranger), None);
            hubs.learn_joined(&config, stranger);
            assert_eq!(trust::known(&config.known_hubs()).unwrap(), []);
        }
        assert_eq!(hubs.join_secret(Some(second)).as_deref(), Some(token.secret()));
        hubs.learn_joined(&config, Some(second));
        assert_eq!(trust::known(&config.known_hubs()).unwrap(), [KnownHub { address, key: second }]);
    }
}
