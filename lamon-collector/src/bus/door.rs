//! Who may follow the bus, where keys are listed: the ZAP handler (RFC 27/ZAP) of the bus's own context.
//!
//! ZeroMQ asks it about each connection, and holds the connection until it is answered; the bus's thread does so between messages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Instant;

use lamon_curve::PublicKey;
use lamon_daemon::limit::LogLimit;
use tracing::{info, warn};

/// What ZeroMQ calls the hub's sockets when it asks.
pub(super) const DOMAIN: &str = "lamon";

/// Where it asks.
const ENDPOINT: &str = "inproc://zeromq.zap.01";

/// The version of the questions.
const VERSION: &[u8] = b"1.0";

/// Lets in who has a listed key.
pub(super) struct Door {
    questions: zmq::Socket,
    /// Names by keys.
    clients: BTreeMap<PublicKey, String>,
    /// Lines about those who come and go.
    news: LogLimit,
    /// Lines about strangers.
    strangers: LogLimit,
}

impl Door {
    /// Waits for questions; before the sockets are bound that it is asked about.
    pub(super) fn new(context: &zmq::Context, clients: &BTreeMap<String, PublicKey>) -> zmq::Result<Self> {
        let questions = context.socket(zmq::REP)?;
        questions.set_linger(0)?;
        questions.bind(ENDPOINT)?;
        let clients = clients.iter().map(|(name, key)| (*key, name.clone())).collect();
        Ok(Self { questions, clients, news: LogLimit::default(), strangers: LogLimit::default() })
    }

    pub(super) fn as_poll_item(&self) -> zmq::PollItem<'_> {
        self.questions.as_poll_item(zmq::POLLIN)
    }

    /// Answers one question.
    pub(super) fn answer_one(&mut self) {
        let Ok(question) = self.questions.recv_multipart(zmq::DONTWAIT) else { return };
        let id = question.get(1).cloned().unwrap_or_default();
        let (code, why, name) = match self.known(&question) {
            Ok(name) => ("200", "OK", name.to_owned()),
            Err(why) => ("400", why, String::new()),
        };
        let answer = [VERSION, &id, code.as_bytes(), why.as_bytes(), name.as_bytes(), b""];
        // ZeroMQ itself asked, and takes its answer.
        let _ = self.questions.send_multipart(answer, zmq::DONTWAIT);
    }

    fn known(&mut self, question: &[Vec<u8>]) -> Result<&str, &'static str> {
        let (key, address) = asked_about(question)?;
        match self.clients.get(&key) {
            Some(name) => {
                if self.news.admit(Instant::now()).is_some() {
                    info!(name, %address, "a follower of the bus comes in");
                }
                Ok(name)
            }
            None => {
                if let Some(held_back) = self.strangers.admit(Instant::now()) {
                    warn!(%key, %address, held_back, "somebody may not follow the bus: [bus.clients] does not list this key");
                }
                Err("this key is not listed")
            }
        }
    }
}

/// Whom a question of ZAP is about: the key that a peer proved to have, and from where it comes.
///
/// # Errors
///
/// The word for who is refused, when it has no key or speaks another mechanism.
pub fn asked_about(question: &[Vec<u8>]) -> Result<(PublicKey, Cow<'_, str>), &'static str> {
    let [version, _, domain, address, _, mechanism, key, ..] = question else {
        return Err("no question");
    };
    if version != VERSION || domain != DOMAIN.as_bytes() || mechanism != b"CURVE" {
        return Err("CURVE alone is spoken here");
    }
    let key = PublicKey::of_bytes(key).ok_or("no key")?;
    Ok((key, String::from_utf8_lossy(address)))
}
