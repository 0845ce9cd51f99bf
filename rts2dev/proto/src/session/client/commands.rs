//! Commands that a client sends: one is under way, the others wait, each has a deadline
//! (RTS2 lib/rts2/connection.cpp, `commandQue` and `runningCommand`).

use std::collections::VecDeque;
use std::time::Instant;

use crate::line::Line;
use crate::text::Rest;

/// Commands that may wait for one peer; more is a caller that does not wait for answers.
pub const MAX_WAITING_COMMANDS: usize = 64;

/// Names a command of a session, to tell its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(u64);

/// Too many commands wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING_COMMANDS} commands wait already")]
pub struct TooManyCommands;

#[derive(Clone, Debug)]
struct Waiting {
    id: CommandId,
    line: Vec<u8>,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    id: CommandId,
    /// Quirk `LateEnd`: `None` once it has passed; its end still belongs to it, but nobody waits for that.
    deadline: Option<Instant>,
}

/// The queue of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Commands {
    waiting: VecDeque<Waiting>,
    under_way: Option<UnderWay>,
    last: u64,
}

impl Commands {
    /// A queue whose first command is sent at once.
    pub(super) fn new(line: &Line<'_>, deadline: Instant, out: &mut Vec<u8>) -> (Self, CommandId) {
        line.write_to(out);
        let id = CommandId(0);
        let under_way = Some(UnderWay { id, deadline: Some(deadline) });
        (Self { waiting: VecDeque::new(), under_way, last: 0 }, id)
    }

    /// Sends a line that a person wrote.
    pub(super) fn send_text(
        &mut self,
        text: Rest<'_>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        let mut line = text.as_bytes().to_vec();
        line.push(b'\n');
        self.send(line, deadline, out)
    }

    /// Sends a line with its end, now or when those before it have ended.
    pub(super) fn send(
        &mut self,
        line: Vec<u8>,
        deadline: Instant,
        out: &mut Vec<u8>,
    ) -> Result<CommandId, TooManyCommands> {
        if self.waiting.len() >= MAX_WAITING_COMMANDS {
            return Err(TooManyCommands);
        }
        self.last += 1;
        let id = CommandId(self.last);
        self.waiting.push_back(Waiting { id, line, deadline });
        self.send_next(out);
        Ok(id)
    }

    /// An end line came. Says whose it was, when somebody still waits for it. Quirk `StrayEnd`: one that belongs to no
    /// command is dropped.
    pub(super) fn handle_end(&mut self, out: &mut Vec<u8>) -> Option<CommandId> {
        let ended = self.under_way.take();
        self.send_next(out);
        ended.filter(|ended| ended.deadline.is_some()).map(|ended| ended.id)
    }

    /// One command whose deadline has passed; call it until it gives none.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<CommandId> {
        if let Some(under_way) = &mut self.under_way
            && under_way.deadline.is_some_and(|deadline| deadline <= now)
        {
            under_way.deadline = None;
            return Some(under_way.id);
        }
        let late = self.waiting.iter().position(|waiting| waiting.deadline <= now)?;
        self.waiting.remove(late).map(|waiting| waiting.id)
    }

    /// The next deadline.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let under_way = self.under_way.and_then(|under_way| under_way.deadline);
        self.waiting.iter().map(|waiting| waiting.deadline).chain(under_way).min()
    }

    fn send_next(&mut self, out: &mut Vec<u8>) {
        if self.under_way.is_some() {
            return;
        }
        if let Some(next) = self.waiting.pop_front() {
            out.extend_from_slice(&next.line);
            self.under_way = Some(UnderWay { id: next.id, deadline: Some(next.deadline) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "a test needs some instant to start from")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn one_at_a_time_in_order() {
        let now = start();
        let (mut commands, mut out) = (Commands::default(), Vec::new());
        let a = commands.send(b"a\n".to_vec(), now, &mut out).unwrap();
        let b = commands.send(b"b\n".to_vec(), now, &mut out).unwrap();
        assert_eq!(out, b"a\n");
        assert_eq!(commands.handle_end(&mut out), Some(a));
        assert_eq!(out, b"a\nb\n");
        assert_eq!(commands.handle_end(&mut out), Some(b));
        assert_eq!(commands.handle_end(&mut out), None);
    }

    #[test]
    fn a_late_end_ends_nothing_else() {
        let now = start();
        let at = |seconds| now + Duration::from_secs(seconds);
        let (mut commands, mut out) = (Commands::default(), Vec::new());
        let slow = commands.send(b"slow\n".to_vec(), at(5), &mut out).unwrap();
        let hasty = commands.send(b"hasty\n".to_vec(), at(4), &mut out).unwrap();
        let patient = commands.send(b"patient\n".to_vec(), at(9), &mut out).unwrap();
        assert_eq!(commands.next_timeout(), Some(at(4)));
        assert_eq!(commands.handle_timeout(at(3)), None);
        assert_eq!(commands.handle_timeout(at(5)), Some(slow));
        assert_eq!(commands.handle_timeout(at(5)), Some(hasty));
        assert_eq!(commands.handle_timeout(at(5)), None);
        assert_eq!(commands.next_timeout(), Some(at(9)));
        // The end of `slow`, at last.
        assert_eq!(commands.handle_end(&mut out), None);
        assert_eq!(out, b"slow\npatient\n");
        assert_eq!(commands.handle_end(&mut out), Some(patient));
    }

    #[test]
    fn waiting_commands_are_bounded() {
        let now = start();
        let (mut commands, mut out) = (Commands::default(), Vec::new());
        for _ in 0..=MAX_WAITING_COMMANDS {
            commands.send(b"a\n".to_vec(), now, &mut out).unwrap();
        }
        assert_eq!(commands.send(b"a\n".to_vec(), now, &mut out), Err(TooManyCommands));
    }
}
