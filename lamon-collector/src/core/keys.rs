//! Who may speak for which node, and what operators do with keys.

use lamon_control::answer::{Answer, Did};
use lamon_control::key;
use lamon_control::{Operation, Refusal, Why};
use lamon_wire::names::NodeName;

use super::{Connection, Core, event};
use crate::control::Replied;
use crate::intake::Peer;
use crate::keys::{Asks, KeyError, Told, Verdict};
use crate::sample::Now;
use crate::watch::{Event, EventKind, Update};

/// How somebody wants to speak for a node.
#[derive(Debug, Clone, Copy)]
pub(super) enum Speaks<'a> {
    /// By a line of text.
    Text,
    /// As its agent.
    Agent {
        /// The operating system, in its own words.
        os: &'a str,
        /// The boot of its computer.
        boot: [u8; 16],
        /// The secret that it brought.
        join: Option<&'a str>,
    },
}

impl From<KeyError> for Refusal {
    fn from(error: KeyError) -> Self {
        let why = match error {
            KeyError::Operate(error) => return error.into(),
            KeyError::Node(_) | KeyError::Join => Why::BadRequest,
            KeyError::NobodyWaits(..) | KeyError::UnknownKey(_) | KeyError::UnknownSecret(_) => Why::NotFound,
            KeyError::Several(..) | KeyError::OfAnother(_) | KeyError::TooMany(_) => Why::NotPossible,
        };
        Self::new(why, error.to_string())
    }
}

impl Core {
    /// Whether a peer may speak for a node; the sentence for it when not.
    pub(super) fn may_speak(
        &mut self,
        node: &NodeName,
        peer: &Peer,
        speaks: Speaks<'_>,
    ) -> Result<(), String> {
        let (os, boot, join) = match speaks {
            Speaks::Text => ("text", None, None),
            Speaks::Agent { os, boot, join } => (os, Some(boot), join),
        };
        let asks = Asks {
            node,
            group: self.config.groups.of(node),
            key: peer.key,
            plain_taken: peer.plain_taken,
            secret: join,
            from: peer.address.ip().to_canonical(),
            os,
            boot,
        };
        let Verdict { answer, told } = self.keys.admit(Now::read(), &asks);
        if let Some(told) = told {
            self.look_who_waits();
            self.show_of_key(update(told));
        }
        self.keep_if_changed();
        answer
    }

    /// Has the faces show who waits to be approved.
    pub(super) fn look_who_waits(&mut self) {
        let waiting = self.keys.waiting(Now::read());
        self.health.waiting = waiting.into_iter().map(|entry| entry.node).collect();
        self.health.waiting.dedup();
    }

    /// Everything about keys.
    pub(super) fn keys_answer(&mut self) -> Answer {
        Answer::Keys(Box::new(key::Keys {
            hub: self.own_key.as_ref().ok().map(ToString::to_string),
            waiting: self.keys.waiting(Now::read()),
            approved: self.keys.approved(),
            revoked: self.keys.revoked().to_vec(),
            secrets: self.keys.secrets(),
        }))
    }

    /// Carries out what an operator wants of keys; `None` when it is about something else.
    pub(super) fn change_keys(
        &mut self,
        operation: &Operation,
        who: &str,
    ) -> Option<Result<Replied, KeyError>> {
        let now = Now::read();
        let told = match operation {
            Operation::Approve { node, key } => self.keys.approve(now, node, key.as_deref(), who),
            Operation::Revoke { target, reason } => self.keys.revoke(now, target, reason, who),
            Operation::Join { nodes, uses, seconds } => {
                return Some(self.make_join((nodes, *uses, *seconds), who));
            }
            Operation::EndJoin { id } => return Some(self.end_join(*id, who)),
            _ => return None,
        };
        Some(told.map(|told| {
            self.cut_who_may_not_speak(&told.node);
            self.look_who_waits();
            let did = Did { text: told.text.clone(), id: None };
            self.changed(&[update(told)], did)
        }))
    }

    fn make_join(&mut self, wanted: (&str, u32, u64), who: &str) -> Result<Replied, KeyError> {
        let hub = match &self.own_key {
            Ok(key) => *key,
            Err(why) => return Ok(Replied::Now(Err(Refusal::new(Why::NotPossible, why.clone())))),
        };
        let (id, token, text) = self.keys.make_join(Now::read(), hub, wanted, who)?;
        // The token is for who asked; everybody reads events.
        Ok(self.changed(&[event(None, EventKind::Join, text)], Did { text: token.to_string(), id: Some(id) }))
    }

    fn end_join(&mut self, id: u32, who: &str) -> Result<Replied, KeyError> {
        let text = self.keys.end_join(id, who)?;
        Ok(self.changed(&[event(None, EventKind::Join, text.clone())], Did { text, id: None }))
    }

    /// Ends a node's connection if it has another key than the node has now, or none where there is one: it says hello anew. That
    /// of who speaks by the right key stands, whatever became of other keys that asked for its name.
    pub(super) fn cut_who_may_not_speak(&mut self, node: &NodeName) {
        let may_not = |connection: &&Connection| !self.keys.is_of(node, connection.key);
        if let Some(connection) = self.agents.get(node).filter(may_not) {
            connection.replaced.cancel();
            self.agents.remove(node);
            self.health.agents = self.agents.len();
        }
    }
}

fn update(Told { kind, node, text }: Told) -> Update {
    Update::Event(Event::new(Some(node), kind, text))
}
