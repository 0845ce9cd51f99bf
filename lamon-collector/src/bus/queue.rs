//! The way of messages from the face to the bus's thread: a bounded queue, and a pipe that wakes the thread.
//!
//! An inproc socket of ZeroMQ would be the same with a dozen system calls for each message. The pipe has one byte in it
//! while the queue holds something that the thread was not told of, so it is written once for a whole burst.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A message of the bus.
pub(super) struct Message {
    /// Its topic.
    pub(super) topic: String,
    /// Its second frame; empty when the picture shall have the topic no more.
    pub(super) json: Vec<u8>,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    ended: bool,
}

type Shared = Arc<Mutex<State>>;

/// The face's end. Dropping it ends the thread.
pub(super) struct Outbox {
    state: Shared,
    limit: usize,
    wake: PipeWriter,
}

/// The thread's end.
pub(super) struct Inbox {
    state: Shared,
    woken: PipeReader,
}

/// A queue for so many messages.
///
/// # Errors
///
/// When the system gives no pipe.
pub(super) fn queue(limit: usize) -> io::Result<(Outbox, Inbox)> {
    let (woken, wake) = io::pipe()?;
    let state = Shared::default();
    Ok((Outbox { state: Arc::clone(&state), limit, wake }, Inbox { state, woken }))
}

impl Outbox {
    /// Puts a message into the queue, without waiting. When it is full the message is dropped.
    pub(super) fn send(&self, message: Message) {
        let mut state = lock(&self.state);
        let first = state.messages.is_empty();
        if state.messages.len() < self.limit {
            state.messages.push(message);
        }
        drop(state);
        if first {
            self.ring();
        }
    }

    fn ring(&self) {
        // It never waits: at most two bytes are in the pipe, this one and that of the end. It fails when the thread has
        // ended, and then nobody wants to know.
        let _ = (&self.wake).write_all(&[0]);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        lock(&self.state).ended = true;
        self.ring();
    }
}

impl Inbox {
    /// What becomes readable when there is something to take.
    pub(super) fn fd(&self) -> RawFd {
        self.woken.as_raw_fd()
    }

    /// Takes everything into `taken`, which is empty and lends its memory to the queue; call it when [`fd`](Self::fd) is
    /// readable. `false` when that was the last.
    pub(super) fn take(&mut self, taken: &mut Vec<Message>) -> bool {
        // Before the queue is looked at: what comes behind that writes another byte.
        if self.woken.read(&mut [0; 8]).is_err() {
            return false;
        }
        let mut state = lock(&self.state);
        std::mem::swap(&mut state.messages, taken);
        !state.ended
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str) -> Message {
        Message { topic: topic.into(), json: Vec::new() }
    }

    #[test]
    fn what_came_before_the_end_is_taken_and_what_has_no_room_is_dropped() {
        let (outbox, mut inbox) = queue(2).unwrap();
        let mut taken = Vec::new();
        for topic in ["a", "b", "c"] {
            outbox.send(message(topic));
        }
        assert!(inbox.take(&mut taken));
        assert_eq!(taken.drain(..).map(|message| message.topic).collect::<Vec<_>>(), ["a", "b"]);
        outbox.send(message("d"));
        drop(outbox);
        assert!(!inbox.take(&mut taken));
        assert_eq!(taken.len(), 1);
    }

    #[test]
    fn a_thread_that_waits_for_each_ring_gets_every_message() {
        const MESSAGES: usize = 20_000;
        let (outbox, mut inbox) = queue(MESSAGES).unwrap();
        let thread = std::thread::spawn(move || {
            let (mut taken, mut count) = (Vec::new(), 0);
            // Each take waits for a byte: one too few would leave it here for ever.
            while inbox.take(&mut taken) {
                count += taken.drain(..).len();
            }
            count + taken.len()
        });
        for _ in 0..MESSAGES {
            outbox.send(message("a"));
        }
        drop(outbox);
        assert_eq!(thread.join().unwrap(), MESSAGES);
    }
}
