//! What the core wants done.

use rts2_proto::Line;

use super::peer::PeerId;

/// One thing to do, in the order in which they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send these lines to that peer.
    Send { to: PeerId, lines: Vec<u8> },
    /// Send these lines to every peer, strangers too.
    SendAll { lines: Vec<u8> },
    /// Close that peer's connection; [`super::core::Core::disconnected`] follows when it is closed.
    Close { peer: PeerId },
    /// Tell a person.
    Say(String),
}

/// What a call of the core gathered.
#[derive(Debug, Default)]
pub(super) struct Actions(pub(super) Vec<Action>);

impl Actions {
    pub(super) fn send(&mut self, to: PeerId, line: &Line<'_>) {
        self.send_lines(to, line.to_bytes());
    }

    pub(super) fn send_lines(&mut self, to: PeerId, lines: Vec<u8>) {
        self.0.push(Action::Send { to, lines });
    }

    pub(super) fn send_all(&mut self, line: &Line<'_>) {
        self.0.push(Action::SendAll { lines: line.to_bytes() });
    }

    pub(super) fn send_all_lines(&mut self, lines: Vec<u8>) {
        self.0.push(Action::SendAll { lines });
    }

    pub(super) fn close(&mut self, peer: PeerId) {
        self.0.push(Action::Close { peer });
    }

    pub(super) fn say(&mut self, line: impl Into<String>) {
        self.0.push(Action::Say(line.into()));
    }
}
