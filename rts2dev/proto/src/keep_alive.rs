//! When to ask a silent peer whether it lives, and when to give it up (RTS2 lib/rts2/connection.cpp, `idle`).

use std::time::{Duration, Instant};

/// Silence after which `T ready` is sent.
pub const READY_AFTER: Duration = Duration::from_secs(300);
/// Pause between two such questions.
pub const READY_AGAIN_AFTER: Duration = Duration::from_secs(75);
/// Silence after which the connection is closed.
pub const CLOSE_AFTER: Duration = Duration::from_secs(600);

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum KeepAliveAction {
    /// Nothing yet; look again at [`KeepAlive::next_timeout`].
    Wait,
    /// Send `T ready`.
    AskReady,
    /// The peer was silent for [`CLOSE_AFTER`]: close.
    Close,
}

/// Watches one connection.
#[derive(Clone, Debug)]
pub struct KeepAlive {
    heard: Instant,
    asked: Option<Instant>,
}

impl KeepAlive {
    /// Begins to watch.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { heard: now, asked: None }
    }

    /// Something came from the peer.
    pub fn handle_heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) -> KeepAliveAction {
        if now >= self.heard + CLOSE_AFTER {
            KeepAliveAction::Close
        } else if now >= self.next_timeout() {
            self.asked = Some(now);
            KeepAliveAction::AskReady
        } else {
            KeepAliveAction::Wait
        }
    }

    /// When [`KeepAlive::handle_timeout`] will have something to do, if nothing is heard before.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        let ask = self.asked.map_or(self.heard + READY_AFTER, |asked| asked + READY_AGAIN_AFTER);
        ask.min(self.heard + CLOSE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one clock of these tests: some instant, which only the test moves.
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn asks_then_closes() {
        let start = start();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = KeepAlive::new(start);
        assert_eq!(watch.handle_timeout(at(299)), KeepAliveAction::Wait);
        assert_eq!(watch.next_timeout(), at(300));
        assert_eq!(watch.handle_timeout(at(300)), KeepAliveAction::AskReady);
        assert_eq!(watch.handle_timeout(at(301)), KeepAliveAction::Wait);
        assert_eq!(watch.next_timeout(), at(375));
        assert_eq!(watch.handle_timeout(at(375)), KeepAliveAction::AskReady);
        assert_eq!(watch.handle_timeout(at(600)), KeepAliveAction::Close);
    }

    #[test]
    fn an_answer_starts_it_again() {
        let start = start();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = KeepAlive::new(start);
        assert_eq!(watch.handle_timeout(at(300)), KeepAliveAction::AskReady);
        watch.handle_heard(at(301));
        assert_eq!(watch.next_timeout(), at(601));
        assert_eq!(watch.handle_timeout(at(600)), KeepAliveAction::Wait);
    }
}
