//! Messages on their way to centrald, in bounded memory.

use std::collections::VecDeque;

/// Messages kept for a centrald that is away or slow. Older ones are dropped and counted: a log is for what happens
/// now, and 64 lines tell the story of a restart.
pub const MAX_WAITING_MESSAGES: usize = 64;

/// The newest messages, numbered, so that each centrald's connection knows which it has sent.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    kept: VecDeque<Vec<u8>>,
    /// Number of the message behind the newest.
    next: u64,
    /// Messages below this number went to at least one centrald.
    sent: u64,
    dropped: u64,
}

impl Messages {
    /// Adds a line.
    pub(crate) fn push(&mut self, line: Vec<u8>) {
        if self.kept.len() == MAX_WAITING_MESSAGES {
            self.kept.pop_front();
            if self.first() > self.sent {
                self.dropped += 1;
            }
        }
        self.kept.push_back(line);
        self.next += 1;
    }

    /// Appends what a connection has not sent yet; `seen` is its own mark.
    pub(crate) fn write_new(&mut self, seen: &mut u64, out: &mut Vec<u8>) {
        let skip = usize::try_from(seen.saturating_sub(self.first())).unwrap_or(usize::MAX);
        for line in self.kept.iter().skip(skip) {
            out.extend_from_slice(line);
        }
        *seen = self.next;
        self.sent = self.next;
    }

    /// Messages that no centrald ever got.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn first(&self) -> u64 {
        self.next - self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(messages: &mut Messages, numbers: std::ops::Range<u32>) {
        for number in numbers {
            messages.push(format!("{number} ").into_bytes());
        }
    }

    #[test]
    fn the_oldest_go_and_are_counted() {
        let mut messages = Messages::default();
        let mut seen = 0;
        let mut out = Vec::new();
        fill(&mut messages, 0..70);
        assert_eq!(messages.dropped(), 6);
        messages.write_new(&mut seen, &mut out);
        assert!(out.starts_with(b"6 7 ") && out.ends_with(b"68 69 "), "{out:?}");
        out.clear();
        messages.write_new(&mut seen, &mut out);
        assert!(out.is_empty());
        fill(&mut messages, 70..72);
        messages.write_new(&mut seen, &mut out);
        assert_eq!(out, b"70 71 ");
        // What was sent is not lost when it goes.
        fill(&mut messages, 72..136);
        assert_eq!(messages.dropped(), 6);
    }

    #[test]
    fn a_second_centrald_gets_what_is_kept() {
        let mut messages = Messages::default();
        fill(&mut messages, 0..2);
        let (mut one, mut two, mut out) = (0, 0, Vec::new());
        messages.write_new(&mut one, &mut out);
        messages.write_new(&mut two, &mut out);
        assert_eq!(out, b"0 1 0 1 ");
    }
}
