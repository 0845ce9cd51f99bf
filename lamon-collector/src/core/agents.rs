//! Which agents are connected: who comes, who goes, and who takes another's place.

use std::time::Duration;

use lamon_keys::Fingerprint;
use lamon_store::registers::NodeRecord;
use lamon_wire::frames::Settings;
use lamon_wire::names::NodeName;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::keys::Speaks;
use super::{Admitted, Core, Greeting, event};
use crate::sample::{Now, Sample};
use crate::watch::EventKind;

/// How often it is told of a node that a connection of it took the place of another. Two computers with one key do that to each other
/// each second, for ever.
const REPLACED_AGAIN: Duration = Duration::from_secs(600);

/// The connection of a node's agent.
pub(super) struct Connection {
    /// Which, as [`Admitted::connection`] said.
    number: u64,
    /// The key that it came with.
    pub(super) key: Option<Fingerprint>,
    /// When it was last told that a connection of this node took another's place.
    replaced_told: Option<Instant>,
    /// Ends it when another takes its place.
    pub(super) replaced: CancellationToken,
    /// How the node is to be watched.
    pub(super) settings: watch::Sender<Settings>,
}

impl Core {
    /// Answers an agent's hello.
    pub(super) fn greet(&mut self, greeting: Greeting) {
        let Greeting { hello, peer, join, replaced, reply } = greeting;
        let node = hello.node;
        let speaks = Speaks::Agent { os: &hello.os, boot: hello.boot_id, join: join.as_deref() };
        if let Err(why) = self.may_speak(&node, &peer, speaks) {
            let _ = reply.send(Err(why));
            return;
        }
        let (peer, key) = (peer.address, peer.key);
        let interval = Duration::from_millis(hello.interval_ms.into()).max(Sample::SHORTEST_INTERVAL);
        match self.watch.handle_hello(Now::read(), &node, Some(interval)) {
            Ok(updates) => self.show(&updates),
            Err(error) => {
                let text = format!("{node} at {peer} refused: {error}");
                self.show_of_peer(event(Some(node), EventKind::Refused, text));
                let _ = reply.send(Err(error.to_string()));
                return;
            }
        }
        let updates = self.watch.handle_boot(&node, hello.boot_id);
        self.show(&updates);
        self.connections += 1;
        let (settings, receiver) = watch::channel(self.config.settings_for(&node));
        let told = self.agents.get(&node).map(|before| before.replaced_told);
        let told_at = told.flatten().filter(|at| at.elapsed() < REPLACED_AGAIN);
        let replaced_told = told_at.or(told.map(|_| Instant::now()));
        let connection = Connection { number: self.connections, key, replaced_told, replaced, settings };
        let admitted = Admitted { connection: connection.number, settings: receiver };
        if self.peer_limit.admit(Now::read().monotonic).is_some() {
            info!(%node, %peer, os = hello.os, version = hello.agent_version, "agent connected");
        }
        let now_ms = Now::read().unix_ms;
        // The next hello tells it again, should there be no room.
        let _ = self.hellos.try_send(NodeRecord {
            node: node.to_string(),
            first_heard_ms: now_ms,
            last_heard_ms: now_ms,
            os: Some(hello.os),
            agent_version: Some(hello.agent_version),
        });
        // A half-open connection must not lock its node out: the newer takes its place.
        if let Some(before) = self.agents.insert(node.clone(), connection) {
            before.replaced.cancel();
            if told_at.is_none() {
                let text = format!("a second connection of {node}, from {peer}, took the place of the first");
                self.show_of_peer(event(Some(node), EventKind::Replaced, text));
            }
        }
        self.health.agents = self.agents.len();
        let _ = reply.send(Ok(admitted));
    }

    /// A connection of an agent ended.
    pub(super) fn see_off(&mut self, node: &NodeName, connection: u64) {
        if self.agents.get(node).is_some_and(|agent| agent.number == connection) {
            self.agents.remove(node);
            self.health.agents = self.agents.len();
            if self.peer_limit.admit(Now::read().monotonic).is_some() {
                info!(%node, "agent disconnected");
            }
        }
    }
}
